"""Connections that the service can afford: files leave without a copy, and nobody holds one for nothing.

uvicorn's protocol, with the "zero copy send" extension of ASGI (``http.response.zerocopysend``), which it
lacks: the kernel moves a shard from the page cache to the socket. And with bounds, which hold before anybody
is asked for a token: on the size of a request, counted as bytes arrive, and on the time its head may take; on
requests that wait in one connection; on connections; and on how long a reader may take nothing.
"""

import asyncio
import os
import resource
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from turntable.service.doors.peers import Peers, asker_of

ZERO_COPY = "http.response.zerocopysend"
MOST_HEAD_BYTES = 32 << 10
"""Of a request's address and headers together."""
MOST_MESSAGE_BYTES = 256 << 10
"""The size of a whole request, body and framing included; bodies have a narrower bound of their own."""
MOST_PIPELINED = 100
"""Requests that wait in one connection while another is answered."""
MOST_CONNECTIONS_EACH = 4096
"""Connections of one address at once."""
_SPARE_FILES = 512
"""That may be open beside connections."""
_PIECE_BYTES = 8 << 10
HEAD_S = 10.0
"""From the first byte of a request to the end of its head; also from a connection's beginning."""
STALL_S = 60.0
"""A reader that takes next to nothing for so long is let go."""
LEAST_BYTES = 64 << 10
"""Bytes of an answer that a reader must take in that time, or else all that waits for it."""
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"
    b"content-type: application/json\r\ncontent-length: 49\r\n\r\n"
    b'{"error": "address and headers are above 32 KiB"}'
)


class BoundedConnection(HttpToolsProtocol):
    """One connection of a reader."""

    peers = Peers.named((), ())
    """Whose connections are not counted: a proxy's are of many readers."""
    open_of: ClassVar[Counter[str]] = Counter()
    """Connections by address."""
    _head_bytes = 0
    _arrived_of_head = 0
    _arrived_of_message = 0
    _counted = ""
    _refused = False
    _answering = False
    _head_timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None
    _left_to_take = 0

    def connection_made(self, transport: Any) -> None:
        """Whoever connects has to ask for something soon."""
        super().connection_made(transport)
        # Every byte that waits for the reader is known of: also in a connection that is being closed, which
        # stays open until the last one has gone, and of answers too short to fill a buffer.
        transport.set_write_buffer_limits(high=0)
        self._counted = asker_of(self.client[0]) if self.client else ""
        self.open_of[self._counted] += 1
        if self._is_one_too_many():
            self._refused = True
            transport.abort()
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._head_arrived()
        self.resume_writing()
        self.open_of[self._counted] -= 1
        if not self.open_of[self._counted]:
            del self.open_of[self._counted]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a head, or of a body, which are counted before any of them is understood."""
        if self._head_timer is None and not self._answering:
            self._await_head()
        for start in range(0, len(data), _PIECE_BYTES):
            if self._refused or self.transport.is_closing():
                return
            piece = data[start : start + _PIECE_BYTES]
            self._arrived_of_head += len(piece)
            self._arrived_of_message += len(piece)
            super().data_received(piece)
            self._check_arrived()

    def pause_writing(self) -> None:
        """Wait for the reader, who must go on soon."""
        super().pause_writing()
        if self._stall_timer is None:
            self._watch_reader()

    def resume_writing(self) -> None:
        """Go on: the reader has taken all there was."""
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
        super().resume_writing()

    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        if self._within(len(url)):
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        if self._within(len(name) + len(value)):
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The request is known."""
        self._head_arrived()
        self._head_bytes = self._arrived_of_head = 0
        if not self._refused:
            self._answering = True
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of what follows the head."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has come whole."""
        self._arrived_of_head = self._arrived_of_message = 0
        if not self._refused:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """The next request may come."""
        self._answering = bool(self.pipeline)
        super().on_response_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        extensions = cycle.scope.setdefault("extensions", {})  # type: ignore[typeddict-item]
        extensions[ZERO_COPY] = {}
        super()._start_asgi_task(cycle, _with_zero_copy(app, cycle))

    def _within(self, more: int) -> bool:
        self._head_bytes += more
        if self._head_bytes <= MOST_HEAD_BYTES:
            return True
        self._refuse_head()
        return False

    def _check_arrived(self) -> None:
        """Refuse an endless request before it is parsed: the parser keeps a header until it is whole."""
        in_head = not self._answering and self._head_timer is not None
        if in_head and self._arrived_of_head > MOST_HEAD_BYTES + _PIECE_BYTES:
            self._refuse_head()
        elif self._arrived_of_message > MOST_MESSAGE_BYTES or len(self.pipeline) > MOST_PIPELINED:
            self._refused = True
            self.transport.close()

    def _refuse_head(self) -> None:
        if not self._refused:
            self._refused = True
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def _is_one_too_many(self) -> bool:
        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE_FILES
        each = min(MOST_CONNECTIONS_EACH, max(1, allowed // 2))
        counted = bool(self._counted) and not self.peers.is_proxy(self._counted)
        return len(self.connections) > max(1, allowed) or (counted and self.open_of[self._counted] > each)

    def _watch_reader(self) -> None:
        self._left_to_take = self.transport.get_write_buffer_size()
        self._stall_timer = self.loop.call_later(STALL_S, self._let_go_if_stalled)

    def _let_go_if_stalled(self) -> None:
        self._stall_timer = None
        if self._left_to_take - self.transport.get_write_buffer_size() < LEAST_BYTES:
            self.transport.abort()
        else:
            self._watch_reader()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_S, self._give_up)

    def _head_arrived(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()


def _with_zero_copy(app: Any, cycle: RequestResponseCycle) -> Any:
    """The application, whose files the kernel sends."""

    async def run(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        async def extended(message: Mapping[str, Any]) -> None:
            if message["type"] != ZERO_COPY:
                await send(message)
                return
            if cycle.scope["method"] != "HEAD" and not cycle.disconnected:
                await _send_file(cycle, message["file"], message["offset"], message["count"])
            if not message.get("more_body", False):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await app(scope, receive, extended)

    return run


async def _send_file(cycle: RequestResponseCycle, file: Any, offset: int, count: int) -> None:
    """Send a part of a file; a reader that has left, or takes nothing, is let go."""
    sending = _Sending(cycle.transport, file, offset, count)
    try:
        await cycle.flow.drain()  # the answer's head, as a rule gone at once
        whole = await sending.run()
    except (OSError, TimeoutError):
        whole = False
    if not whole:  # or the file is shorter than it was
        cycle.disconnected = True
        cycle.transport.abort()
    cycle.expected_content_length -= count


class _Sending:
    """The kernel's copying from a file to a socket, whenever the socket has room.

    Corked: asyncio has every socket send what it holds at once, which cuts a file into more packets than need
    be and takes a fifth of the time on a fast network. By a descriptor of its own, as the transport watches
    the other.
    """

    def __init__(self, transport: asyncio.Transport, file: Any, offset: int, count: int) -> None:
        self._transport, self._file = transport, file
        self._offset, self._end = offset, offset + count
        self._done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def run(self) -> bool:
        """Tell whether all was sent. Raises OSError where the reader left, TimeoutError where it stalls."""
        loop = asyncio.get_running_loop()
        self._socket = socket.socket(fileno=os.dup(self._transport.get_extra_info("socket").fileno()))
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            loop.add_writer(self._socket, self._send)
            while True:
                before = self._offset
                finished, _ = await asyncio.wait([self._done], timeout=STALL_S)
                if finished:
                    return self._done.result()
                if self._offset - before < LEAST_BYTES:
                    raise TimeoutError
        finally:
            loop.remove_writer(self._socket)
            with suppress(OSError):  # the reader has left
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
            self._socket.close()

    def _send(self) -> None:
        if self._done.done():
            return
        try:
            left = self._end - self._offset
            sent = os.sendfile(self._socket.fileno(), self._file.fileno(), self._offset, left)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._done.set_exception(error)
            return
        self._offset += sent
        if not sent or self._offset == self._end:
            self._done.set_result(self._offset == self._end)

"""Connections with limits and with zero-copy file transfer, based on uvicorn's HTTP protocol.

Zero-copy is the ASGI extension ``http.response.zerocopysend``, which uvicorn lacks: the kernel moves a shard
from the page cache to the socket. The limits apply before a token is checked: on the size of a request,
counted as its bytes arrive; on the time that its head may take; on the requests that wait in one connection;
on the number of connections; and on the time for which a client may read nothing.
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

from turntable.service.security.network import NetworkPolicy, get_client_key

ZERO_COPY = "http.response.zerocopysend"
"""Name of the ASGI extension, and type of its messages."""
MAX_HEAD_BYTES = 32 << 10
"""Largest size of a request's URL and headers together."""
MAX_MESSAGE_BYTES = 256 << 10
"""Largest size of a whole request with its framing; the parsing of bodies has a lower limit."""
MAX_PIPELINED = 100
"""Number of requests that may wait in one connection while another is answered."""
MAX_CONNECTIONS_PER_CLIENT = 4096
"""Number of connections of one client address at the same time."""
_SPARE_FILES = 512
"""Number of open files that are kept free for everything but connections."""
_CHUNK_BYTES = 8 << 10
"""Bytes passed to the parser at a time: a limit may be exceeded by so many before it is noticed."""
HEAD_TIMEOUT_S = 10.0
"""Seconds from the first byte of a request, or from the start of the connection, to the end of the head."""
STALL_TIMEOUT_S = 60.0
"""Seconds in which a client must read ``MIN_BYTES_TAKEN``; otherwise its connection is closed."""
MIN_BYTES_TAKEN = 64 << 10
"""Bytes of a response that a client must read in ``STALL_TIMEOUT_S``, or else all that remain."""
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"
    b"content-type: application/json\r\ncontent-length: 49\r\n\r\n"
    b'{"error": "address and headers are above 32 KiB"}'
)


class BoundedConnection(HttpToolsProtocol):
    """One connection of a client.

    The methods of uvicorn's protocol are called in this order: ``connection_made``; for each piece that
    arrives ``data_received``, which calls ``on_url``, ``on_header``, ``on_headers_complete``, ``on_body`` and
    ``on_message_complete`` as the parser finds them; ``on_response_complete``; and ``connection_lost``.
    """

    network_policy = NetworkPolicy.from_names((), ())
    """The trusted proxies, which may open any number of connections: they carry those of many clients."""
    num_open: ClassVar[Counter[str]] = Counter()
    """Number of open connections by client."""
    # Parsed bytes of the URL and headers. The parser reports a header when it is whole, so this count comes
    # late.
    _head_bytes = 0
    # Bytes received since the head or the request began, parsed or not.
    _head_bytes_received = 0
    _message_bytes_received = 0
    _client_key = ""
    _refused = False
    _answering = False  # between the end of a request's head and the end of its response
    _head_timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None
    _bytes_unread = 0

    def connection_made(self, transport: Any) -> None:
        """Count the connection, refuse it if there are too many, and wait for its first request."""
        super().connection_made(transport)
        # With a limit of 0, asyncio calls pause_writing for every byte that the client has not read. So the
        # stall timer also watches short responses, and a connection that is being closed but has bytes left.
        transport.set_write_buffer_limits(high=0)
        self._client_key = get_client_key(self.client[0]) if self.client else ""
        self.num_open[self._client_key] += 1
        if self._has_too_many():
            self._refused = True
            transport.abort()
        else:
            self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers and uncount the connection."""
        self._stop_head_timer()
        self.resume_writing()
        self.num_open[self._client_key] -= 1
        if not self.num_open[self._client_key]:
            del self.num_open[self._client_key]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes that arrived, and pass them to the parser in small pieces."""
        if self._head_timer is None and not self._answering:
            self._start_head_timer()
        for start in range(0, len(data), _CHUNK_BYTES):
            if self._refused or self.transport.is_closing():
                return
            piece = data[start : start + _CHUNK_BYTES]
            self._head_bytes_received += len(piece)
            self._message_bytes_received += len(piece)
            super().data_received(piece)
            self._check_received()

    def pause_writing(self) -> None:
        """Stop writing and start to watch whether the client reads on."""
        super().pause_writing()
        if self._stall_timer is None:
            self._watch_reader()

    def resume_writing(self) -> None:
        """Go on writing: the client has read all bytes that waited."""
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
        super().resume_writing()

    def on_url(self, url: bytes) -> None:
        """Handle a part of the URL."""
        if self._count_head_bytes(len(url)):
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Handle one header."""
        if self._count_head_bytes(len(name) + len(value)):
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Handle the end of the head, and start to answer the request."""
        self._stop_head_timer()
        self._head_bytes = self._head_bytes_received = 0
        if not self._refused:
            self._answering = True
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Handle a part of the body."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Handle the end of the request."""
        self._head_bytes_received = self._message_bytes_received = 0
        if not self._refused:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Handle the end of the response; a request that waits is answered next."""
        self._answering = bool(self.pipeline)
        super().on_response_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        extensions = cycle.scope.setdefault("extensions", {})  # type: ignore[typeddict-item]
        extensions[ZERO_COPY] = {}
        super()._start_asgi_task(cycle, _add_zero_copy(app, cycle))

    def _count_head_bytes(self, num_bytes: int) -> bool:
        """Count parsed bytes of the head; return False, and refuse the request, if there are too many."""
        self._head_bytes += num_bytes
        if self._head_bytes <= MAX_HEAD_BYTES:
            return True
        self._refuse_head()
        return False

    def _check_received(self) -> None:
        """Refuse a request that is too long already, whether it is parsed or not.

        The parser keeps an unfinished header in memory, so an endless one must be cut off here.
        """
        in_head = not self._answering and self._head_timer is not None
        if in_head and self._head_bytes_received > MAX_HEAD_BYTES + _CHUNK_BYTES:
            self._refuse_head()
        elif self._message_bytes_received > MAX_MESSAGE_BYTES or len(self.pipeline) > MAX_PIPELINED:
            self._refused = True
            self.transport.close()

    def _refuse_head(self) -> None:
        if not self._refused:
            self._refused = True
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def _has_too_many(self) -> bool:
        """Return True if there are too many connections, in all or of this client."""
        max_total = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE_FILES
        # At most half of all, so that one client cannot lock out the others.
        max_per_client = min(MAX_CONNECTIONS_PER_CLIENT, max(1, max_total // 2))
        is_limited = bool(self._client_key) and not self.network_policy.is_proxy(self._client_key)
        return len(self.connections) > max(1, max_total) or (
            is_limited and self.num_open[self._client_key] > max_per_client
        )

    def _watch_reader(self) -> None:
        """Check after a while that the client has read enough."""
        self._bytes_unread = self.transport.get_write_buffer_size()
        self._stall_timer = self.loop.call_later(STALL_TIMEOUT_S, self._abort_if_stalled)

    def _abort_if_stalled(self) -> None:
        self._stall_timer = None
        if self._bytes_unread - self.transport.get_write_buffer_size() < MIN_BYTES_TAKEN:
            self.transport.abort()
        else:
            self._watch_reader()

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._close_on_timeout)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _close_on_timeout(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()


def _add_zero_copy(app: Any, cycle: RequestResponseCycle) -> Any:
    """Return the application with support for zero-copy messages."""

    async def run(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        async def send_extended(message: Mapping[str, Any]) -> None:
            if message["type"] != ZERO_COPY:
                await send(message)
                return
            if cycle.scope["method"] != "HEAD" and not cycle.disconnected:
                await _send_file(cycle, message["file"], message["offset"], message["count"])
            if not message.get("more_body", False):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await app(scope, receive, send_extended)

    return run


async def _send_file(cycle: RequestResponseCycle, file: Any, offset: int, count: int) -> None:
    """Send a part of a file; abort the connection if the client left or does not read."""
    transfer = _FileTransfer(cycle.transport, file, offset, count)
    try:
        await cycle.flow.drain()  # the head of the response must be out before the file; usually it is
        is_complete = await transfer.run()
    except (OSError, TimeoutError):
        is_complete = False
    if not is_complete:  # also if the file was truncated meanwhile
        cycle.disconnected = True
        cycle.transport.abort()
    # uvicorn counts down what it sends itself, and would report a response that is too short.
    cycle.expected_content_length -= count


class _FileTransfer:
    """A transfer of a part of a file to a socket by ``sendfile``, whenever the socket has room.

    The socket is corked during the transfer (TCP_CORK): asyncio sets TCP_NODELAY, which cuts a file into more
    packets than needed and costs a fifth of the time on a fast network. The socket is duplicated, because
    asyncio does not allow a second watcher of a descriptor that a transport uses.
    """

    def __init__(self, transport: asyncio.Transport, file: Any, offset: int, count: int) -> None:
        self._transport, self._file = transport, file
        self._offset, self._end = offset, offset + count
        self._done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def run(self) -> bool:
        """Send the bytes; return False if the file ended early.

        Raises:
            OSError: The client left.
            TimeoutError: The client reads too slowly.
        """
        loop = asyncio.get_running_loop()
        self._socket = socket.socket(fileno=os.dup(self._transport.get_extra_info("socket").fileno()))
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            loop.add_writer(self._socket, self._send)
            while True:
                before = self._offset
                finished, _ = await asyncio.wait([self._done], timeout=STALL_TIMEOUT_S)
                if finished:
                    return self._done.result()
                if self._offset - before < MIN_BYTES_TAKEN:
                    raise TimeoutError
        finally:
            loop.remove_writer(self._socket)
            with suppress(OSError):  # the client has left
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
            self._socket.close()

    def _send(self) -> None:
        """Send as many bytes as the socket takes now; called whenever it has room."""
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

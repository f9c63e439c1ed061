"""One request over HTTP, and its answer, of which no more is taken than is wanted, nor for longer.

urllib3 (https://urllib3.readthedocs.io) carries the requests. A meter below it counts bytes and seconds, so
no header, chunk or trailer of a server gets past it. Redirects are given back: who asks decides where to go.
"""

import http.client
import io
import re
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from traceback import clear_frames
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, InvalidHeader, ProtocolError

from turntable.datasets.stores.patience import ASK, AnswerError, Problem
from turntable.datasets.stores.web.origins import Address, WebOrigin

PIECE_BYTES = 1 << 18
"""The most that is read at once, and so what an answer that breaks off may cost."""
HEAD_BYTES = 256 << 10
"""The most that may come before a body, and besides it: status, headers, trailers."""
SLOWEST_BYTES_S = 1024
WINDOW_S = 60.0
"""Seconds of waiting in which an answer must keep to that pace."""
_WORTH_READING = 16 << 10
"""An unwanted body up to this length is read, for its connection is worth more."""
_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_WORDS = 200
_ADDRESSES = r"\(url[^)]*\)|https?://\S+|\w*Connection\w*\(host[^)]*\):?|<[^>]*>:?"
"""The parts of urllib3's messages that say who was asked."""
_NUMBER = re.compile(r"[0-9]{1,18}")


class _TooMuchError(Exception):
    """The meter's word; not an OSError, which urllib3 would take for one of the network."""


class _Meter:
    """Count an answer's bytes, and the seconds that they were waited for; raise where they are too many."""

    def __init__(self) -> None:
        self._left, self._what = HEAD_BYTES, "headers"
        self._waited_s, self._came = 0.0, 0

    def allow_body(self, most_bytes: int) -> None:
        """Let a body come; twice its bytes, for chunks have headers of their own."""
        self._left, self._what = HEAD_BYTES + 2 * most_bytes, "chunks or trailers"

    def room(self) -> int:
        """Bytes that may come."""
        if self._left <= 0:
            raise _TooMuchError(f"it sends {self._what} without end; {ASK}")
        return self._left

    def count(self, count: int, seconds: float) -> None:
        """Take note of what came, and how long it took."""
        self._left -= count
        self._came += count
        self._waited_s += seconds
        if self._waited_s < WINDOW_S:
            return
        if self._came < SLOWEST_BYTES_S * self._waited_s:
            raise _TooMuchError(
                f"it sends fewer than {SLOWEST_BYTES_S:,} bytes a second, which is given up after "
                f"{WINDOW_S:g} s; look at the network, or ask whoever keeps the server"
            )
        self._waited_s, self._came = 0.0, 0


_METER: ContextVar[_Meter] = ContextVar("_METER")
"""The meter of the request that is being made: urllib3 makes the response, and knows of none."""


class _MeteredReader(io.RawIOBase):
    """The bytes of a socket, counted as they come."""

    def __init__(self, raw: io.RawIOBase, meter: _Meter) -> None:
        self._raw, self._meter = raw, meter

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what there is, but no more than there may be."""
        view = memoryview(buffer)[: self._meter.room()]
        began = time.monotonic()
        count: int | None = self._raw.readinto(view)  # pyright: ignore[reportAttributeAccessIssue]
        self._meter.count(count or 0, time.monotonic() - began)
        return count

    def close(self) -> None:
        """Close the socket's side too, which counts its readers."""
        try:
            self._raw.close()
        finally:
            super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fp = io.BufferedReader(_MeteredReader(self.fp.detach(), _METER.get()))

    def begin(self) -> None:
        super().begin()
        # Of headers that are not well-formed urllib3 logs the whole address, whose query may be a key.
        self.headers.defects.clear()
        self.headers.set_payload([])


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Connections(HTTPConnectionPool):
    ConnectionCls = _Connection  # pyright: ignore[reportAssignmentType]


class _SecureConnections(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection  # pyright: ignore[reportAssignmentType]


class Answer:
    """A server's answer; its body is still to be read. ``release`` it when done.

    Args:
        response: urllib3's.
        meter: Of the response.
        origin: Who was asked.
    """

    def __init__(self, response: urllib3.BaseHTTPResponse, meter: _Meter, origin: WebOrigin) -> None:
        self._response, self._meter = response, meter
        self.status, self.origin = response.status, origin

    def header(self, name: str) -> str:
        """Return a header; empty where there is none."""
        return self._response.headers.get(name, "")

    @property
    def redirect(self) -> str:
        """The place to which it redirects, as the server says it; empty where it is no redirect."""
        return self.header("Location") if self.status in _REDIRECTS else ""

    @property
    def stated_bytes(self) -> int | None:
        """Bytes of the body, where the server says how many; chunks overrule what it says."""
        length = self.header("Content-Length")
        return int(length) if _NUMBER.fullmatch(length) and not self._response.chunked else None

    @property
    def asked_pause_s(self) -> float:
        """Seconds that a busy server asks for, as a number or a date; 0 where it does not."""
        try:
            return urllib3.Retry().parse_retry_after(self.header("Retry-After")[:64])
        except (InvalidHeader, ValueError, OverflowError, TypeError, IndexError):
            return 0.0

    def pieces(self, most_bytes: int) -> Iterator[bytes]:
        """Give the body piece by piece, up to so many bytes of it.

        Raises:
            AnswerError: It breaks off, or does not keep to any pace.
        """
        self._meter.allow_body(most_bytes)
        while most_bytes > 0 and (piece := self._read(min(PIECE_BYTES, most_bytes))):
            most_bytes -= len(piece)
            yield piece

    def is_over(self) -> bool:
        """Say whether nothing of the body is left. Raises AnswerError where it breaks off."""
        return not self._read(1)

    def release(self) -> None:
        """Let the connection carry other requests, if that is cheap; else it is closed."""
        left = self._response.length_remaining
        try:
            if left is not None and left <= _WORTH_READING and len(self._read(left + 1)) == left:
                self._response.release_conn()
                return
        except AnswerError:
            pass
        self._response.close()

    def _read(self, count: int) -> bytes:
        try:
            return self._response.read(count)
        except _ERRORS as error:
            problem = _problem(error)
        raise AnswerError(*problem)


_POOLS: Mapping[str, type[HTTPConnectionPool]] = {"http": _Connections, "https": _SecureConnections}
_ERRORS = (_TooMuchError, HTTPError, http.client.HTTPException, OSError, ValueError)
"""Errors of reading an answer; ValueError, for http.client takes a chunk of negative size at its word."""


def connections(connect_s: float, read_s: float) -> urllib3.PoolManager:
    """Return connections that wait so many seconds to be made, and so many for a next byte."""
    manager = urllib3.PoolManager(maxsize=16, timeout=urllib3.Timeout(connect=connect_s, read=read_s))
    manager.pool_classes_by_scheme = dict(_POOLS)
    return manager


def ask(manager: urllib3.PoolManager, address: Address, headers: Mapping[str, str]) -> Answer:
    """Ask once.

    Args:
        manager: As ``connections`` makes it.
        address: Whom and what. The connection is made to its origin as it stands there, not read again.
        headers: Of the request.

    Raises:
        AnswerError: None came, or none that can be read.
    """
    meter, origin = _Meter(), address.origin
    outer = _METER.set(meter)
    try:
        response = manager.connection_from_host(origin.host, origin.port, origin.scheme).urlopen(
            "GET",
            address.target,
            headers={"Accept-Encoding": "identity", **headers},
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
    except _ERRORS as error:
        problem = _problem(error)
    else:
        return Answer(response, meter, origin)
    finally:
        _METER.reset(outer)
    raise AnswerError(*problem)


def _problem(error: Exception) -> Problem:
    """Return what is wrong, without the errors before it, which may hold an address or a header."""
    # A frame of urllib3 holds its own error, and with it the frames of all callers and what they have open.
    clear_frames(error.__traceback__)
    if isinstance(error, _TooMuchError):
        return Problem(str(error), may_pass=False)
    cause = error.args[-1] if error.args else None
    # Too many headers, or too long a line: such a server sends them again.
    hopeless = isinstance(cause, http.client.LineTooLong) or type(cause) is http.client.HTTPException
    return Problem(f"{_words(error)}; {ASK}", may_pass=False) if hopeless else Problem(_words(error))


def _words(error: Exception) -> str:
    """Return what is wrong, without the address that was asked, whose query may be a key."""
    told, *causes = (str(part) for part in error.args) if isinstance(error, ProtocolError) else (str(error),)
    text = ": ".join([told.rstrip("."), *(cause for cause in causes if cause not in told)])
    text = re.sub(_ADDRESSES, "", text[:4096]).strip()[:_MOST_WORDS]
    # A status line that is none is the server's own text, and goes to a terminal.
    return "".join(mark if mark.isprintable() else "?" for mark in text) or type(error).__name__

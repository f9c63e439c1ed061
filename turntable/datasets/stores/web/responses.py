"""HTTP requests, and responses whose size and duration are bounded.

urllib3 (https://urllib3.readthedocs.io) sends the requests. A meter on the socket below it counts bytes and
seconds, so that every header, chunk and trailer of a server counts. Redirects are returned: the caller
decides whether to follow them.
"""

import http.client
import io
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from traceback import clear_frames
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, InvalidHeader, ProtocolError

from turntable.datasets.stores.retries import CHECK_URL_REMEDY, ResponseError, ResponseProblem
from turntable.datasets.stores.web.addresses import WebAddress, WebOrigin
from turntable.datasets.stores.web.certificates import explain_untrusted_certificate, make_tls_context
from turntable.datasets.stores.web.proxies import Proxy

PIECE_BYTES = 1 << 18
"""Most bytes that are read at once, and so the most that are lost if a response breaks off."""
MAX_HEAD_BYTES = 256 << 10
"""Most bytes before and beside a body: status, headers and trailers."""
MIN_BYTES_PER_S = 1024
"""Lowest speed of a response, in bytes per second."""
WINDOW_S = 60.0
"""Seconds of waiting over which the speed is measured."""
_MAX_DRAINED_BYTES = 16 << 10
"""Longest rest of a body that is read in order to keep its connection."""
_REDIRECTS = {301, 302, 303, 307, 308}
_MAX_MESSAGE_LENGTH = 200
_ADDRESS_PATTERN = r"\(url[^)]*\)|https?://\S+|\w*Connection\w*\(host[^)]*\):?|<[^>]*>:?"
"""Parts of urllib3's messages that contain the address of the request."""
_NUMBER = re.compile(r"[0-9]{1,18}")
_TUNNEL_REFUSAL = re.compile(r"Tunnel connection failed: (4[0-9]{2} [ -~]{0,60})")
"""Part of the message of a proxy's refusal that lasts."""


class _LimitExceededError(Exception):
    """A limit of the meter that a response exceeded.

    It is not an OSError, which urllib3 would treat as a network error.
    """


class _TransferMeter:
    """A counter of a response's bytes and of the seconds spent waiting for them, with a limit on each."""

    def __init__(self) -> None:
        self._remaining, self._part_name = MAX_HEAD_BYTES, "headers"
        self._waited_s, self._num_received = 0.0, 0

    def allow_body(self, max_bytes: int) -> None:
        """Allow a body of ``max_bytes``.

        Twice as many bytes may arrive, since chunks have headers of their own.
        """
        self._remaining, self._part_name = MAX_HEAD_BYTES + 2 * max_bytes, "chunks or trailers"

    def get_remaining_bytes(self) -> int:
        """Return the number of bytes that may still arrive."""
        if self._remaining <= 0:
            raise _LimitExceededError(f"it sends {self._part_name} without end; {CHECK_URL_REMEDY}")
        return self._remaining

    def count(self, num_bytes: int, seconds: float) -> None:
        """Count bytes that arrived, and the seconds spent waiting for them."""
        self._remaining -= num_bytes
        self._num_received += num_bytes
        self._waited_s += seconds
        if self._waited_s < WINDOW_S:
            return
        if self._num_received < MIN_BYTES_PER_S * self._waited_s:
            raise _LimitExceededError(
                f"it sends fewer than {MIN_BYTES_PER_S:,} bytes per second, which is given up after "
                f"{WINDOW_S:g} s; check the network, or ask the administrator of the server"
            )
        self._waited_s, self._num_received = 0.0, 0


_METER: ContextVar[_TransferMeter] = ContextVar("_METER")
"""Meter of the current request. urllib3 creates the response itself, so the meter cannot be passed to it."""


class _MeteredReader(io.RawIOBase):
    """A reader of a socket that counts the bytes as they arrive."""

    def __init__(self, raw: io.RawIOBase, meter: _TransferMeter) -> None:
        self._raw, self._meter = raw, meter

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is available, but no more than may still arrive."""
        view = memoryview(buffer)[: self._meter.get_remaining_bytes()]
        start_s = time.monotonic()
        count: int | None = self._raw.readinto(view)  # pyright: ignore[reportAttributeAccessIssue]
        self._meter.count(count or 0, time.monotonic() - start_s)
        return count

    def close(self) -> None:
        """Close the socket's own reader too: the socket stays open as long as it has readers."""
        try:
            self._raw.close()
        finally:
            super().close()


class _MeteredResponse(http.client.HTTPResponse):
    """A response of http.client whose socket is read through the meter."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fp = io.BufferedReader(_MeteredReader(self.fp.detach(), _METER.get()))

    def begin(self) -> None:
        super().begin()
        # If headers are malformed, urllib3 logs the whole address, whose query may hold a key. So the marks
        # of malformed headers are removed.
        self.headers.defects.clear()
        self.headers.set_payload([])


class _Connection(HTTPConnection):
    response_class = _MeteredResponse


class _SecureConnection(HTTPSConnection):
    response_class = _MeteredResponse


class _ConnectionPool(HTTPConnectionPool):
    ConnectionCls = _Connection  # pyright: ignore[reportAssignmentType]


class _SecureConnectionPool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection  # pyright: ignore[reportAssignmentType]


class WebResponse:
    """A server's response whose body is still to be read. Call ``release`` when done.

    Args:
        response: Response of urllib3.
        meter: Meter of the response.
        origin: Origin that was asked.
    """

    def __init__(self, response: urllib3.BaseHTTPResponse, meter: _TransferMeter, origin: WebOrigin) -> None:
        self._response, self._meter = response, meter
        self.status, self.origin = response.status, origin

    def get_header(self, name: str) -> str:
        """Return a header, or "" if it is missing."""
        return self._response.headers.get(name, "")

    @property
    def redirect_location(self) -> str:
        """The Location header of a redirect as the server sent it; empty if it is not a redirect."""
        return self.get_header("Location") if self.status in _REDIRECTS else ""

    @property
    def content_length(self) -> int | None:
        """The number of bytes of the body, or None if the server does not state it or sends chunks."""
        length = self.get_header("Content-Length")
        return int(length) if _NUMBER.fullmatch(length) and not self._response.chunked else None

    @property
    def retry_after_s(self) -> float:
        """The seconds that a busy server asks to wait, from a number or a date; 0 if it does not ask."""
        try:
            return urllib3.Retry().parse_retry_after(self.get_header("Retry-After")[:64])
        except (InvalidHeader, ValueError, OverflowError, TypeError, IndexError):
            return 0.0

    def iter_pieces(self, max_bytes: int) -> Iterator[bytes]:
        """Yield the body piece by piece, up to ``max_bytes`` of it.

        Raises:
            ResponseError: The body breaks off, or comes too slowly.
        """
        self._meter.allow_body(max_bytes)
        while max_bytes > 0 and (piece := self._read(min(PIECE_BYTES, max_bytes))):
            max_bytes -= len(piece)
            yield piece

    def is_over(self) -> bool:
        """Return True if nothing of the body is left. Raises ResponseError if it breaks off."""
        return not self._read(1)

    def release(self) -> None:
        """Return the connection for other requests if little of the body is left, or else close it."""
        num_left = self._response.length_remaining
        try:
            if (
                num_left is not None
                and num_left <= _MAX_DRAINED_BYTES
                and len(self._read(num_left + 1)) == num_left
            ):
                self._response.release_conn()
                return
        except ResponseError:
            pass
        self._response.close()

    def _read(self, num_bytes: int) -> bytes:
        try:
            return self._response.read(num_bytes)
        except _READ_ERRORS as error:
            problem = _make_problem(error)
        # Raised outside the except block: the error must not refer to the one before it (see _make_problem).
        raise ResponseError(*problem)


_POOLS: Mapping[str, type[HTTPConnectionPool]] = {"http": _ConnectionPool, "https": _SecureConnectionPool}
"""Pools of metered connections, by scheme."""
_READ_ERRORS = (_LimitExceededError, HTTPError, http.client.HTTPException, OSError, ValueError)
"""Errors of reading a response. ValueError is one: http.client accepts a chunk of negative size."""


class WebConnections:
    """The connections of one process to servers, directly and through proxies.

    Args:
        connect_timeout_s: Seconds to wait for a connection.
        read_timeout_s: Seconds to wait for the next bytes.
        environ: Environment variables, which may name certificate authorities.
    """

    def __init__(self, connect_timeout_s: float, read_timeout_s: float, environ: Mapping[str, str]) -> None:
        self._timeout = urllib3.Timeout(connect=connect_timeout_s, read=read_timeout_s)
        self.environ = environ
        self._managers: dict[tuple[str, Proxy | None], urllib3.PoolManager] = {}

    def get_pool(self, origin: WebOrigin, proxy: Proxy | None) -> HTTPConnectionPool:
        """Return the connections to an origin.

        Raises:
            StoreError: A variable of the environment names no certificates.
        """
        key = origin.scheme, proxy
        if key not in self._managers:
            self._managers[key] = self._make_manager(origin.scheme, proxy)
        return self._managers[key].connection_from_host(origin.host, origin.port, origin.scheme)

    def _make_manager(self, scheme: str, proxy: Proxy | None) -> urllib3.PoolManager:
        settings: dict[str, Any] = {"maxsize": 16, "timeout": self._timeout}
        if scheme == "https":
            settings["ssl_context"] = make_tls_context(self.environ)
        if proxy is None:
            manager = urllib3.PoolManager(**settings)
        else:
            if proxy.scheme == "https":
                settings["proxy_ssl_context"] = make_tls_context(self.environ)
            headers = {"Proxy-Authorization": proxy.password.authorization} if proxy.password else {}
            manager = urllib3.ProxyManager(proxy.url, proxy_headers=headers, **settings)
        manager.pool_classes_by_scheme = dict(_POOLS)
        return manager


def send_request(
    connections: WebConnections, address: WebAddress, headers: Mapping[str, str], proxy: Proxy | None = None
) -> WebResponse:
    """Send one GET request, without retries and redirects, and return the response.

    Args:
        connections: Connections of this process.
        address: Address of the request. The connection goes to its origin as it is, without parsing it again.
        headers: Headers of the request.
        proxy: Proxy to ask: it passes requests to http on, and makes a tunnel to https; None to ask directly.

    Raises:
        ResponseError: No response came, or none that can be read.
        StoreError: A variable of the environment names no certificates.
    """
    meter, origin = _TransferMeter(), address.origin
    pool = connections.get_pool(origin, proxy)
    reset_token = _METER.set(meter)
    try:
        response = pool.urlopen(
            "GET",
            str(address) if proxy is not None and origin.scheme == "http" else address.target,
            headers={"Accept-Encoding": "identity", **headers},
            retries=False,
            redirect=False,
            assert_same_host=False,  # the connections to a proxy are for every host
            preload_content=False,
            decode_content=False,
        )
    except _READ_ERRORS as error:
        problem = _find_certificate_problem(error, connections.environ) or _make_problem(error)
    else:
        return WebResponse(response, meter, origin)
    finally:
        _METER.reset(reset_token)
    raise ResponseError(*problem)


def _find_certificate_problem(error: Exception, environ: Mapping[str, str]) -> ResponseProblem | None:
    """Return the problem of an error that says that a certificate is not trusted, or None."""
    cause: object = error
    while isinstance(cause, BaseException):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ResponseProblem(explain_untrusted_certificate(cause, environ), is_transient=False)
        cause = next((part for part in cause.args if isinstance(part, BaseException)), None)
    return None


def _make_problem(error: Exception) -> ResponseProblem:
    """Return the problem of an error without the errors that caused it: they may hold an address or a key."""
    # A frame of urllib3 refers to its own error, and so to the frames of all callers and to what they have
    # open. Without this, connections would stay open until the garbage collector runs.
    clear_frames(error.__traceback__)
    if isinstance(error, _LimitExceededError):
        return ResponseProblem(str(error), is_transient=False)
    if (refusal := _TUNNEL_REFUSAL.search(str(error))) is not None:
        return ResponseProblem(f"it does not make a connection ({refusal[1]})", is_transient=False)
    cause = error.args[-1] if error.args else None
    # Too many headers or too long a line: the server would send the same again.
    is_permanent = isinstance(cause, http.client.LineTooLong) or type(cause) is http.client.HTTPException
    return (
        ResponseProblem(f"{_format_error(error)}; {CHECK_URL_REMEDY}", is_transient=False)
        if is_permanent
        else ResponseProblem(_format_error(error))
    )


def _format_error(error: Exception) -> str:
    """Return the text of an error without the address of the request, whose query may hold a key."""
    message, *causes = (
        (str(part) for part in error.args) if isinstance(error, ProtocolError) else (str(error),)
    )
    text = ": ".join([message.rstrip("."), *(cause for cause in causes if cause not in message)])
    text = re.sub(_ADDRESS_PATTERN, "", text[:4096]).strip()[:_MAX_MESSAGE_LENGTH]
    # A malformed status line is quoted here. This text of the server must not steer the user's terminal.
    return (
        "".join(character if character.isprintable() else "?" for character in text) or type(error).__name__
    )

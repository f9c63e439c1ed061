"""A read-only store on a web server that supports Range requests."""

import hashlib
import io
import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn
from urllib.parse import quote, urlsplit

from turntable.datasets.files import check_file_name
from turntable.datasets.stores.downloads import download_with_retries
from turntable.datasets.stores.passwords import split_userinfo
from turntable.datasets.stores.protocol import Download, make_too_long_error
from turntable.datasets.stores.retries import CHECK_URL_REMEDY, ResponseError, ResponseProblem, iter_pauses
from turntable.datasets.stores.web.addresses import WebAddress, check_printable
from turntable.datasets.stores.web.credentials import (
    Credential,
    GivenCredential,
    explain_refusal,
    find_credential,
)
from turntable.datasets.stores.web.headers import (
    format_header,
    get_file_size,
    get_strong_e_tag,
    is_strong_e_tag,
    parse_content_range,
)
from turntable.datasets.stores.web.proxies import Proxy, find_proxy
from turntable.datasets.stores.web.tokens import parse_token
from turntable.errors import InvalidInputError, RejectedResponseError, StoreError
from turntable.extras import explain_import_errors

if TYPE_CHECKING:
    from turntable.datasets.stores.web.responses import WebResponse

_MAX_PAUSE_S = 30.0
"""Longest wait that a busy server may ask for, in seconds."""
_CONNECT_S, _READ_S = 5.0, 30.0
"""Seconds to wait for a connection, and for the next bytes of a response."""
_MAX_REDIRECTS = 5
_BUSY = {408, 425, 429, 500, 502, 503, 504}
"""Statuses after which the same request may succeed later."""
_REFUSED = {401, 403}
_MISSING = {404, 410}
_PARTIAL, _UNSATISFIABLE, _CHANGED = 206, 416, 412
_PROXY_REFUSED = 407


class _Client(NamedTuple):
    """The connections and the credential of one process."""

    process_id: int
    connections: Any
    credential: Credential | None


class HttpStore:
    """A read-only store of the files below a URL.

    It is pickled as its URL, with the password in it, and the token of the call. Connections stay in their
    process.

    Args:
        url: "https://host/path/my-set". A query (of a signed URL) is sent with every request. A user's name
            and password before the host ("https://user:password@host/…") are sent to the URL's origin
            (scheme, host and port) alone.
        token: Bearer token, sent to the URL's origin alone; None: the URL's password, the token of
            TURNTABLE_TOKEN if TURNTABLE_TOKEN_HOST names this origin, that of ``turntable login``, or the
            password of the user's netrc file.

    Raises:
        InvalidInputError: The URL is not a web address, the token is not of the right form, or both a token
            and a password are given.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        plain_url, userinfo = split_userinfo(check_printable(url))
        self._base = WebAddress.from_url(plain_url)
        parts = urlsplit(plain_url)
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        if token and userinfo:
            raise InvalidInputError(
                f"{self.url}: has a password, and a token is given too; leave one of them out"
            )
        self._given = GivenCredential(
            parse_token(token, "the token of the call") if token else None, userinfo
        )
        self._client: _Client | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        query = f"?{self._base.query}" if self._base.query else ""
        userinfo = f"{self._given.userinfo}@" if self._given.userinfo else ""
        scheme, _, rest = self.url.partition("://")
        return type(self), (f"{scheme}://{userinfo}{rest}{query}", self._given.token)

    def __repr__(self) -> str:
        return f"HttpStore({self.url!r})"

    def with_path(self, path: str) -> "HttpStore":
        """Return the store at another path of the same origin, with the credential that was given for it."""
        store = type(self)(f"{self._base.origin}{path}", self._given.token)
        store._given = self._given
        return store

    def read(self, name: str, max_bytes: int) -> bytes | None:
        """Return the bytes of a small file, or None if it is missing."""
        for pause in iter_pauses():
            with self._open_response(name) as response:
                if response is None:
                    return None
                try:
                    return self._read_whole(name, response, max_bytes)
                except ResponseError as error:
                    problem = error.problem
            self._wait_or_raise(name, pause, problem)
        raise AssertionError("the last pause is None")

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        """Return ``size`` bytes of a file from an offset, by one request.

        Raises:
            StoreError: The file is missing, or the server does not support Range requests.
        """
        if not size:
            return b""
        for pause in iter_pauses():
            with self._open_response(name, {"Range": f"bytes={offset}-{offset + size - 1}"}) as response:
                if response is None:
                    raise StoreError(f"{self._format_location(name)}: missing")
                if response.status == _UNSATISFIABLE:
                    return b""
                if response.status != _PARTIAL:
                    raise StoreError(
                        f"{self._format_location(name)}: the server does not answer Range requests; use one "
                        "that does, or keep whole shards in a cache"
                    )
                try:
                    first, last, file_size = parse_content_range(response)
                    data = b"".join(response.iter_pieces(size))  # surplus bytes are not read
                    if (first, first + len(data)) == (offset, min(offset + size, file_size)):
                        return data
                    problem = ResponseProblem(
                        f"it gave bytes {first} to {last} for {offset} to {offset + size - 1}"
                    )
                except ResponseError as error:
                    problem = error.problem
            self._wait_or_raise(name, pause, problem)
        raise AssertionError("the last pause is None")

    def get_size(self, name: str) -> int | None:
        """Return the size of a file in bytes, or None if it is missing.

        The first byte is requested for it: not all servers answer HEAD requests.
        """
        with self._open_response(name, {"Range": "bytes=0-0"}) as response:
            if response is None:
                return None
            try:
                return 0 if response.status == _UNSATISFIABLE else get_file_size(response)
            except ResponseError as error:
                problem = error.problem
        raise StoreError(f"{self._format_location(name)}: {problem.message}")

    def get_sha256(self, name: str) -> str | None:
        """Return the hex sha256 of a file, which is downloaded for it, or None if it is missing."""
        if self.get_size(name) is None:
            return None
        sha256 = hashlib.sha256()

        def restart() -> Callable[[bytes], None]:
            nonlocal sha256
            sha256 = hashlib.sha256()
            return sha256.update

        download_with_retries(self, name, restart)
        return sha256.hexdigest()

    def download(self, name: str, offset: int = 0, e_tag: str = "") -> Download:
        """Return a file in pieces from an offset on.

        It starts at 0 if the file has changed or the server cannot resume.
        """
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        if offset and is_strong_e_tag(e_tag):
            headers["If-Range"] = e_tag
        for pause in iter_pauses():
            response = self._request(name, headers)
            if response is None:
                raise StoreError(f"{self._format_location(name)}: missing")
            try:
                if response.status in (_UNSATISFIABLE, _CHANGED):
                    headers, problem = {}, ResponseProblem("the file has changed on the server")
                else:
                    first = parse_content_range(response)[0] if response.status == _PARTIAL else 0
                    if first in (0, offset):
                        size = get_file_size(response)
                        pieces = self._iter_pieces(name, response, size - first)
                        next(pieces)
                        return Download(size, first, get_strong_e_tag(response), pieces)
                    problem = ResponseProblem(f"it sent bytes from {first} on, not from {offset}")
            except ResponseError as error:
                problem = error.problem
            response.release()
            self._wait_or_raise(name, pause, problem)
        raise AssertionError("the last pause is None")

    def write(self, name: str, data: bytes) -> NoReturn:
        """Raise StoreError: a web server is read-only."""
        del data
        self._raise_read_only(name)

    def upload(self, name: str, path: Path, sha256: str) -> NoReturn:
        """Raise StoreError: a web server is read-only."""
        del path, sha256
        self._raise_read_only(name)

    def delete(self, name: str) -> NoReturn:
        """Raise StoreError: a web server is read-only."""
        self._raise_read_only(name)

    def check_writable(self, expected_bytes: int = 0) -> NoReturn:
        """Raise StoreError: a web server is read-only."""
        del expected_bytes
        self._raise_read_only("")

    def list(self, folder: str = "") -> NoReturn:
        """Raise StoreError: web servers do not list files."""
        raise StoreError(
            f"{self._format_location(folder)}: a web server does not list files; its manifest names them"
        )

    def check_token(self, name: str) -> None:
        """Request a file to check that the server accepts the token. The file need not exist.

        Raises:
            StoreError: The server refuses the token; it redirects to another origin, which does not get the
                token and refuses; or it does not respond.
        """
        response = self._request_with_retries(name, {"Range": "bytes=0-0"})
        response.release()
        asked, answering = self._base.origin, response.origin
        # A server may accept a token and then redirect to another host that holds its files. A redirect to
        # the same host at another port or scheme means that the URL is not the one that the token is for.
        if answering != asked and (response.status in _REFUSED or answering.host == asked.host):
            raise StoreError(
                f"{self._format_location(name)} redirects to {answering}, which does not get this token; "
                "give a URL there"
            )
        if response.status in _REFUSED:
            raise StoreError(
                f"{self._format_location(name)}: the server refuses this token ({response.status})"
            )

    def _raise_read_only(self, name: str) -> NoReturn:
        raise StoreError(f"{self._format_location(name)}: read-only; write to a folder, s3:// or gs://")

    def _read_whole(self, name: str, response: "WebResponse", max_bytes: int) -> bytes:
        if (response.content_length or 0) <= max_bytes:
            content = io.BytesIO()
            for piece in response.iter_pieces(max_bytes):
                content.write(piece)
            if response.is_over():
                return content.getvalue()
        raise make_too_long_error(self._format_location(name), max_bytes)

    def _iter_pieces(self, name: str, response: "WebResponse", size: int) -> Iterator[bytes]:
        try:
            # The caller takes this empty piece at once. Only a generator that has started runs its "finally"
            # when it is closed, and so releases the connection.
            yield b""
            yield from response.iter_pieces(size)
            if response.is_over():
                return
            problem = ResponseProblem(
                f"it sends more than the {size:,} bytes that it stated; {CHECK_URL_REMEDY}",
                is_transient=False,
            )
        except ResponseError as error:
            problem = error.problem
        finally:
            response.release()
        if problem.is_transient:
            raise StoreError(
                f"{self._format_location(name)}: the response ended too early ({problem.message})"
            )
        raise RejectedResponseError(f"{self._format_location(name)}: {problem.message}")

    @contextmanager
    def _open_response(
        self, name: str, headers: Mapping[str, str] | None = None
    ) -> Generator["WebResponse | None", None, None]:
        """Provide the server's response during the block, or None if the file is missing."""
        response = self._request(name, headers or {})
        try:
            yield response
        finally:
            if response is not None:
                response.release()

    def _request(self, name: str, headers: Mapping[str, str]) -> "WebResponse | None":
        """Return a response whose body can be read, or None if the file is missing."""
        response = self._request_with_retries(name, headers)
        problem = self._find_problem(response, is_range_request="Range" in headers)
        if problem or response.status in _MISSING:
            response.release()
        if problem:
            raise StoreError(f"{self._format_location(name)}: {problem}")
        return None if response.status in _MISSING else response

    def _request_with_retries(self, name: str, headers: Mapping[str, str]) -> "WebResponse":
        """Return the response of a server that answers and is not busy."""
        for pause in iter_pauses():
            try:
                response = self._request_following_redirects(name, headers)
            except ResponseError as error:
                problem = error.problem
            else:
                if response.status not in _BUSY:
                    return response
                problem = ResponseProblem(f"the server answered {response.status} to every try")
                if pause is not None:
                    pause = max(pause, min(response.retry_after_s, _MAX_PAUSE_S))
                response.release()
            self._wait_or_raise(name, pause, problem)
        raise AssertionError("the last pause is None")

    def _request_following_redirects(self, name: str, headers: Mapping[str, str]) -> "WebResponse":
        """Return the first response that is not a redirect.

        The credential is sent until a redirect leaves the store's origin, and never again after that.
        """
        client, address = self._get_client(), self._make_address(name)
        credential = client.credential
        for _ in range(_MAX_REDIRECTS + 1):
            credential = credential if address.origin == self._base.origin else None
            response = self._send(client.connections, address, headers, credential)
            if not response.redirect_location:
                return response
            response.release()
            address = _resolve_redirect(address, response.redirect_location)
        raise ResponseError(f"too many redirects; {CHECK_URL_REMEDY}", is_transient=False)

    def _send(
        self, connections: Any, address: WebAddress, headers: Mapping[str, str], credential: Credential | None
    ) -> "WebResponse":
        """Send one request, directly or through the proxy that the environment names."""
        proxy = find_proxy(address.origin, os.environ)
        if proxy is not None:
            _check_not_shown(address, credential, proxy)
        authorization = {} if credential is None else {"Authorization": credential.authorization}
        try:
            response = _import_responses().send_request(
                connections, address, {**headers, **authorization}, proxy
            )
        except ResponseError as error:
            problem = _name_proxy(error.problem, address, proxy)
        else:
            if response.status != _PROXY_REFUSED:
                return response
            response.release()
            problem = _name_proxy(ResponseProblem("it asks for a password (407)", False), address, proxy)
        raise ResponseError(*problem)

    def _find_problem(self, response: "WebResponse", is_range_request: bool) -> str:
        """Return what is wrong with a response, or "" if it can be read or says that the file is missing."""
        if response.status in _REFUSED:
            return f"the server refuses ({response.status}); {self._format_remedy(response)}"
        if response.status in _MISSING or (
            is_range_request and response.status in (_UNSATISFIABLE, _CHANGED)
        ):
            return ""
        if not 200 <= response.status < 300 or (response.status == _PARTIAL and not is_range_request):
            return f"the server answered {response.status}"
        if "html" in response.get_header("Content-Type"):
            return "the server answered with a web page, such as of a login or an error; is the URL right?"
        encoding = response.get_header("Content-Encoding")
        if encoding not in ("identity", ""):
            return (
                f"the server compresses its files ({format_header(encoding)}); have it send them as they are"
            )
        return ""

    def _format_remedy(self, response: "WebResponse") -> str:
        if response.origin != self._base.origin:
            return (
                f"it was {response.origin} that refused, to which {self._base.origin} redirects and which "
                "gets no token; give a URL there"
            )
        return explain_refusal(self.url, self._base.origin, self._get_client().credential, os.environ)

    def _wait_or_raise(self, name: str, pause: float | None, problem: ResponseProblem) -> None:
        """Wait before another try, or raise the error if there is none."""
        if not problem.is_transient:
            raise RejectedResponseError(f"{self._format_location(name)}: {problem.message}")
        if pause is None:
            raise StoreError(
                f"{self._format_location(name)}: {problem.message}; check the network and the URL"
            )
        time.sleep(pause)

    def _format_location(self, name: str) -> str:
        return f"{self.url}/{name}" if name else self.url

    def _make_address(self, name: str) -> WebAddress:
        path = f"{self._base.path.rstrip('/')}/{quote(check_file_name(name))}"
        return WebAddress(self._base.origin, path, self._base.query)

    def _get_client(self) -> _Client:
        """Return the connections and the credential of this process. Connections do not survive a fork."""
        if self._client is None or self._client.process_id != os.getpid():
            connections = _import_responses().WebConnections(_CONNECT_S, _READ_S, os.environ)
            credential = find_credential(self._base.origin, self._given, os.environ)
            self._client = _Client(os.getpid(), connections, credential)
        return self._client


def _import_responses() -> ModuleType:
    with explain_import_errors("urllib3"):
        from turntable.datasets.stores.web import responses
    return responses


def _resolve_redirect(here: WebAddress, location: str) -> WebAddress:
    try:
        return here.resolve_redirect(location)
    except InvalidInputError as error:
        message = str(error)
    # Raised outside the except block, so that the new error does not refer to the old one, which may quote
    # the address.
    raise ResponseError(
        f"{message}; it is not followed: give the URL at which the data set lies", is_transient=False
    )


def _check_not_shown(address: WebAddress, credential: Credential | None, proxy: Proxy) -> None:
    """Refuse to send a credential over http through a proxy, which could read it. A tunnel to https hides it.

    Raises:
        StoreError: It would be sent so.
    """
    if credential is not None and address.origin.scheme == "http":
        raise StoreError(
            f"{address.origin}: {credential.source} would be shown to {proxy}, since http is not encrypted; "
            f"give an https:// URL, or set NO_PROXY={address.origin.host} to ask the server directly"
        )


def _name_proxy(problem: ResponseProblem, address: WebAddress, proxy: Proxy | None) -> ResponseProblem:
    """Return the problem of a request with the proxy that it went through, which may be to blame."""
    if proxy is None:
        return problem
    host = address.origin.host
    return ResponseProblem(
        f"through {proxy}: {problem.message}; correct {proxy.variable}, or set NO_PROXY={host} if {host} "
        "needs no proxy",
        problem.is_transient,
    )

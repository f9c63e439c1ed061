"""Files behind any web server that knows Range: read-only, patient with what passes, clear about the rest."""

import hashlib
import os
import re
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

from turntable.datasets.stores.patience import pauses
from turntable.datasets.stores.protocol import Download, checked_name
from turntable.errors import InvalidInputError, MissingExtraError, StoreError

TOKEN_VARIABLE = "TURNTABLE_TOKEN"
PIECE_BYTES = 1 << 18
"""Of a download: what an answer that breaks off may cost."""
_LONGEST_PAUSE_S = 30.0
_CONNECT_S, _READ_S = 5.0, 30.0
_MOST_REDIRECTS = 5
_BUSY = {408, 425, 429, 500, 502, 503, 504}
_REFUSED = {401, 403}
_ABSENT = {404, 410}
_PARTIAL, _UNSATISFIABLE, _CHANGED = 206, 416, 412


class HttpStore:
    """Files below a URL. Pickled it is the URL and the token; connections stay in the process that made them.

    Args:
        url: "https://host/path/my-set"; a query (of a signed URL) goes with every request.
        token: sent as a bearer token, to this host alone; None: TURNTABLE_TOKEN of the environment, if set.

    Raises:
        InvalidInputError: the URL is of something else, or has a password in it.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.fragment:
            raise InvalidInputError(f"{parts.scheme}://{parts.netloc}{parts.path}: give https://host/path")
        if "@" in parts.netloc:
            raise InvalidInputError(
                f"{parts.scheme}://…@…: passwords do not belong in a URL, which is logged; "
                f"set {TOKEN_VARIABLE}"
            )
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._query, self._token = parts.query, token
        self._pool: tuple[int, Any] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        query = f"?{self._query}" if self._query else ""
        return type(self), (f"{self.url}{query}", self._token)

    def __repr__(self) -> str:
        return f"HttpStore({self.url!r})"

    def read(self, name: str) -> bytes | None:
        """A whole file; None where there is none."""
        for pause in pauses():
            with self._asked(name) as answer:
                if answer is None:
                    return None
                try:
                    return bytes(answer.read())
                except _network_errors() as error:
                    problem = _words(error)
            self._wait(name, pause, problem)
        raise AssertionError("the last pause is None")

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        """Some bytes of a file, by one request.

        Raises:
            StoreError: there is no such file, or the server does not know Range.
        """
        if not size:
            return b""
        for pause in pauses():
            with self._asked(name, {"Range": f"bytes={offset}-{offset + size - 1}"}) as answer:
                if answer is None:
                    raise StoreError(f"{self._place(name)}: missing")
                if answer.status == _UNSATISFIABLE:
                    return b""
                if answer.status != _PARTIAL:
                    raise StoreError(
                        f"{self._place(name)}: the server does not answer Range requests; use one that does, "
                        "or let whole shards be kept (cache)"
                    )
                try:
                    first, last, whole = _content_range(answer)
                    data = bytes(answer.read())
                    if (first, first + len(data)) == (offset, min(offset + size, whole)):
                        return data
                    problem = f"it gave bytes {first} to {last} for {offset} to {offset + size - 1}"
                except (ValueError, *_network_errors()) as error:
                    problem = _words(error)
            self._wait(name, pause, problem)
        raise AssertionError("the last pause is None")

    def size(self, name: str) -> int | None:
        """Bytes of a file; None where there is none. By the first byte: not all servers answer HEAD."""
        with self._asked(name, {"Range": "bytes=0-0"}) as answer:
            if answer is None:
                return None
            try:
                return 0 if answer.status == _UNSATISFIABLE else _whole_size(answer)
            except ValueError as error:
                raise StoreError(f"{self._place(name)}: {error}") from None

    def sha256(self, name: str) -> str | None:
        """Hex digest of a file, by reading it; None where there is none."""
        data = self.read(name)
        return None if data is None else hashlib.sha256(data).hexdigest()

    def download(self, name: str, offset: int = 0, e_tag: str = "") -> Download:
        """A file from an offset on, where the server can and the file is still the one with that ETag."""
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        if offset and e_tag:
            headers["If-Range"] = e_tag
        for pause in pauses():
            answer = self._answer(name, headers)
            if answer is None:
                raise StoreError(f"{self._place(name)}: missing")
            try:
                if answer.status in (_UNSATISFIABLE, _CHANGED):
                    headers, problem = {}, "the file is another one now"
                else:
                    first = _content_range(answer)[0] if answer.status == _PARTIAL else 0
                    if first in (0, offset):
                        pieces = self._pieces(name, answer)
                        next(pieces)
                        return Download(_whole_size(answer), first, _strong(answer), pieces)
                    problem = f"it sent bytes from {first} on, not from {offset}"
            except ValueError as error:
                problem = str(error)
            _release(answer)
            self._wait(name, pause, problem)
        raise AssertionError("the last pause is None")

    def write(self, name: str, data: bytes) -> NoReturn:
        """Refused: StoreError."""
        del data
        self._read_only(name)

    def upload(self, name: str, path: Path, sha256: str) -> NoReturn:
        """Refused: StoreError."""
        del path, sha256
        self._read_only(name)

    def delete(self, name: str) -> NoReturn:
        """Refused: StoreError."""
        self._read_only(name)

    def check_writable(self, expected_bytes: int = 0) -> NoReturn:
        """Refused: StoreError."""
        del expected_bytes
        self._read_only("")

    def list(self, folder: str = "") -> NoReturn:
        """Refused: StoreError; web servers do not list."""
        raise StoreError(f"{self._place(folder)}: a web server does not list files; its manifest names them")

    def _read_only(self, name: str) -> NoReturn:
        raise StoreError(f"{self._place(name)}: read-only; write to a folder, s3:// or gs://")

    def _pieces(self, name: str, answer: Any) -> Iterator[bytes]:
        try:
            yield b""  # begun, so that the connection is let go whenever this is
            yield from answer.stream(PIECE_BYTES)
        except _network_errors() as error:
            raise StoreError(f"{self._place(name)}: the answer ended too early ({_words(error)})") from None
        finally:
            _release(answer)

    @contextmanager
    def _asked(self, name: str, headers: Mapping[str, str] | None = None) -> Generator[Any, None, None]:
        """The server's answer, None where it has no such file; its body is still to be read."""
        answer = self._answer(name, headers or {})
        try:
            yield answer
        finally:
            if answer is not None:
                _release(answer)

    def _answer(self, name: str, headers: Mapping[str, str]) -> Any:
        for pause in pauses():
            try:
                answer = self._client().request(
                    "GET",
                    self._address(name),
                    headers={"Accept-Encoding": "identity", **self._authorization(), **headers},
                    preload_content=False,
                    decode_content=False,
                )
            except _network_errors() as error:
                problem = _words(error)
                if _leads_nowhere(error):
                    pause = None
            else:
                if answer.status not in _BUSY:
                    return self._checked(name, answer)
                problem = f"the server answered {answer.status} to every try"
                if pause is not None:
                    pause = max(pause, _asked_pause(answer))
                answer.close()
            self._wait(name, pause, problem)
        raise AssertionError("the last pause is None")

    def _checked(self, name: str, answer: Any) -> Any:
        """The answer, None where it says that there is no such file."""
        problem = ""
        if answer.status in _REFUSED:
            problem = (
                f"the server refuses ({answer.status}); set {TOKEN_VARIABLE} to a token that may read it, or "
                "get a new link where this one has run out"
            )
        elif answer.status in (*_ABSENT, _UNSATISFIABLE, _CHANGED):
            pass
        elif not 200 <= answer.status < 300:
            problem = f"the server answered {answer.status}"
        elif "html" in answer.headers.get("Content-Type", ""):
            problem = "the server answered with a web page, such as of a login or an error; is the URL right?"
        elif answer.headers.get("Content-Encoding", "identity") not in ("identity", ""):
            encoding = answer.headers["Content-Encoding"]
            problem = f"the server compresses its files ({encoding}); have it send them as they are"
        if problem:
            answer.close()
            raise StoreError(f"{self._place(name)}: {problem}")
        if answer.status in _ABSENT:
            answer.close()
            return None
        return answer

    def _wait(self, name: str, pause: float | None, problem: str) -> None:
        """Before another try; after the last one, the error."""
        if pause is None:
            raise StoreError(f"{self._place(name)}: {problem}; look at the network and the URL")
        time.sleep(pause)

    def _place(self, name: str) -> str:
        return f"{self.url}/{name}" if name else self.url

    def _address(self, name: str) -> str:
        query = f"?{self._query}" if self._query else ""
        return f"{self.url}/{quote(checked_name(name))}{query}"

    def _authorization(self) -> dict[str, str]:
        token = self._token or os.environ.get(TOKEN_VARIABLE)
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _client(self) -> Any:
        """Connections of this very process: they do not outlive a fork."""
        if self._pool is None or self._pool[0] != os.getpid():
            urllib3 = _urllib3()
            # It takes the token out of a request that is sent on to another host.
            redirects = urllib3.Retry(
                total=None, connect=0, read=0, status=0, other=0, redirect=_MOST_REDIRECTS
            )
            timeout = urllib3.Timeout(connect=_CONNECT_S, read=_READ_S)
            self._pool = (os.getpid(), urllib3.PoolManager(maxsize=16, retries=redirects, timeout=timeout))
        return self._pool[1]


def _urllib3() -> Any:
    try:
        import urllib3
    except ImportError as error:
        raise MissingExtraError("urllib3", "train") from error
    return urllib3


def _network_errors() -> tuple[type[Exception], ...]:
    return (_urllib3().exceptions.HTTPError, OSError)


def _leads_nowhere(error: Exception) -> bool:
    """Whether the server only sent on and on: it would do so again."""
    return isinstance(getattr(error, "reason", None), _urllib3().exceptions.ResponseError)


def _asked_pause(answer: Any) -> float:
    """Seconds that a busy server asks for, as a number or a date, within bounds; 0 where it does not."""
    urllib3 = _urllib3()
    try:
        return min(urllib3.Retry().get_retry_after(answer) or 0.0, _LONGEST_PAUSE_S)
    except urllib3.exceptions.InvalidHeader:
        return 0.0


def _words(error: Exception) -> str:
    """What is wrong, without the address that was asked, whose query may be a key."""
    reason = getattr(error, "reason", None) or error
    return re.sub(r"\(url[^)]*\)|https?://\S+|<[^>]*>:?", "", str(reason)).strip() or type(reason).__name__


def _content_range(answer: Any) -> tuple[int, int, int]:
    """First and last byte, and the whole file's size. Raises ValueError where the header does not say it."""
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", answer.headers.get("Content-Range", ""))
    if not found:
        raise ValueError(f"the server's Content-Range is {answer.headers.get('Content-Range', '')!r}")
    first, last, size = (int(number) for number in found.groups())
    return first, last, size


def _whole_size(answer: Any) -> int:
    if answer.status == _PARTIAL:
        return _content_range(answer)[2]
    length = answer.headers.get("Content-Length", "")
    if not length.isdigit():
        raise ValueError("the server does not say how long the file is (no Content-Length)")
    return int(length)


def _strong(answer: Any) -> str:
    """The file's ETag; none where it does not promise the same bytes."""
    e_tag = answer.headers.get("ETag", "")
    return "" if e_tag.startswith("W/") else e_tag


def _release(answer: Any) -> None:
    """Let the connection carry other requests; one whose answer was not read to its end cannot."""
    if answer.length_remaining == 0:
        answer.drain_conn()  # an answer without a body still has its end to be read
        answer.release_conn()
    else:
        answer.close()

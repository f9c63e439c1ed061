"""Files behind any web server that knows Range: read-only, patient with what passes, clear about the rest."""

import hashlib
import io
import os
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn
from urllib.parse import quote, urlsplit

from turntable.datasets.files import checked_name
from turntable.datasets.stores.patience import ASK, AnswerError, Problem, pauses
from turntable.datasets.stores.protocol import Download, too_long
from turntable.datasets.stores.receiving import receive
from turntable.datasets.stores.web.origins import Address
from turntable.datasets.stores.web.tokens import Token, checked_token, find_token, why_refused
from turntable.errors import GivenUpError, InvalidInputError, MissingExtraError, StoreError

if TYPE_CHECKING:
    from turntable.datasets.stores.web.answers import Answer

_LONGEST_PAUSE_S = 30.0
_CONNECT_S, _READ_S = 5.0, 30.0
_MOST_REDIRECTS = 5
_BUSY = {408, 425, 429, 500, 502, 503, 504}
_REFUSED = {401, 403}
_ABSENT = {404, 410}
_PARTIAL, _UNSATISFIABLE, _CHANGED = 206, 416, 412
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
_E_TAG = re.compile(r'"[\x21\x23-\x7e]{0,200}"')
_SHOWN = 80
"""Characters of a header that a message quotes at most."""


class _Client(NamedTuple):
    process: int
    manager: Any
    token: Token | None


class HttpStore:
    """Files below a URL. Pickled it is the URL and the token of the call; connections stay in their process.

    Args:
        url: "https://host/path/my-set"; a query (of a signed URL) goes with every request.
        token: sent as a bearer token, to the URL's origin (scheme, host and port) alone; None: that of
            TURNTABLE_TOKEN where TURNTABLE_TOKEN_HOST names this origin, or that of ``turntable login``.

    Raises:
        InvalidInputError: the URL is of something else, or has a password in it, or the token cannot be one.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._base = Address.of(url)
        parts = urlsplit(url)
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._given = checked_token(token, "the token of the call") if token else None
        self._opened: _Client | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        query = f"?{self._base.query}" if self._base.query else ""
        return type(self), (f"{self.url}{query}", self._given)

    def __repr__(self) -> str:
        return f"HttpStore({self.url!r})"

    def read(self, name: str, most_bytes: int) -> bytes | None:
        """Return a whole small file; None where there is none."""
        for pause in pauses():
            with self._asked(name) as answer:
                if answer is None:
                    return None
                try:
                    return self._whole(name, answer, most_bytes)
                except AnswerError as error:
                    problem = error.problem
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
                    data = b"".join(answer.pieces(size))  # what comes beyond is not read
                    if (first, first + len(data)) == (offset, min(offset + size, whole)):
                        return data
                    problem = Problem(f"it gave bytes {first} to {last} for {offset} to {offset + size - 1}")
                except AnswerError as error:
                    problem = error.problem
            self._wait(name, pause, problem)
        raise AssertionError("the last pause is None")

    def size(self, name: str) -> int | None:
        """Bytes of a file; None where there is none. By the first byte: not all servers answer HEAD."""
        with self._asked(name, {"Range": "bytes=0-0"}) as answer:
            if answer is None:
                return None
            try:
                return 0 if answer.status == _UNSATISFIABLE else _whole_size(answer)
            except AnswerError as error:
                problem = error.problem
        raise StoreError(f"{self._place(name)}: {problem.words}")

    def sha256(self, name: str) -> str | None:
        """Hex digest of a file, by reading it in pieces; None where there is none."""
        if self.size(name) is None:
            return None
        hashed = hashlib.sha256()

        def begin() -> Callable[[bytes], None]:
            nonlocal hashed
            hashed = hashlib.sha256()
            return hashed.update

        receive(self, name, begin)
        return hashed.hexdigest()

    def download(self, name: str, offset: int = 0, e_tag: str = "") -> Download:
        """A file from an offset on, where the server can and the file is still the one with that ETag."""
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        if offset and _E_TAG.fullmatch(e_tag):
            headers["If-Range"] = e_tag
        for pause in pauses():
            answer = self._answer(name, headers)
            if answer is None:
                raise StoreError(f"{self._place(name)}: missing")
            try:
                if answer.status in (_UNSATISFIABLE, _CHANGED):
                    headers, problem = {}, Problem("the file is another one now")
                else:
                    first = _content_range(answer)[0] if answer.status == _PARTIAL else 0
                    if first in (0, offset):
                        size = _whole_size(answer)
                        pieces = self._pieces(name, answer, size - first)
                        next(pieces)
                        return Download(size, first, _strong(answer), pieces)
                    problem = Problem(f"it sent bytes from {first} on, not from {offset}")
            except AnswerError as error:
                problem = error.problem
            answer.release()
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

    def check_token(self, name: str) -> None:
        """Ask for a file to see whether the server takes the token; the file need not be there.

        Raises:
            StoreError: It refuses the token, it leads to another origin, which does not get the token and
                refuses, or nobody answers.
        """
        answer = self._patient_answer(name, {"Range": "bytes=0-0"})
        answer.release()
        here, there = self._base.origin, answer.origin
        # A server may well take a token and then send on to where its files lie.
        if there != here and (answer.status in _REFUSED or there.host == here.host):
            raise StoreError(
                f"{self._place(name)} leads to {there}, which does not get this token; give a URL there"
            )
        if answer.status in _REFUSED:
            raise StoreError(f"{self._place(name)}: the server refuses this token ({answer.status})")

    def _read_only(self, name: str) -> NoReturn:
        raise StoreError(f"{self._place(name)}: read-only; write to a folder, s3:// or gs://")

    def _whole(self, name: str, answer: "Answer", most_bytes: int) -> bytes:
        if (answer.stated_bytes or 0) <= most_bytes:
            held = io.BytesIO()
            for piece in answer.pieces(most_bytes):
                held.write(piece)
            if answer.is_over():
                return held.getvalue()
        raise too_long(self._place(name), most_bytes)

    def _pieces(self, name: str, answer: "Answer", size: int) -> Iterator[bytes]:
        try:
            yield b""  # begun, so that the connection is let go whenever this is
            yield from answer.pieces(size)
            if answer.is_over():
                return
            problem = Problem(f"it sends more than the {size:,} bytes that it stated; {ASK}", may_pass=False)
        except AnswerError as error:
            problem = error.problem
        finally:
            answer.release()
        if problem.may_pass:
            raise StoreError(f"{self._place(name)}: the answer ended too early ({problem.words})")
        raise GivenUpError(f"{self._place(name)}: {problem.words}")

    @contextmanager
    def _asked(
        self, name: str, headers: Mapping[str, str] | None = None
    ) -> Generator["Answer | None", None, None]:
        """Give the server's answer, None where it has no such file; its body is still to be read."""
        answer = self._answer(name, headers or {})
        try:
            yield answer
        finally:
            if answer is not None:
                answer.release()

    def _answer(self, name: str, headers: Mapping[str, str]) -> "Answer | None":
        """Return the answer to read; None where it says that there is no such file."""
        answer = self._patient_answer(name, headers)
        problem = self._problem(answer, asked_for_part="Range" in headers)
        if problem or answer.status in _ABSENT:
            answer.release()
        if problem:
            raise StoreError(f"{self._place(name)}: {problem}")
        return None if answer.status in _ABSENT else answer

    def _patient_answer(self, name: str, headers: Mapping[str, str]) -> "Answer":
        """Return the answer of a server that is there and not busy."""
        for pause in pauses():
            try:
                answer = self._followed(name, headers)
            except AnswerError as error:
                problem = error.problem
            else:
                if answer.status not in _BUSY:
                    return answer
                problem = Problem(f"the server answered {answer.status} to every try")
                if pause is not None:
                    pause = max(pause, min(answer.asked_pause_s, _LONGEST_PAUSE_S))
                answer.release()
            self._wait(name, pause, problem)
        raise AssertionError("the last pause is None")

    def _followed(self, name: str, headers: Mapping[str, str]) -> "Answer":
        """Return the first answer that is no redirect. The token ends at the first other origin, for good."""
        client, address = self._client(), self._address(name)
        token = client.token
        for _ in range(_MOST_REDIRECTS + 1):
            token = token if address.origin == self._base.origin else None
            authorization = {"Authorization": f"Bearer {token.text}"} if token is not None else {}
            answer = _answers().ask(client.manager, address, {**headers, **authorization})
            if not answer.redirect:
                return answer
            answer.release()
            address = _redirected(address, answer.redirect)
        raise AnswerError(f"too many redirects; {ASK}", may_pass=False)

    def _problem(self, answer: "Answer", asked_for_part: bool) -> str:
        """Return what is wrong with an answer; "" where it can be read, or there is no such file."""
        if answer.status in _REFUSED:
            return f"the server refuses ({answer.status}); {self._remedy(answer)}"
        if answer.status in _ABSENT or (asked_for_part and answer.status in (_UNSATISFIABLE, _CHANGED)):
            return ""
        if not 200 <= answer.status < 300 or (answer.status == _PARTIAL and not asked_for_part):
            return f"the server answered {answer.status}"
        if "html" in answer.header("Content-Type"):
            return "the server answered with a web page, such as of a login or an error; is the URL right?"
        encoding = answer.header("Content-Encoding")
        if encoding not in ("identity", ""):
            return f"the server compresses its files ({_quoted(encoding)}); have it send them as they are"
        return ""

    def _remedy(self, answer: "Answer") -> str:
        if answer.origin != self._base.origin:
            return (
                f"it was {answer.origin} that did, to which {self._base.origin} leads and where no token "
                "goes; give a URL there"
            )
        return why_refused(self.url, self._base.origin, self._client().token, os.environ)

    def _wait(self, name: str, pause: float | None, problem: Problem) -> None:
        """Before another try; after the last one, the error."""
        if not problem.may_pass:
            raise GivenUpError(f"{self._place(name)}: {problem.words}")
        if pause is None:
            raise StoreError(f"{self._place(name)}: {problem.words}; look at the network and the URL")
        time.sleep(pause)

    def _place(self, name: str) -> str:
        return f"{self.url}/{name}" if name else self.url

    def _address(self, name: str) -> Address:
        path = f"{self._base.path.rstrip('/')}/{quote(checked_name(name))}"
        return Address(self._base.origin, path, self._base.query)

    def _client(self) -> _Client:
        """Connections and token of this very process: connections do not outlive a fork."""
        if self._opened is None or self._opened.process != os.getpid():
            manager = _answers().connections(_CONNECT_S, _READ_S)
            token = find_token(self._base.origin, self._given, os.environ)
            self._opened = _Client(os.getpid(), manager, token)
        return self._opened


def _answers() -> ModuleType:
    try:
        from turntable.datasets.stores.web import answers
    except ImportError as error:
        raise MissingExtraError("urllib3", "train") from error
    return answers


def _redirected(here: Address, location: str) -> Address:
    try:
        return here.redirected(location)
    except InvalidInputError as error:
        refused = str(error)
    raise AnswerError(f"{refused}; it is not followed: give the URL where the data set lies", may_pass=False)


def _content_range(answer: "Answer") -> tuple[int, int, int]:
    """First and last byte, and the whole file's size. Raises AnswerError where the header does not say it."""
    said = answer.header("Content-Range")
    found = _RANGE.fullmatch(said)
    if not found:
        raise AnswerError(f"the server's Content-Range is {_quoted(said)}")
    first, last, size = (int(number) for number in found.groups())
    return first, last, size


def _whole_size(answer: "Answer") -> int:
    if answer.status == _PARTIAL:
        return _content_range(answer)[2]
    if answer.stated_bytes is None:
        raise AnswerError(f"the server does not say how long the file is (no Content-Length); {ASK}", False)
    return answer.stated_bytes


def _strong(answer: "Answer") -> str:
    """The file's ETag; none where it does not promise the same bytes, or is none that can be sent back."""
    e_tag = answer.header("ETag")
    return e_tag if _E_TAG.fullmatch(e_tag) else ""


def _quoted(header: str) -> str:
    return repr(header[:_SHOWN])

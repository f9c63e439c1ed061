"""A web server of a folder whose answers fail on purpose: ``http_server(folder)`` in a test.

``server.fail(how, times, on)`` makes the next requests for paths that contain ``on`` go wrong.
"""

import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.support.hostile_answers import HOSTILE
from tests.support.thread_server import ThreadServer, serving

FOUND = b"HTTP/1.1 302 Found\r\nConnection: close\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n"
PAGE = b"<!DOCTYPE html><html><title>Please log in</title></html>"


@dataclass
class Fault:
    how: str
    times: int
    on: str


@dataclass
class Asked:
    path: str
    query: str
    range: str | None
    token: str | None
    host: str
    cookie: str | None


@dataclass
class FaultyServer:
    folder: Path
    token: str | None = None
    faults: list[Fault] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    sent: Counter = field(default_factory=Counter)
    """Bytes of bodies by path."""
    knows_range: bool = True
    gives_e_tags: bool = True
    retry_after: str = "0"
    """With a number for a fault."""
    elsewhere: str = ""
    """Where redirects lead, with the path that was asked for behind it."""
    location: bytes = b""
    """The header of that name of a "location", as it is sent."""
    tls: ssl.SSLContext | None = None
    port: int = 0
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def sent_in_all(self) -> int:
        return sum(self.sent.values())

    def fail(self, how: str, times: int = 1, on: str = "") -> None:
        self.faults.append(Fault(how, times, on))

    def count(self, part: str) -> int:
        return sum(part in item.path for item in self.asked)

    def answering(self, more: int) -> None:
        with self.lock:
            self.at_once += more
            self.most_at_once = max(self.most_at_once, self.at_once)

    def next_fault(self, path: str) -> str:
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and fault.on in path:
                    fault.times -= 1
                    return fault.how
        return ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a body waits for the acknowledgement of its head, 40 ms
    server: ThreadServer

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.state.answering(1)
        try:
            self._answer()
        finally:
            self.server.state.answering(-1)

    def _answer(self) -> None:
        state = self.server.state
        url = urlsplit(self.path)
        wanted = self.headers.get("Range")
        token = self.headers.get("Authorization")
        cookie = self.headers.get("Cookie")
        state.asked.append(Asked(unquote(url.path), url.query, wanted, token, self.headers["Host"], cookie))
        how = state.next_fault(url.path)
        if how == "reset":
            self.close_connection = True
            self.connection.close()
        elif how.startswith("redirect"):
            self._say(302, b"", {"Location": state.elsewhere + self.path})
        elif how == "location":
            self._raw([FOUND, b"Location: ", state.location, b"\r\n\r\n"])
        elif how in HOSTILE:
            self._raw(HOSTILE[how]())
        elif how.isdigit():
            self._say(int(how), b"no", {"Retry-After": state.retry_after})
        elif how == "html":
            self._say(200, PAGE, {"Content-Type": "text/html; charset=utf-8"})
        elif how == "unmarked html":
            self._say(200, PAGE, {"Content-Type": "application/octet-stream"})
        elif state.token is not None and token != f"Bearer {state.token}":
            self._say(401, b"no token")
        else:
            self._file(state.folder / unquote(url.path).lstrip("/"), wanted, how)

    def _raw(self, pieces: Iterable[bytes]) -> None:
        self.close_connection = True
        for piece in pieces:
            self.connection.sendall(piece)
            self.server.state.sent[urlsplit(self.path).path] += len(piece)

    def _file(self, path: Path, wanted: str | None, how: str) -> None:
        if not path.is_file():
            self._say(404, b"not found")
            return
        data = path.read_bytes()
        e_tag = f'"{sha256(data).hexdigest()[:16]}"'
        headers = {"Content-Type": "application/octet-stream"}
        if self.server.state.gives_e_tags:
            headers["ETag"] = e_tag
        changed = self.headers.get("If-Range", e_tag) != e_tag
        if how == "gzip":
            self._say(200, data, headers | {"Content-Encoding": "gzip"})
        elif not wanted or not self.server.state.knows_range or how == "no range" or changed:
            self._say(200, data, headers, how)
        else:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last or len(data)), len(data) - 1)
            if start >= len(data):
                self._say(416, b"", headers | {"Content-Range": f"bytes */{len(data)}"})
                return
            if how == "short range":
                end = (start + end) // 2
            told = (start + 7, end + 7) if how == "wrong range" else (start, end)
            headers["Content-Range"] = f"bytes {told[0]}-{told[1]}/{len(data)}"
            self._say(206, data[start : end + 1], headers, how)

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None, how: str = "") -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if how == "cut":
            body = body[: len(body) // 2]
            self.close_connection = True
        if how == "a byte":
            body = body[:1]
            self.close_connection = True
        if how == "stall":
            self.wfile.write(body[: len(body) // 2])
            time.sleep(1.5)
            self.close_connection = True
            return
        if how == "slow":
            time.sleep(0.3)
        self.server.state.sent[urlsplit(self.path).path] += len(body)
        self.wfile.write(body)


@contextmanager
def running(state: FaultyServer) -> Generator[FaultyServer, None, None]:
    server = ThreadServer(("127.0.0.1", 0), _Handler)
    server.state = state
    if state.tls:
        server.socket = state.tls.wrap_socket(server.socket, server_side=True)
    with serving(server) as state.port:
        yield state


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What makes a server speak TLS, with a certificate for 127.0.0.1 and localhost that clients trust."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    )
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:data.example"
    subprocess.run(
        [*command.split(), "-addext", names, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@pytest.fixture
def http_server() -> Generator[Callable[..., FaultyServer], None, None]:
    """``http_server(folder, token=None, tls=None)`` serves a folder until the test ends."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda folder, token=None, tls=None: stack.enter_context(
            running(FaultyServer(Path(folder), token, tls=tls))
        )

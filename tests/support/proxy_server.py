"""A small proxy: ``proxy_server(password="me:word")`` in a test. It passes on http, and tunnels by CONNECT.

It knows the host ``far.example`` alone, which nobody else can resolve, and takes it for this machine.
"""

import base64
import select
import socket
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import pytest

from tests.support.thread_server import ThreadServer, serving

FAR = "far.example"


@dataclass
class Proxy:
    password: str = ""
    status: int = 0
    """The status of all its answers, if not 0."""
    port: int = 0
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, target and Authorization header of each request."""

    @property
    def url(self) -> str:
        return f"http://{self.password}{'@' if self.password else ''}127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ThreadServer

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self._is_let_in():
            url = urlsplit(self.path)
            with closing(HTTPConnection("127.0.0.1", url.port or 80)) as there:
                there.request("GET", f"{url.path}?{url.query}".rstrip("?"), headers=dict(self.headers))
                answer = there.getresponse()
                body = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    def do_CONNECT(self) -> None:
        self.close_connection = True
        if not self._is_let_in():
            return
        with socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2]))) as there:
            self.send_response(200)
            self.end_headers()
            ends = [self.connection, there]
            while readable := select.select(ends, [], [], 5)[0]:
                for end in readable:
                    data = end.recv(1 << 16)
                    if not data:
                        return
                    ends[1 - ends.index(end)].sendall(data)

    def _is_let_in(self) -> bool:
        state = self.server.state
        state.asked.append((self.command, self.path, self.headers.get("Authorization")))
        wanted = f"Basic {base64.b64encode(state.password.encode()).decode()}"
        status = state.status
        if state.password and self.headers.get("Proxy-Authorization") != wanted:
            status = 407
        if status:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        return not status


@contextmanager
def _running(state: Proxy) -> Generator[Proxy, None, None]:
    server = ThreadServer(("127.0.0.1", 0), _Handler)
    server.state = state
    with serving(server) as state.port:
        yield state


@pytest.fixture
def proxy_server(monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[..., Proxy], None, None]:
    """``proxy_server(password="")`` runs a proxy until the test ends; no other is in the environment."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(_running(Proxy(**settings)))

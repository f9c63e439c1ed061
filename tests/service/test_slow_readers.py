"""Clients that read nothing, or slowly: none holds a connection or the processor for too long."""

import socket
import threading
import time
from contextlib import ExitStack, closing, contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from turntable.service import ServiceSettings, build_catalog, create_app
from turntable.service.security import connections

HEAD = b"HTTP/1.1\r\nHost: localhost\r\n\r\n"


class NarrowConnection(connections.BoundedConnection):
    """A connection of which the system keeps little, so that it is known what waits in the service."""

    def connection_made(self, transport):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        super().connection_made(transport)


@contextmanager
def listening(app):
    """Run a server in this process and yield its port."""
    config = uvicorn.Config(
        app, port=0, http=NarrowConnection, loop="asyncio", ws="none", log_level="error", timeout_keep_alive=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    yield server, server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = server.force_exit = True
    thread.join(20)


def until(happened, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def asking(port, data):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port))
    sock.settimeout(20)
    sock.sendall(data)
    return sock


def answer_of(port, path):
    with closing(asking(port, b"GET " + path + b" " + HEAD)) as sock:
        return sock.recv(4000)


@pytest.mark.parametrize("answers", [1, 2, 3])
@pytest.mark.parametrize("file", [False, True])
def test_a_client_that_does_not_read_a_short_response_is_disconnected(
    served_folder, monkeypatch, answers, file
):
    monkeypatch.setattr(connections, "STALL_TIMEOUT_S", 0.3)
    shard = next((served_folder / "train").glob("*.tar")).name
    asked = b"GET /openapi.json " + HEAD
    last = b"GET /datasets/small/train/" + shard.encode() + b" " + HEAD if file else b""
    app = create_app(build_catalog([served_folder]))
    with listening(app) as (server, port), closing(asking(port, asked * answers + last)):
        until(lambda: server.server_state.connections)
        until(lambda: not server.server_state.connections)


def test_health_is_answered_while_all_connections_are_busy(served_folder):
    shard = next((served_folder / "train").glob("*.tar")).name
    asked = b"GET /datasets/small/train/" + shard.encode() + b" " + HEAD
    settings = ServiceSettings(max_concurrent_requests=3, max_concurrent_requests_per_client=3)
    app = create_app(build_catalog([served_folder]), settings)
    with listening(app) as (_, port), ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(closing(asking(port, asked)))
        until(lambda: answer_of(port, b"/datasets").startswith(b"HTTP/1.1 503 "))
        assert answer_of(port, b"/healthz").startswith(b"HTTP/1.1 200 ")


def test_a_slow_client_gets_the_whole_response(monkeypatch):
    monkeypatch.setattr(connections, "STALL_TIMEOUT_S", 0.5)
    monkeypatch.setattr(connections, "MIN_BYTES_TAKEN", 1 << 10)
    app = Starlette(routes=[Route("/", lambda _: Response(b"x" * 200_000))])
    answer = b""
    with listening(app) as (_, port), closing(asking(port, b"GET / " + HEAD)) as sock:
        while len(answer) < 200_000:
            piece = sock.recv(4000)
            assert piece, len(answer)
            answer += piece
            time.sleep(0.03)
    assert answer.endswith(b"x" * 200_000)

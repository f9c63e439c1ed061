"""Readers that take nothing, or little: none holds a connection, or the processor, for longer than it may."""

import socket
import threading
import time
from contextlib import ExitStack, closing, contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from turntable.service import ServiceSettings, create_app, find_datasets
from turntable.service.doors import connections

HEAD = b"HTTP/1.1\r\nHost: localhost\r\n\r\n"


class NarrowConnection(connections.BoundedConnection):
    """A connection of which the system keeps little, so that it is known what waits in the service."""

    def connection_made(self, transport):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        super().connection_made(transport)


@contextmanager
def listening(app):
    """A server in this process, and its port."""
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
def test_a_reader_that_takes_nothing_is_let_go_however_little_waits_for_it(
    served_folder, monkeypatch, answers, file
):
    monkeypatch.setattr(connections, "STALL_S", 0.3)
    shard = next((served_folder / "train").glob("*.tar")).name
    asked = b"GET /openapi.json " + HEAD
    last = b"GET /datasets/small/train/" + shard.encode() + b" " + HEAD if file else b""
    app = create_app(find_datasets([served_folder]))
    with listening(app) as (server, port), closing(asking(port, asked * answers + last)):
        until(lambda: server.server_state.connections)
        until(lambda: not server.server_state.connections)


def test_a_service_says_that_it_is_well_though_readers_take_all_there_is(served_folder):
    shard = next((served_folder / "train").glob("*.tar")).name
    asked = b"GET /datasets/small/train/" + shard.encode() + b" " + HEAD
    settings = ServiceSettings(requests_at_once=3, requests_at_once_each=3)
    app = create_app(find_datasets([served_folder]), settings)
    with listening(app) as (_, port), ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(closing(asking(port, asked)))
        until(lambda: answer_of(port, b"/datasets").startswith(b"HTTP/1.1 503 "))
        assert answer_of(port, b"/healthz").startswith(b"HTTP/1.1 200 ")


def test_a_reader_that_takes_its_time_gets_all_of_an_answer(monkeypatch):
    monkeypatch.setattr(connections, "STALL_S", 0.5)
    monkeypatch.setattr(connections, "LEAST_BYTES", 1 << 10)
    app = Starlette(routes=[Route("/", lambda _: Response(b"x" * 200_000))])
    answer = b""
    with listening(app) as (_, port), closing(asking(port, b"GET / " + HEAD)) as sock:
        while len(answer) < 200_000:
            piece = sock.recv(4000)
            assert piece, len(answer)
            answer += piece
            time.sleep(0.03)
    assert answer.endswith(b"x" * 200_000)

"""Endless requests, clients that read nothing, and conditions that take too long."""

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from turntable.service.security import connections
from turntable.testing.datasets import make_synthetic_dataset


def sent(port, data, seconds=10.0):
    """Send bytes until somebody has had enough, and return the answer with how many were taken."""
    taken = 0
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as sock:
        try:
            for piece in data:
                sock.sendall(piece)
                taken += len(piece)
        except OSError:
            pass
        answer = b""
        try:
            while piece := sock.recv(65536):
                answer += piece
        except OSError:
            pass
    return answer, taken


HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"

ENDLESS = {
    "a header's value": [HEAD + b"X: ", *[b"x" * 1000] * 10_000],
    "a header's name": [HEAD, *[b"x" * 1000] * 10_000],
    "an address": [b"GET /", *[b"x" * 1000] * 10_000],
    "many headers": [HEAD, *[b"X: y\r\n" * 200] * 10_000],
    "the blanks before a value": [HEAD + b"X:", *[b" " * 1000] * 10_000],
}


@pytest.mark.parametrize("data", ENDLESS.values(), ids=ENDLESS)
def test_an_endless_head_is_cut_off(running, data):
    answer, _ = sent(running.port, data)
    assert answer.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 ")) or not answer
    assert running.json("/healthz")["status"] == "ok"


def memory_kib(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def test_endless_heads_take_no_memory(start, served_folder):
    service = start(served_folder)
    service.json("/datasets")
    before = memory_kib(service.process.pid)
    sockets = []
    for _ in range(50):
        sock = socket.create_connection(("127.0.0.1", service.port), timeout=10)
        with suppress(OSError):
            sock.sendall(HEAD + b"X: " + b"x" * 4_000_000)
        sockets.append(sock)
    assert service.json("/healthz")["status"] == "ok"
    assert memory_kib(service.process.pid) - before < 50_000  # of 200 MB that were sent
    for sock in sockets:
        sock.close()


BODY_HEAD = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

ENDLESS_BODIES = {
    "a body": [BODY_HEAD, *[b"3e8\r\n" + b"x" * 1000 + b"\r\n"] * 10_000],
    "a trailer": [BODY_HEAD + b"0\r\nX: ", *[b"x" * 1000] * 10_000],
    "a chunk's extension": [BODY_HEAD + b"5;", *[b"x" * 1000] * 10_000],
}


@pytest.mark.parametrize("data", ENDLESS_BODIES.values(), ids=ENDLESS_BODIES)
def test_an_endless_body_is_cut_off(running, data):
    _, taken = sent(running.port, data)
    assert taken < 9_000_000  # buffers of the system and all
    assert running.json("/healthz")["status"] == "ok"


def test_requests_that_wait_in_one_connection_are_few(running, served_folder):
    request = b"GET /datasets/small/about HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer, _ = sent(running.port, [request * 20_000], 5.0)
    assert answer.count(b"HTTP/1.1 200") <= connections.MAX_PIPELINED + 200
    few, _ = sent(
        running.port, [request * 40 + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")]
    )
    assert few.count(b"HTTP/1.1 200") == 41


def test_a_client_that_reads_nothing_is_disconnected(tmp_path, served_folder, monkeypatch):
    """Lists and manifests wait in memory, so this matters for all responses, not only for files."""
    import asyncio

    monkeypatch.setattr(connections, "STALL_TIMEOUT_S", 0.2)
    aborted = []

    class Transport:
        def abort(self):
            aborted.append(True)

        def get_write_buffer_size(self):
            return 100_000

    async def stalled():
        protocol = connections.BoundedConnection.__new__(connections.BoundedConnection)
        protocol.loop, protocol.transport = asyncio.get_running_loop(), Transport()
        protocol.flow = type(
            "Flow", (), {"pause_writing": lambda _: None, "resume_writing": lambda _: None}
        )()
        protocol.pause_writing()
        await asyncio.sleep(0.1)
        protocol.resume_writing()
        await asyncio.sleep(0.3)
        assert not aborted
        protocol.pause_writing()
        await asyncio.sleep(0.4)

    asyncio.run(stalled())
    assert aborted == [True]


SLOW = "(" + " or ".join(f"sin(rotation_x_rad * {n}) * cos(light_phi_rad + {n}) > 2" for n in range(25)) + ")"


@pytest.mark.slow
def test_slow_conditions_are_killed_and_delay_no_other_request(start, tmp_path):
    """Conditions that take too long are killed; meanwhile files, health and the gallery are served."""
    make_synthetic_dataset(tmp_path / "set", num_objects=40, num_categories=2, num_views=20, image_size=16)
    service = start(tmp_path / "set", options=["--query-seconds", "0.02"])
    shard = next((tmp_path / "set" / "train").glob("*.tar")).name
    answers, stop = [], threading.Event()

    def ask():
        number = 0
        while not stop.is_set():
            number += 1
            where = SLOW.replace("> 2", f"> 2.{number}")
            status, _, body = service.ask("/query", "POST", body={"dataset": "set", "where": where})
            answers.append((status, b"it took more than" in body))

    threads = [threading.Thread(target=ask) for _ in range(41)]
    for thread in threads:
        thread.start()
    time.sleep(1.0)
    slowest = 0.0
    for path in ("/healthz", f"/datasets/set/train/{shard}", "/gallery/", "/datasets", "/datasets/set") * 4:
        began = time.monotonic()
        assert service.ask(path)[0] == 200
        slowest = max(slowest, time.monotonic() - began)
    stop.set()
    for thread in threads:
        thread.join()
    assert slowest < 10
    assert set(answers) == {(400, True), (503, False)}


def test_a_pattern_is_the_same_for_all_rows(running):
    where = "regexp_matches(key, case when view < 15 then 'a' else 'b' end)"
    status, _, body = running.ask("/query", "POST", body={"dataset": "small", "where": where})
    assert status == 400
    assert b"a pattern must be a text in quotes" in body

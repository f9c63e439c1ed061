"""A service in a process of its own: tests that need real connections."""

import hashlib
import json
import resource
import socket
import threading
import time

import pytest

from turntable.datasets import open_dataset
from turntable.service.security import connections


def shard_of(folder):
    shard = open_dataset(folder).manifest.shards[0]
    path = f"{shard.split}/{shard.name}.tar"
    return f"/datasets/small/{path}", (folder / path).read_bytes(), shard.sha256


def test_the_kernel_sends_whole_files_and_parts(running, served_folder):
    address, data, digest = shard_of(served_folder)
    status, headers, body = running.ask(address)
    assert (status, hashlib.sha256(body).hexdigest()) == (200, digest)
    assert headers["ETag"] == f'"{digest}"'
    assert headers["Content-Length"] == str(len(data))
    assert "immutable" in headers["Cache-Control"]
    for asked, expected in [
        ("bytes=0-0", data[:1]),
        ("bytes=100-199", data[100:200]),
        (f"bytes={len(data) - 5}-", data[-5:]),
        ("bytes=-7", data[-7:]),
        ("bytes=5-99999999999", data[5:]),
        ("bytes=-99999999999", data),
    ]:
        status, headers, body = running.ask(address, headers={"Range": asked})
        assert (status, body) == (206, expected), asked
        first, last = headers["Content-Range"].removeprefix("bytes ").split("/")[0].split("-")
        assert data[int(first) : int(last) + 1] == expected


def test_one_connection_carries_many_different_responses(running, served_folder):
    import http.client

    address, data, digest = shard_of(served_folder)
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
    for _ in range(3):
        for method, headers, status, body in [
            ("GET", {}, 200, data),
            ("HEAD", {}, 200, b""),
            ("GET", {"Range": "bytes=10-19"}, 206, data[10:20]),
            ("HEAD", {"Range": "bytes=10-19"}, 206, b""),
            ("GET", {"If-None-Match": f'"{digest}"'}, 304, b""),
            ("GET", {"If-None-Match": '"other"'}, 200, data),
            ("GET", {"If-Match": '"other"'}, 412, None),
            ("GET", {"Range": "bytes=10-19", "If-Range": '"other"'}, 200, data),
            ("GET", {"Range": "bytes=10-19", "If-Range": f'"{digest}"'}, 206, data[10:20]),
            ("GET", {"Range": f"bytes={len(data)}-"}, 416, None),
            ("GET", {"Range": "bytes=-0"}, 416, None),
            ("GET", {"Range": "bytes=b-a"}, 400, None),
            ("GET", {"Range": "bytes=9-3"}, 400, None),
            ("GET", {"Range": "lines=1-2"}, 200, data),
            ("GET", {"Range": "bytes=0-1,4-5"}, 200, data),
        ]:
            connection.request(method, address, headers=headers)
            answer = connection.getresponse()
            got = answer.read()
            assert answer.status == status, (method, headers, got)
            if body is not None:
                assert got == body
            else:
                assert json.loads(got)["error"]
            if status == 206:
                assert answer.headers["Content-Length"] == "10"
            if status == 416:
                assert answer.headers["Content-Range"] == f"bytes */{len(data)}"
    connection.close()


def raw(port, text, seconds=5.0):
    """Send bytes on a new socket and return what comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as sock:
        sock.sendall(text)
        answer = b""
        try:
            while piece := sock.recv(65536):
                answer += piece
        except TimeoutError:
            pass
        return answer


@pytest.mark.parametrize(
    "head",
    [
        b"GET /datasets HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 40_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /datasets HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(5000)) + b"\r\n",
    ],
)
def test_heads_that_are_too_large(running, head):
    answer = raw(running.port, head)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert json.loads(answer.split(b"\r\n\r\n")[1])["error"]
    assert running.json("/healthz")["status"] == "ok"


def test_security_headers_forbid_foreign_scripts(running):
    for path in ("/gallery/", "/datasets", "/nothing"):
        headers = running.ask(path)[1]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'self'" in headers["Content-Security-Policy"]


def test_bytes_that_are_not_http(running):
    assert raw(running.port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc").startswith(b"HTTP/1.1 400 ")
    assert running.json("/healthz")["status"] == "ok"


def test_paths_never_leave_the_data_sets(running, served_folder):
    (served_folder.parent / "secret.txt").write_text("secret")
    for path in (
        "/datasets/small/../secret.txt",
        "/datasets/small/files/../../secret.txt",
        "/datasets/small/%2e%2e/secret.txt",
        "/datasets/small/files/%2e%2e%2fsecret.txt",
        "/datasets/small/files/..%5csecret.txt",
        "/datasets/small/files//etc/passwd",
        "/datasets/small/files/train/../manifest.json",
        "/datasets/../secret.txt",
        "/datasets/%2e%2e/files/secret.txt",
        "/gallery/../app.py",
        "/gallery/%2e%2e/app.py",
        "/gallery/..%2fapp.py",
        "/datasets/small/files/manifest.json%00.tar",
    ):
        answer = raw(
            running.port, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        )
        assert answer.split(b" ")[1] in (b"404", b"400"), (path, answer[:200])
        assert b"secret" not in answer.replace(path.encode(), b"").replace(b"secret.txt", b"")


@pytest.mark.slow
def test_a_silent_connection_is_closed_and_others_are_answered(start, served_folder, monkeypatch):
    service = start(served_folder)
    idle = [socket.create_connection(("127.0.0.1", service.port), timeout=30) for _ in range(300)]
    for sock in idle[::2]:
        sock.sendall(b"GET /data")
    assert service.json("/healthz")["status"] == "ok"
    began = time.monotonic()
    for sock in idle[:4]:
        assert sock.recv(100) == b""  # closed
    assert time.monotonic() - began < connections.HEAD_TIMEOUT_S + 5
    for sock in idle:
        sock.close()


def test_a_client_that_reads_nothing_delays_no_other(running, served_folder):
    address, data, _ = shard_of(served_folder)
    slow = []
    for _ in range(20):
        sock = socket.create_connection(("127.0.0.1", running.port), timeout=30)
        sock.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 40)
        slow.append(sock)
    for _ in range(20):
        assert running.ask(address)[2] == data
    for sock in slow:
        sock.close()


@pytest.fixture
def many_files():
    """The number of sockets that this process may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard if hard != resource.RLIM_INFINITY else 4096, 4096)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
def test_thousands_of_connections(start, served_folder, many_files):
    running = start(served_folder)
    address, data, _ = shard_of(served_folder)
    count = min(3000, many_files - 200)
    sockets = [socket.create_connection(("127.0.0.1", running.port), timeout=60) for _ in range(count)]
    request = f"GET {address} HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-99\r\n\r\n".encode()
    for sock in sockets:
        sock.sendall(request)
    statuses = []
    for sock in sockets:
        answer = sock.recv(65536)
        while b"\r\n\r\n" not in answer:
            answer += sock.recv(65536)
        statuses.append(int(answer.split(b" ")[1]))
        sock.close()
    assert set(statuses) <= {206, 503}
    assert statuses.count(206) >= 200
    assert running.ask(address)[2] == data


@pytest.mark.slow
def test_a_body_that_does_not_arrive(running):
    head = b"POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: 100\r\n\r\n{"
    answer = raw(running.port, head, 20)
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_is_too_long(running):
    status, _, body = running.ask("/query", "POST", {"Content-Type": "application/json"}, b"[" * 100_000)
    assert status == 413
    assert "64 KiB" in json.loads(body)["error"]


def test_the_log_has_a_line_for_each_request_and_no_secret(start, served_folder):
    service = start(served_folder)
    service.ask("/datasets?signature=hidden", headers={"Authorization": "Bearer hidden"})
    address, _, _ = shard_of(served_folder)
    service.ask(address, headers={"Range": "bytes=0-9"})
    service.stop()
    text = service.log.read_text()
    assert "hidden" not in text
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("GET", "/datasets", 200),
        ("GET", address, 206),
    ]
    assert lines[1]["bytes"] == 10
    assert lines[1]["client"] == "127.0.0.1"
    assert 0 < lines[1]["seconds"] < 5


def test_metrics_count_responses(start, served_folder):
    service = start(served_folder)
    address, data, _ = shard_of(served_folder)
    threads = [threading.Thread(target=service.ask, args=(address,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    service.ask("/nothing")
    text = service.ask("/metrics")[2].decode()
    assert 'turntable_requests_total{method="GET",route="file",status="200"} 5.0' in text
    assert 'turntable_requests_total{method="GET",route="none",status="404"} 1.0' in text
    assert f'turntable_sent_bytes_total{{method="GET",route="file"}} {float(5 * len(data))}' in text
    assert "turntable_datasets 1.0" in text

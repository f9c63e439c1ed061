"""What askers without a key try: each of these once came through."""

import json
import os
import re
import shutil
import socket
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from synthetic import make_synthetic_dataset

from turntable.errors import InvalidInputError
from turntable.service import (
    ServiceSettings,
    connections,
    create_app,
    find_datasets,
    new_access,
    write_access,
)
from turntable.service.peers import Peers, asker_of

KEYLESS = ServiceSettings()


@pytest.fixture
def sets(served_folder, tmp_path):
    for name in ("open", "secret"):
        shutil.copytree(served_folder, tmp_path / "sets" / name)
    return tmp_path / "sets"


@pytest.fixture
def keys(tmp_path):
    access, texts = new_access(), {}
    for name, scopes in (("reader", ["read"]), ("root", ["admin"])):
        access, _, texts[name] = access.created(name, scopes)
    write_access(tmp_path / "access.json", access)
    return texts, tmp_path / "access.json"


@contextmanager
def client_of(folder, settings=KEYLESS, base="http://localhost", links_under=()):
    app = create_app(find_datasets([folder], links_under), settings)
    with TestClient(app, base, follow_redirects=False) as client:
        yield client


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/metrics%0A",
        "/metrics%0D",
        "/metrics%00",
        "/metrics/",
        "/metrics?x",
        "/metrics%0A?",
    ],
)
def test_metrics_are_an_admins_however_their_address_is_written(sets, keys, path):
    with client_of(sets, ServiceSettings(access=keys[1])) as client:
        for headers in ({}, bearer(keys[0]["reader"])):
            answer = client.get(path, headers=headers)
            assert answer.status_code in (400, 401, 403, 404)
            assert "turntable_requests" not in answer.text
        assert client.get("/metrics", headers=bearer(keys[0]["root"])).status_code == 200


def test_an_address_with_control_characters_is_none(sets):
    with client_of(sets) as client:
        for path in (
            "/healthz%0A",
            "/datasets/open%00",
            "/datasets/open/files/README.md%0A",
            "/%1b[2J",
            "/%7f",
        ):
            assert client.get(path).status_code == 400, path


def test_every_address_needs_what_it_says(sets, keys):
    """Nothing of a data set is told without a token, under any address that there is."""
    app = create_app(find_datasets([sets]), ServiceSettings(access=keys[1]))
    values = {"name": "secret", "key": "x", "subset": "x", "path": "README.md", "view": 0}
    open_to_all = {"/", "/gallery", "/healthz", "/openapi.json", "/login", "/logout"}
    with TestClient(app, "http://localhost", follow_redirects=False) as client:
        for route in app.routes:
            if not hasattr(route, "endpoint"):
                continue
            path = re.sub(r":\w+", "", route.path).format(**values)
            for method in route.methods:
                body = (
                    {"json": {"dataset": "secret", "where": "true", "key": "x"}} if method == "POST" else {}
                )
                answer = client.request(method, path, **body)
                if path not in open_to_all and path != "/datasets":
                    assert answer.status_code in (400, 401), (method, path, answer.text)
        assert client.get("/datasets").json() == []


def test_a_stale_cookie_keeps_nobody_from_signing_in(sets, keys):
    with client_of(sets, ServiceSettings(access=keys[1])) as client:
        client.cookies.set("turntable_token", "tt_00000000_gone")
        assert client.get("/gallery/").status_code == 200
        assert client.get("/datasets").status_code == 401
        assert client.post("/login", json={"token": keys[0]["reader"]}).status_code == 200
        client.cookies.clear()


def test_what_needed_a_key_is_kept_by_nobody_else(sets, keys):
    shard = next((sets / "secret" / "train").glob("*.tar")).name
    with client_of(sets, ServiceSettings(access=keys[1], public=("open",))) as client:
        for name, kind, headers in (("secret", "private", bearer(keys[0]["reader"])), ("open", "public", {})):
            for path in (f"train/{shard}", "about", "manifest.json", "views", "labels.parquet"):
                answer = client.get(f"/datasets/{name}/{path}", headers=headers)
                assert answer.status_code == 200
                assert answer.headers["cache-control"].startswith(f"{kind}, "), (path, answer.headers)
                assert answer.headers["vary"] == "Authorization, Cookie"
        assert "immutable" in client.get(f"/datasets/open/train/{shard}").headers["cache-control"]
    with client_of(sets) as client:
        answer = client.get(f"/datasets/secret/train/{shard}")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "vary" not in answer.headers


def test_a_data_set_with_a_link_to_a_private_file_is_not_served(sets, tmp_path):
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key").write_text("top secret")
    (sets / "secret" / "README.md").unlink()
    (sets / "secret" / "README.md").symlink_to(tmp_path / "private" / "key")
    with client_of(sets) as client:
        listed = {row["name"]: row for row in client.get("/datasets").json()}
        assert "secret/README.md: a link that leads out of the data set" in listed["secret"]["problem"]
        assert "--links-under" in listed["secret"]["problem"]
        answer = client.get("/datasets/secret/files/README.md")
        assert answer.status_code == 500
        assert "top secret" not in answer.text
        assert client.get("/datasets/open/files/README.md").status_code == 200
        # A link that is put there while the service runs is seen when the file is asked for.
        (sets / "open" / "README.md").unlink()
        (sets / "open" / "README.md").symlink_to(tmp_path / "private" / "key")
        answer = client.get("/datasets/open/files/README.md")
        assert answer.status_code == 500
        assert "top secret" not in answer.text
        assert client.get("/datasets/open/files/manifest.json").status_code == 200
    with client_of(sets, links_under=(tmp_path / "private",)) as client:
        assert client.get("/datasets/secret/files/README.md").text == "top secret"


def test_a_set_of_the_folder_is_no_link_to_elsewhere_and_no_fifo(sets, served_folder):
    (sets / "linked").symlink_to(served_folder)
    (sets / "fifo").mkdir()
    os.mkfifo(sets / "fifo" / "manifest.json")
    with client_of(sets) as client:
        listed = {row["name"]: row for row in client.get("/datasets").json()}
        assert "leads out" in listed[served_folder.name]["problem"]
        assert "no ordinary file" in listed["fifo"]["problem"]
        assert set(listed) == {"open", "secret", "fifo", served_folder.name}
        assert client.get("/datasets/open").status_code == 200
    with client_of(sets, links_under=(served_folder.parent,)) as client:
        assert client.get(f"/datasets/{served_folder.name}").status_code == 200


def test_one_bad_manifest_is_listed_with_its_reason(sets):
    path = sets / "secret" / "manifest.json"
    whole = json.loads(path.read_text())
    with client_of(sets) as client:
        for change in (
            {"views": "many"},
            {"categories": 5},
            {"recipe": []},
            {"totals": {}},
            {"name": "\x1b[2J"},
        ):
            path.write_text(json.dumps(whole | change))
            answer = client.get("/datasets")
            assert answer.status_code == 200
            rows = {row["name"]: row for row in answer.json()}
            assert "not a manifest" in rows["secret"]["problem"]
            assert rows["open"]["objects"] == 24
            assert client.get("/datasets/secret/about").status_code == 500
        path.write_text(json.dumps(whole))
        assert "problem" not in client.get("/datasets").json()[1]


def test_no_answer_shows_where_files_lie(sets):
    shard = next((sets / "secret" / "train").glob("*.tar"))
    asked = (
        "about",
        "factors",
        "objects",
        "views?where=floor_hue<1",
        f"train/{shard.name}",
        "labels.parquet",
        "pair",
    )
    queries = ("views?split=none", "views?where=nothing", "objects?split=none", "views?where=view>99")
    problems = [
        lambda: shard.write_bytes(shard.read_bytes()[:-1]),
        lambda: shard.unlink(),
        lambda: shard.with_suffix(".idx").write_bytes(b"x"),
        lambda: shard.with_suffix(".idx").unlink(),
        lambda: (sets / "secret" / "labels.parquet").write_bytes(b"x"),
        lambda: (sets / "secret" / "labels.parquet").unlink(),
        lambda: (sets / "secret" / "manifest.json").write_text("{"),
    ]
    for make in (lambda: None, *problems):
        make()
        with client_of(sets) as client:
            for path in (*asked, *queries):
                answer = client.get(f"/datasets/secret/{path}")
                assert str(sets.parent) not in answer.text, (path, answer.text)
                assert "/proc/" not in answer.text
            assert str(sets.parent) not in client.get("/datasets").text


def test_a_lone_half_of_a_character_is_refused_everywhere(sets, keys):
    half = '"\\ud800"'
    with client_of(sets, ServiceSettings(access=keys[1])) as client:
        headers = {"Content-Type": "application/json"}
        answer = client.post("/login", content=f'{{"token": {half}}}', headers=headers)
        assert answer.status_code == 401
        root = {**headers, **bearer(keys[0]["root"])}
        for body in (
            f'{{"dataset": {half}, "where": "true"}}',
            f'{{"dataset": "open", "where": {half}}}',
            f'{{"dataset": "open", "where": "true", "splits": [{half}]}}',
            f'{{"dataset": "open", "where": "true", {half}: 1}}',
        ):
            answer = client.post("/query", content=body, headers=root)
            assert answer.status_code in (400, 404), body
            assert answer.json()["error"]
        for body in (
            f'{{"dataset": "open", "key": {half}}}',
            f'{{"dataset": "open", "key": "x", "view": {half}}}',
        ):
            assert client.post("/render", content=body, headers=root).status_code in (400, 404)


def test_a_body_is_json_only_where_it_says_so(sets):
    body = b'{"dataset": "open", "where": "true"}'
    with client_of(sets) as client:
        for kind in ({}, {"Content-Type": "text/plain"}, {"Content-Type": ""}):
            assert client.post("/query", content=body, headers=kind).status_code == 415
        answer = client.post(
            "/query", content=body, headers={"Content-Type": "Application/JSON; charset=utf-8"}
        )
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8765", 200),
        ("localhost.", 200),
        ("127.0.0.1:1", 200),
        ("127.8.9.1", 200),
        ("[::1]:8765", 200),
        ("data.example.org", 200),
        ("Data.Example.Org.:443", 200),
        ("evil.example.org", 421),
        ("localhost.evil.org", 421),
        ("127.0.0.1.evil.org", 421),
        ("10.0.0.1", 421),
        ("[::2]", 421),
        ("evil.org@localhost", 421),
        ("localhost:8765:1", 421),
        ("", 421),
        ("x" * 30_000, 421),
    ],
)
def test_the_service_answers_under_its_own_names(sets, host, status):
    with client_of(sets, ServiceSettings(allow_hosts=("data.example.org",))) as client:
        answer = client.get("/datasets", headers={"Host": host})
        assert answer.status_code == status
        assert len(answer.content) < 2000
        if status == 421:
            assert "--allow-host" in answer.json()["error"]
    with client_of(sets, ServiceSettings(allow_hosts=("*",))) as client:
        assert client.get("/datasets", headers={"Host": host}).status_code == 200


def test_redirects_repeat_no_host_and_slashes_too_many_are_none(sets):
    with client_of(sets, ServiceSettings(allow_hosts=("*",))) as client:
        for path in ("/metrics/", "/datasets/", "/datasets/open/about/", "/healthz/"):
            answer = client.get(path, headers={"Host": "evil.org"})
            assert answer.status_code == 404, path
        for path in ("/", "/gallery"):
            answer = client.get(path, headers={"Host": "evil.org"})
            assert answer.headers["location"] == "/gallery/"


def test_who_is_forwarded_is_believed_of_named_proxies_alone():
    nobody, proxied = Peers.named((), ()), Peers.named(("10.0.0.0/8", "127.0.0.1"), ())
    assert nobody.client("127.0.0.1", ["1.2.3.4"]) == "127.0.0.1"
    assert proxied.client("5.6.7.8", ["1.2.3.4"]) == "5.6.7.8"
    assert proxied.client("10.1.1.1", ["1.2.3.4"]) == "1.2.3.4"
    # What the reader wrote itself stands to the left of what a proxy has added.
    assert proxied.client("10.1.1.1", ["9.9.9.9, 1.2.3.4"]) == "1.2.3.4"
    assert proxied.client("10.1.1.1", ["9.9.9.9, 1.2.3.4, 10.2.2.2"]) == "1.2.3.4"
    assert proxied.client("10.1.1.1", ["9.9.9.9", "1.2.3.4"]) == "1.2.3.4"
    assert proxied.client("10.1.1.1", ["[2001:db8::1]:443"]) == "2001:db8::1"
    assert proxied.client("10.1.1.1", ["1.2.3.4:5678"]) == "1.2.3.4"
    for nonsense in ("", "unknown", "x" * 30_000, "1.2.3.4\n", "999.1.1.1", '{"a": 1}'):
        assert proxied.client("10.1.1.1", [nonsense]) in ("10.1.1.1", "1.2.3.4")
    assert proxied.client("10.1.1.1", [", ".join(["10.0.0.1"] * 10_000)]) == "10.0.0.1"
    with pytest.raises(InvalidInputError, match="--trusted-proxy nonsense: give the address"):
        Peers.named(("nonsense",), ())


def test_an_asker_has_a_whole_network_of_ipv6():
    assert asker_of("2001:db8::1") == asker_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert asker_of("2001:db8:0:1::1") != asker_of("2001:db8::1")
    assert asker_of("1.2.3.4") == "1.2.3.4"
    assert len(asker_of("x" * 30_000)) <= 64


def test_limits_and_log_go_by_the_connection(start, served_folder):
    service = start(served_folder, options=["--rate", "1"])
    statuses = [
        service.ask(
            "/datasets", headers={"X-Forwarded-For": f"1.2.3.{number}", "X-Forwarded-Proto": "https"}
        )[0]
        for number in range(6)
    ]
    assert statuses.count(429) >= 3
    service.ask("/datasets", headers={"X-Forwarded-For": "x" * 20_000})
    service.stop()
    text = service.log.read_text()
    assert "1.2.3." not in text
    assert max(map(len, text.splitlines())) < 1000


def test_a_named_proxy_speaks_for_its_readers(start, served_folder):
    service = start(served_folder, options=["--rate", "1", "--trusted-proxy", "127.0.0.1"])
    for number in range(6):
        assert service.ask("/datasets", headers={"X-Forwarded-For": f"1.2.3.{number}"})[0] == 200
    service.stop()
    assert '"client": "1.2.3.5"' in service.log.read_text()


def sent(port, data, seconds=10.0):
    """What comes back for bytes that are sent until somebody has had enough, and how many were taken."""
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
def test_a_head_without_an_end_is_cut_off(running, data):
    answer, _ = sent(running.port, data)
    assert answer.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 ")) or not answer
    assert running.json("/healthz")["status"] == "ok"


def memory_kib(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def test_heads_without_an_end_take_no_memory(start, served_folder):
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
def test_what_follows_a_head_without_an_end_is_cut_off(running, data):
    _, taken = sent(running.port, data)
    assert taken < 9_000_000  # buffers of the system and all
    assert running.json("/healthz")["status"] == "ok"


def test_requests_that_wait_in_one_connection_are_few(running, served_folder):
    request = b"GET /datasets/small/about HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer, _ = sent(running.port, [request * 20_000], 5.0)
    assert answer.count(b"HTTP/1.1 200") <= connections.MOST_PIPELINED + 200
    few, _ = sent(
        running.port, [request * 40 + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")]
    )
    assert few.count(b"HTTP/1.1 200") == 41


def test_a_reader_that_takes_nothing_of_an_answer_is_let_go(tmp_path, served_folder, monkeypatch):
    """Not only of files: the answers to lists and manifests wait in memory."""
    import asyncio

    monkeypatch.setattr(connections, "STALL_S", 0.2)
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


def test_conditions_hold_up_nobody_and_end_in_time(start, tmp_path):
    """Conditions that take too long are ended; meanwhile files, health and the gallery are served."""
    make_synthetic_dataset(tmp_path / "set", objects=40, categories=2, views=20, image_size=16)
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

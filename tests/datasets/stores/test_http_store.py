import os
import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.support.processes import wait_until
from turntable.datasets import open_store
from turntable.datasets.stores.web import HttpStore
from turntable.errors import InvalidInputError, StoreError

DATA = os.urandom(300_000)


@pytest.fixture
def server(http_server, tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a b.tar").write_bytes(DATA)
    (tmp_path / "empty").write_bytes(b"")
    return http_server(tmp_path)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    monkeypatch.setattr("turntable.datasets.stores.retries.FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr("turntable.datasets.stores.web.store._READ_S", 0.5)
    monkeypatch.delenv("TURNTABLE_TOKEN", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")


NAME = "train/a b.tar"


def test_files_are_read_whole_and_in_part(server):
    store = open_store(server.url)
    assert isinstance(store, HttpStore)
    assert store.read(NAME, 1 << 24) == DATA
    assert store.read_range(NAME, 1000, 50) == DATA[1000:1050]
    assert store.read_range(NAME, len(DATA) - 5, 50) == DATA[-5:]
    assert store.read_range(NAME, len(DATA), 5) == b""
    assert store.get_size(NAME) == len(DATA)
    assert store.get_size("empty") == 0
    assert store.read("train/none", 1 << 24) is None
    assert store.get_size("train/none") is None
    assert pickle.loads(pickle.dumps(store)).read_range(NAME, 0, 4) == DATA[:4]
    coming = store.download(NAME, 1000)
    assert (coming.size, coming.offset) == (len(DATA), 1000)
    assert b"".join(coming.pieces) == DATA[1000:]
    same = store.download(NAME, 1000, coming.e_tag)
    assert same.offset == 1000
    changed = store.download(NAME, 1000, '"another"')
    assert (changed.offset, b"".join(changed.pieces)) == (0, DATA)
    beyond = store.download(NAME, len(DATA) + 5)
    assert (beyond.offset, b"".join(beyond.pieces)) == (0, DATA)


def test_only_so_much_is_sent_as_was_asked_for(server):
    HttpStore(server.url).read_range(NAME, 10, 100)
    HttpStore(server.url).get_size(NAME)
    # The server counts what it has sent, a moment after it arrived.
    wait_until(lambda: sum(server.sent.values()) >= 101)
    assert sum(server.sent.values()) == 101


@pytest.mark.parametrize("how", ["503", "429", "500", "reset", "cut", "stall"])
def test_what_passes_is_tried_again(server, how):
    store = HttpStore(server.url)
    server.fail(how, times=2)
    assert store.read(NAME, 1 << 24) == DATA
    server.fail(how, times=2)
    assert store.read_range(NAME, 1000, 500) == DATA[1000:1500]
    assert len(server.asked) == 6


@pytest.fixture
def slept(monkeypatch):
    """The pauses, which are not made."""
    pauses = []
    monkeypatch.setattr("turntable.datasets.stores.web.store.time.sleep", pauses.append)
    return pauses


def test_a_connection_serves_on_after_answers_without_a_body(server, slept):
    store = HttpStore(server.url)
    for _ in range(3):
        assert store.get_size("empty") == 0
        assert store.read("empty", 1 << 24) == b""
        assert store.read_range(NAME, len(DATA) + 9, 5) == b""
        assert store.read(NAME, 1 << 24) == DATA
    assert slept == []
    coming = store.download(NAME, len(DATA) + 5)
    assert b"".join(coming.pieces) == DATA
    assert len(slept) == 1  # for that there is less of it than before, and not for a connection


IN_AN_HOUR = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [("3", 3, 3), ("99999", 30, 30), (IN_AN_HOUR, 30, 30), ("soon", 0, 0.001), ("-5", 0, 0.001)],
    ids=["seconds", "too-many", "a-date", "no-time", "the-past"],  # the date is another one in each process
)
def test_a_busy_server_is_given_the_time_it_asks_for(server, slept, said, least, most):
    server.retry_after = said
    server.fail("429")
    assert HttpStore(server.url).read(NAME, 1 << 24) == DATA
    assert len(slept) == 1
    assert least <= slept[0] <= most


def test_a_server_that_gives_less_than_the_range_is_tried_again(server):
    store = HttpStore(server.url)
    server.fail("short range", times=2)
    assert store.read_range(NAME, 1000, 500) == DATA[1000:1500]
    server.fail("short range", times=100)
    with pytest.raises(StoreError, match="it gave bytes 1000 to 1249 for 1000 to 1499"):
        store.read_range(NAME, 1000, 500)


def test_a_wrong_range_is_tried_again_and_then_told(server):
    store = HttpStore(server.url)
    server.fail("wrong range", times=2)
    assert store.read_range(NAME, 1000, 500) == DATA[1000:1500]
    server.fail("wrong range", times=1)
    assert b"".join(store.download(NAME, 1000).pieces) == DATA[1000:]
    server.fail("wrong range", times=100)
    with pytest.raises(StoreError, match=r"a b\.tar: it gave bytes 1007 to 1506 for 1000 to 1499"):
        store.read_range(NAME, 1000, 500)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("503", "the server answered 503 to every try; check the network and the URL"),
        ("403", "the server refuses .403.; for a token that may read it run turntable login http://127"),
        ("418", "the server answered 418"),
        ("html", "the server answered with a web page, such as of a login"),
        ("gzip", "the server compresses its files .'gzip'.; have it send them as they are"),
        ("reset", r"a b\.tar: .*; check the network"),
    ],
)
def test_what_does_not_pass_is_told(server, how, told):
    store = HttpStore(server.url + "?signature=secret")
    server.fail(how, times=100)
    for ask in (
        lambda: store.read(NAME, 1 << 24),
        lambda: store.read_range(NAME, 0, 5),
        lambda: store.get_size(NAME),
    ):
        with pytest.raises(StoreError, match=told) as caught:
            ask()
        assert "secret" not in str(caught.value)


def test_a_server_without_range_is_told_where_it_matters(server):
    server.knows_range = False
    store = HttpStore(server.url)
    with pytest.raises(StoreError, match="does not answer Range requests"):
        store.read_range(NAME, 1000, 5)
    assert store.get_size(NAME) == len(DATA)
    assert store.download(NAME, 1000).offset == 0


def test_nobody_there():
    with pytest.raises(StoreError, match=r"http://127\.0\.0\.1:9/x: .*refused.*; check the network"):
        HttpStore("http://127.0.0.1:9").read("x", 1 << 24)


def test_redirects_are_followed_up_to_a_number(http_server, tmp_path):
    (tmp_path / "x").write_bytes(b"data")
    server, other = http_server(tmp_path), http_server(tmp_path)
    # Another host's name for the same machine.
    server.elsewhere = other.url.replace("127.0.0.1", "localhost")
    server.fail("redirect")
    assert HttpStore(server.url).read("x", 1 << 24) == b"data"
    server.elsewhere = server.url
    server.fail("redirect", times=100)
    before = len(server.asked)
    with pytest.raises(StoreError, match="too many redirects"):
        HttpStore(server.url).read("x", 1 << 24)
    assert len(server.asked) - before == 6


def test_a_signature_goes_with_every_request(server):
    store = HttpStore(f"{server.url}/train?key=a%20b&s=1")
    assert store.read("a b.tar", 1 << 24) == DATA
    assert pickle.loads(pickle.dumps(store)).read("a b.tar", 1 << 24) == DATA
    assert [item.query for item in server.asked] == ["key=a%20b&s=1"] * 2
    assert "key" not in store.url
    assert "key" not in repr(store)


def test_it_only_reads(server, tmp_path):
    store = HttpStore(server.url)
    for refused in (
        lambda: store.write("x", b""),
        lambda: store.upload("x", tmp_path, ""),
        lambda: store.delete("x"),
        lambda: store.check_writable(),
    ):
        with pytest.raises(StoreError, match="read-only; write to a folder, s3:// or gs://"):
            refused()
    with pytest.raises(StoreError, match="does not list files"):
        store.list()


@pytest.mark.parametrize("url", ["http://", "https://host/x#y", "ftp://host/x"])
def test_urls_of_something_else(url):
    with pytest.raises(InvalidInputError):
        HttpStore(url)
    store = HttpStore("https://me:word@host/x")
    assert "word" not in f"{store.url} {store}"
    with pytest.raises(InvalidInputError, match="not a name in a store"):
        HttpStore("https://host/x").read("../y", 1 << 24)

"""Downloads, digests and reads end at their bounds, in every kind of store."""

import time
import tracemalloc
from hashlib import sha256
from pathlib import Path

import obstore
import pytest

from tests.support.bounds import ENOUGH, take
from tests.support.processes import wait_until
from turntable.datasets.stores import LocalStore, open_journal
from turntable.datasets.stores.buckets import BucketStore
from turntable.datasets.stores.buckets.store import MEMORY_URL
from turntable.datasets.stores.cache import ShardCache
from turntable.datasets.stores.web import HttpStore
from turntable.errors import IntegrityError, RejectedResponseError, StoreError

pytestmark = pytest.mark.usefixtures("hasty")


def test_time_in_which_nobody_reads_is_not_the_servers(http_server, tmp_path, monkeypatch) -> None:
    (tmp_path / "big").write_bytes(bytes(40 << 20))
    monkeypatch.setattr("turntable.datasets.stores.web.responses.WINDOW_S", 1.0)
    pieces = HttpStore(http_server(tmp_path).url).download("big").pieces
    came = len(next(pieces))
    time.sleep(1.1)
    assert came + sum(map(len, pieces)) == 40 << 20


def test_an_answer_longer_than_the_range_is_cut_off(server) -> None:
    for how in ("endless part", "endless chunks of a part"):
        server.fail(how)
        assert HttpStore(server.url).read_range("x", 0, 10) == bytes(10)
    wait_until(lambda: server.at_once == 0)
    assert server.sent_in_all() < 2 * ENOUGH


def test_a_download_ends_where_the_server_said(server, tmp_path) -> None:
    store = HttpStore(server.url)
    server.fail("endless chunks of a rest", times=2)
    assert take(store.download("x", 5).pieces) == bytes(5)
    with pytest.raises(RejectedResponseError, match="x: it sends more than the 5 bytes that it stated"):
        list(store.download("x", 5).pieces)
    server.fail("cut")
    server.fail("endless chunks of a rest", times=100)
    cache = ShardCache(tmp_path / "cache")
    with pytest.raises(RejectedResponseError, match="more than the 5 bytes"):
        cache.fetch_file(store, "x", 10, sha256(b"0123456789").hexdigest())
    files = [path for path in tmp_path.glob("cache/**/*") if path.is_file() and path.suffix != ".etag"]
    assert sum(path.stat().st_size for path in files) == 10
    assert len(server.asked) == 4  # it is not asked again and again
    server.faults.clear()
    server.fail("long claim", times=100)
    files[0].unlink()
    with pytest.raises(IntegrityError, match=r"x: 999,999,999,999,999 bytes, manifest\.json says 10"):
        cache.fetch_file(store, "x", 10, sha256(b"0123456789").hexdigest())


@pytest.mark.usefixtures("impatient")
def test_a_download_that_drips_is_not_begun_again_and_again(server, tmp_path) -> None:
    server.fail("drip", times=100)
    with pytest.raises(RejectedResponseError, match="fewer than 1,024 bytes per second"):
        ShardCache(tmp_path / "cache").fetch_file(HttpStore(server.url), "x", 1000, "0" * 64)
    assert len(server.asked) == 1


def test_tries_that_bring_a_byte_each_come_to_an_end(server, tmp_path) -> None:
    (server.folder / "y").write_bytes(bytes(1 << 12))
    server.fail("a byte", times=1000)
    with pytest.raises(StoreError, match="ended too early"):
        ShardCache(tmp_path / "cache").fetch_file(HttpStore(server.url), "y", 1 << 12, "0" * 64)
    assert len(server.asked) < 20


def test_a_digest_is_made_in_pieces(http_server, tmp_path) -> None:
    data = bytes(range(256)) * (80 << 10)
    (tmp_path / "big").write_bytes(data)
    server = http_server(tmp_path)
    server.fail("cut", times=2, on="big")
    store, peak = HttpStore(server.url), 0
    tracemalloc.start()
    try:
        found = store.get_sha256("big")
        # The server's own copies are in this process too.
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == sha256(data).hexdigest()
    assert peak < 3 * len(data)
    assert store.get_sha256("none") is None


def test_a_local_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(100))
    store = LocalStore(tmp_path)
    assert store.read("a", 100) == bytes(100)
    with pytest.raises(RejectedResponseError, match=f"{tmp_path}/a: longer than the 99 bytes"):
        store.read("a", 99)
    (tmp_path / "endless").symlink_to("/dev/zero")
    with pytest.raises(RejectedResponseError, match="longer than the 100 bytes"):
        store.read("endless", 100)
    coming, grown = store.download("a"), store.download("a")
    with (tmp_path / "a").open("ab") as file:
        file.write(b"more")
    assert take(coming.pieces) == bytes(100)
    with pytest.raises(RejectedResponseError, match="grew while it was read"):
        list(grown.pieces)


def test_an_object_is_read_up_to_its_bound(monkeypatch) -> None:
    store = BucketStore(MEMORY_URL)
    store.write("a", bytes(100))
    assert store.read("a", 100) == bytes(100)
    with pytest.raises(RejectedResponseError, match="memory:///a: longer than the 99 bytes"):
        store.read("a", 99)
    real = obstore.get
    monkeypatch.setattr(obstore, "get", lambda *all_, **named: Liar(real(*all_, **named)))
    with pytest.raises(RejectedResponseError, match="memory:///a: longer than the 99 bytes"):
        store.read("a", 99)
    with pytest.raises(RejectedResponseError, match="memory:///a: the store sends more bytes than it stated"):
        list(store.download("a").pieces)


class Liar:
    """An answer of an object store that says that it is short."""

    def __init__(self, answer) -> None:
        self._answer = answer
        self.meta, self.range = {"size": 3, "e_tag": None}, (0, 3)

    def stream(self, **named):
        return self._answer.stream(**named)


def test_a_line_of_a_journal_has_a_bound(monkeypatch) -> None:
    store = BucketStore(MEMORY_URL)
    monkeypatch.setattr("turntable.datasets.stores.journal._MAX_LINE_BYTES", 50)
    open_journal(store).append_line("a", "x" * 40)
    assert open_journal(store).read_lines() == ["x" * 40]
    open_journal(store).append_line("b", "x" * 60)
    with pytest.raises(RejectedResponseError, match="journal/b: longer than the 50 bytes"):
        open_journal(store).read_lines()

"""Servers that answer without end, too slowly, or with what no server should say: no reader takes it all."""

import errno
import io
import itertools
import json
import re
import shutil
import time
import tracemalloc
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import obstore
import pytest
from hostile_answers import HOSTILE
from processes import wait_until
from synthetic import make_synthetic_dataset

from turntable.datasets.dataset import Dataset, open_dataset
from turntable.datasets.places import IndexSize
from turntable.datasets.query import matching_views
from turntable.datasets.shard_index import most_index_bytes
from turntable.datasets.stores import HttpStore, LocalStore, ObjectStore, ShardCache, open_journal
from turntable.datasets.stores.objects import MEMORY
from turntable.datasets.stores.receiving import spool
from turntable.errors import GivenUpError, IntegrityError, StoreError, TurntableError

MOST = 100_000
ENOUGH = 6 << 20
"""Bytes that a server gets rid of into buffers before it notices that nobody reads."""


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("turntable.datasets.stores.patience.FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr("turntable.datasets.stores.http._READ_S", 1.0)
    monkeypatch.setenv("TURNTABLE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def impatient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """For answers that drip; others may be late on a busy machine."""
    if "drip" in request.node.name:
        monkeypatch.setattr("turntable.datasets.stores.answers.WINDOW_S", 0.15)


@pytest.fixture
def server(http_server, tmp_path: Path):
    (tmp_path / "www").mkdir()
    (tmp_path / "www/x").write_bytes(b"0123456789")
    return http_server(tmp_path / "www")


def given_up(use, error=StoreError) -> str:
    """What the error says, which is fit for a terminal and short; and no memory to speak of was needed."""
    tracemalloc.start()
    try:
        with pytest.raises(error) as caught:
            use()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) < 500
    assert peak < 4 << 20
    return text


ENDLESS = {
    "endless": "x: longer than the 100,000 bytes that are read of such a file; look whether this",
    "endless chunks": "longer than the 100,000 bytes",
    "long claim": "longer than the 100,000 bytes",
    "small chunks": "it sends chunks or trailers without end|longer than the 100,000 bytes",
    "endless trailers": "it sends chunks or trailers without end",
    "endless continue": "it sends headers without end",
    "endless headers": "got more than 100 headers",
    "many headers": "got more than 100 headers",
    "headers of 6 MB": "it sends headers without end",
    "long header": "got more than 65536 bytes when reading header line",
    "endless chunk size": "got more than 65536 bytes when reading chunk size|without end",
    "chunk of size -1": "it sends chunks or trailers without end",
    "chunk of size -5": "",
    "two lengths in one": "longer than the 100,000 bytes",
    "endless error": "the server answered 418",
    "endless refusal": "the server refuses .403.",
    "odd status": "",
}


@pytest.mark.parametrize("how", ENDLESS)
def test_a_small_file_is_read_up_to_its_bound(server, how: str) -> None:
    server.fail(how, times=100)
    text = given_up(lambda: HttpStore(server.url).read("x", MOST))
    assert re.search(ENDLESS[how], text), text
    assert server.url in text
    asked = len(server.asked)
    assert server.sent_in_all() < ENOUGH * asked
    assert asked <= (6 if how in ("chunk of size -5", "endless chunk size", "odd status") else 1)


def told_by(use) -> str:
    """What the error says; nothing where something can be made of the answer."""
    try:
        use()
    except TurntableError as error:
        return str(error)
    return ""


def take_some(pieces):
    """The first pieces of a download: a server may say that it is as long as it likes."""
    return itertools.islice(pieces, 20)


def take(pieces) -> bytes:
    """What comes of a download until it is given up."""
    came = bytearray()
    with suppress(GivenUpError):
        for piece in pieces:
            came += piece
    return bytes(came)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("how", [*HOSTILE])
def test_no_answer_gets_past_any_way_of_reading(server, how: str) -> None:
    store = HttpStore(server.url)
    server.fail(how, times=1000)
    for use in (
        lambda: store.read("x", MOST),
        lambda: store.read_range("x", 0, 10),
        lambda: store.size("x"),
        lambda: store.sha256("x"),
        lambda: store.download("x", 5, '"tag"'),
        lambda: b"".join(take_some(store.download("x").pieces)),
        lambda: spool(store, "x", MOST),
    ):
        began = time.monotonic()
        text = told_by(use)
        assert text.isprintable()
        assert len(text) < 500
        assert time.monotonic() - began < 30


def test_what_says_that_it_is_too_long_is_not_read_at_all(server) -> None:
    server.fail("claim alone", times=100)
    text = given_up(lambda: HttpStore(server.url).read("x", MOST), GivenUpError)
    assert "longer than the 100,000 bytes" in text
    server.faults.clear()
    with pytest.raises(GivenUpError, match="x: longer than the 9 bytes"):
        spool(HttpStore(server.url), "x", 9)
    assert len(server.asked) == 2  # how long it is, and no more
    with spool(HttpStore(server.url), "x", 10) as file:
        file.seek(0)
        assert file.read() == b"0123456789"
    assert spool(HttpStore(server.url), "none", 10) is None


def test_a_part_is_not_taken_for_the_whole(server) -> None:
    server.fail("a part unasked", times=100)
    assert "the server answered 206" in given_up(lambda: HttpStore(server.url).read("x", MOST))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("how", ["drip", "drip of chunks", "drip of a header", "drip of headers"])
def test_an_answer_that_drips_is_given_up(server, how: str) -> None:
    server.fail(how, times=100)
    text = given_up(lambda: HttpStore(server.url).read("x", MOST), GivenUpError)
    assert "it sends fewer than 1,024 bytes a second, which is given up after 0.15 s" in text
    assert len(server.asked) == 1


def test_time_in_which_nobody_reads_is_not_the_servers(http_server, tmp_path, monkeypatch) -> None:
    (tmp_path / "big").write_bytes(bytes(40 << 20))
    monkeypatch.setattr("turntable.datasets.stores.answers.WINDOW_S", 1.0)
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
    with pytest.raises(GivenUpError, match="x: it sends more than the 5 bytes that it stated"):
        list(store.download("x", 5).pieces)
    server.fail("cut")
    server.fail("endless chunks of a rest", times=100)
    cache = ShardCache(tmp_path / "cache")
    with pytest.raises(GivenUpError, match="more than the 5 bytes"):
        cache.file(store, "x", 10, sha256(b"0123456789").hexdigest())
    files = [path for path in tmp_path.glob("cache/**/*") if path.is_file() and path.suffix != ".etag"]
    assert sum(path.stat().st_size for path in files) == 10
    assert len(server.asked) == 4  # it is not asked again and again
    server.faults.clear()
    server.fail("long claim", times=100)
    files[0].unlink()
    with pytest.raises(IntegrityError, match=r"x: 999,999,999,999,999 bytes, manifest\.json says 10"):
        cache.file(store, "x", 10, sha256(b"0123456789").hexdigest())


@pytest.mark.usefixtures("impatient")
def test_a_download_that_drips_is_not_begun_again_and_again(server, tmp_path) -> None:
    server.fail("drip", times=100)
    with pytest.raises(GivenUpError, match="fewer than 1,024 bytes a second"):
        ShardCache(tmp_path / "cache").file(HttpStore(server.url), "x", 1000, "0" * 64)
    assert len(server.asked) == 1


def test_tries_that_bring_a_byte_each_come_to_an_end(server, tmp_path) -> None:
    (server.folder / "y").write_bytes(bytes(1 << 12))
    server.fail("a byte", times=1000)
    with pytest.raises(StoreError, match="ended too early"):
        ShardCache(tmp_path / "cache").file(HttpStore(server.url), "y", 1 << 12, "0" * 64)
    assert len(server.asked) < 20


def test_a_digest_is_made_in_pieces(http_server, tmp_path) -> None:
    data = bytes(range(256)) * (80 << 10)
    (tmp_path / "big").write_bytes(data)
    server = http_server(tmp_path)
    server.fail("cut", times=2, on="big")
    store, peak = HttpStore(server.url), 0
    tracemalloc.start()
    try:
        found = store.sha256("big")
        # The server's own copies are in this process too.
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == sha256(data).hexdigest()
    assert peak < 3 * len(data)
    assert store.sha256("none") is None


@pytest.mark.parametrize(
    "said", ["1000000000", "9" * 5000, "Sun, 06 Nov 99999999 08:49:37 GMT", "-1", "1e9", "\x00"]
)
def test_a_busy_server_is_waited_for_no_longer_than_half_a_minute(server, monkeypatch, said: str) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("turntable.datasets.stores.http.time.sleep", pauses.append)
    server.retry_after = said
    server.fail("503")
    assert HttpStore(server.url).read("x", MOST) == b"0123456789"
    assert len(pauses) == 1
    assert pauses[0] <= 30


@pytest.mark.parametrize(
    "location", ["/x", "x?y", "http://[::1", "file:///etc/passwd", "\r\n\t/x", "https:///"]
)
def test_redirects_end(server, location: str) -> None:
    server.location = location.encode()
    server.fail("location", times=1000)
    text = given_up(lambda: HttpStore(server.url).read("x", MOST))
    assert re.search("too many redirects|it is not followed: give the URL where", text)
    assert len(server.asked) <= 6


def test_a_redirect_with_a_body_or_header_without_end_is_not_read(server) -> None:
    server.fail("endless redirect", times=100)
    given_up(lambda: HttpStore(server.url).read("x", MOST))
    assert server.sent_in_all() < ENOUGH * len(server.asked)
    server.location = b"/" + b"x" * 1_000_000
    server.fail("location", times=100)
    server.faults.pop(0)
    assert "got more than 65536 bytes" in given_up(lambda: HttpStore(server.url).read("x", MOST))


def test_from_https_to_http_is_not_followed(http_server, tls, server) -> None:
    secure = http_server(server.folder, tls=tls)
    assert HttpStore(secure.url, "sesame").read("x", MOST) == b"0123456789"
    secure.fail("location", times=1)
    secure.location = f"{server.url}/x?key=secret".encode()
    text = given_up(lambda: HttpStore(secure.url).read("x", MOST))
    assert f"a redirect from https to {server.url}, which is not encrypted; it is not followed" in text
    assert "secret" not in text
    assert server.asked == []


# Other stores.


def test_a_local_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(100))
    store = LocalStore(tmp_path)
    assert store.read("a", 100) == bytes(100)
    with pytest.raises(GivenUpError, match=f"{tmp_path}/a: longer than the 99 bytes"):
        store.read("a", 99)
    (tmp_path / "endless").symlink_to("/dev/zero")
    with pytest.raises(GivenUpError, match="longer than the 100 bytes"):
        store.read("endless", 100)
    coming, grown = store.download("a"), store.download("a")
    with (tmp_path / "a").open("ab") as file:
        file.write(b"more")
    assert take(coming.pieces) == bytes(100)
    with pytest.raises(GivenUpError, match="longer than it was a moment ago"):
        list(grown.pieces)


def test_an_object_is_read_up_to_its_bound(monkeypatch) -> None:
    store = ObjectStore(MEMORY)
    store.write("a", bytes(100))
    assert store.read("a", 100) == bytes(100)
    with pytest.raises(GivenUpError, match="memory:///a: longer than the 99 bytes"):
        store.read("a", 99)
    real = obstore.get
    monkeypatch.setattr(obstore, "get", lambda *all_, **named: Liar(real(*all_, **named)))
    with pytest.raises(GivenUpError, match="memory:///a: longer than the 99 bytes"):
        store.read("a", 99)
    with pytest.raises(GivenUpError, match="memory:///a: the store sends more bytes than it stated"):
        list(store.download("a").pieces)


class Liar:
    """An answer of an object store that says that it is short."""

    def __init__(self, answer) -> None:
        self._answer = answer
        self.meta, self.range = {"size": 3, "e_tag": None}, (0, 3)

    def stream(self, **named):
        return self._answer.stream(**named)


def test_a_line_of_a_journal_has_a_bound(monkeypatch) -> None:
    store = ObjectStore(MEMORY)
    monkeypatch.setattr("turntable.datasets.stores.journal._MOST_LINE_BYTES", 50)
    open_journal(store).append("a", "x" * 40)
    assert open_journal(store).lines() == ["x" * 40]
    open_journal(store).append("b", "x" * 60)
    with pytest.raises(GivenUpError, match="journal/b: longer than the 50 bytes"):
        open_journal(store).lines()


# Data sets.


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_synthetic_dataset(tmp_path_factory.mktemp("made"), objects=8, views=3, image_size=16)


@pytest.fixture
def hostile(http_server, made: Dataset, tmp_path: Path):
    shutil.copytree(made.path, tmp_path / "www" / "set")
    return http_server(tmp_path / "www")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("how", ["endless", "endless chunks", "long claim", "drip", "many headers"])
@pytest.mark.parametrize("cache", [None, False], ids=["cached", "streamed"])
def test_a_hostile_server_of_a_data_set_is_told_of_by_the_files_name(
    hostile, made: Dataset, monkeypatch, how: str, cache
) -> None:
    monkeypatch.setattr("turntable.datasets.dataset.MOST_MANIFEST_BYTES", 1 << 20)
    monkeypatch.setattr("turntable.datasets.query._MOST_TABLE_BYTES", 1 << 20)
    dataset = open_dataset(f"{hostile.url}/set", cache=cache)
    uses = {
        "manifest.json": lambda: open_dataset(f"{hostile.url}/set", cache=cache),
        "labels.parquet": lambda: matching_views(dataset, "train", "floor_hue < 2"),
        "shard-000000.idx": lambda: dataset.split("train").read_jpeg(0, 0),
    }
    if cache is None:
        uses["shard-000000.tar"] = lambda: dataset.fetch_shard(made.manifest.shards[0])
    for name, use in uses.items():
        hostile.sent.clear()
        hostile.faults.clear()
        hostile.fail(how, times=100, on=name)
        with pytest.raises(TurntableError, match=re.escape(name)) as caught:
            use()
        assert len(str(caught.value)) < 500
        assert hostile.sent_in_all() < 2 * ENOUGH


def test_a_table_is_fetched_through_a_file_and_a_full_disk_is_told(hostile, monkeypatch, tmp_path) -> None:
    dataset = open_dataset(f"{hostile.url}/set", cache=False)
    hostile.fail("cut", times=2, on="labels.parquet")
    assert len(matching_views(dataset, "train", "floor_hue < 2")) > 0
    monkeypatch.setattr("tempfile.NamedTemporaryFile", FullFile)
    with pytest.raises(StoreError, match="the disk is full; free some space"):
        matching_views(dataset, "train", "floor_hue < 2")


class FullFile(io.BytesIO):
    def __init__(self, prefix: str) -> None:
        super().__init__()

    def write(self, data) -> int:
        raise OSError(errno.ENOSPC, "full")


def test_an_index_is_never_longer_than_its_bound(made: Dataset) -> None:
    manifest = made.manifest
    sizes = IndexSize(manifest.views, len(manifest.factors), len(manifest.outputs))
    for shard in manifest.shards:
        found = (made.path / shard.split / f"{shard.name}.idx").stat().st_size
        assert found <= sizes.most_bytes(shard)
    assert most_index_bytes(64, 50, 20, 4) < 2 << 20
    assert most_index_bytes(10**9, 10**9, 10**9, 10**9) == 1 << 30


def test_long_names_and_all_outputs_fit_the_bound_of_an_index(tmp_path: Path) -> None:
    import numpy as np

    from turntable.datasets.shard_index import ShardIndex, text_array

    N, V, L, E = 7, 5, 11, 4
    numbers = {"offset": "<i8", "size": "<i8", "crc32": "<u4"}
    index = ShardIndex(
        keys=text_array(["k" * 255] * N),
        ids=text_array(["i" * 3000] * N),
        categories=text_array(["c" * 800] * N),
        object_start=np.ones(N, "<i8"),
        object_length=np.ones(N, "<i8"),
        latents=np.ones((N, V, L), "<f4"),
        tar_size=np.array(1, "<i8"),
        tar_sha256=np.array(b"0" * 64),
        extras=text_array(["x" * 40] * E),
        **{name: np.ones((N, V), kind) for name, kind in numbers.items()},
        **{f"extra_{name}": np.ones((N, E, V), kind) for name, kind in numbers.items()},
        **{f"points_{name}": np.ones(N, kind) for name, kind in numbers.items()},
    )
    assert len(index.to_bytes()) <= most_index_bytes(N, V, L, 1 + E)


def test_a_manifest_may_be_as_long_as_its_bound(hostile, monkeypatch) -> None:
    size = (hostile.folder / "set/manifest.json").stat().st_size
    monkeypatch.setattr("turntable.datasets.dataset.MOST_MANIFEST_BYTES", size)
    json.loads((hostile.folder / "set/manifest.json").read_text())
    assert open_dataset(f"{hostile.url}/set").manifest
    monkeypatch.setattr("turntable.datasets.dataset.MOST_MANIFEST_BYTES", size - 1)
    with pytest.raises(GivenUpError, match=r"manifest\.json: longer than the"):
        open_dataset(f"{hostile.url}/set")

"""Data sets behind a web server and in a bucket: the same views, and every way in which they can be wrong."""

import fcntl
import json
import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from processes import wait_until
from synthetic import make_synthetic_dataset

from turntable.datasets.dataset import Dataset, open_dataset
from turntable.datasets.query import matching_views
from turntable.datasets.stores import ShardCache, hashed
from turntable.errors import IntegrityError, InvalidInputError, StoreError
from turntable.loaders import Loader, Pairs, Tuples


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_synthetic_dataset(tmp_path_factory.mktemp("made"), objects=17, views=6, image_size=16)


@pytest.fixture
def server(http_server, made: Dataset, tmp_path: Path):
    shutil.copytree(made.path, tmp_path / "www" / "set")
    return http_server(tmp_path / "www")


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("turntable.datasets.stores.patience.FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr("turntable.datasets.stores.http._READ_S", 1.0)
    monkeypatch.setenv("TURNTABLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))


def same(first: list[dict], second: list[dict]) -> bool:
    return len(first) == len(second) > 0 and all(
        torch.equal(a[name], b[name]) for a, b in zip(first, second, strict=True) for name in a
    )


@pytest.mark.parametrize("cache", [None, False], ids=["cached", "streamed"])
@pytest.mark.parametrize(
    ("workers", "engine"), [(0, "ring"), (2, "ring"), (2, "dataloader")], ids=["here", "ring", "dataloader"]
)
def test_a_loader_gives_the_same_from_a_web_server(
    made: Dataset, server, cache, workers: int, engine
) -> None:
    arguments = {"window_shards": 2, "labels": ["factors"], "where": "floor_hue < 0.9"}
    local = Loader(made.path, "train", Tuples(3, 2), 5, **arguments)  # type: ignore[arg-type]
    there = Loader(
        f"{server.url}/set",
        "train",
        Tuples(3, 2),
        5,
        cache=cache,
        num_workers=workers,
        engine=engine,
        **arguments,  # type: ignore[arg-type]
    )
    assert there.dataset.place == f"{server.url}/set"
    for epoch in (0, 1):
        assert same(list(local.batches(epoch)), list(there.batches(epoch)))
    there.close()
    if cache is None:
        for shard in made.manifest.shards_of("train"):
            assert sum(item.path == f"/set/train/{shard.name}.tar" for item in server.asked) == 1


def test_streamed_views_of_one_object_come_by_one_request(made: Dataset, server) -> None:
    with open_dataset(f"{server.url}/set", cache=False).split("train") as split:
        split.read_jpeg(0, 0)
        before = server.count(".tar")
        rows, views = np.array([3, 0, 3, 5, 3]), np.array([4, 1, 0, 2, 4])
        files = split.read_jpegs(rows, views)
    with made.split("train") as local:
        assert files == local.read_jpegs(rows, views)
    assert server.count(".tar") - before <= 3 + 2  # two shards were opened besides


def test_streamed_views_of_many_objects_come_at_once(made: Dataset, server) -> None:
    with open_dataset(f"{server.url}/set", cache=False).split("train") as split, made.split("train") as local:
        rows, views = np.arange(split.num_objects), np.arange(split.num_objects) % 6
        split.read_jpegs(rows, views)  # opens the shards
        server.most_at_once = 0
        server.fail("slow", times=len(rows), on=".tar")
        assert split.read_jpegs(rows, views) == local.read_jpegs(rows, views)
    assert 8 <= server.most_at_once <= 16


def test_a_split_of_many_shards_may_have_them_all_open(made: Dataset, monkeypatch) -> None:
    raised = []
    monkeypatch.setattr("resource.setrlimit", lambda _, limits: raised.append(limits))
    monkeypatch.setattr("resource.getrlimit", lambda _: (200, 4096))
    made.split("train").close()
    files = 3 * len(made.manifest.shards_of("train"))
    assert raised == [(files + 256, 4096)]
    monkeypatch.setattr("resource.getrlimit", lambda _: (100, 200))
    with pytest.raises(
        StoreError, match=rf"{files} files are to be open at once, the system allows 200; raise"
    ):
        made.split("train")


@pytest.mark.parametrize("how", ["503", "reset", "cut", "stall", "wrong range", "429"])
def test_what_passes_is_not_noticed(made: Dataset, server, how: str) -> None:
    for cache in (None, False):
        server.fail(how, times=2, on=".tar")
        server.fail(how, times=2, on=".idx")
        there = Loader(f"{server.url}/set", "train", Pairs(), 5, cache=cache, window_shards=None)
        assert same(list(Loader(made.path, "train", Pairs(), 5)), list(there))


@pytest.mark.parametrize(
    ("break_it", "error", "told"),
    [
        (
            lambda www: (www / "manifest.json").unlink(),
            IntegrityError,
            r"manifest\.json: missing, so this is not",
        ),
        (lambda www: (www / "manifest.json").write_text("<html>"), IntegrityError, "not a manifest"),
        (lambda www: (www / "train/shard-000000.tar").unlink(), StoreError, r"shard-000000\.tar: missing"),
        (
            lambda www: (www / "train/shard-000000.idx").unlink(),
            IntegrityError,
            r"shard-000000\.idx: missing",
        ),
        (
            lambda www: shutil.copy(www / "train/shard-000001.tar", www / "train/shard-000000.tar"),
            IntegrityError,
            r"shard-000000\.tar: (not the file that|.* bytes, manifest\.json says)",
        ),
        (
            lambda www: shutil.copy(www / "train/shard-000001.idx", www / "train/shard-000000.idx"),
            IntegrityError,
            r"shard-000000\.idx: not the file that manifest\.json names",
        ),
        (lambda www: _edit(www / "train/shard-000000.tar"), IntegrityError, "another sha256, twice"),
    ],
)
def test_what_is_wrong_at_the_server_is_told_by_name(server, break_it, error, told: str) -> None:
    break_it(server.folder / "set")
    with pytest.raises(error, match=told):
        list(Loader(f"{server.url}/set", "train", Pairs(), 5, num_workers=1))


def test_an_altered_shard_is_noticed_when_nothing_is_kept(server) -> None:
    _edit(server.folder / "set/train/shard-000000.tar", every=True)
    with pytest.raises(IntegrityError, match=r"object class.*shard-000000\.tar: .*wrong checksum"):
        list(Loader(f"{server.url}/set", "train", Pairs(3), 5, cache=False))
    _edit(server.folder / "set/train/shard-000001.idx")
    with pytest.raises(IntegrityError, match=r"shard-000001\.idx: not the index that manifest\.json names"):
        list(Loader(f"{server.url}/set", "train", Pairs(3), 5, cache=False, max_corrupt_views=999))


def test_a_refused_or_unknown_place_is_told_at_once(server, http_server) -> None:
    guarded = http_server(server.folder, token="sesame")
    with pytest.raises(StoreError, match="set TURNTABLE_TOKEN"):
        Loader(f"{guarded.url}/set", "train", Pairs(), 5)
    loader = Loader(f"{guarded.url}/set", "train", Pairs(), 5, token="sesame", num_workers=1)
    assert len(list(loader)) == 2
    loader.close()
    with pytest.raises(IntegrityError, match="not a finished data set; is the URL right"):
        Loader(f"{server.url}/none", "train", Pairs(), 5)
    with pytest.raises(InvalidInputError):
        Loader("ftp://host/x", "train", Pairs(), 5)


def test_a_kept_shard_that_was_altered_here_is_fetched_again(made: Dataset, server, tmp_path: Path) -> None:
    place = f"{server.url}/set"
    whole = list(Loader(place, "train", Pairs(), 5))
    shard = made.manifest.shards_of("train")[0]
    kept = tmp_path / "cache" / shard.sha256[:2] / shard.sha256
    data = bytearray(kept.read_bytes())
    for at in range(0, len(data), 50):
        data[at] ^= 1
    kept.write_bytes(data)
    before = server.count(f"{shard.name}.tar")
    assert same(list(Loader(place, "train", Pairs(), 5)), whole)
    assert server.count(f"{shard.name}.tar") == before + 1


def test_all_readers_of_a_shard_that_was_altered_here_get_over_it(made: Dataset, server, tmp_path) -> None:
    dataset = open_dataset(f"{server.url}/set")
    shard = made.manifest.shards_of("train")[0]
    with made.split("train") as local, dataset.split("train") as first, dataset.split("train") as second:
        for split in (first, second):  # both have the file open that is going to rot
            assert split.read_jpeg(0, 0) == local.read_jpeg(0, 0)
        kept = tmp_path / "cache" / shard.sha256[:2] / shard.sha256
        kept.write_bytes(bytes(shard.bytes))
        for split in (first, second):
            assert split.read_jpeg(0, 1) == local.read_jpeg(0, 1)
            assert split.read_jpegs(np.array([0, 1]), np.array([2, 3])) == [
                local.read_jpeg(0, 2),
                local.read_jpeg(1, 3),
            ]
    assert server.count(f"{shard.name}.tar") == 2


def test_a_view_that_stays_wrong_is_told_in_its_place(made: Dataset) -> None:
    with made.split("train") as split:
        reader, local = split._locate(1, 2)
        crc32 = reader.index.crc32.copy()
        crc32[local, 2] ^= 1
        reader.index = replace(reader.index, crc32=crc32)
        good, bad, also_good = split.read_jpegs(np.array([0, 1, 1]), np.array([2, 2, 3]))
        assert isinstance(bad, IntegrityError)
        assert "view 2: wrong checksum" in str(bad)
        assert (good, also_good) == (split.read_jpeg(0, 2), split.read_jpeg(1, 3))


@pytest.mark.parametrize("cache", [None, False], ids=["cached", "streamed"])
def test_a_shard_that_cannot_be_opened_is_no_view_s_fault(server, cache) -> None:
    shutil.copy(server.folder / "set/train/shard-000001.tar", server.folder / "set/train/shard-000000.tar")
    shutil.copy(server.folder / "set/train/shard-000001.idx", server.folder / "set/train/shard-000000.idx")
    with (
        open_dataset(f"{server.url}/set", cache=cache).split("train") as split,
        pytest.raises(
            IntegrityError, match=r"shard-000000\.idx: not the (file|index) that manifest\.json names"
        ),
    ):
        split.read_jpegs(np.array([0, 1]), np.array([0, 0]))


def test_labels_and_names_of_a_url_need_no_shard(made: Dataset, server) -> None:
    with made.split("train") as local, open_dataset(f"{server.url}/set").split("train") as split:
        assert split.keys == local.keys
        assert split.id_of(3) == local.id_of(3)
        np.testing.assert_array_equal(split.labels, local.labels)
        np.testing.assert_array_equal(split.categories, local.categories)
        assert server.count(".tar") == 0
        assert split.objects == local.objects
        assert server.count(".tar") == len(made.manifest.shards_of("train"))


def test_an_index_is_used_as_lately_as_its_shard(made: Dataset, server, tmp_path: Path) -> None:
    dataset = open_dataset(f"{server.url}/set")
    shard = made.manifest.shards_of("train")[0]
    used = tmp_path / "cache" / "used" / shard.idx_sha256
    dataset.fetch_shard(shard)
    os.utime(used, (1, 1))
    dataset.fetch_shard(shard)
    assert used.stat().st_mtime > 1e9


def digests_that_are_paths(victim: Path) -> list[str]:
    return ["../victim", "../../victim", str(victim), f"ab/../../../{victim.name}", "../new/folder/file"]


@pytest.mark.parametrize("field", ["sha256", "idx_sha256"])
@pytest.mark.parametrize("number", range(5))
def test_a_digest_that_is_a_path_deletes_and_makes_nothing(
    server, tmp_path: Path, monkeypatch, field: str, number: int
) -> None:
    cache = tmp_path / "my" / "own" / "cache"
    monkeypatch.setenv("TURNTABLE_CACHE", str(cache))
    (cache / "ab").mkdir(parents=True)
    victims = [folder / "victim" for folder in list(cache.parents)[:3]]
    for victim in victims:
        victim.write_text("precious")
    path = server.folder / "set/manifest.json"
    table = json.loads(path.read_text())
    for shard in table["shards"]:
        shard[field] = digests_that_are_paths(victims[2])[number]
    path.write_text(json.dumps(table))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(IntegrityError):
        open_dataset(f"{server.url}/set").split("train").read_jpeg(0, 0)
    with pytest.raises(IntegrityError):
        list(Loader(f"{server.url}/set", "train", Pairs(), 5))
    assert [victim.read_text() for victim in victims] == ["precious"] * 3
    made = {path for path in tmp_path.rglob("*") if path not in before}
    # The other file of a shard may be fetched, into the cache.
    assert all(item.is_relative_to(cache) or item.is_relative_to(tmp_path / "home") for item in made)


def test_a_manifest_that_is_wrong_about_a_shard_of_another_set_costs_nothing(made: Dataset, server) -> None:
    dataset = open_dataset(f"{server.url}/set")
    shard = made.manifest.shards_of("train")[0]
    dataset.fetch_shard(shard)
    before = server.count(".tar")
    with pytest.raises(IntegrityError, match=r"train/none\.tar: manifest\.json says 7 bytes"):
        dataset.fetch_shard(replace(shard, name="none", bytes=7))
    dataset.fetch_shard(replace(shard, name="none"))  # its index and the shard are here by their content
    assert server.count(".tar") == before


def test_an_index_in_the_cache_that_others_cut_ends_no_process(made: Dataset, server, tmp_path: Path) -> None:
    dataset = open_dataset(f"{server.url}/set")
    shard = made.manifest.shards_of("train")[0]
    dataset.fetch_shard(shard)
    kept = tmp_path / "cache" / shard.idx_sha256[:2] / shard.idx_sha256
    kept.chmod(0o666)
    with dataset.split("train") as split, made.split("train") as local:
        assert split.id_of(0) == local.id_of(0)
        os.truncate(kept, 0)  # a mapped file that is cut kills whoever reads it
        np.testing.assert_array_equal(split.labels_at(np.arange(3), np.zeros(3, int)), local.labels[:3, 0])
    with dataset.split("train") as split:
        assert split.id_of(0) == local.id_of(0)


def test_an_index_can_be_let_go_while_it_is_mapped(made: Dataset, server, tmp_path: Path) -> None:
    dataset = open_dataset(f"{server.url}/set")
    shard = made.manifest.shards_of("train")[0]
    kept = tmp_path / "cache" / shard.idx_sha256[:2] / shard.idx_sha256
    with dataset.split("train") as split, made.split("train") as local:
        assert split.id_of(0) == local.id_of(0)
        with kept.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as who makes room
            kept.unlink()
        np.testing.assert_array_equal(split.labels_at(np.arange(3), np.zeros(3, int)), local.labels[:3, 0])


def test_an_index_that_rots_in_the_cache_is_fetched_again(made: Dataset, server, tmp_path: Path) -> None:
    dataset = open_dataset(f"{server.url}/set")
    shard = made.manifest.shards_of("train")[0]
    dataset.fetch_shard(shard)
    kept = tmp_path / "cache" / shard.idx_sha256[:2] / shard.idx_sha256
    kept.write_bytes(bytes(kept.stat().st_size))
    hashed._notes().add(hashed._line(kept.stat(), shard.idx_sha256))  # the file system noticed nothing
    with dataset.split("train") as split, made.split("train") as local:
        assert split.id_of(0) == local.id_of(0)
    assert server.count(f"{shard.name}.idx") == 4  # each time its size, then itself


def test_shards_of_no_bytes_are_no_reason_to_divide_by_them(made: Dataset, server) -> None:
    shard = replace(made.manifest.shards[0], bytes=0)
    where = open_dataset(f"{server.url}/set").where
    assert where.most_open((shard,)) == where.most_open(()) == 64


def test_a_cache_that_holds_a_few_shards_is_enough_for_a_small_window(
    made: Dataset, server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sizes = [shard.bytes for shard in made.manifest.shards_of("train")]
    cache = ShardCache(tmp_path / "small", 2 * max(sizes) + 40_000)
    there = Loader(f"{server.url}/set", "train", Pairs(1, 4), 5, cache=cache, window_shards=1, num_workers=2)
    local = Loader(made.path, "train", Pairs(1, 4), 5, window_shards=1)
    for epoch in (0, 1, 2):
        assert same(list(local.batches(epoch)), list(there.batches(epoch)))
        assert cache.used_bytes() <= cache.max_bytes
    there.close()
    assert not caplog.records
    Loader(f"{server.url}/set", "train", Pairs(), 5, cache=cache, window_shards=None)
    assert "the cache holds" in caplog.text


def test_filters_ask_the_table_of_a_url(made: Dataset, server) -> None:
    dataset = pickle.loads(pickle.dumps(open_dataset(f"{server.url}/set")))
    found, expected = (matching_views(item, "val", "floor_hue < 0.5") for item in (dataset, made))
    assert found.rows.tolist() == expected.rows.tolist()
    assert not dataset.is_local
    with pytest.raises(InvalidInputError, match="needs a folder of this machine"):
        _ = dataset.path


@pytest.mark.parametrize("kind", ["s3", "gs"])
def test_a_loader_gives_the_same_from_a_bucket(made: Dataset, request, monkeypatch, kind: str) -> None:
    bucket = request.getfixturevalue("s3_server" if kind == "s3" else "gcs_server")()
    for name, value in bucket.env.items():
        monkeypatch.setenv(name, value)
    from turntable.datasets.digests import file_sha256
    from turntable.datasets.stores import open_store

    store = open_store(f"{bucket.url}/set")
    for path in sorted(made.path.rglob("*")):
        if path.is_file():
            store.upload(path.relative_to(made.path).as_posix(), path, file_sha256(path))
    local = list(Loader(made.path, "train", Pairs(2), 5, window_shards=16))
    bucket.fail(3, "cut")
    for cache, workers, engine in ((None, 2, "ring"), (False, 1, "ring"), (None, 1, "dataloader")):
        there = Loader(
            f"{bucket.url}/set",
            "train",
            Pairs(2),
            5,
            cache=cache,  # type: ignore[arg-type]
            num_workers=workers,
            engine=engine,  # type: ignore[arg-type]
        )
        assert same(local, list(there))
        there.close()


def test_a_service_is_a_place(made: Dataset, tmp_path: Path) -> None:
    import threading

    import uvicorn

    from turntable.service import create_app, find_datasets

    shutil.copytree(made.path, tmp_path / "mine")
    config = uvicorn.Config(create_app(find_datasets([tmp_path / "mine"])), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        for cache in (None, False):
            there = Loader(
                f"http://127.0.0.1:{port}/datasets/mine", "train", Pairs(), 5, cache=cache, window_shards=None
            )
            assert same(list(Loader(made.path, "train", Pairs(), 5)), list(there))
    finally:
        server.should_exit = True
        thread.join()


def _edit(path: Path, every: bool = False) -> None:
    data = bytearray(path.read_bytes())
    for at in range(1500, len(data), 100 if every else len(data)):
        data[at] ^= 1
    path.write_bytes(data)

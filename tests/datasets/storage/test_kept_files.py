"""Shards and indexes in the cache: altered, cut, let go, and used as lately as each other."""

import fcntl
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.places import same
from turntable.datasets import Dataset, open_dataset
from turntable.datasets.stores.cache import ShardCache, known_digests
from turntable.loaders import BatchConfig, Loader, Pairs


def test_a_kept_shard_that_was_altered_here_is_fetched_again(made: Dataset, server, tmp_path: Path) -> None:
    place = f"{server.url}/set"
    whole = list(Loader(place, BatchConfig(split="train", sampler=Pairs(), batch_size=5)))
    shard = made.manifest.select_shards("train")[0]
    kept = tmp_path / "cache" / shard.sha256[:2] / shard.sha256
    data = bytearray(kept.read_bytes())
    for at in range(0, len(data), 50):
        data[at] ^= 1
    kept.write_bytes(data)
    before = server.count(f"{shard.name}.tar")
    assert same(list(Loader(place, BatchConfig(split="train", sampler=Pairs(), batch_size=5))), whole)
    assert server.count(f"{shard.name}.tar") == before + 1


def test_all_readers_of_a_shard_that_was_altered_here_get_over_it(made: Dataset, server, tmp_path) -> None:
    dataset = open_dataset(f"{server.url}/set")
    shard = made.manifest.select_shards("train")[0]
    with (
        made.open_split("train") as local,
        dataset.open_split("train") as first,
        dataset.open_split("train") as second,
    ):
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


def test_an_index_is_used_as_lately_as_its_shard(made: Dataset, server, tmp_path: Path) -> None:
    dataset = open_dataset(f"{server.url}/set")
    shard = made.manifest.select_shards("train")[0]
    used = tmp_path / "cache" / "used" / shard.idx_sha256
    dataset.fetch_shard(shard)
    os.utime(used, (1, 1))
    dataset.fetch_shard(shard)
    assert used.stat().st_mtime > 1e9


def test_an_index_in_the_cache_that_others_cut_ends_no_process(made: Dataset, server, tmp_path: Path) -> None:
    dataset = open_dataset(f"{server.url}/set")
    shard = made.manifest.select_shards("train")[0]
    dataset.fetch_shard(shard)
    kept = tmp_path / "cache" / shard.idx_sha256[:2] / shard.idx_sha256
    kept.chmod(0o666)
    with dataset.open_split("train") as split, made.open_split("train") as local:
        assert split.get_object_id(0) == local.get_object_id(0)
        os.truncate(kept, 0)  # a mapped file that is cut kills whoever reads it
        np.testing.assert_array_equal(split.get_labels(np.arange(3), np.zeros(3, int)), local.labels[:3, 0])
    with dataset.open_split("train") as split:
        assert split.get_object_id(0) == local.get_object_id(0)


def test_an_index_can_be_let_go_while_it_is_mapped(made: Dataset, server, tmp_path: Path) -> None:
    dataset = open_dataset(f"{server.url}/set")
    shard = made.manifest.select_shards("train")[0]
    kept = tmp_path / "cache" / shard.idx_sha256[:2] / shard.idx_sha256
    with dataset.open_split("train") as split, made.open_split("train") as local:
        assert split.get_object_id(0) == local.get_object_id(0)
        with kept.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as who makes room
            kept.unlink()
        np.testing.assert_array_equal(split.get_labels(np.arange(3), np.zeros(3, int)), local.labels[:3, 0])


def test_an_index_that_rots_in_the_cache_is_fetched_again(made: Dataset, server, tmp_path: Path) -> None:
    dataset = open_dataset(f"{server.url}/set")
    shard = made.manifest.select_shards("train")[0]
    dataset.fetch_shard(shard)
    kept = tmp_path / "cache" / shard.idx_sha256[:2] / shard.idx_sha256
    kept.write_bytes(bytes(kept.stat().st_size))
    known_digests._get_records().add_line(
        known_digests._format_line(kept.stat(), shard.idx_sha256)
    )  # the file system noticed nothing
    with dataset.open_split("train") as split, made.open_split("train") as local:
        assert split.get_object_id(0) == local.get_object_id(0)
    assert server.count(f"{shard.name}.idx") == 4  # each time its size, then itself


def test_shards_of_no_bytes_are_no_reason_to_divide_by_them(made: Dataset, server) -> None:
    shard = replace(made.manifest.shards[0], bytes=0)
    where = open_dataset(f"{server.url}/set").location
    assert where.compute_max_open_shards((shard,)) == where.compute_max_open_shards(()) == 64


def test_a_cache_that_holds_a_few_shards_is_enough_for_a_small_window(
    made: Dataset, server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sizes = [shard.bytes for shard in made.manifest.select_shards("train")]
    cache = ShardCache(tmp_path / "small", 2 * max(sizes) + 40_000)
    there = Loader(
        f"{server.url}/set",
        BatchConfig(split="train", sampler=Pairs(1, 4), batch_size=5, num_workers=2),
        cache=cache,
        window_shards=1,
    )
    local = Loader(made.path, BatchConfig(split="train", sampler=Pairs(1, 4), batch_size=5), window_shards=1)
    for epoch in (0, 1, 2):
        assert same(list(local.iter_batches(epoch)), list(there.iter_batches(epoch)))
        assert cache.count_used_bytes() <= cache.max_bytes
    there.close()
    assert not caplog.records
    Loader(
        f"{server.url}/set",
        BatchConfig(split="train", sampler=Pairs(), batch_size=5),
        cache=cache,
        window_shards=None,
    )
    assert "the cache holds" in caplog.text

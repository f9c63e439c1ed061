"""Faults at a server: those that last are told by name, those that pass are not noticed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.places import edit, same
from turntable.datasets import Dataset, open_dataset
from turntable.errors import IntegrityError, InvalidInputError, StoreError
from turntable.loaders import BatchConfig, Loader, Pairs


@pytest.mark.slow
@pytest.mark.parametrize("how", ["503", "reset", "cut", "stall", "wrong range", "429"])
def test_what_passes_is_not_noticed(made: Dataset, server, how: str) -> None:
    for cache in (None, False):
        server.fail(how, times=2, on=".tar")
        server.fail(how, times=2, on=".idx")
        there = Loader(
            f"{server.url}/set",
            BatchConfig(split="train", sampler=Pairs(), batch_size=5),
            cache=cache,
            window_shards=None,
        )
        assert same(
            list(Loader(made.path, BatchConfig(split="train", sampler=Pairs(), batch_size=5))), list(there)
        )


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
        (lambda www: edit(www / "train/shard-000000.tar"), IntegrityError, "another sha256, twice"),
    ],
)
def test_what_is_wrong_at_the_server_is_told_by_name(server, break_it, error, told: str) -> None:
    break_it(server.folder / "set")
    with pytest.raises(error, match=told):
        list(
            Loader(
                f"{server.url}/set", BatchConfig(split="train", sampler=Pairs(), batch_size=5, num_workers=1)
            )
        )


def test_an_altered_shard_is_noticed_when_nothing_is_kept(server) -> None:
    edit(server.folder / "set/train/shard-000000.tar", every=True)
    with pytest.raises(IntegrityError, match=r"object class.*shard-000000\.tar: .*wrong checksum"):
        list(
            Loader(
                f"{server.url}/set", BatchConfig(split="train", sampler=Pairs(3), batch_size=5), cache=False
            )
        )
    edit(server.folder / "set/train/shard-000001.idx")
    with pytest.raises(IntegrityError, match=r"shard-000001\.idx: not the index that manifest\.json names"):
        list(
            Loader(
                f"{server.url}/set",
                BatchConfig(split="train", sampler=Pairs(3), batch_size=5, max_corrupt_views=999),
                cache=False,
            )
        )


def test_a_refused_or_unknown_place_is_told_at_once(server, http_server) -> None:
    guarded = http_server(server.folder, token="sesame")
    with pytest.raises(StoreError, match="set TURNTABLE_TOKEN"):
        Loader(f"{guarded.url}/set", BatchConfig(split="train", sampler=Pairs(), batch_size=5))
    loader = Loader(
        f"{guarded.url}/set",
        BatchConfig(split="train", sampler=Pairs(), batch_size=5, num_workers=1),
        token="sesame",
    )
    assert len(list(loader)) == 2
    loader.close()
    with pytest.raises(IntegrityError, match="not a finished data set; is the URL right"):
        Loader(f"{server.url}/none", BatchConfig(split="train", sampler=Pairs(), batch_size=5))
    with pytest.raises(InvalidInputError):
        Loader("ftp://host/x", BatchConfig(split="train", sampler=Pairs(), batch_size=5))


def test_a_view_that_stays_wrong_is_told_in_its_place(made: Dataset) -> None:
    with made.open_split("train") as split:
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
        open_dataset(f"{server.url}/set", cache=cache).open_split("train") as split,
        pytest.raises(
            IntegrityError, match=r"shard-000000\.idx: not the (file|index) that manifest\.json names"
        ),
    ):
        split.read_jpegs(np.array([0, 1]), np.array([0, 0]))


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
        open_dataset(f"{server.url}/set").open_split("train").read_jpeg(0, 0)
    with pytest.raises(IntegrityError):
        list(Loader(f"{server.url}/set", BatchConfig(split="train", sampler=Pairs(), batch_size=5)))
    assert [victim.read_text() for victim in victims] == ["precious"] * 3
    made = {path for path in tmp_path.rglob("*") if path not in before}
    # The other file of a shard may be fetched, into the cache.
    assert all(item.is_relative_to(cache) or item.is_relative_to(tmp_path / "home") for item in made)


def test_a_manifest_that_is_wrong_about_a_shard_of_another_set_costs_nothing(made: Dataset, server) -> None:
    dataset = open_dataset(f"{server.url}/set")
    shard = made.manifest.select_shards("train")[0]
    dataset.fetch_shard(shard)
    before = server.count(".tar")
    with pytest.raises(IntegrityError, match=r"train/none\.tar: manifest\.json says 7 bytes"):
        dataset.fetch_shard(replace(shard, name="none", bytes=7))
    dataset.fetch_shard(replace(shard, name="none"))  # its index and the shard are here by their content
    assert server.count(".tar") == before

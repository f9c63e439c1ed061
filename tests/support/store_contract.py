"""What every store must do, and what its tests share."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.s3_server import S3Bucket
from tests.support.synthetic import synthetic_objects, write_synthetic_shard
from turntable.datasets import load_recipe
from turntable.datasets.shards import local_shards, store_shards
from turntable.datasets.stores import Store, open_journal
from turntable.datasets.stores.buckets.store import PART_BYTES
from turntable.datasets.stores.cache import ShardCache
from turntable.errors import IntegrityError, InvalidInputError, StoreError

Servers = Callable[..., S3Bucket]

RECIPE = load_recipe("3diebench").replace(name="t", views=2, image_size_px=16, source="folder")
OBJECTS = tuple(item for item in synthetic_objects(RECIPE, 6, 1) if item.split == "train")
LARGE = np.random.default_rng(0).bytes(PART_BYTES + 1000)
BAD_NAMES = ["", ".", "..", "../x", "a/../../x", "/etc/x", "a//b", "a/", "a\\b", "a\nb", "a\0b", "./a"]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def file_of(folder: Path, data: bytes) -> Path:
    path = folder / "to-be-uploaded"
    path.write_bytes(data)
    return path


class StoreTests:
    """The contract. A new store inherits it and gives a ``store`` fixture."""

    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError

    def test_a_file_is_what_was_written_last(self, store: Store) -> None:
        assert store.read("train/a.bin", 1 << 24) is None
        assert store.size("train/a.bin") is None
        assert store.sha256("train/a.bin") is None
        for data in (b"first", b"", bytes(range(256))):
            store.write("train/a.bin", data)
            assert store.read("train/a.bin", 1 << 24) == data
            assert store.size("train/a.bin") == len(data)
            assert store.sha256("train/a.bin") == digest(data)
        assert store.read("train", 1 << 24) is None
        assert store.list() == ("train/a.bin",)

    def test_ranges(self, store: Store) -> None:
        store.write("x", b"0123456789")
        ranges = [(0, 10), (3, 4), (8, 5), (10, 1), (50, 5), (4, 0)]
        found = [store.read_range("x", offset, size) for offset, size in ranges]
        assert found == [b"0123456789", b"3456", b"89", b"", b"", b""]
        with pytest.raises(StoreError, match=f"{re.escape(store.url)}/y: missing"):
            store.read_range("y", 0, 1)

    def test_downloads_begin_where_they_are_asked_to(self, store: Store) -> None:
        store.write("train/a.tar", LARGE)
        first = store.download("train/a.tar")
        assert (first.size, first.offset) == (len(LARGE), 0)
        assert first.e_tag
        for e_tag in (first.e_tag, ""):
            rest = store.download("train/a.tar", len(LARGE) - 700, e_tag)
            assert (rest.size, rest.offset, rest.e_tag) == (len(LARGE), len(LARGE) - 700, first.e_tag)
            assert b"".join(rest.pieces) == LARGE[-700:]
        changed = store.download("train/a.tar", 1000, '"another"')
        beyond = store.download("train/a.tar", len(LARGE) + 5, first.e_tag)
        assert (changed.offset, beyond.offset) == (0, 0)
        with pytest.raises(StoreError, match=f"{re.escape(store.url)}/train/b: missing"):
            store.download("train/b")
        with pytest.raises(StoreError, match="missing"):
            store.download("train")

    def test_what_is_fetched_is_whole(self, store: Store, tmp_path: Path) -> None:
        store.write("train/a.tar", LARGE)
        cache = ShardCache(tmp_path / "cache")
        path = cache.file(store, "train/a.tar", len(LARGE), digest(LARGE))
        assert path.read_bytes() == LARGE
        with pytest.raises(IntegrityError, match=r"train/a\.tar: not the file that manifest\.json names"):
            cache.file(store, "train/a.tar", len(LARGE), digest(b"another"))

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_a_name_never_leaves_the_store(self, store: Store, name: str, tmp_path: Path) -> None:
        path = file_of(tmp_path, b"x")
        for use in (
            lambda name: store.read(name, 9),
            store.size,
            store.sha256,
            store.delete,
            store.download,
            lambda name: store.read_range(name, 0, 1),
            lambda name: store.write(name, b"x"),
            lambda name: store.upload(name, path, digest(b"x")),
            *([store.list] if name else []),
        ):
            with pytest.raises(InvalidInputError, match="not a name in a store"):
                use(name)
        assert store.list() == ()

    def test_lists_are_of_folders_and_sorted(self, store: Store) -> None:
        names = ("train/b", "train/a", "train/deep/er/c", "train2/d", "trainer", "val/e")
        for name in names:
            store.write(name, b"1")
        assert store.list() == tuple(sorted(names))
        assert store.list("train") == ("train/a", "train/b", "train/deep/er/c")
        assert store.list("train/deep") == ("train/deep/er/c",)
        assert store.list("nothing") == ()

    def test_delete(self, store: Store) -> None:
        store.write("train/a", b"1")
        store.write("train/b", b"2")
        store.delete("train/a")
        store.delete("train/a")
        assert store.list() == ("train/b",)

    @pytest.mark.parametrize("data", [b"", b"small", LARGE], ids=["empty", "small", "large"])
    def test_upload(self, store: Store, tmp_path: Path, data: bytes) -> None:
        path = file_of(tmp_path, data)
        store.write("train/s.tar", b"an older one")
        store.upload("train/s.tar", path, digest(data))
        assert store.read("train/s.tar", 1 << 24) == data
        assert store.sha256("train/s.tar") == digest(data)
        assert path.read_bytes() == data
        assert store.list() == ("train/s.tar",)

    def test_upload_of_something_else_leaves_what_was_there(self, store: Store, tmp_path: Path) -> None:
        store.write("s.tar", b"old")
        with pytest.raises(IntegrityError, match="another sha256"):
            store.upload("s.tar", file_of(tmp_path, b"edited"), digest(b"written"))
        assert store.read("s.tar", 1 << 24) == b"old"
        assert store.list() == ("s.tar",)

    def test_the_check_leaves_nothing(self, store: Store) -> None:
        store.check_writable()
        assert store.list() == ()
        store.write("a", b"1")
        store.check_writable(1000)
        assert store.list() == ("a",)

    def test_journal(self, store: Store) -> None:
        journal = open_journal(store, "journal-1")
        assert journal.lines() == []
        journal.append("train/shard-000000", '{"first": "ä"}')
        journal.append("val/shard-000000", "second")
        journal.append("train/shard-000000", "third")
        assert journal.lines()[-2:] in (["second", "third"], ["third", "second"])
        assert open_journal(store, "journal-1").lines() == journal.lines()
        assert open_journal(store, "journal-2").lines() == []
        with pytest.raises(InvalidInputError, match="no line end"):
            journal.append("x", "two\nlines")
        with pytest.raises(InvalidInputError, match="not a name"):
            journal.append("../x", "line")

    def test_shards_read_as_from_a_disk(self, store: Store, tmp_path: Path) -> None:
        shard = write_synthetic_shard(tmp_path, RECIPE, "train", "shard-000000", OBJECTS)
        store.upload("train/shard-000000.tar", tmp_path / "train/shard-000000.tar", shard.sha256)
        index = (tmp_path / "train/shard-000000.idx").read_bytes()
        store.write("train/shard-000000.idx", index)
        with local_shards(tmp_path)(shard) as here, store_shards(store)(shard) as there:
            assert there.keys == here.keys
            assert there.records() == here.records() == OBJECTS
            np.testing.assert_array_equal(there.latents, here.latents)
            for row, view in np.ndindex(len(OBJECTS), RECIPE.views):
                assert there.read(row, view) == here.read(row, view)

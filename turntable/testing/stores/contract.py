"""The contract of a store: whole files by name, wherever they lie."""

import hashlib
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from turntable.datasets import load_recipe
from turntable.datasets.shards import local_shards, store_shards
from turntable.datasets.stores import Store, open_journal
from turntable.datasets.stores.cache import ShardCache
from turntable.errors import GivenUpError, IntegrityError, InvalidInputError, StoreError
from turntable.testing.refusing import refused
from turntable.testing.sets import synthetic_objects, write_synthetic_shard

RECIPE = load_recipe("3diebench").replace(name="t", views=2, image_size_px=16, source="folder")
OBJECTS = tuple(item for item in synthetic_objects(RECIPE, 6, 1) if item.split == "train")
LARGE = np.random.default_rng(0).bytes((8 << 20) + 1000)
"""More than one part of an upload to an object store."""
ROOM = 1 << 24
BAD_NAMES = ["", ".", "..", "../x", "a/../../x", "/etc/x", "a//b", "a/", "a\\b", "a\nb", "a\0b", "./a"]
MISSING = "read_range and download of a file that is not there raise StoreError, '<url>/<name>: missing'"


def digest(data: bytes) -> str:
    """Return the sha256 of bytes, as stores tell it."""
    return hashlib.sha256(data).hexdigest()


def file_of(folder: Path, data: bytes) -> Path:
    """Write a file that is to be uploaded."""
    path = folder / "to-be-uploaded"
    path.write_bytes(data)
    return path


class StoreContract:
    """The contract. A test class inherits it and gives a fixture ``store``, empty at each test.

    .. code-block:: python

        class TestMyStore(StoreContract):
            @pytest.fixture
            def store(self, tmp_path):
                return MyStore(tmp_path / "new")
    """

    @pytest.fixture
    def store(self) -> Store:
        """The store, empty."""
        raise NotImplementedError("give the test class a fixture `store` that returns an empty store")

    def test_a_file_is_what_was_written_last(self, store: Store) -> None:
        """Of a file that is not there all is None; written again it is the new one."""
        for found in (
            store.read("train/a.bin", ROOM),
            store.size("train/a.bin"),
            store.sha256("train/a.bin"),
        ):
            assert found is None, "read, size and sha256 of a file that is not there are None"
        for data in (b"first", b"", bytes(range(256))):
            store.write("train/a.bin", data)
            assert store.read("train/a.bin", ROOM) == data, "read gives what was written last"
            assert store.size("train/a.bin") == len(data), "size is that of what was written last"
            assert store.sha256("train/a.bin") == digest(data), "sha256 is that of what was written last"
        assert store.read("train", ROOM) is None, "a folder is no file: read gives None"
        assert store.list() == ("train/a.bin",), "a file that is written again is there once"

    def test_no_more_is_read_than_is_allowed(self, store: Store) -> None:
        """Whoever asks knows what such a file holds at most."""
        store.write("x", b"0123456789")
        assert store.read("x", 10) == b"0123456789", "read gives a file that is as long as it may be"
        with refused("read of a file longer than most_bytes raises GivenUpError (too_long)", GivenUpError):
            store.read("x", 9)

    def test_ranges(self, store: Store) -> None:
        """Some bytes of a file; none behind its end."""
        store.write("x", b"0123456789")
        wanted = {
            (0, 10): b"0123456789",
            (3, 4): b"3456",
            (8, 5): b"89",
            (10, 1): b"",
            (50, 5): b"",
            (4, 0): b"",
        }
        for (offset, size), data in wanted.items():
            assert store.read_range("x", offset, size) == data, (
                f"read_range gives {size} bytes from {offset} on, fewer where the file ends before"
            )
        with refused(MISSING, StoreError, f"{re.escape(store.url)}/y: missing"):
            store.read_range("y", 0, 1)

    def test_downloads_begin_where_they_are_asked_to(self, store: Store) -> None:
        """A download that broke off goes on, if the file is still the same."""
        store.write("train/a.tar", LARGE)
        first = store.download("train/a.tar")
        assert (first.size, first.offset) == (len(LARGE), 0), (
            "a download has the whole file's size and begins at 0"
        )
        assert first.e_tag, "a download has an e_tag, which changes with the file's content"
        for e_tag in (first.e_tag, ""):
            rest = store.download("train/a.tar", len(LARGE) - 700, e_tag)
            begun = (rest.size, rest.offset, rest.e_tag)
            assert begun == (len(LARGE), len(LARGE) - 700, first.e_tag), (
                "a download of the same file begins at the offset that is asked for"
            )
            assert b"".join(rest.pieces) == LARGE[-700:], "its pieces are the file from there to its end"
        changed = store.download("train/a.tar", 1000, '"another"')
        beyond = store.download("train/a.tar", len(LARGE) + 5, first.e_tag)
        assert (changed.offset, beyond.offset) == (0, 0), (
            "a download begins at 0 where the e_tag is another's, or the file ends before the offset"
        )
        with refused(MISSING, StoreError, f"{re.escape(store.url)}/train/b: missing"):
            store.download("train/b")
        with refused(MISSING, StoreError, "missing"):
            store.download("train")

    def test_what_is_fetched_is_whole(self, store: Store, tmp_path: Path) -> None:
        """The cache of shards takes a file whole, and believes its digest alone."""
        store.write("train/a.tar", LARGE)
        cache = ShardCache(tmp_path / "cache")
        path = cache.file(store, "train/a.tar", len(LARGE), digest(LARGE))
        assert path.read_bytes() == LARGE, "a download's pieces are the whole file"
        with refused(
            "a file of another digest is refused by the cache",
            IntegrityError,
            r"train/a\.tar: not the file that manifest\.json names",
        ):
            cache.file(store, "train/a.tar", len(LARGE), digest(b"another"))

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_a_name_never_leaves_the_store(self, store: Store, name: str, tmp_path: Path) -> None:
        """Each use of a name that could lead elsewhere is refused."""
        path = file_of(tmp_path, b"x")
        uses: dict[str, Any] = {
            "read": lambda: store.read(name, 9),
            "size": lambda: store.size(name),
            "sha256": lambda: store.sha256(name),
            "delete": lambda: store.delete(name),
            "download": lambda: store.download(name),
            "read_range": lambda: store.read_range(name, 0, 1),
            "write": lambda: store.write(name, b"x"),
            "upload": lambda: store.upload(name, path, digest(b"x")),
            **({"list": lambda: store.list(name)} if name else {}),
        }
        for use, call in uses.items():
            wanted = f"{use} refuses the name {name!r}; turntable.datasets.files.checked_name does it"
            with refused(wanted, InvalidInputError, "not a name in a store"):
                call()
        assert store.list() == (), "a refused name writes nothing"

    def test_lists_are_of_folders_and_sorted(self, store: Store) -> None:
        """All files in a folder and below it, none of a folder whose name begins alike."""
        names = ("train/b", "train/a", "train/deep/er/c", "train2/d", "trainer", "val/e")
        for name in names:
            store.write(name, b"1")
        assert store.list() == tuple(sorted(names)), "list gives the names of all files, sorted"
        wanted = ("train/a", "train/b", "train/deep/er/c")
        assert store.list("train") == wanted, "list gives the files in a folder and below it, and no others"
        assert store.list("train/deep") == ("train/deep/er/c",), "list gives the files below a folder"
        assert store.list("nothing") == (), "list of a folder that is not there is empty"

    def test_delete(self, store: Store) -> None:
        """One file goes; a second time is no error."""
        store.write("train/a", b"1")
        store.write("train/b", b"2")
        store.delete("train/a")
        store.delete("train/a")
        assert store.list() == ("train/b",), "delete removes one file; one that is not there is no error"

    @pytest.mark.parametrize("data", [b"", b"small", LARGE], ids=["empty", "small", "large"])
    def test_upload(self, store: Store, tmp_path: Path, data: bytes) -> None:
        """A file of this machine is there, and here as well."""
        path = file_of(tmp_path, data)
        store.write("train/s.tar", b"an older one")
        store.upload("train/s.tar", path, digest(data))
        assert store.read("train/s.tar", ROOM) == data, "upload brings the whole file, over an older one"
        assert store.sha256("train/s.tar") == digest(data), "sha256 is that of the uploaded file"
        assert path.read_bytes() == data, "upload leaves the file here as it is"
        assert store.list() == ("train/s.tar",), "upload leaves nothing else in the store"

    def test_upload_of_something_else_leaves_what_was_there(self, store: Store, tmp_path: Path) -> None:
        """A file that is not what its digest says is not brought."""
        store.write("s.tar", b"old")
        with refused(
            "upload of a file that is not what sha256 says raises IntegrityError",
            IntegrityError,
            "another sha256",
        ):
            store.upload("s.tar", file_of(tmp_path, b"edited"), digest(b"written"))
        assert store.read("s.tar", ROOM) == b"old", "a refused upload leaves what was there"
        assert store.list() == ("s.tar",), "a refused upload leaves nothing else"

    def test_the_check_leaves_nothing(self, store: Store) -> None:
        """``check_writable`` tries, and removes what it tried with."""
        store.check_writable()
        assert store.list() == (), "check_writable leaves nothing behind"
        store.write("a", b"1")
        store.check_writable(1000)
        assert store.list() == ("a",), "check_writable leaves what was there"

    def test_journal(self, store: Store) -> None:
        """A run's journal, which is kept in the store."""
        journal = open_journal(store, "journal-1")
        assert journal.lines() == [], "a new journal has no lines"
        journal.append("train/shard-000000", '{"first": "ä"}')
        journal.append("val/shard-000000", "second")
        journal.append("train/shard-000000", "third")
        assert set(journal.lines()[-2:]) == {"second", "third"}, (
            "of each name a journal has the line written last"
        )
        assert open_journal(store, "journal-1").lines() == journal.lines(), (
            "what was appended is there for good"
        )
        assert open_journal(store, "journal-2").lines() == [], "journals of other names are others"
        with refused("a line with a line end is refused", InvalidInputError, "no line end"):
            journal.append("x", "two\nlines")
        with refused("a name that leaves the journal is refused", InvalidInputError, "not a name"):
            journal.append("../x", "line")

    def test_many_threads_share_it(self, store: Store) -> None:
        """Views of a shard come by sixteen requests at once."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: store.write(f"x/{n:02d}", b"%d" % n), range(40)))
            found = list(pool.map(lambda name: store.read(name, 9), store.list("x")))
        assert found == [b"%d" % n for n in range(40)], "many threads may write and read at once"

    def test_a_pickled_store_is_the_same_place(self, store: Store) -> None:
        """Worker processes get the store itself."""
        store.write("a", b"hello")
        other = pickle.loads(pickle.dumps(store))
        assert other.url == store.url, "a store that went through pickle has the same url"
        assert other.read("a", ROOM) == b"hello", "a store that went through pickle has the same files"

    def test_shards_read_as_from_a_disk(self, store: Store, tmp_path: Path) -> None:
        """All that a loader reads of a shard is what a folder would give."""
        shard = write_synthetic_shard(tmp_path, RECIPE, "train", "shard-000000", OBJECTS)
        store.upload("train/shard-000000.tar", tmp_path / "train/shard-000000.tar", shard.sha256)
        index = (tmp_path / "train/shard-000000.idx").read_bytes()
        store.write("train/shard-000000.idx", index)
        with local_shards(tmp_path)(shard) as here, store_shards(store)(shard) as there:
            assert there.keys == here.keys, "a shard in the store has the same objects"
            assert there.records() == here.records() == OBJECTS, "their descriptions are the same"
            np.testing.assert_array_equal(there.latents, here.latents, err_msg="their labels are the same")
            for row, view in np.ndindex(len(OBJECTS), RECIPE.views):
                assert there.read(row, view) == here.read(row, view), "each picture is the same bytes"

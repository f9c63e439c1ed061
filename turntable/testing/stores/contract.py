"""The contract of a store: it reads, writes, lists and deletes whole files by name."""

import hashlib
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from turntable.datasets import load_recipe
from turntable.datasets.shards import make_folder_opener, make_store_opener
from turntable.datasets.stores import Store, open_journal
from turntable.datasets.stores.cache import ShardCache
from turntable.errors import IntegrityError, InvalidInputError, RejectedResponseError, StoreError
from turntable.testing.datasets import make_synthetic_objects, write_synthetic_shard
from turntable.testing.expected_errors import expect_error

RECIPE = load_recipe("3diebench").replace(name="t", views=2, image_size_px=16, source="folder")
OBJECTS = tuple(item for item in make_synthetic_objects(RECIPE, 6, 1) if item.split == "train")
LARGE = np.random.default_rng(0).bytes((8 << 20) + 1000)
"""Content of a file that an object store uploads in more than one part."""
MAX_BYTES = 1 << 24
"""Limit for ``read`` that no file of these tests reaches."""
BAD_NAMES = ["", ".", "..", "../x", "a/../../x", "/etc/x", "a//b", "a/", "a\\b", "a\nb", "a\0b", "./a"]
MISSING_FILE_RULE = "read_range and download of a missing file raise StoreError, '<url>/<name>: missing'"


def compute_digest(data: bytes) -> str:
    """Compute the hex sha256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def write_file(folder: Path, data: bytes) -> Path:
    """Write a local file for an upload and return its path."""
    path = folder / "to-be-uploaded"
    path.write_bytes(data)
    return path


class StoreContract:
    """The contract tests of a store. A test class inherits them and provides a fixture ``store``.

    The store must be empty in each test.

    .. code-block:: python

        class TestMyStore(StoreContract):
            @pytest.fixture
            def store(self, tmp_path):
                return MyStore(tmp_path / "new")
    """

    @pytest.fixture
    def store(self) -> Store:
        """The empty store; a test class overrides this fixture."""
        raise NotImplementedError("give the test class a fixture `store` that returns an empty store")

    def test_a_file_is_what_was_written_last(self, store: Store) -> None:
        """A missing file is None; a file that is written again has the new content."""
        for result in (
            store.read("train/a.bin", MAX_BYTES),
            store.get_size("train/a.bin"),
            store.get_sha256("train/a.bin"),
        ):
            assert result is None, "read, get_size and get_sha256 of a missing file return None"
        for data in (b"first", b"", bytes(range(256))):
            store.write("train/a.bin", data)
            assert store.read("train/a.bin", MAX_BYTES) == data, "read returns what was written last"
            assert store.get_size("train/a.bin") == len(data), "get_size is that of what was written last"
            assert store.get_sha256("train/a.bin") == compute_digest(data), (
                "get_sha256 is that of what was written last"
            )
        assert store.read("train", MAX_BYTES) is None, "a folder is not a file: read returns None"
        assert store.list() == ("train/a.bin",), "a file that is written again is listed once"

    def test_no_more_is_read_than_is_allowed(self, store: Store) -> None:
        """A file longer than ``max_bytes`` is not read."""
        store.write("x", b"0123456789")
        assert store.read("x", 10) == b"0123456789", "read returns a file of exactly max_bytes"
        with expect_error(
            "read of a file longer than max_bytes raises RejectedResponseError (make_too_long_error)",
            RejectedResponseError,
        ):
            store.read("x", 9)

    def test_ranges(self, store: Store) -> None:
        """``read_range`` returns some bytes of a file, and none beyond its end."""
        store.write("x", b"0123456789")
        ranges = {
            (0, 10): b"0123456789",
            (3, 4): b"3456",
            (8, 5): b"89",
            (10, 1): b"",
            (50, 5): b"",
            (4, 0): b"",
        }
        for (offset, size), data in ranges.items():
            assert store.read_range("x", offset, size) == data, (
                f"read_range returns {size} bytes from offset {offset}, or fewer at the end of the file"
            )
        with expect_error(MISSING_FILE_RULE, StoreError, f"{re.escape(store.url)}/y: missing"):
            store.read_range("y", 0, 1)

    def test_downloads_begin_where_they_are_asked_to(self, store: Store) -> None:
        """An interrupted download can be resumed if the file is unchanged."""
        store.write("train/a.tar", LARGE)
        first = store.download("train/a.tar")
        assert (first.size, first.offset) == (len(LARGE), 0), (
            "a download has the size of the whole file and begins at offset 0"
        )
        assert first.e_tag, "a download has an e_tag, which changes with the content of the file"
        for e_tag in (first.e_tag, ""):
            rest = store.download("train/a.tar", len(LARGE) - 700, e_tag)
            begun = (rest.size, rest.offset, rest.e_tag)
            assert begun == (len(LARGE), len(LARGE) - 700, first.e_tag), (
                "a download of the same file begins at the requested offset"
            )
            assert b"".join(rest.pieces) == LARGE[-700:], "its pieces are the file from the offset to the end"
        changed = store.download("train/a.tar", 1000, '"another"')
        beyond = store.download("train/a.tar", len(LARGE) + 5, first.e_tag)
        assert (changed.offset, beyond.offset) == (0, 0), (
            "a download begins at offset 0 if the e_tag differs, or if the file ends before the offset"
        )
        with expect_error(MISSING_FILE_RULE, StoreError, f"{re.escape(store.url)}/train/b: missing"):
            store.download("train/b")
        with expect_error(MISSING_FILE_RULE, StoreError, "missing"):
            store.download("train")

    def test_what_is_fetched_is_whole(self, store: Store, tmp_path: Path) -> None:
        """The cache of shards downloads a whole file and checks its digest."""
        store.write("train/a.tar", LARGE)
        cache = ShardCache(tmp_path / "cache")
        path = cache.fetch_file(store, "train/a.tar", len(LARGE), compute_digest(LARGE))
        assert path.read_bytes() == LARGE, "the pieces of a download are the whole file"
        with expect_error(
            "the cache refuses a file with another digest",
            IntegrityError,
            r"train/a\.tar: not the file that manifest\.json names",
        ):
            cache.fetch_file(store, "train/a.tar", len(LARGE), compute_digest(b"another"))

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_a_name_never_leaves_the_store(self, store: Store, name: str, tmp_path: Path) -> None:
        """No operation accepts a name that could lead out of the store."""
        path = write_file(tmp_path, b"x")
        uses: dict[str, Any] = {
            "read": lambda: store.read(name, 9),
            "get_size": lambda: store.get_size(name),
            "get_sha256": lambda: store.get_sha256(name),
            "delete": lambda: store.delete(name),
            "download": lambda: store.download(name),
            "read_range": lambda: store.read_range(name, 0, 1),
            "write": lambda: store.write(name, b"x"),
            "upload": lambda: store.upload(name, path, compute_digest(b"x")),
            **({"list": lambda: store.list(name)} if name else {}),
        }
        for use, call in uses.items():
            rule = f"{use} refuses the name {name!r}; turntable.datasets.files.check_file_name does it"
            with expect_error(rule, InvalidInputError, "not a name in a store"):
                call()
        assert store.list() == (), "a refused name writes nothing"

    def test_lists_are_of_folders_and_sorted(self, store: Store) -> None:
        """``list`` has all files in and below a folder, and none of a folder whose name begins like it."""
        names = ("train/b", "train/a", "train/deep/er/c", "train2/d", "trainer", "val/e")
        for name in names:
            store.write(name, b"1")
        assert store.list() == tuple(sorted(names)), "list returns the names of all files, sorted"
        train = ("train/a", "train/b", "train/deep/er/c")
        assert store.list("train") == train, "list returns the files in and below a folder, and no others"
        assert store.list("train/deep") == ("train/deep/er/c",), "list returns the files below a folder"
        assert store.list("nothing") == (), "list of a missing folder is empty"

    def test_delete(self, store: Store) -> None:
        """``delete`` removes one file; deleting a missing file is no error."""
        store.write("train/a", b"1")
        store.write("train/b", b"2")
        store.delete("train/a")
        store.delete("train/a")
        assert store.list() == ("train/b",), "delete removes one file, and ignores a missing one"

    @pytest.mark.parametrize("data", [b"", b"small", LARGE], ids=["empty", "small", "large"])
    def test_upload(self, store: Store, tmp_path: Path, data: bytes) -> None:
        """``upload`` copies a local file into the store."""
        path = write_file(tmp_path, data)
        store.write("train/s.tar", b"an older one")
        store.upload("train/s.tar", path, compute_digest(data))
        assert store.read("train/s.tar", MAX_BYTES) == data, "upload copies the whole file over an older one"
        assert store.get_sha256("train/s.tar") == compute_digest(data), (
            "get_sha256 is that of the uploaded file"
        )
        assert path.read_bytes() == data, "upload does not change the local file"
        assert store.list() == ("train/s.tar",), "upload leaves no other file in the store"

    def test_upload_of_something_else_leaves_what_was_there(self, store: Store, tmp_path: Path) -> None:
        """A file whose digest differs is not uploaded."""
        store.write("s.tar", b"old")
        with expect_error(
            "upload of a file with another sha256 raises IntegrityError",
            IntegrityError,
            "another sha256",
        ):
            store.upload("s.tar", write_file(tmp_path, b"edited"), compute_digest(b"written"))
        assert store.read("s.tar", MAX_BYTES) == b"old", "a refused upload keeps the older file"
        assert store.list() == ("s.tar",), "a refused upload leaves no other file in the store"

    def test_check_writable_leaves_nothing(self, store: Store) -> None:
        """``check_writable`` removes the file that it writes."""
        store.check_writable()
        assert store.list() == (), "check_writable leaves no file"
        store.write("a", b"1")
        store.check_writable(1000)
        assert store.list() == ("a",), "check_writable keeps other files"

    def test_journal(self, store: Store) -> None:
        """The store can keep the journal of a run."""
        journal = open_journal(store, "journal-1")
        assert journal.read_lines() == [], "a new journal has no lines"
        journal.append_line("train/shard-000000", '{"first": "ä"}')
        journal.append_line("val/shard-000000", "second")
        journal.append_line("train/shard-000000", "third")
        assert set(journal.read_lines()[-2:]) == {"second", "third"}, (
            "a journal has the line of each name that was appended last"
        )
        assert open_journal(store, "journal-1").read_lines() == journal.read_lines(), (
            "a journal that is opened again has the same lines"
        )
        assert open_journal(store, "journal-2").read_lines() == [], (
            "a journal of another name has other lines"
        )
        with expect_error("a line with a line end is refused", InvalidInputError, "no line end"):
            journal.append_line("x", "two\nlines")
        with expect_error("a name that leads out of the journal is refused", InvalidInputError, "not a name"):
            journal.append_line("../x", "line")

    def test_many_threads_share_it(self, store: Store) -> None:
        """Several threads may use a store at the same time, as loaders do."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: store.write(f"x/{n:02d}", b"%d" % n), range(40)))
            contents = list(pool.map(lambda name: store.read(name, 9), store.list("x")))
        assert contents == [b"%d" % n for n in range(40)], (
            "several threads may write and read at the same time"
        )

    def test_a_pickled_store_is_the_same_place(self, store: Store) -> None:
        """A store can be sent to a worker process."""
        store.write("a", b"hello")
        other = pickle.loads(pickle.dumps(store))
        assert other.url == store.url, "a pickled store has the same url"
        assert other.read("a", MAX_BYTES) == b"hello", "a pickled store has the same files"

    def test_shards_read_as_from_a_disk(self, store: Store, tmp_path: Path) -> None:
        """A shard in the store has the same objects, labels and pictures as the local one."""
        shard = write_synthetic_shard(tmp_path, RECIPE, "train", "shard-000000", OBJECTS)
        store.upload("train/shard-000000.tar", tmp_path / "train/shard-000000.tar", shard.sha256)
        index = (tmp_path / "train/shard-000000.idx").read_bytes()
        store.write("train/shard-000000.idx", index)
        with make_folder_opener(tmp_path)(shard) as here, make_store_opener(store)(shard) as there:
            assert there.keys == here.keys, "a shard in the store has the same objects"
            assert there.read_records() == here.read_records() == OBJECTS, "it has the same records"
            np.testing.assert_array_equal(there.labels, here.labels, err_msg="it has the same labels")
            for row, view in np.ndindex(len(OBJECTS), RECIPE.views):
                assert there.read_jpeg(row, view) == here.read_jpeg(row, view), (
                    "each picture has the same bytes"
                )

import os
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from turntable.datasets.stores import LocalStore, open_journal
from turntable.errors import StoreError
from turntable.testing.datasets import write_synthetic_shard
from turntable.testing.stores.contract import OBJECTS, RECIPE, compute_digest, write_file

# Folders that take nothing.


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(
            f"this needs a small file system, and mounting one is not permitted: {done.stderr.strip()}"
        )


@pytest.fixture
def full_disk(tmp_path: Path) -> Generator[Path, None, None]:
    """A file system of 256 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder))
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def read_only_folder(tmp_path: Path) -> Generator[Path, None, None]:
    """It holds one file. Permission bits stop everybody but root, whom a read-only mount stops too."""
    folder = tmp_path / "disk"
    folder.mkdir()
    (folder / "kept").write_bytes(b"kept")
    if os.geteuid() != 0:
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)
        return
    mount("--bind", str(folder), str(folder))
    try:
        mount("-o", "remount,bind,ro", str(folder))
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_no_half_file(full_disk: Path, tmp_path: Path) -> None:
    store, big = LocalStore(full_disk / "set"), bytes(400 << 10)
    store.write("a", b"old")
    for use in (
        lambda: store.write("a", big),
        lambda: store.upload("a", write_file(tmp_path, big), compute_digest(big)),
        lambda: store.upload("new/b", write_file(tmp_path, big), compute_digest(big)),
    ):
        with pytest.raises(StoreError, match=r"set/.*: the disk is full; free some space and run the same"):
            use()
        assert store.list() == ("a",)
        assert store.read("a", 1 << 24) == b"old"
        assert [path.name for path in full_disk.rglob("*") if path.is_file()] == ["a"]


def test_a_full_disk_is_found_before_the_work(full_disk: Path) -> None:
    store = LocalStore(full_disk)
    store.check_writable(100 << 10)
    with pytest.raises(
        StoreError, match=r"[1-9][0-9]* kB are free, about 3\.0 GB are to be written; free some"
    ):
        store.check_writable(3_000_000_000)
    (full_disk / "filler").write_bytes(bytes(256 << 10))
    with pytest.raises(StoreError, match="the disk is full"):
        store.check_writable()
    assert os.listdir(full_disk) == ["filler"]  # noqa: PTH208


@pytest.mark.parametrize("free", [0, 5000, 15_000, 30_000])
def test_a_shard_is_whole_or_none_on_a_full_disk(full_disk: Path, tmp_path: Path, free: int) -> None:
    """Full in the midst of an object, of the end, of the index; with enough room at last, the same shard."""
    whole = write_synthetic_shard(tmp_path / "made", RECIPE, "train", "shard-000000", OBJECTS)
    filler = full_disk / "filler"
    filler.write_bytes(bytes((256 << 10) - free // 4096 * 4096))
    with pytest.raises(StoreError, match="the disk is full"):
        write_synthetic_shard(full_disk, RECIPE, "train", "shard-000000", OBJECTS)
    assert not list((full_disk / "train").glob("*.tar"))
    assert not list((full_disk / "train").glob(".*"))
    filler.unlink()
    assert write_synthetic_shard(full_disk, RECIPE, "train", "shard-000000", OBJECTS) == whole


def test_a_journal_on_a_full_disk_keeps_its_lines(full_disk: Path) -> None:
    journal = open_journal(LocalStore(full_disk))
    journal.append_line("a", "first")
    filler = full_disk / "filler"
    filler.write_bytes(bytes((256 << 10) - 4096))
    with pytest.raises(StoreError, match=r"journal\.jsonl: the disk is full"):
        journal.append_line("b", "long " * 10_000)
    assert journal.read_lines() == ["first"]
    filler.unlink()
    journal.append_line("c", "third")
    assert journal.read_lines() == ["first", "third"]


def test_a_folder_for_reading_only(read_only_folder: Path) -> None:
    for store in (LocalStore(read_only_folder), LocalStore(read_only_folder / "new")):
        with pytest.raises(StoreError, match=r"(read-only|no permission)"):
            store.check_writable()
        with pytest.raises(StoreError, match=r"(read-only|no permission)"):
            store.write("a", b"1")
    assert LocalStore(read_only_folder).read("kept", 1 << 24) == b"kept"


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for store in (LocalStore(tmp_path / "file"), LocalStore(tmp_path / "file" / "deeper")):
        with pytest.raises(StoreError, match="a file is where a folder should be; choose another place"):
            store.check_writable()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]

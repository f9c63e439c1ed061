"""The files of a folder that belong to a data set, if some of them are links, FIFOs or devices."""

import os
from pathlib import Path

import pytest

from turntable.datasets.files import FolderFiles
from turntable.errors import IntegrityError, InvalidInputError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "set" / "train").mkdir(parents=True)
    (tmp_path / "set" / "a.txt").write_bytes(b"a")
    (tmp_path / "set" / "train" / "b.tar").write_bytes(b"bb")
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key").write_bytes(b"secret")
    return tmp_path / "set"


def strict(root: Path, *under: Path) -> FolderFiles:
    return FolderFiles(root, under)


def test_ordinary_files_are_read(root: Path) -> None:
    for files in (strict(root), FolderFiles(root)):
        assert files.read("a.txt", 10) == b"a"
        assert files.read("train/b.tar", 2) == b"bb"
        assert files.get_size("train/b.tar") == 2
        assert files.read("none", 10) is None
        assert files.read("a.txt/none", 10) is None
        assert files.get_size("none") is None
        assert files.open("none") is None


@pytest.mark.parametrize(
    "name", ["../private/key", "/etc/passwd", "train/../../private/key", "", "a\0b", "a\\b"]
)
def test_names_never_leave_the_folder(root: Path, name: str) -> None:
    with pytest.raises(InvalidInputError, match="not a name in a store"):
        FolderFiles(root).read(name, 10)


def test_a_file_that_is_too_large_is_refused(root: Path) -> None:
    with pytest.raises(IntegrityError, match=r"set/train/b\.tar: more than 0 MiB"):
        strict(root).read("train/b.tar", 1)


def test_links_that_lead_out_are_refused_unless_their_folder_is_named(root: Path) -> None:
    (root / "out").symlink_to("../private/key")
    (root / "absolute").symlink_to(root.parent / "private" / "key")
    (root / "folder").symlink_to("../private")
    (root / "twice").symlink_to("out")
    for name in ("out", "absolute", "folder/key", "twice"):
        for call in (strict(root).find, strict(root).open, strict(root).get_size):
            with pytest.raises(IntegrityError, match=r"a link that leads out of the data set.*--links-under"):
                call(name)
        assert strict(root, root.parent / "private").read(name, 10) == b"secret"
        assert FolderFiles(root).read(name, 10) == b"secret"
    with pytest.raises(IntegrityError, match="leads out"):
        strict(root, root.parent / "other").read("out", 10)


def test_links_inside_the_folder_and_links_to_the_folder_are_followed(root: Path, tmp_path: Path) -> None:
    (root / "val").symlink_to("train")
    (root / "c").symlink_to("val/b.tar")
    (tmp_path / "named").symlink_to("set")
    assert strict(root).read("val/b.tar", 10) == b"bb"
    assert strict(root).read("c", 10) == b"bb"
    assert strict(tmp_path / "named").read("c", 10) == b"bb"


def test_loops_and_links_to_nothing(root: Path) -> None:
    (root / "loop").symlink_to("loop")
    (root / "nothing").symlink_to("train/none")
    assert strict(root).read("nothing", 10) is None
    with pytest.raises(Exception, match=r"set/loop: cannot be read"):
        strict(root).read("loop", 10)


def snapshot(tmp_path: Path, repository: str) -> Path:
    """Make a folder as ``snapshot_download`` leaves it."""
    kept = tmp_path / "hub" / repository
    (kept / "blobs").mkdir(parents=True)
    (kept / "blobs" / "1234").write_bytes(b"blob")
    (kept / "snapshots" / "abcd" / "train").mkdir(parents=True)
    (kept / "snapshots" / "abcd" / "README.md").symlink_to("../../blobs/1234")
    (kept / "snapshots" / "abcd" / "train" / "b.tar").symlink_to("../../../blobs/1234")
    return kept / "snapshots" / "abcd"


def test_a_snapshot_of_the_hub_is_made_of_links_to_its_blobs(tmp_path: Path) -> None:
    folder = snapshot(tmp_path, "datasets--user--name")
    other = snapshot(tmp_path, "datasets--user--private")
    assert strict(folder).read("README.md", 10) == b"blob"
    assert strict(folder).read("train/b.tar", 10) == b"blob"
    assert strict(folder / "train").read("b.tar", 10) == b"blob"
    (folder / "other").symlink_to(other.parent.parent / "blobs" / "1234")
    with pytest.raises(IntegrityError, match="leads out"):
        strict(folder).read("other", 10)


def test_a_set_cannot_make_itself_a_snapshot(root: Path, tmp_path: Path) -> None:
    """Its folders may have any names, but what they link to stays within them."""
    folder = snapshot(tmp_path, "datasets--user--name")
    blobs = folder.parent.parent / "blobs"
    (blobs / "5678").symlink_to(root.parent / "private" / "key")
    (folder / "key").symlink_to("../../blobs/5678")
    with pytest.raises(IntegrityError, match="leads out"):
        strict(folder).read("key", 10)
    (blobs / "5678").unlink()
    (blobs / "1234").unlink()
    blobs.rmdir()
    blobs.symlink_to(root.parent / "private")
    (folder / "key").unlink()
    (folder / "key").symlink_to("../../blobs/key")
    with pytest.raises(IntegrityError, match="leads out"):
        strict(folder).read("key", 10)


@pytest.mark.parametrize("files", [FolderFiles, strict])
def test_fifos_devices_and_folders_are_no_files(root: Path, files: type[FolderFiles]) -> None:
    os.mkfifo(root / "fifo")
    (root / "link").symlink_to("fifo")
    for name in ("fifo", "link", "train"):
        with pytest.raises(IntegrityError, match="no ordinary file"):
            files(root).read(name, 10)
    (root / "device").symlink_to("/dev/zero")
    with pytest.raises(IntegrityError, match=r"no ordinary file|leads out"):
        files(root).read("device", 10)


def test_a_file_that_becomes_a_fifo_or_a_link_between_two_looks(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(root / "fifo")
    (root / "link").symlink_to("../private/key")
    monkeypatch.setattr(FolderFiles, "find", lambda self, name: self.root / name)
    with pytest.raises(IntegrityError, match="no ordinary file"):
        strict(root).open("fifo")
    with pytest.raises(Exception, match="cannot be read"):
        strict(root).open("link")
    (root / "folder").symlink_to("../private")
    with pytest.raises(IntegrityError, match="leads out"):
        strict(root).open("folder/key")


def test_messages_have_the_title_in_place_of_the_path(root: Path) -> None:
    (root / "out").symlink_to("../private/key")
    files = FolderFiles(root, (), "my-set")
    with pytest.raises(IntegrityError) as caught:
        files.read("out", 10)
    assert str(caught.value).startswith("my-set/out: ")
    assert str(root.parent) not in str(caught.value)

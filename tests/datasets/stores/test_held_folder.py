"""A folder in which others may have planted anything: only plain files of its own are opened."""

import os
from pathlib import Path

import pytest

from turntable.datasets.stores.cache import others_may_write
from turntable.datasets.stores.cache.held_folder import HeldFolder, StrangeFileError


def test_files_and_folders_are_made_opened_renamed_and_removed(tmp_path: Path) -> None:
    with HeldFolder.at(tmp_path / "a" / "b", make=True) as top, top.inside("c", make=True) as folder:
        os.close(folder.create("x", 0o600))
        with pytest.raises(FileExistsError):
            folder.create("x", 0o600)
        folder.rename("x", "y")
        os.close(folder.open("y", os.O_RDWR))
        assert folder.names() == ["y"]
        assert folder.path == tmp_path / "a" / "b" / "c"
        for name in ("y", "y"):
            folder.remove(name)
        assert list(folder.path.iterdir()) == []
    for path in (tmp_path / "none", tmp_path / "a" / "none"):
        with pytest.raises(FileNotFoundError), HeldFolder.at(path):
            pass


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc/passwd", "a/b"])
def test_a_name_of_anything_else_is_refused(tmp_path: Path, name: str) -> None:
    with HeldFolder.at(tmp_path) as folder:
        for use in (
            folder.open,
            folder.status,
            folder.remove,
            lambda name: folder.create(name, 0o600),
            lambda name: folder.rename("x", name),
            lambda name: folder.inside(name, make=True).__enter__(),
        ):
            with pytest.raises(AssertionError):
                use(name)


def test_what_is_held_stays_when_its_name_becomes_a_link(tmp_path: Path) -> None:
    (tmp_path / "aim").mkdir()
    with HeldFolder.at(tmp_path) as top, top.inside("folder", make=True) as folder:
        (tmp_path / "folder").rename(tmp_path / "moved")
        (tmp_path / "folder").symlink_to(tmp_path / "aim")
        os.close(folder.create("x", 0o600))
    assert (tmp_path / "moved" / "x").exists()
    assert list((tmp_path / "aim").iterdir()) == []


def test_only_plain_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "second").hardlink_to(tmp_path / "file")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "to-folder").symlink_to("folder")
    os.mkfifo(tmp_path / "pipe")
    with HeldFolder.at(tmp_path) as folder:
        for flags in (os.O_RDONLY, os.O_RDWR, os.O_WRONLY):
            for name in ("link", "loop", "to-folder", "pipe", "folder"):
                with pytest.raises(StrangeFileError, match=f"{name} is not a plain file"):
                    folder.open(name, flags)
        os.close(folder.open("second"))
        with pytest.raises(StrangeFileError):
            folder.open("second", one_name=True)
        for name in ("file", "link", "loop", "to-folder", "pipe"):
            with pytest.raises(StrangeFileError, match=f"{name} is not a folder"), folder.inside(name):
                pass
            folder.remove(name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "second"]
    assert (tmp_path / "second").read_bytes() == b"x"


def test_nothing_stays_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with HeldFolder.at(tmp_path) as folder:
        for _ in range(10):
            with pytest.raises(StrangeFileError):
                folder.open("pipe")
            with folder.inside("x", make=True):
                pass
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_who_may_write(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"")
    for mode in (0o600, 0o644, 0o444, 0o755):
        path.chmod(mode)
        assert not others_may_write(path.stat())
    for mode in (0o666, 0o664, 0o602, 0o620):
        path.chmod(mode)
        assert others_may_write(path.stat())

"""A folder in which others may have planted anything: only its own plain files are opened."""

import os
from pathlib import Path

import pytest

from turntable.datasets.stores.cache import is_writable_by_others
from turntable.datasets.stores.cache.safe_folder import SafeFolder, UnsafeFileError


def test_files_and_folders_are_made_opened_renamed_and_removed(tmp_path: Path) -> None:
    with (
        SafeFolder.open_folder(tmp_path / "a" / "b", create=True) as top,
        top.open_subfolder("c", create=True) as folder,
    ):
        os.close(folder.create_file("x", 0o600))
        with pytest.raises(FileExistsError):
            folder.create_file("x", 0o600)
        folder.rename("x", "y")
        os.close(folder.open_file("y", os.O_RDWR))
        assert folder.list_names() == ["y"]
        assert folder.path == tmp_path / "a" / "b" / "c"
        for name in ("y", "y"):
            folder.remove(name)
        assert list(folder.path.iterdir()) == []
    for path in (tmp_path / "none", tmp_path / "a" / "none"):
        with pytest.raises(FileNotFoundError), SafeFolder.open_folder(path):
            pass


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc/passwd", "a/b"])
def test_a_name_of_anything_else_is_refused(tmp_path: Path, name: str) -> None:
    with SafeFolder.open_folder(tmp_path) as folder:
        for use in (
            folder.open_file,
            folder.get_status,
            folder.remove,
            lambda name: folder.create_file(name, 0o600),
            lambda name: folder.rename("x", name),
            lambda name: folder.open_subfolder(name, create=True).__enter__(),
        ):
            with pytest.raises(AssertionError):
                use(name)


def test_what_is_held_stays_when_its_name_becomes_a_link(tmp_path: Path) -> None:
    (tmp_path / "aim").mkdir()
    with SafeFolder.open_folder(tmp_path) as top, top.open_subfolder("folder", create=True) as folder:
        (tmp_path / "folder").rename(tmp_path / "moved")
        (tmp_path / "folder").symlink_to(tmp_path / "aim")
        os.close(folder.create_file("x", 0o600))
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
    with SafeFolder.open_folder(tmp_path) as folder:
        for flags in (os.O_RDONLY, os.O_RDWR, os.O_WRONLY):
            for name in ("link", "loop", "to-folder", "pipe", "folder"):
                with pytest.raises(UnsafeFileError, match=f"{name} is not a plain file"):
                    folder.open_file(name, flags)
        os.close(folder.open_file("second"))
        with pytest.raises(UnsafeFileError):
            folder.open_file("second", refuse_hard_links=True)
        for name in ("file", "link", "loop", "to-folder", "pipe"):
            with pytest.raises(UnsafeFileError, match=f"{name} is not a folder"), folder.open_subfolder(name):
                pass
            folder.remove(name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "second"]
    assert (tmp_path / "second").read_bytes() == b"x"


def test_nothing_stays_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with SafeFolder.open_folder(tmp_path) as folder:
        for _ in range(10):
            with pytest.raises(UnsafeFileError):
                folder.open_file("pipe")
            with folder.open_subfolder("x", create=True):
                pass
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_who_may_write(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"")
    for mode in (0o600, 0o644, 0o444, 0o755):
        path.chmod(mode)
        assert not is_writable_by_others(path.stat())
    for mode in (0o666, 0o664, 0o602, 0o620):
        path.chmod(mode)
        assert is_writable_by_others(path.stat())

"""Things that others may plant where a cache has its files, and what must not come of it."""

import os
import socket
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from turntable.datasets.stores import LocalStore
from turntable.datasets.stores.cache import ShardCache

DATA = bytes(range(256)) * 100
DIGEST = sha256(DATA).hexdigest()
OTHER_USER = 54321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user, or make devices")


def get(cache: ShardCache, store: LocalStore, size: int = len(DATA)) -> bytes:
    descriptor = cache.open_file(store, "a", size, DIGEST)
    try:
        return os.pread(descriptor, 1_000_000, 0)
    finally:
        os.close(descriptor)


def tree(folder: Path) -> dict[str, object]:
    """All that is in a folder, with contents, modes and times of change."""
    return {
        str(path): (
            path.read_bytes() if path.is_file() else None,
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
    }


def is_untouched(victim: Path) -> bool:
    return (
        victim.read_bytes() == b"precious"
        and victim.stat().st_mtime == 1_000_000_000
        and [path.name for path in victim.parent.iterdir()] == ["victim"]
    )


def link(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def dangling_link(path: Path, victim: Path) -> None:
    path.symlink_to(victim.parent / "new")


def relative_link(path: Path, victim: Path) -> None:
    path.symlink_to(os.path.relpath(victim, path.parent))


def link_loop(path: Path, victim: Path) -> None:
    path.symlink_to(path.name)


def hard_link(path: Path, victim: Path) -> None:
    path.hardlink_to(victim)


def pipe(path: Path, victim: Path) -> None:
    os.mkfifo(path)


def local_socket(path: Path, victim: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")
    os.chdir(here)
    (path.parent / "socket").rename(path)


def folder(path: Path, victim: Path) -> None:
    path.mkdir()


def folder_of_files(path: Path, victim: Path) -> None:
    path.mkdir()
    (path / "x").write_bytes(b"x")


def endless_device(path: Path, victim: Path) -> None:
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))


def full_device(path: Path, victim: Path) -> None:
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 7))


KINDS = [
    link,
    dangling_link,
    relative_link,
    link_loop,
    hard_link,
    pipe,
    local_socket,
    folder,
    folder_of_files,
    pytest.param(endless_device, marks=as_root),
    pytest.param(full_device, marks=as_root),
]

PLACES = {
    "file": f"{DIGEST[:2]}/{DIGEST}",
    "part": f"{DIGEST[:2]}/{DIGEST}-{len(DATA)}.part",
    "e-tag": f"{DIGEST[:2]}/{DIGEST}-{len(DATA)}.part.etag",
    "lock": f"{DIGEST[:2]}/{DIGEST}.lock",
    "room": "room.lock",
    "use": f"used/{DIGEST}",
}

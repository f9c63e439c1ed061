"""Room in a cache: what is kept there, when it was used last, and what is let go of for another file."""

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass

from turntable.datasets.stores.cache.held_folder import HeldFolder, StrangeFileError
from turntable.datasets.stores.cache.locks import LOCK_SUFFIX, locked
from turntable.datasets.stores.cache.partial_file import E_TAG_SUFFIX

PART_SUFFIX = ".part"
USES = "used"
"""The folder of empty files whose times tell when the file of that name was used last.

A kept file's own times tell whether it has changed, and are left alone.
"""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of a cache, or what stands there in the place of one."""

    folder: str
    name: str
    bytes: int
    """Those that it has, or is going to have."""
    changed: float
    """Time of its last change, seconds."""


def part_name(sha256: str, size: int) -> str:
    """Return the name of a file while it is fetched, which tells how many bytes it is going to have."""
    return f"{sha256}-{size}{PART_SUFFIX}"


def kept_files(top: HeldFolder) -> list[KeptFile]:
    """List the files of a cache, whole ones and parts."""
    folders = [name for name in top.names() if len(name) == 2]
    return [item for folder in folders for item in _files_of(top, folder)]


def make_room(top: HeldFolder, size: int, bound: int, keep: str) -> int:
    """Let go of what was used least recently, until a file fits.

    Args:
        top: the folder of the cache.
        size: of the file, bytes.
        bound: of all files together, bytes.
        keep: the name of the file's part, which stays.

    Returns:
        Bytes that are still held by what is in use: with the file more than the bound where it does not fit.
    """
    files = [item for item in kept_files(top) if item.name != keep]
    held = sum(item.bytes for item in files)
    if held + size <= bound:
        return held
    uses = _uses(top)
    for item in sorted(files, key=lambda item: uses.get(item.name, item.changed)):
        if held + size > bound and _let_go(top, item):
            held -= item.bytes
    return held


def note_use(top: HeldFolder, name: str) -> None:
    """Note that a file was used now, where one may: the folder can be read-only, or another user's."""
    with suppress(OSError), top.inside(USES, make=True) as uses:
        try:
            descriptor = uses.open(name, one_name=True)
        except FileNotFoundError:
            descriptor = uses.create(name, 0o666)
        try:
            os.utime(descriptor)
        finally:
            os.close(descriptor)


def _uses(top: HeldFolder) -> dict[str, float]:
    """Times at which files were used last, by their names."""
    times = dict[str, float]()
    with suppress(OSError), top.inside(USES) as uses:
        for name in uses.names():
            with suppress(FileNotFoundError):
                times[name] = uses.status(name).st_mtime
    return times


def _files_of(top: HeldFolder, folder: str) -> list[KeptFile]:
    found: list[KeptFile] = []
    with suppress(OSError), top.inside(folder) as held:  # a link is not followed, and takes no room
        for name in held.names():
            if not name.endswith((LOCK_SUFFIX, E_TAG_SUFFIX)):
                with suppress(FileNotFoundError):
                    status = held.status(name)
                    bytes_ = _size_to_be(name) or status.st_size
                    found.append(KeptFile(folder, name, bytes_, status.st_mtime))
    return found


def _size_to_be(name: str) -> int:
    """Bytes that a part is going to have, which its name tells; 0 of whole files."""
    told = name.removesuffix(PART_SUFFIX).partition("-")[2]
    return int(told) if name.endswith(PART_SUFFIX) and told.isascii() and told.isdigit() else 0


def _let_go(top: HeldFolder, item: KeptFile) -> bool:
    """Remove a file that no process has open, or a part that none is fetching; whether it is gone."""
    try:
        with top.inside(item.folder) as folder:
            return (
                _remove_part(folder, item.name) if _size_to_be(item.name) else _remove(top, folder, item.name)
            )
    except FileNotFoundError:
        return True
    except OSError:  # open, or another user's
        return False


def _remove_part(folder: HeldFolder, name: str) -> bool:
    with locked(folder, name.partition("-")[0], wait=False) as free:
        if free:
            folder.remove(name)
            folder.remove(name + E_TAG_SUFFIX)
        return free


def _remove(top: HeldFolder, folder: HeldFolder, name: str) -> bool:
    with suppress(StrangeFileError):
        descriptor = folder.open(name)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folder.remove(name)
        finally:
            os.close(descriptor)
    folder.remove(name)  # what is no plain file nobody uses
    with suppress(OSError), top.inside(USES) as uses:
        uses.remove(name)
    return True

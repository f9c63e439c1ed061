"""Eviction from a cache: the files in it, the times of their last use, and the removal of the least used."""

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass

from turntable.datasets.stores.cache.locks import LOCK_SUFFIX, hold_lock
from turntable.datasets.stores.cache.partial_file import E_TAG_SUFFIX
from turntable.datasets.stores.cache.safe_folder import SafeFolder, UnsafeFileError

PART_SUFFIX = ".part"
"""Suffix of files that are being fetched."""
USES_FOLDER = "used"
"""Folder of empty files whose times are the last uses of the cached files of the same names.

The times of a cached file itself show whether it has changed, and must not be touched.
"""


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file of a cache, or another entry in the place of one."""

    folder: str
    name: str
    bytes: int
    """Size of the file, or its final size while it is being fetched."""
    changed_s: float
    """Time of its last change, in seconds."""


def make_part_name(sha256: str, size: int) -> str:
    """Return the name of a file while it is being fetched. It contains the file's final size in bytes."""
    return f"{sha256}-{size}{PART_SUFFIX}"


def list_cached_files(top: SafeFolder) -> list[CachedFile]:
    """Return the files of a cache, whole ones and parts."""
    # Cached files lie in folders named by the first two digits of their sha256.
    folders = [name for name in top.list_names() if len(name) == 2]
    return [item for folder in folders for item in _list_folder_files(top, folder)]


def evict_until_fits(top: SafeFolder, size: int, max_bytes: int, keep_name: str) -> int:
    """Remove the least recently used files until a new file fits.

    Args:
        top: Folder of the cache.
        size: Bytes of the new file.
        max_bytes: Largest size of all files together.
        keep_name: Name of the new file's part, which is neither counted nor removed.

    Returns:
        Bytes still held by other files. If this and ``size`` exceed ``max_bytes``, the new file does not fit.
    """
    files = [item for item in list_cached_files(top) if item.name != keep_name]
    held_bytes = sum(item.bytes for item in files)
    if held_bytes + size <= max_bytes:
        return held_bytes
    uses = _read_use_times(top)
    for item in sorted(files, key=lambda item: uses.get(item.name, item.changed_s)):
        if held_bytes + size > max_bytes and _evict_file(top, item):
            held_bytes -= item.bytes
    return held_bytes


def record_use(top: SafeFolder, name: str) -> None:
    """Record that a file was used now, if possible: the folder can be read-only or another user's."""
    with suppress(OSError), top.open_subfolder(USES_FOLDER, create=True) as uses:
        try:
            descriptor = uses.open_file(name, refuse_hard_links=True)
        except FileNotFoundError:
            descriptor = uses.create_file(name, 0o666)
        try:
            os.utime(descriptor)
        finally:
            os.close(descriptor)


def _read_use_times(top: SafeFolder) -> dict[str, float]:
    """Return the times of the last uses, by the files' names."""
    times = dict[str, float]()
    with suppress(OSError), top.open_subfolder(USES_FOLDER) as uses:
        for name in uses.list_names():
            with suppress(FileNotFoundError):
                times[name] = uses.get_status(name).st_mtime
    return times


def _list_folder_files(top: SafeFolder, folder: str) -> list[CachedFile]:
    files: list[CachedFile] = []
    with (
        suppress(OSError),
        top.open_subfolder(folder) as opened,
    ):  # a link is not followed: what it leads to is not of the cache
        for name in opened.list_names():
            if not name.endswith((LOCK_SUFFIX, E_TAG_SUFFIX)):
                with suppress(FileNotFoundError):
                    status = opened.get_status(name)
                    bytes_ = _parse_final_size(name) or status.st_size
                    files.append(CachedFile(folder, name, bytes_, status.st_mtime))
    return files


def _parse_final_size(name: str) -> int:
    """Return the final size in a part's name, or 0 for a whole file."""
    digits = name.removesuffix(PART_SUFFIX).partition("-")[2]
    return int(digits) if name.endswith(PART_SUFFIX) and digits.isascii() and digits.isdigit() else 0


def _evict_file(top: SafeFolder, item: CachedFile) -> bool:
    """Remove a file that no process has open, or a part that none is fetching; return True if it is gone."""
    try:
        with top.open_subfolder(item.folder) as folder:
            return (
                _remove_part(folder, item.name)
                if _parse_final_size(item.name)
                else _remove_whole_file(top, folder, item.name)
            )
    except FileNotFoundError:
        return True
    except OSError:  # open in another process, or another user's
        return False


def _remove_part(folder: SafeFolder, name: str) -> bool:
    with hold_lock(folder, name.partition("-")[0], wait=False) as is_free:
        if is_free:
            folder.remove(name)
            folder.remove(name + E_TAG_SUFFIX)
        return is_free


def _remove_whole_file(top: SafeFolder, folder: SafeFolder, name: str) -> bool:
    with suppress(UnsafeFileError):
        descriptor = folder.open_file(name)
        try:
            # Raises BlockingIOError if another process has the file open: it holds a shared lock.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folder.remove(name)
        finally:
            os.close(descriptor)
    folder.remove(name)  # an entry that is not a plain file is used by nobody
    with suppress(OSError), top.open_subfolder(USES_FOLDER) as uses:
        uses.remove(name)
    return True

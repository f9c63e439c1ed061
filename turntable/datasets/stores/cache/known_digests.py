"""Records of files' digests: each file is hashed once per machine and trusted until it changes.

The records lie where only this user can write, not beside the files, which may be shared with others: one
text file per machine in the user's own cache home, with one line per file. A record counts while owner, mode,
inode, size and both times of the file are as recorded. The time of the last change (ctime) can only be set by
the system. If there is no such place, a file is hashed once per process.
"""

import hashlib
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote

from turntable.datasets.stores.cache.safe_folder import SafeFolder, is_writable_by_others
from turntable.home import find_user_folder

MAX_BYTES = 16_000_000
"""Largest size of the records, enough for about a hundred thousand files.

Beyond it the older half is dropped.
"""
_MIN_AGE_S = 2.0
"""Age in seconds of the last change from which a file that others may write is recorded.

File systems have coarse clocks: a change soon after this one could get the same time and stay unnoticed.
"""


def get_cache_home() -> Path | None:
    """Return the folder of this user's caches, or None if the user has no home."""
    return find_user_folder(os.environ, "XDG_CACHE_HOME", ".cache")


def is_digest_recorded(descriptor: int, sha256: str) -> bool:
    """Return True if an open file is recorded with this hex digest and has not changed since."""
    return _get_records().has_line(_format_line(os.fstat(descriptor), sha256))


def record_digest(descriptor: int, sha256: str) -> None:
    """Record the hex digest of an open file, but only if nobody else can have changed it meanwhile."""
    status = os.fstat(descriptor)
    if not is_writable_by_others(status):
        _get_records().add_line(_format_line(status, sha256))


def has_digest(descriptor: int, sha256: str) -> bool:
    """Return True if an open file has this hex digest, by its record or else by reading it."""
    if is_digest_recorded(descriptor, sha256):
        return True
    with suppress(OSError):
        # A page of a memory map that waits to be written can change again without a new ctime. After this
        # call none waits.
        os.fsync(descriptor)
    status = os.fstat(descriptor)
    is_settled = time.time() - status.st_ctime > _MIN_AGE_S or not is_writable_by_others(status)
    if compute_descriptor_digest(descriptor) != sha256:
        return False
    if is_settled:
        _get_records().add_line(_format_line(status, sha256))
    return True


def compute_descriptor_digest(descriptor: int) -> str:
    """Return the hex sha256 of an open file, which is read in pieces. Its position is 0 afterwards."""
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
    return digest


@dataclass(slots=True)
class _DigestRecords:
    """The records of hashed files, written by this process and by others of this user."""

    folder: Path | None
    """Folder of the text file; None: records are kept in memory only."""
    lines: set[str] = field(default_factory=set[str])
    inode: int = 0
    """Inode of the text file that was read."""
    end: int = 0
    """Offset up to which it was read."""

    def has_line(self, line: str) -> bool:
        if line not in self.lines:
            self._read_new_lines()
        return line in self.lines

    def add_line(self, line: str) -> None:
        self.lines.add(line)
        with (
            suppress(OSError),
            self._open_folder(create=True) as folder,
            _open_records_file(folder, create=True) as text,
        ):
            os.write(text, f"{line}\n".encode("ascii"))
            if os.fstat(text).st_size > MAX_BYTES:
                _drop_older_half(folder, text)

    def _read_new_lines(self) -> None:
        """Read the lines that were added since the last call."""
        with suppress(OSError), self._open_folder() as folder, _open_records_file(folder) as text:
            status = os.fstat(text)
            start = self.end if self.inode == status.st_ino else 0
            added = os.pread(text, max(0, status.st_size - start), start)
            self.lines.update(added.decode("ascii", "replace").splitlines())
            self.inode, self.end = status.st_ino, start + len(added)

    @contextmanager
    def _open_folder(self, *, create: bool = False) -> Generator[SafeFolder, None, None]:
        if self.folder is None:
            raise FileNotFoundError
        with (
            SafeFolder.open_folder(self.folder.parent, create=create) as parent,
            parent.open_subfolder(self.folder.name, create=create, mode=0o700) as folder,
        ):
            _check_private(folder.descriptor)
            yield folder


def _get_records() -> _DigestRecords:
    home = get_cache_home()
    return _get_records_at(None if home is None else home / "turntable" / "hashed")


_get_records_at = cache(_DigestRecords)
"""Records of a folder, read once per process."""


@contextmanager
def _open_records_file(folder: SafeFolder, *, create: bool = False) -> Generator[int, None, None]:
    """Open this machine's records, for appending if ``create`` is True."""
    name = _make_records_name()
    if create:
        with suppress(FileExistsError):
            os.close(folder.create_file(name, 0o600))
    descriptor = folder.open_file(
        name, os.O_RDWR | os.O_APPEND if create else os.O_RDONLY, refuse_hard_links=True
    )
    try:
        _check_private(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


def _make_records_name() -> str:
    return f"{quote(os.uname().nodename, safe='')}.txt"


def _check_private(descriptor: int) -> None:
    if is_writable_by_others(os.fstat(descriptor)):
        raise PermissionError


def _drop_older_half(folder: SafeFolder, text: int) -> None:
    """Replace the records by their newer half."""
    size = os.fstat(text).st_size
    newer = os.pread(text, size, size // 2).partition(b"\n")[2]
    temporary = f"{_make_records_name()}.{os.getpid()}"
    with os.fdopen(folder.create_file(temporary, 0o600), "wb") as file:
        file.write(newer)
    folder.rename(temporary, _make_records_name())


def _format_line(status: os.stat_result, sha256: str) -> str:
    return (
        f"{sha256} {status.st_uid} {status.st_mode:o} {status.st_ino} {status.st_size} "
        f"{status.st_mtime_ns} {status.st_ctime_ns}"
    )

"""Contents of files: hashed once a machine, then trusted while nothing about the file changes.

What was hashed is noted where only this user can write, not beside the files, which others may share: a line
a file, in one text a machine, below the user's own cache home. Owner, mode, inode, size and both times must
be as noted; the time of a file's last change (ctime) is set by nobody but the system. Where there is no such
place, a file is hashed once a process.
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

from turntable.datasets.stores.cache.held_folder import HeldFolder, others_may_write

MOST_BYTES = 16_000_000
"""The longest the notes may be, for about a hundred thousand files; then the older half is forgotten."""
_SETTLED_S = 2.0
"""A file that others may write is noted when its last change is so old that another gets another time."""


def cache_home() -> Path | None:
    """Return the folder below which this user's caches lie; None where the user has no home."""
    said = os.environ.get("XDG_CACHE_HOME")
    try:
        return Path(said) if said else Path.home() / ".cache"
    except RuntimeError:
        return None


def is_noted(descriptor: int, sha256: str) -> bool:
    """Return whether an open file was hashed before, had that digest (hex), and has not changed since."""
    return _notes().has(_line(os.fstat(descriptor), sha256))


def note(descriptor: int, sha256: str) -> None:
    """Note that an open file has a digest (hex); only if nobody else can have changed it meanwhile."""
    status = os.fstat(descriptor)
    if not others_may_write(status):
        _notes().add(_line(status, sha256))


def has_content(descriptor: int, sha256: str) -> bool:
    """Return whether an open file's content has a digest (hex): by the notes, or else by reading it."""
    if is_noted(descriptor, sha256):
        return True
    with suppress(OSError):
        # A mapped page that waits to be written can be changed again without a new ctime. Now none waits.
        os.fsync(descriptor)
    status = os.fstat(descriptor)
    settled = time.time() - status.st_ctime > _SETTLED_S or not others_may_write(status)
    if digest_of(descriptor) != sha256:
        return False
    if settled:
        _notes().add(_line(status, sha256))
    return True


def digest_of(descriptor: int) -> str:
    """Return the hex sha256 of an open file, read in pieces; its position is at the beginning then."""
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
    return digest


@dataclass(slots=True)
class _Notes:
    """Lines about files that were hashed, by this process and others of this user."""

    place: Path | None
    """A folder; None: there is none."""
    lines: set[str] = field(default_factory=set[str])
    inode: int = 0
    """The inode of the text that was read."""
    end: int = 0
    """How far it was read."""

    def has(self, line: str) -> bool:
        if line not in self.lines:
            self._read_on()
        return line in self.lines

    def add(self, line: str) -> None:
        self.lines.add(line)
        with suppress(OSError), self._folder(make=True) as folder, _text(folder, make=True) as text:
            os.write(text, f"{line}\n".encode("ascii"))
            if os.fstat(text).st_size > MOST_BYTES:
                _halve(folder, text)

    def _read_on(self) -> None:
        """Read what has been added since."""
        with suppress(OSError), self._folder() as folder, _text(folder) as text:
            status = os.fstat(text)
            start = self.end if self.inode == status.st_ino else 0
            added = os.pread(text, max(0, status.st_size - start), start)
            self.lines.update(added.decode("ascii", "replace").splitlines())
            self.inode, self.end = status.st_ino, start + len(added)

    @contextmanager
    def _folder(self, *, make: bool = False) -> Generator[HeldFolder, None, None]:
        if self.place is None:
            raise FileNotFoundError
        with (
            HeldFolder.at(self.place.parent, make=make) as parent,
            parent.inside(self.place.name, make=make, mode=0o700) as folder,
        ):
            _refuse_others(folder.descriptor)
            yield folder


def _notes() -> _Notes:
    home = cache_home()
    return _notes_at(None if home is None else home / "turntable" / "hashed")


_notes_at = cache(_Notes)


@contextmanager
def _text(folder: HeldFolder, *, make: bool = False) -> Generator[int, None, None]:
    """The descriptor of this machine's notes, open for adding to them if they are to be made."""
    name = _text_name()
    if make:
        with suppress(FileExistsError):
            os.close(folder.create(name, 0o600))
    descriptor = folder.open(name, os.O_RDWR | os.O_APPEND if make else os.O_RDONLY, one_name=True)
    try:
        _refuse_others(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


def _text_name() -> str:
    return f"{quote(os.uname().nodename, safe='')}.txt"


def _refuse_others(descriptor: int) -> None:
    if others_may_write(os.fstat(descriptor)):
        raise PermissionError


def _halve(folder: HeldFolder, text: int) -> None:
    """Keep the newer half of the notes."""
    size = os.fstat(text).st_size
    newer = os.pread(text, size, size // 2).partition(b"\n")[2]
    temporary = f"{_text_name()}.{os.getpid()}"
    with os.fdopen(folder.create(temporary, 0o600), "wb") as file:
        file.write(newer)
    folder.rename(temporary, _text_name())


def _line(status: os.stat_result, sha256: str) -> str:
    return (
        f"{sha256} {status.st_uid} {status.st_mode:o} {status.st_ino} {status.st_size} "
        f"{status.st_mtime_ns} {status.st_ctime_ns}"
    )

"""A file that is being fetched: what is here of it so far, and of which version that is."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO, Self

from turntable.datasets.files import flush_to_disk
from turntable.datasets.stores.cache.hashed import digest_of
from turntable.datasets.stores.cache.held_folder import HeldFolder, StrangeFileError, others_may_write
from turntable.errors import StoreError

E_TAG_SUFFIX = ".etag"
"""Ends the name of the file beside a part that says of which version it is."""
_LONGEST_E_TAG = 1024
_MODE = 0o644
"""Less the umask: nobody else changes what was hashed."""


@dataclass(frozen=True, slots=True)
class PartialFile:
    """An open file that no other user can write, and no other process writes. Close it, or keep it open."""

    folder: HeldFolder
    name: str
    descriptor: int

    @classmethod
    def opened(cls, folder: HeldFolder, name: str) -> Self:
        """Open what this user left of a file, or begin anew, in the place of whatever has its name.

        Raises:
            StoreError: what has its name is not this user's, and cannot be removed.
            OSError: it cannot be made.
        """
        descriptor = _own(folder, name, os.O_RDWR)
        if descriptor is not None:
            if _lock(descriptor):
                return cls(folder, name, descriptor)
            os.close(descriptor)  # another process writes it, whose lock was taken away
        _clear_away(folder, name)
        part = cls(folder, name, folder.create(name, _MODE))
        _lock(part.descriptor)
        part._forget()
        return part

    @property
    def length(self) -> int:
        """Bytes that are here."""
        return os.fstat(self.descriptor).st_size

    @property
    def e_tag(self) -> str:
        """The ETag of the version that they are of; empty where it is not known."""
        descriptor = _own(self.folder, self._e_tag_name, os.O_RDONLY) if self.length else None
        if descriptor is None:
            return ""
        with os.fdopen(descriptor, "rb") as file:
            said = file.read(_LONGEST_E_TAG).decode("utf-8", "replace")
        return said if said.isprintable() else ""

    def beginning(self, size: int) -> bytes:
        """Return its first bytes."""
        return os.pread(self.descriptor, size, 0)

    def digest(self) -> str:
        """Return its hex sha256."""
        return digest_of(self.descriptor)

    @contextmanager
    def written_from(self, offset: int, e_tag: str) -> Generator[BinaryIO, None, None]:
        """Open it for writing at an offset, behind which nothing stays; it is on the disk at the end."""
        with os.fdopen(self.descriptor, "r+b", closefd=False) as file:
            file.truncate(offset)
            file.seek(offset)
            self._remember(e_tag)
            yield file
            flush_to_disk(file)

    def clear(self) -> None:
        """Forget what came so far."""
        os.ftruncate(self.descriptor, 0)
        self._forget()

    def close(self) -> None:
        """Leave it for another process to go on with."""
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)  # closing alone would leave it to a forked child
        os.close(self.descriptor)

    def finish(self, name: str) -> None:
        """Give it a whole file's name and a shared lock; only the lock where another file took its place."""
        self._forget()
        fcntl.flock(self.descriptor, fcntl.LOCK_SH)
        if self._has_its_name():
            self.folder.rename(self.name, name)

    def remove(self) -> None:
        """Remove it, but nothing that took its place."""
        self._forget()
        if self._has_its_name():
            self.folder.remove(self.name)

    def _has_its_name(self) -> bool:
        with suppress(FileNotFoundError):
            return os.path.samestat(self.folder.status(self.name), os.fstat(self.descriptor))
        return False

    def _remember(self, e_tag: str) -> None:
        self._forget()
        if 0 < len(e_tag) <= _LONGEST_E_TAG:
            with suppress(OSError), os.fdopen(self.folder.create(self._e_tag_name, _MODE), "wb") as file:
                file.write(e_tag.encode("utf-8", "replace"))

    def _forget(self) -> None:
        with suppress(OSError):  # another user's is never read
            self.folder.remove(self._e_tag_name)

    @property
    def _e_tag_name(self) -> str:
        return self.name + E_TAG_SUFFIX


def _own(folder: HeldFolder, name: str, flags: int) -> int | None:
    """The descriptor of a file that this user made and nobody else can write; None of all else."""
    try:
        descriptor = folder.open(name, flags, one_name=True)
    except (FileNotFoundError, PermissionError, StrangeFileError):
        return None
    status = os.fstat(descriptor)
    if status.st_uid == os.geteuid() and not others_may_write(status):
        return descriptor
    os.close(descriptor)
    return None


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _clear_away(folder: HeldFolder, name: str) -> None:
    try:
        folder.remove(name)
    except OSError as error:
        raise StoreError(
            f"{folder.path / name}: neither a part that this user left nor to be removed ({error.strerror}); "
            "remove it, or choose another folder"
        ) from None

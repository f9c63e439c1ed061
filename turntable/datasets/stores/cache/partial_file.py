"""A file that is being fetched: the bytes that are here so far, and the version they belong to."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO, Self

from turntable.datasets.files import flush_to_disk
from turntable.datasets.stores.cache.known_digests import compute_descriptor_digest
from turntable.datasets.stores.cache.safe_folder import SafeFolder, UnsafeFileError, is_writable_by_others
from turntable.errors import StoreError

E_TAG_SUFFIX = ".etag"
"""Suffix of the file beside a part that holds the ETag of its version."""
_MAX_E_TAG_LENGTH = 1024
_FILE_MODE = 0o644
"""Permissions of new files, less the umask: no other user may change what was hashed."""


@dataclass(frozen=True, slots=True)
class PartialFile:
    """An open file that no other user can write and no other process writes.

    Close it, or keep its descriptor after ``finish``.
    """

    folder: SafeFolder
    name: str
    descriptor: int

    @classmethod
    def open_or_create(cls, folder: SafeFolder, name: str) -> Self:
        """Open this user's part of a file, or create a new one in place of whatever has its name.

        Raises:
            StoreError: The entry of that name is not this user's, and cannot be removed.
            OSError: The file cannot be created.
        """
        descriptor = _open_own_file(folder, name, os.O_RDWR)
        if descriptor is not None:
            if _try_lock(descriptor):
                return cls(folder, name, descriptor)
            os.close(descriptor)  # a process writes it though its lock file was removed
        _remove_obstacle(folder, name)
        part = cls(folder, name, folder.create_file(name, _FILE_MODE))
        _try_lock(part.descriptor)
        part._remove_e_tag()
        return part

    @property
    def num_bytes(self) -> int:
        """The number of bytes that are here."""
        return os.fstat(self.descriptor).st_size

    @property
    def e_tag(self) -> str:
        """The ETag of the version of these bytes; empty if it is not known."""
        descriptor = _open_own_file(self.folder, self._e_tag_name, os.O_RDONLY) if self.num_bytes else None
        if descriptor is None:
            return ""
        with os.fdopen(descriptor, "rb") as file:
            e_tag = file.read(_MAX_E_TAG_LENGTH).decode("utf-8", "replace")
        return e_tag if e_tag.isprintable() else ""

    def read_beginning(self, size: int) -> bytes:
        """Return the first ``size`` bytes."""
        return os.pread(self.descriptor, size, 0)

    def compute_digest(self) -> str:
        """Return the hex sha256 of the bytes that are here."""
        return compute_descriptor_digest(self.descriptor)

    @contextmanager
    def open_for_writing(self, offset: int, e_tag: str) -> Generator[BinaryIO, None, None]:
        """Open the file for writing at an offset, and flush it to disk when the block ends.

        What was behind the offset is cut off. The ETag is that of the bytes to come.
        """
        with os.fdopen(self.descriptor, "r+b", closefd=False) as file:
            file.truncate(offset)
            file.seek(offset)
            self._write_e_tag(e_tag)
            yield file
            flush_to_disk(file)

    def clear(self) -> None:
        """Remove all bytes and the ETag."""
        os.ftruncate(self.descriptor, 0)
        self._remove_e_tag()

    def close(self) -> None:
        """Unlock and close the file, so that another process can go on with it."""
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)  # closing alone would leave the lock with a forked child
        os.close(self.descriptor)

    def finish(self, name: str) -> None:
        """Rename the finished file and keep a shared lock on it.

        It is not renamed if another file has taken its place meanwhile.
        """
        self._remove_e_tag()
        # Locked before it gets its name, so that no other process evicts it in between.
        fcntl.flock(self.descriptor, fcntl.LOCK_SH)
        if self._is_in_place():
            self.folder.rename(self.name, name)

    def remove(self) -> None:
        """Remove the file, unless another file has taken its place."""
        self._remove_e_tag()
        if self._is_in_place():
            self.folder.remove(self.name)

    def _is_in_place(self) -> bool:
        with suppress(FileNotFoundError):
            return os.path.samestat(self.folder.get_status(self.name), os.fstat(self.descriptor))
        return False

    def _write_e_tag(self, e_tag: str) -> None:
        self._remove_e_tag()
        if 0 < len(e_tag) <= _MAX_E_TAG_LENGTH:
            with (
                suppress(OSError),
                os.fdopen(self.folder.create_file(self._e_tag_name, _FILE_MODE), "wb") as file,
            ):
                file.write(e_tag.encode("utf-8", "replace"))

    def _remove_e_tag(self) -> None:
        with suppress(OSError):  # another user's ETag file is never read, so it may stay
            self.folder.remove(self._e_tag_name)

    @property
    def _e_tag_name(self) -> str:
        return self.name + E_TAG_SUFFIX


def _open_own_file(folder: SafeFolder, name: str, flags: int) -> int | None:
    """Return the descriptor of a file that this user made and nobody else can write, or None."""
    try:
        descriptor = folder.open_file(name, flags, refuse_hard_links=True)
    except (FileNotFoundError, PermissionError, UnsafeFileError):
        return None
    status = os.fstat(descriptor)
    if status.st_uid == os.geteuid() and not is_writable_by_others(status):
        return descriptor
    os.close(descriptor)
    return None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove_obstacle(folder: SafeFolder, name: str) -> None:
    try:
        folder.remove(name)
    except OSError as error:
        raise StoreError(
            f"{folder.path / name}: not a part of this user, and it cannot be removed ({error.strerror}); "
            "remove it, or choose another folder"
        ) from None

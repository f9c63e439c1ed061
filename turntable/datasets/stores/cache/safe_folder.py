"""Safe access to a folder in which other users may write, through an open descriptor of it.

No link inside is followed. Only plain files are opened: never a pipe, where opening would wait, or a device.
"""

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from errno import ELOOP
from pathlib import Path
from typing import Self

_SAFE_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class UnsafeFileError(OSError):
    """An entry of a folder that is not the plain file or folder it should be."""

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(ELOOP, f"{name} is not {expected} (perhaps a link, which is not followed)")


@dataclass(frozen=True, slots=True)
class SafeFolder:
    """An open folder and its entries.

    Names are those of its own entries: one with a slash fails an assertion.
    """

    path: Path
    """Path for messages."""
    descriptor: int

    @classmethod
    @contextmanager
    def open_folder(cls, path: Path, *, create: bool = False) -> Generator[Self, None, None]:
        """Open a folder that the user named, which may be a link, and close it when the block ends.

        Raises:
            OSError: The folder is missing (and ``create`` is False), or the path is not a folder.
        """
        try:
            descriptor = os.open(path, _FOLDER_FLAGS)
        except FileNotFoundError:
            if not create:
                raise
            path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, _FOLDER_FLAGS)
        with _close_after(descriptor):
            yield cls(path, descriptor)

    @contextmanager
    def open_subfolder(
        self, name: str, *, create: bool = False, mode: int = 0o777
    ) -> "Generator[SafeFolder, None, None]":
        """Open a folder in this one, and close it when the block ends.

        Args:
            name: Name of the folder.
            create: True if a missing folder is created.
            mode: Permissions of a new folder, less the umask.

        Raises:
            UnsafeFileError: The entry is a link or a file.
            OSError: The folder is missing (and ``create`` is False), or cannot be created.
        """
        try:
            descriptor = self._open_subfolder_descriptor(name)
        except FileNotFoundError:
            if not create:
                raise
            with suppress(FileExistsError):
                os.mkdir(name, mode, dir_fd=self.descriptor)
            descriptor = self._open_subfolder_descriptor(name)
        with _close_after(descriptor):
            yield SafeFolder(self.path / name, descriptor)

    def _open_subfolder_descriptor(self, name: str) -> int:
        try:
            return os.open(_check_entry_name(name), _FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=self.descriptor)
        except OSError:
            if stat.S_ISDIR(self.get_status(name).st_mode):
                raise
            raise UnsafeFileError(name, "a folder") from None

    def _is_folder(self, name: str) -> bool:
        with suppress(FileNotFoundError):
            return stat.S_ISDIR(self.get_status(name).st_mode)
        return False

    def open_file(self, name: str, flags: int = os.O_RDONLY, *, refuse_hard_links: bool = False) -> int:
        """Open an existing plain file and return its descriptor.

        Args:
            name: Name of the file.
            flags: Flags of ``os.open``.
            refuse_hard_links: True if a file that also has another name (a hard link) is refused.

        Raises:
            UnsafeFileError: The entry is a link, a pipe, a device, a folder, or a refused hard link.
            OSError: The file is missing, or must not be opened.
        """
        try:
            descriptor = os.open(_check_entry_name(name), flags | _SAFE_FLAGS, dir_fd=self.descriptor)
        except OSError:
            if stat.S_ISREG(self.get_status(name).st_mode):
                raise
            raise UnsafeFileError(name, "a plain file") from None
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and not (refuse_hard_links and status.st_nlink > 1):
            return descriptor
        os.close(descriptor)
        raise UnsafeFileError(name, "a plain file of one name")

    def create_file(self, name: str, mode: int) -> int:
        """Create a file and return its descriptor, open for writing and reading.

        Args:
            name: Name that no entry has yet.
            mode: Permissions, less the umask.

        Raises:
            OSError: The name is taken (FileExistsError), or the file cannot be created.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _SAFE_FLAGS
        return os.open(_check_entry_name(name), flags, mode, dir_fd=self.descriptor)

    def get_status(self, name: str) -> os.stat_result:
        """Return the status of an entry: of a link itself, not of its target."""
        return os.stat(_check_entry_name(name), dir_fd=self.descriptor, follow_symlinks=False)

    def list_names(self) -> list[str]:
        """Return the names of all entries."""
        with os.scandir(self.descriptor) as entries:
            return [entry.name for entry in entries]

    def remove(self, name: str) -> None:
        """Remove a file, a link, another special file, or an empty folder, if it exists."""
        try:
            os.unlink(_check_entry_name(name), dir_fd=self.descriptor)
        except FileNotFoundError:
            return
        except OSError:
            if not self._is_folder(name):
                raise
            os.rmdir(name, dir_fd=self.descriptor)

    def rename(self, name: str, new_name: str) -> None:
        """Rename a file durably, replacing any file of the new name."""
        os.rename(
            _check_entry_name(name),
            _check_entry_name(new_name),
            src_dir_fd=self.descriptor,
            dst_dir_fd=self.descriptor,
        )
        os.fsync(self.descriptor)


def is_writable_by_others(status: os.stat_result) -> bool:
    """Return True if anybody but this user and root may change a file or folder."""
    return status.st_uid not in (os.geteuid(), 0) or bool(status.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


@contextmanager
def _close_after(descriptor: int) -> Generator[int, None, None]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _check_entry_name(name: str) -> str:
    assert "/" not in name
    assert name not in ("", ".", "..")
    return name

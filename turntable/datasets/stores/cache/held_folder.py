"""A folder held by its descriptor, in which others may have planted anything.

No link inside is followed, and only plain files are opened: never a pipe, which would wait, or a device.
"""

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from errno import ELOOP
from pathlib import Path
from typing import Self

_SAFE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class StrangeFileError(OSError):
    """Something else than the plain file or folder that should have a name."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(ELOOP, f"{name} is not {what} (perhaps a link, which is not followed)")


@dataclass(frozen=True, slots=True)
class HeldFolder:
    """An open folder. Names are those of its own entries; one that could lead out is refused by assertion."""

    path: Path
    """For messages."""
    descriptor: int

    @classmethod
    @contextmanager
    def at(cls, path: Path, *, make: bool = False) -> Generator[Self, None, None]:
        """Hold a folder that the user named, who may have named a link.

        Raises:
            OSError: it is not there and is not to be made, or is no folder.
        """
        try:
            descriptor = os.open(path, _FOLDER)
        except FileNotFoundError:
            if not make:
                raise
            path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, _FOLDER)
        with _closing(descriptor):
            yield cls(path, descriptor)

    @contextmanager
    def inside(
        self, name: str, *, make: bool = False, mode: int = 0o777
    ) -> "Generator[HeldFolder, None, None]":
        """Hold a folder in this one.

        Args:
            name: of the folder.
            make: whether it is made if it is not there.
            mode: of one that is made, less the umask.

        Raises:
            StrangeFileError: a link or a file has its name.
            OSError: it is not there and is not to be made, or cannot be.
        """
        try:
            descriptor = self._open_folder(name)
        except FileNotFoundError:
            if not make:
                raise
            with suppress(FileExistsError):
                os.mkdir(name, mode, dir_fd=self.descriptor)
            descriptor = self._open_folder(name)
        with _closing(descriptor):
            yield HeldFolder(self.path / name, descriptor)

    def _open_folder(self, name: str) -> int:
        try:
            return os.open(_entry(name), _FOLDER | os.O_NOFOLLOW, dir_fd=self.descriptor)
        except OSError:
            if stat.S_ISDIR(self.status(name).st_mode):
                raise
            raise StrangeFileError(name, "a folder") from None

    def _is_folder(self, name: str) -> bool:
        with suppress(FileNotFoundError):
            return stat.S_ISDIR(self.status(name).st_mode)
        return False

    def open(self, name: str, flags: int = os.O_RDONLY, *, one_name: bool = False) -> int:
        """Open a plain file that is there.

        Args:
            name: of the file.
            flags: as for os.open.
            one_name: whether a file that has another name too (a hard link) is refused.

        Raises:
            StrangeFileError: it is a link, a pipe, a device, a folder, or has another name too.
            OSError: it is not there, or must not be opened.
        """
        try:
            descriptor = os.open(_entry(name), flags | _SAFE, dir_fd=self.descriptor)
        except OSError:
            if stat.S_ISREG(self.status(name).st_mode):
                raise
            raise StrangeFileError(name, "a plain file") from None
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and not (one_name and status.st_nlink > 1):
            return descriptor
        os.close(descriptor)
        raise StrangeFileError(name, "a plain file of one name")

    def create(self, name: str, mode: int) -> int:
        """Make a file, open for writing and reading.

        Args:
            name: that nothing has yet.
            mode: less the umask.

        Raises:
            OSError: the name is taken (FileExistsError), or the file cannot be made.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _SAFE
        return os.open(_entry(name), flags, mode, dir_fd=self.descriptor)

    def status(self, name: str) -> os.stat_result:
        """Return what the system says of an entry; of a link, not of what it leads to."""
        return os.stat(_entry(name), dir_fd=self.descriptor, follow_symlinks=False)

    def names(self) -> list[str]:
        """List the names of all entries."""
        with os.scandir(self.descriptor) as entries:
            return [entry.name for entry in entries]

    def remove(self, name: str) -> None:
        """Remove a file, a link, whatever else has no content, or an empty folder, if it is there."""
        try:
            os.unlink(_entry(name), dir_fd=self.descriptor)
        except FileNotFoundError:
            return
        except OSError:
            if not self._is_folder(name):
                raise
            os.rmdir(name, dir_fd=self.descriptor)

    def rename(self, name: str, new: str) -> None:
        """Give a file another name for good, replacing what had it."""
        os.rename(_entry(name), _entry(new), src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
        os.fsync(self.descriptor)


def others_may_write(status: os.stat_result) -> bool:
    """Return whether anybody but this user, and root, may change a file or folder."""
    return status.st_uid not in (os.geteuid(), 0) or bool(status.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


@contextmanager
def _closing(descriptor: int) -> Generator[int, None, None]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _entry(name: str) -> str:
    assert "/" not in name
    assert name not in ("", ".", "..")
    return name

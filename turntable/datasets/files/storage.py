"""Writing files so that they exist whole or not at all, whenever the process is killed."""

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from turntable.errors import IntegrityError, StoreError

TEMPORARY_SUFFIX = ".tmp"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_NO_FILE = {errno.ELOOP, errno.ENXIO, errno.ENODEV}
"""Answers to the opening of a link, a pipe or a device."""


@contextmanager
def clear_disk_errors(path: Path) -> Generator[None, None, None]:
    """Turn "no space left" while writing a path into an error that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise StoreError(
            f"{path}: the disk is full; free some space and run the same command again (it resumes)"
        ) from error


def temporary_path(path: Path) -> Path:
    """Where this process builds a file before it gets its name: hidden, in the same folder."""
    return path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")


def remove_temporaries(path: Path) -> None:
    """Remove what killed processes left of one file. Only a file's own writer may call this."""
    for leftover in path.parent.glob(f".{path.name}.*{TEMPORARY_SUFFIX}"):
        leftover.unlink(missing_ok=True)


def remove_all_temporaries(folder: Path) -> None:
    """Remove what killed processes left anywhere in a folder. Only its one writer may call this."""
    for leftover in folder.rglob(f".*{TEMPORARY_SUFFIX}"):
        leftover.unlink(missing_ok=True)


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_to_disk(file: BinaryIO) -> None:
    """Make a file's bytes survive a power cut."""
    file.flush()
    os.fsync(file.fileno())


def put_in_place(temporary: Path, path: Path) -> None:
    """Give a finished temporary file its name, replacing what had it, and make the name durable."""
    temporary.replace(path)
    fsync_folder(path.parent)


def open_plain(path: Path, flags: int = os.O_RDONLY, mode: int = 0o666, *, devices: bool = False) -> int:
    """Open a plain file, and return its descriptor.

    Folders in which a run works can have been made, or shared, by others: a link there would lead what is
    written to another file of the user's, and at a pipe one would wait.

    Args:
        path: Of the file; it may be a link if it is only read.
        flags: As for os.open.
        mode: Of a file that is made, less the umask.
        devices: Whether a device will do, of which the reader takes no more than it has room for.

    Raises:
        StoreError: A pipe, a device or, to be written, a link has its name.
        OSError: It is not there, or must not be opened.
    """
    try:
        follow = 0 if flags == os.O_RDONLY else os.O_NOFOLLOW
        descriptor = os.open(path, flags | follow | os.O_NONBLOCK | os.O_CLOEXEC, mode)
    except OSError as error:
        if error.errno not in _NO_FILE:
            raise
        raise _not_plain(path) from None
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode) or (devices and stat.S_ISCHR(mode)):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise _not_plain(path)


def _not_plain(path: Path) -> StoreError:
    return StoreError(
        f"{path}: a link or no plain file; remove it if you know that nothing needs it, or choose another "
        "folder"
    )


@contextmanager
def atomic_file(path: Path) -> Generator[BinaryIO, None, None]:
    """Open a binary file that takes its name only when the block ends without error.

    Args:
        path: its folder is made if need be; an existing file is replaced in one step.

    Yields:
        The temporary file, open for writing and reading.

    Raises:
        StoreError: the disk is full. Whatever the error, the temporary file is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_path(path)
    try:
        with clear_disk_errors(path):
            temporary.unlink(missing_ok=True)
            with temporary.open("xb+") as file:
                yield file
                flush_to_disk(file)
            put_in_place(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically."""
    with atomic_file(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file atomically, with line ends as they are."""
    write_bytes(path, text.encode("utf-8"))


def append_line(path: Path, line: str) -> None:
    """Append one line to a journal and wait until it is on the disk.

    A line that a killed process left unfinished is cut off first, so it never joins the next.

    Args:
        path: the journal; made if need be.
        line: without its line end.

    Raises:
        StoreError: the disk is full, or a link or no plain file has the journal's name.
    """
    assert "\n" not in line
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    with clear_disk_errors(path), os.fdopen(open_plain(path, flags), "ab+") as file:
        file.truncate(_whole_length(file))
        file.write(line.encode("utf-8") + b"\n")
        flush_to_disk(file)
    if is_new:
        fsync_folder(path.parent)


def read_lines(path: Path) -> list[str]:
    """Return the finished lines of a journal; none where there is no journal yet.

    Raises:
        StoreError: no plain file has its name.
        IntegrityError: it is not UTF-8.
    """
    try:
        with os.fdopen(open_plain(path), "rb") as file:
            whole, _, _unfinished = file.read().rpartition(b"\n")
    except FileNotFoundError:
        return []
    return decoded(whole, str(path)).split("\n") if whole else []


def decoded(data: bytes, where: str) -> str:
    """Return the text of a file; raise IntegrityError, which names it, where it is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise IntegrityError(f"{where}: not UTF-8 ({error.reason}); remove it, or fetch it again") from None


def _whole_length(file: BinaryIO) -> int:
    """Length of a file up to and with its last line end."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - 4096)
        file.seek(start)
        last = file.read(end - start).rfind(b"\n")
        if last >= 0:
            return start + last + 1
        end = start
    return 0

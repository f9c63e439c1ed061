"""Writing of files that exist whole or not at all, whenever the process is killed."""

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from turntable.errors import IntegrityError, StoreError

TEMPORARY_SUFFIX = ".tmp"
"""Suffix of files that are still being written."""
_DISK_FULL_ERRNOS = {errno.ENOSPC, errno.EDQUOT}
_NOT_PLAIN_ERRNOS = {errno.ELOOP, errno.ENXIO, errno.ENODEV}
"""Errors of ``os.open`` for a link (with O_NOFOLLOW), a pipe without a reader, or a device."""


@contextmanager
def convert_disk_full_error(path: Path) -> Generator[None, None, None]:
    """Turn "no space left" while a path is written into a StoreError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK_FULL_ERRNOS:
            raise
        raise StoreError(
            f"{path}: the disk is full; free some space and run the same command again (it resumes)"
        ) from error


def make_temporary_path(path: Path) -> Path:
    """Return the path under which this process builds a file: hidden, and in the same folder."""
    return path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")


def remove_temporaries(path: Path) -> None:
    """Remove the temporary files that killed processes left of one file.

    Only the file's own writer may call this.
    """
    for leftover in path.parent.glob(f".{path.name}.*{TEMPORARY_SUFFIX}"):
        leftover.unlink(missing_ok=True)


def remove_all_temporaries(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder.

    Only the folder's one writer may call this.
    """
    for leftover in folder.rglob(f".*{TEMPORARY_SUFFIX}"):
        leftover.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Flush a folder to disk, so that the names in it survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_to_disk(file: BinaryIO) -> None:
    """Flush a file to disk, so that its bytes survive a power cut."""
    file.flush()
    os.fsync(file.fileno())


def move_into_place(temporary: Path, path: Path) -> None:
    """Rename a finished temporary file to its final name, replacing what had it, and flush the folder."""
    temporary.replace(path)
    flush_folder(path.parent)


def open_plain_file(
    path: Path, flags: int = os.O_RDONLY, mode: int = 0o666, *, allow_devices: bool = False
) -> int:
    """Open a plain file and return its descriptor.

    Other users may have made the folder or may write in it. A link there would redirect what is written to
    another file of the user, and opening a pipe would wait for ever; both are refused.

    Args:
        path: Path of the file. It may be a link if it is only read.
        flags: Flags of ``os.open``.
        mode: Permissions of a new file, less the umask.
        allow_devices: True if a character device may be opened too; its reader must bound what it takes.

    Raises:
        StoreError: The path is a pipe, a device, or, if it is to be written, a link.
        OSError: The file is missing or must not be opened.
    """
    try:
        # Links are fine for reading. O_NONBLOCK keeps the opening of a pipe from waiting for a writer.
        follow = 0 if flags == os.O_RDONLY else os.O_NOFOLLOW
        descriptor = os.open(path, flags | follow | os.O_NONBLOCK | os.O_CLOEXEC, mode)
    except OSError as error:
        if error.errno not in _NOT_PLAIN_ERRNOS:
            raise
        raise _make_not_plain_error(path) from None
    file_mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(file_mode) or (allow_devices and stat.S_ISCHR(file_mode)):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(file_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise _make_not_plain_error(path)


def _make_not_plain_error(path: Path) -> StoreError:
    return StoreError(
        f"{path}: a link or no plain file; remove it if you know that nothing needs it, or choose "
        "another folder"
    )


@contextmanager
def open_atomic_file(path: Path) -> Generator[BinaryIO, None, None]:
    """Open a binary file that takes its name only if the block ends without an error.

    Whatever the error, the temporary file is removed.

    Args:
        path: Path of the file. Its folder is created if needed; an existing file is replaced in one step.

    Yields:
        The temporary file, open for writing and reading.

    Raises:
        StoreError: The disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = make_temporary_path(path)
    try:
        with convert_disk_full_error(path):
            temporary.unlink(missing_ok=True)
            with temporary.open("xb+") as file:
                yield file
                flush_to_disk(file)
            move_into_place(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes to a file atomically."""
    with open_atomic_file(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Write text to a UTF-8 file atomically, with its line ends unchanged."""
    write_bytes(path, text.encode("utf-8"))


def append_line(path: Path, line: str) -> None:
    """Append one line to a journal and wait until it is on the disk.

    A line that a killed process left unfinished is cut off first, so that it never joins the next one.

    Args:
        path: Path of the journal, which is created if needed.
        line: The line without its line end.

    Raises:
        StoreError: The disk is full, or the path is a link or not a plain file.
    """
    assert "\n" not in line
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    with convert_disk_full_error(path), os.fdopen(open_plain_file(path, flags), "ab+") as file:
        file.truncate(_find_end_of_last_line(file))
        file.write(line.encode("utf-8") + b"\n")
        flush_to_disk(file)
    if is_new:
        flush_folder(path.parent)


def read_lines(path: Path) -> list[str]:
    """Return the finished lines of a journal, or an empty list if there is no journal yet.

    Raises:
        StoreError: The path is not a plain file.
        IntegrityError: The file is not UTF-8.
    """
    try:
        with os.fdopen(open_plain_file(path), "rb") as file:
            finished, _, _unfinished = file.read().rpartition(b"\n")
    except FileNotFoundError:
        return []
    return decode_utf8(finished, str(path)).split("\n") if finished else []


def decode_utf8(data: bytes, display_name: str) -> str:
    """Return the text of a file from its bytes.

    Args:
        data: Bytes of the file.
        display_name: Name of the file in the message.

    Raises:
        IntegrityError: The bytes are not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise IntegrityError(
            f"{display_name}: not UTF-8 ({error.reason}); remove it, or fetch it again"
        ) from None


def _find_end_of_last_line(file: BinaryIO) -> int:
    """Return the length of a file up to and including its last line end. The search starts at its end."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - 4096)
        file.seek(start)
        last = file.read(end - start).rfind(b"\n")
        if last >= 0:
            return start + last + 1
        end = start
    return 0

"""Exclusive access to a local folder: a lock that the kernel releases when its holder dies."""

import errno
import fcntl
import json
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from turntable.datasets.files import open_plain_file
from turntable.errors import InvalidInputError, format_text

_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}
"""The errors of file systems without locks. There, nothing keeps two runs apart."""


@contextmanager
def hold_lock(path: Path, *, shared: bool = False) -> Generator[None, None, None]:
    """Hold a lock file for the time of a block, and remove it afterwards.

    Args:
        path: Path of the lock file, in the folder that it protects.
        shared: True to share the lock with others who share it; it still excludes an exclusive holder.

    Raises:
        InvalidInputError: Another process holds the lock. The message names the process.
        StoreError: The path is a link or not a plain file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _acquire_lock(path, shared)
    try:
        if not shared:
            os.ftruncate(descriptor, 0)
            os.pwrite(
                descriptor, json.dumps({"host": socket.gethostname(), "process": os.getpid()}).encode(), 0
            )
        yield
    finally:
        # A shared lock's file is removed by its last holder. Only the last one can get the exclusive lock.
        with suppress(OSError):
            if shared:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _acquire_lock(path: Path, shared: bool) -> int:
    operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    while True:
        descriptor = open_plain_file(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return descriptor
            holder = _describe_holder(descriptor)
            os.close(descriptor)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise InvalidInputError(
                f"{path.parent}: another run is writing there{holder}; wait for it or stop it, or choose "
                "another --out"
            ) from None
        if _is_current(descriptor, path):
            return descriptor
        # The last holder removed the file after it was opened here. A lock on a removed file protects
        # nothing, since the next process creates another; so try again.
        os.close(descriptor)


def _is_current(descriptor: int, path: Path) -> bool:
    try:
        return os.fstat(descriptor).st_ino == path.lstat().st_ino
    except FileNotFoundError:
        return False


def _describe_holder(descriptor: int) -> str:
    try:
        table = json.loads(os.pread(descriptor, 1000, 0))
        return f" (process {format_text(str(table['process']))} on {format_text(str(table['host']))})"
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""

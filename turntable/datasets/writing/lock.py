"""Exclusive access to a local folder: a lock that the kernel releases when its holder dies."""

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from turntable.datasets.files import convert_disk_full_error, open_plain_file
from turntable.errors import InvalidInputError, format_text

LOCK_NAME = "run.lock"
"""The lock file of a folder that one run at a time may write to, whatever the run makes."""
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}
"""The errors of file systems without locks. There, nothing keeps two runs apart."""


@contextmanager
def hold_lock(path: Path, *, shared: bool = False) -> Generator[bool, None, None]:
    """Hold a lock file for the time of a block, and remove it afterwards.

    Args:
        path: Path of the lock file, in the folder that it protects.
        shared: True to share the lock with others who share it; it still excludes an exclusive holder.

    Yields:
        True if the lock keeps others out, False if the file system has no locks.

    Raises:
        InvalidInputError: Another process or thread holds the lock. The message names the process, and since
            when it runs.
        StoreError: The path is a link or not a plain file, or the disk is full.
    """
    with convert_disk_full_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, is_locked = _acquire_lock(path, shared)
    try:
        if not shared:
            with convert_disk_full_error(path):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, json.dumps(_describe_this_process()).encode(), 0)
        yield is_locked
    finally:
        # A shared lock's file is removed by its last holder. Only the last one can get the exclusive lock.
        with suppress(OSError):
            if shared:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _describe_this_process() -> dict[str, str | int]:
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    return {"host": socket.gethostname(), "process": os.getpid(), "since": since}


def _acquire_lock(path: Path, shared: bool) -> tuple[int, bool]:
    """Open and lock the file; return its descriptor, and False if the file system has no locks."""
    operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    while True:
        descriptor = open_plain_file(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return descriptor, False
            holder = _describe_holder(descriptor)
            os.close(descriptor)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise InvalidInputError(
                f"{path.parent}: another run is writing there{holder}; wait for it or stop it, or choose "
                "another --out"
            ) from None
        if _is_current(descriptor, path):
            return descriptor, True
        # The last holder removed the file after it was opened here. A lock on a removed file protects
        # nothing, since the next process creates another; so try again.
        os.close(descriptor)


def _is_current(descriptor: int, path: Path) -> bool:
    try:
        return os.fstat(descriptor).st_ino == path.lstat().st_ino
    except FileNotFoundError:
        return False


def _describe_holder(descriptor: int) -> str:
    """Return the holder of a lock in parentheses, for messages; "" if the file does not name it."""
    try:
        table = json.loads(os.pread(descriptor, 1000, 0))
        process, host = str(table["process"]), str(table["host"])
        since = f", since {format_text(str(table['since']), 40)}" if "since" in table else ""
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    is_own = (process, host) == (str(os.getpid()), socket.gethostname())
    return (
        f" ({'this process, ' if is_own else ''}process {format_text(process)} on {format_text(host)}{since})"
    )

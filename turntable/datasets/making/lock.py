"""One writer a folder: a lock that the kernel lifts when its holder dies, however it dies."""

import errno
import fcntl
import json
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from turntable.datasets.files import open_plain
from turntable.errors import InvalidInputError, shown

_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}
"""What file systems answer that have none; runs there are on their own."""


@contextmanager
def only_writer(path: Path, *, shared: bool = False) -> Generator[None, None, None]:
    """Hold a lock file for the time of a block, and remove it after.

    Args:
        path: of the lock file, in the folder that is to have one writer.
        shared: among others who also take it shared; not with one who wants it alone.

    Raises:
        InvalidInputError: another process holds it; the message says which.
        StoreError: a link or no plain file has its name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _taken(path, shared)
    try:
        if not shared:
            os.ftruncate(descriptor, 0)
            os.pwrite(
                descriptor, json.dumps({"host": socket.gethostname(), "process": os.getpid()}).encode(), 0
            )
        yield
    finally:
        # Shared: the last one removes it, and cannot know that it is the last unless it has it alone.
        with suppress(OSError):
            if shared:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _taken(path: Path, shared: bool) -> int:
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    while True:
        descriptor = open_plain(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return descriptor
            holder = _holder(descriptor)
            os.close(descriptor)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise InvalidInputError(
                f"{path.parent}: another run is at work in it{holder}; wait for it or stop it, or choose "
                "another --out"
            ) from None
        if _is_there(descriptor, path):
            return descriptor
        os.close(descriptor)  # removed by its last holder, between our two calls


def _is_there(descriptor: int, path: Path) -> bool:
    try:
        return os.fstat(descriptor).st_ino == path.lstat().st_ino
    except FileNotFoundError:
        return False


def _holder(descriptor: int) -> str:
    try:
        table = json.loads(os.pread(descriptor, 1000, 0))
        return f" (process {shown(str(table['process']))} on {shown(str(table['host']))})"
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""

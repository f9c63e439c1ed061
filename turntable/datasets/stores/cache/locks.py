"""Locks between all processes of a node: locked files, which the kernel unlocks when their holder dies."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress

from turntable.datasets.stores.cache.safe_folder import SafeFolder, UnsafeFileError

LOCK_SUFFIX = ".lock"
"""Suffix of lock files."""


@contextmanager
def hold_lock(folder: SafeFolder, target: str, *, wait: bool = True) -> Generator[bool, None, None]:
    """Hold a lock during the block. An entry that is not a lock file but has its name is removed.

    Args:
        folder: Folder of the lock file.
        target: Name of what is locked. The lock file's name is this and ".lock".
        wait: True if the call waits while another process holds the lock.

    Yields:
        True if the lock is held; False if another process holds it and ``wait`` is False.

    Raises:
        OSError: The lock file cannot be created or opened.
    """
    name = target + LOCK_SUFFIX
    descriptor = _acquire_lock(folder, name, wait)
    if descriptor is None:
        yield False
        return
    try:
        yield True
    finally:
        # The file is removed while it is still locked, so that whoever waits for it sees that it is gone.
        with suppress(OSError):  # another user's file stays; it serves the next holder too
            folder.remove(name)
        # Unlock first: closing alone would leave the lock with a child process that was forked meanwhile.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _acquire_lock(folder: SafeFolder, name: str, wait: bool) -> int | None:
    """Return the descriptor that holds a lock, or None if another process holds it and ``wait`` is False."""
    while True:
        descriptor = _open_lock_file(folder, name)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            # The last holder may have removed the file while this process waited for it. Such a lock is
            # worthless, since others would lock a new file: try again.
            if os.fstat(descriptor).st_nlink:
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _open_lock_file(folder: SafeFolder, name: str) -> int:
    while True:
        with suppress(FileExistsError):
            return folder.create_file(name, 0o666)
        with suppress(FileNotFoundError):  # its holder removed it since the attempt to create it
            try:
                return _open_existing_lock_file(folder, name)
            except UnsafeFileError:
                folder.remove(name)


def _open_existing_lock_file(folder: SafeFolder, name: str) -> int:
    try:
        return folder.open_file(name, os.O_RDWR, refuse_hard_links=True)
    except PermissionError:  # another user's file: on a local disk, reading is enough for a lock
        return folder.open_file(name, refuse_hard_links=True)

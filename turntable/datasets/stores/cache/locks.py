"""Locks among all processes of a node: files that the kernel lets go of when their holder dies."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress

from turntable.datasets.stores.cache.held_folder import HeldFolder, StrangeFileError

LOCK_SUFFIX = ".lock"


@contextmanager
def locked(folder: HeldFolder, what: str, *, wait: bool = True) -> Generator[bool, None, None]:
    """Hold a lock; what else has its file's name is removed.

    Args:
        folder: where its file is.
        what: is locked; the file's name is this and ".lock".
        wait: for another process that holds it.

    Yields:
        Whether it is held: without waiting, another may have it.

    Raises:
        OSError: the file cannot be made or opened.
    """
    name = what + LOCK_SUFFIX
    descriptor = _take(folder, name, wait)
    if descriptor is None:
        yield False
        return
    try:
        yield True
    finally:
        with suppress(OSError):  # another user's stays, and serves the next one too
            folder.remove(name)
        # Closing alone would leave it to a child that was forked meanwhile.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _take(folder: HeldFolder, name: str, wait: bool) -> int | None:
    """The descriptor that holds a lock; None where another has it and nobody wants to wait."""
    while True:
        descriptor = _lock_file(folder, name)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            # Its last holder may have removed the file that this one was waiting for.
            if os.fstat(descriptor).st_nlink:
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock_file(folder: HeldFolder, name: str) -> int:
    while True:
        with suppress(FileExistsError):
            return folder.create(name, 0o666)
        with suppress(FileNotFoundError):  # let go in this very moment
            try:
                return _opened(folder, name)
            except StrangeFileError:
                folder.remove(name)


def _opened(folder: HeldFolder, name: str) -> int:
    try:
        return folder.open(name, os.O_RDWR, one_name=True)
    except PermissionError:  # another user's: reading is enough for a lock on a disk of this machine
        return folder.open(name, one_name=True)

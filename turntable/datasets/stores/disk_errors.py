"""Errors of a file system, converted to StoreErrors that say what to do."""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from turntable.datasets.files import convert_disk_full_error
from turntable.errors import StoreError

_NO_PERMISSION = "no permission; change its owner or mode, or"
_NO_FOLDER = "a file is where a folder should be;"
_REMEDIES = {
    errno.EACCES: _NO_PERMISSION,
    errno.EPERM: _NO_PERMISSION,
    errno.EROFS: "the file system is read-only; mount it for writing, or",
    errno.EEXIST: _NO_FOLDER,
    errno.ENOTDIR: _NO_FOLDER,
}


@contextmanager
def convert_os_errors(path: Path, last_resort: str = "choose another place") -> Generator[None, None, None]:
    """Turn an OSError in the block into a StoreError that says what to do.

    Args:
        path: Path that is read or written.
        last_resort: Advice if nothing else helps.
    """
    try:
        with convert_disk_full_error(path):
            yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "check the disk, or")
        raise StoreError(f"{path}: {error.strerror or error}: {remedy} {last_resort}") from error

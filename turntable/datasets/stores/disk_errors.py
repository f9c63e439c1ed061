"""What a file system refuses, as errors that say what to do."""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from turntable.datasets.files import clear_disk_errors
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
def clear_errors(path: Path, otherwise: str = "choose another place") -> Generator[None, None, None]:
    """Turn what the system refuses into a StoreError.

    Args:
        path: what was to be read or written.
        otherwise: what to do if nothing else helps.
    """
    try:
        with clear_disk_errors(path):
            yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "look at the disk, or")
        raise StoreError(f"{path}: {error.strerror or error}: {remedy} {otherwise}") from error

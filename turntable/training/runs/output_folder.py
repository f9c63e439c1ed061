"""The folder that a run is written to: what it may hold before, and the lock while a process writes there."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from turntable.datasets import MANIFEST_NAME
from turntable.datasets.files import TEMPORARY_SUFFIX
from turntable.datasets.shards import LABELS_TABLE_NAME
from turntable.datasets.stores import convert_os_errors
from turntable.datasets.writing import LOCK_NAME, PLAN_NAME, hold_lock
from turntable.errors import InvalidInputError, format_text

_NUM_SHOWN_NAMES = 3


def check_output_folder(folder: Path) -> None:
    """Check that a new run may be written to a folder: it is missing or empty, and in no data set.

    Raises:
        InvalidInputError: It holds a data set or other files, lies in a data set, or is a file.
    """
    resolved = folder.resolve()  # a link, or "..", may lead into a data set or out of one
    for place in (resolved, *resolved.parents):
        if _is_dataset(place):
            inside = "is" if place == resolved else f"lies in {place}, which is"
            raise InvalidInputError(
                f"{folder} {inside} a data set; give a folder of its own for the run, such as runs/"
                f"{format_text(folder.name, 40)} (--out, in Python out_dir)"
            )
    if folder.exists() and not folder.is_dir():
        raise InvalidInputError(
            f"{folder} is a file; give a new folder for the run (--out, in Python out_dir)"
        )
    names = (
        sorted(item.name for item in folder.iterdir() if not _is_leftover(item)) if folder.exists() else []
    )
    if names:
        shown = ", ".join(format_text(name, 40) for name in names[:_NUM_SHOWN_NAMES])
        more = f" and {len(names) - _NUM_SHOWN_NAMES} more" if len(names) > _NUM_SHOWN_NAMES else ""
        raise InvalidInputError(
            f"{folder} is not empty ({shown}{more}) and holds no run; give a new folder, such as"
            f" {folder / 'run'} (--out, in Python out_dir)"
        )


@contextmanager
def hold_output_folder(folder: Path, warn: Callable[[str], None]) -> Generator[None, None, None]:
    """Create the folder of a run, and keep all other runs out of it for the time of a block.

    The lock ends with this process, however it ends.

    Args:
        folder: Path of the folder.
        warn: Function that is called with a message if the file system has no locks.

    Raises:
        InvalidInputError: Another process or thread writes to the folder.
        StoreError: It cannot be written to.
    """
    with ExitStack() as stack:
        with convert_os_errors(folder):
            is_locked = stack.enter_context(hold_lock(folder / LOCK_NAME))
        if not is_locked:
            warn(
                f"{folder}: this file system has no locks, so nothing keeps a second run from writing to the"
                " same folder: start each run only once"
            )
        yield


def _is_dataset(folder: Path) -> bool:
    """Return True if a folder holds a data set of turntable, finished or not."""
    has_manifest = (folder / MANIFEST_NAME).is_file() and (folder / LABELS_TABLE_NAME).is_file()
    return has_manifest or ((folder / PLAN_NAME).is_file() and any(folder.glob("journal*.jsonl")))


def _is_leftover(path: Path) -> bool:
    """Return True for locks, and for files that a killed process was writing."""
    return path.name == LOCK_NAME or (path.name.startswith(".") and path.suffix == TEMPORARY_SUFFIX)

"""What happens in a run, one JSON line an event: for schedulers, dashboards and post-mortems."""

import json
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO

from turntable.errors import InvalidInputError

PROGRESS_S = 5.0
"""Between two events of progress."""


class Tell(Protocol):
    """Takes an event's name and its facts, ready for JSON."""

    def __call__(self, event: str, /, **facts: Any) -> None:
        """Tell it."""
        ...


def unheard(event: str, /, **facts: Any) -> None:
    """For those who do not listen."""


@contextmanager
def event_lines(path: Path | None) -> Generator[Tell, None, None]:
    """Events as lines ``{"time": seconds since 1970, "event": name, ...}``, appended to a file.

    Args:
        path: Of the file; ``-`` is the standard output, None keeps nothing.

    Raises:
        InvalidInputError: The file cannot be written.
    """
    if path is None:
        yield unheard
    elif str(path) == "-":
        yield _writer(sys.stdout)
    else:
        try:
            file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise InvalidInputError(f"--events {path}: cannot be written ({error.strerror})") from None
        with file:
            yield _writer(file)


def _writer(file: TextIO) -> Tell:
    def tell(event: str, /, **facts: Any) -> None:
        line = json.dumps({"time": round(time.time(), 3), "event": event, **facts}, ensure_ascii=True)
        file.write(line + "\n")
        file.flush()

    return tell


def now_and_then(seconds: float = PROGRESS_S) -> Callable[[], bool]:
    """True at most once in so many seconds, and at first."""
    due = 0.0

    def is_due() -> bool:
        nonlocal due
        now = time.monotonic()
        if now < due:
            return False
        due = now + seconds
        return True

    return is_due

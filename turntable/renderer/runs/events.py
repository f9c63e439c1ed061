"""Events of a run as JSON lines, for schedulers, dashboards and post-mortems."""

import json
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO

from turntable.errors import InvalidInputError

PROGRESS_INTERVAL_S = 5.0
"""Smallest time between two ``progress`` events."""


class EventSink(Protocol):
    """A function that takes the name of an event and its facts, which JSON can hold."""

    def __call__(self, event: str, /, **facts: Any) -> None:
        """Take one event."""
        ...


def ignore_event(event: str, /, **facts: Any) -> None:
    """Do nothing with an event; the sink of a run without listeners."""


@contextmanager
def open_event_log(path: Path | None) -> Generator[EventSink, None, None]:
    """Open a sink that appends each event to a file.

    An event is a line ``{"time": seconds since 1970, "event": name, ...}``.

    Args:
        path: Path of the file; ``-`` is the standard output, and None drops all events.

    Raises:
        InvalidInputError: The file cannot be written.
    """
    if path is None:
        yield ignore_event
    elif str(path) == "-":
        yield _make_event_writer(sys.stdout)
    else:
        try:
            file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise InvalidInputError(f"--events {path}: cannot be written ({error.strerror})") from None
        with file:
            yield _make_event_writer(file)


def _make_event_writer(file: TextIO) -> EventSink:
    def write_event(event: str, /, **facts: Any) -> None:
        line = json.dumps({"time": round(time.time(), 3), "event": event, **facts}, ensure_ascii=True)
        file.write(line + "\n")
        file.flush()

    return write_event


def make_rate_limiter(interval_s: float = PROGRESS_INTERVAL_S) -> Callable[[], bool]:
    """Return a function that is true on its first call, and then at most once in ``interval_s`` seconds."""
    due = 0.0

    def is_due() -> bool:
        nonlocal due
        now = time.monotonic()
        if now < due:
            return False
        due = now + interval_s
        return True

    return is_due

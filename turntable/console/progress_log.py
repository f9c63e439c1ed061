"""Progress as lines in a log, where there is no terminal for a bar, and the estimate of the time left."""

import time
from collections.abc import Sequence

from rich.console import Console

FIRST_LINE_S = 5.0
"""Time from the start to the first line of progress in a log."""
LOG_INTERVAL_S = 30.0
"""Time between two lines of progress in a log."""


class ProgressLog:
    """The lines of progress in a log: the first after some seconds, then one every half minute.

    On a terminal nothing is written, since a bar is there.
    """

    def __init__(self, console: Console) -> None:
        self._console, self._due = console, time.monotonic() + FIRST_LINE_S

    def write(self, parts: Sequence[str], seconds_left: float | None) -> None:
        """Write a line of the parts that are not empty and the time left, if it is time for a line."""
        if self._console.is_terminal or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + LOG_INTERVAL_S
        left = "" if seconds_left is None else f"{format_duration(seconds_left)} left"
        line = ", ".join(filter(None, [*parts, left]))
        self._console.print(line, highlight=False, soft_wrap=True, markup=False)


class TimeLeft:
    """An estimate of the time left, at the average speed since the first count."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def estimate(self, done: int, total: int) -> float | None:
        """Estimate the seconds until all items are done; None until some are done since the first call."""
        now = time.monotonic()
        if self._first is None:
            self._first = now, done
        began, first = self._first
        return (now - began) / (done - first) * (total - done) if first < done < total else None


def format_duration(seconds: float) -> str:
    """Return a duration in words, such as "3 h 20 min"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def format_rate(per_second: float) -> str:
    """Return a rate with two digits below ten: a slow run is not one that stands still."""
    return f"{per_second:.0f}" if per_second >= 10 else f"{per_second:.2g}"

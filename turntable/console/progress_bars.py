"""Progress bars on a terminal, and the same progress as lines in a log."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LOG_INTERVAL_S = 30.0
"""Time between two lines of progress in a log."""
MIN_WAITING_SHARE = 0.05
"""Smallest share of time spent waiting for data that is shown."""

if TYPE_CHECKING:
    from turntable.renderer.runs import Progress as RenderProgress
    from turntable.training import TrainProgress


class _Bar:
    """A progress bar that is shown while its ``with`` block runs."""

    def __init__(self, console: Console, *columns: str, elapsed: bool = True) -> None:
        extra = [TextColumn(column) for column in columns]
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=12 if columns else 40),
            MofNCompleteColumn(),
            *extra,
            *([TimeElapsedColumn()] if elapsed else []),
            TimeRemainingColumn(),
            console=console,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


class CountBar(_Bar):
    """A bar that counts items of one kind."""

    def __init__(self, console: Console, items: str) -> None:
        super().__init__(console)
        # Hidden until there is something to count: an error in the arguments must not stand below a bar.
        self._task = self._progress.add_task(items, total=None, visible=False)

    def __call__(self, done: int, total: int) -> None:
        """Show the number of items done."""
        self._progress.update(self._task, visible=True, completed=done, total=total)


class RenderBar(_Bar):
    """A bar that counts objects, with the rate of views, the time left and how many objects were left out.

    If the output is not a terminal (a batch system's log), it prints a line every ``LOG_INTERVAL_S`` instead.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(console, "{task.fields[rate]}", "{task.fields[left_out]}")
        self._console, self._last_line = console, time.monotonic()
        # Hidden until there is something to count: an error in the arguments must not stand below a bar.
        self._task = self._progress.add_task("objects", total=None, visible=False, rate="", left_out="")

    def __call__(self, progress: "RenderProgress") -> None:
        """Show the progress of rendering."""
        rate = f"{format_rate(progress.views_per_second)} views/s" if progress.views else ""
        left_out = f"{progress.quarantined} left out" if progress.quarantined else ""
        done, total = progress.objects, progress.objects_total
        self._progress.update(
            self._task, visible=True, completed=done, total=total, rate=rate, left_out=left_out
        )
        if not self._console.is_terminal and time.monotonic() - self._last_line >= LOG_INTERVAL_S:
            self._last_line = time.monotonic()
            left = progress.seconds_left
            parts = [
                f"{done}/{total} objects",
                rate,
                left_out,
                "" if left is None else f"{format_duration(left)} left",
            ]
            self._console.print(", ".join(filter(None, parts)), highlight=False, soft_wrap=True)


def format_rate(per_second: float) -> str:
    """Return a rate with two digits below ten: a slow run is not one that stands still."""
    return f"{per_second:.0f}" if per_second >= 10 else f"{per_second:.2g}"


def format_duration(seconds: float) -> str:
    """Return a duration in words, such as "3 h 20 min"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


class TrainBar(_Bar):
    """A bar that counts steps, with the loss, the rate of images and the share of time spent waiting.

    If the output is not a terminal (a batch system's log), it prints a line every ``LOG_INTERVAL_S`` instead.
    """

    def __init__(self, console: Console, method: str) -> None:
        super().__init__(console, "{task.fields[state]}", elapsed=False)  # so that it fits 80 columns
        self._console, self._last_line, self._method = console, time.monotonic(), method
        # Hidden until there is a step to count: an error in the settings must not stand below a bar.
        self._task = self._progress.add_task(method, total=None, visible=False, state="")

    def __call__(self, progress: "TrainProgress") -> None:
        """Show the progress of training."""
        done, total = progress.step, progress.num_steps
        parts = [f"loss {progress.terms['loss']:.3f}", f"{progress.images_per_second:.0f} images/s"]
        if progress.wait_fraction >= MIN_WAITING_SHARE:
            parts.append(f"waits {progress.wait_fraction:.0%}")
        self._progress.update(self._task, visible=True, completed=done, total=total, state=", ".join(parts))
        if not self._console.is_terminal and time.monotonic() - self._last_line >= LOG_INTERVAL_S:
            self._last_line = time.monotonic()
            left = progress.seconds_left
            line = [f"{self._method}: {done}/{total} steps", *parts]
            line += [] if left is None else [f"{format_duration(left)} left"]
            self._console.print(", ".join(line), highlight=False, soft_wrap=True)


class ConsoleDemoListener:
    """A listener of the demo that shows a bar for each of its stages."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def announce(self, text: str) -> None:
        """Print the name of the next stage."""
        self._console.print(text, style="bold", markup=False, highlight=False)

    def warn(self, text: str) -> None:
        """Print a warning."""
        self._console.print(text, style="yellow", markup=False, highlight=False)

    def watch_rendering(self) -> RenderBar:
        """Return a bar over objects."""
        return RenderBar(self._console)

    def watch_verification(self) -> CountBar:
        """Return a bar over shards."""
        return CountBar(self._console, "shards")

    def watch_training(self, method: str) -> TrainBar:
        """Return a bar over steps."""
        return TrainBar(self._console, method)

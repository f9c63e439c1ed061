"""Bars that a person watches while the command line works, and lines that say the same in a log."""

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

LOG_S = 30.0
"""Between two lines of progress in a log."""
LEAST_WAITING = 0.05
"""The share of time spent in waiting for data from which on it is worth saying."""

if TYPE_CHECKING:
    from turntable.renderer.runs import Progress as RenderProgress
    from turntable.training import TrainProgress


class _Bar:
    """A bar that shows itself while the block runs."""

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
    """Counts things of one kind."""

    def __init__(self, console: Console, things: str) -> None:
        super().__init__(console)
        self._task = self._progress.add_task(things, total=None)

    def __call__(self, done: int, total: int) -> None:
        """Show how many are done."""
        self._progress.update(self._task, completed=done, total=total)


class RenderBar(_Bar):
    """Counts objects, with the rate of views, the time left, and how many objects were left out.

    Where no one watches (a batch system's log), a line now and then says the same.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(console, "{task.fields[rate]}", "{task.fields[left_out]}")
        self._console, self._said = console, time.monotonic()
        # Unseen until there is something to count: an error in the arguments stands alone.
        self._task = self._progress.add_task("objects", total=None, visible=False, rate="", left_out="")

    def __call__(self, progress: "RenderProgress") -> None:
        """Show how far rendering is."""
        rate = f"{progress.views_per_second:.0f} views/s" if progress.views else ""
        left_out = f"{progress.quarantined} left out" if progress.quarantined else ""
        done, total = progress.objects, progress.objects_total
        self._progress.update(
            self._task, visible=True, completed=done, total=total, rate=rate, left_out=left_out
        )
        if not self._console.is_terminal and time.monotonic() - self._said >= LOG_S:
            self._said = time.monotonic()
            left = progress.seconds_left
            said = [
                f"{done}/{total} objects",
                rate,
                left_out,
                "" if left is None else f"{duration(left)} left",
            ]
            self._console.print(", ".join(filter(None, said)), highlight=False, soft_wrap=True)


def duration(seconds: float) -> str:
    """In words as long as need be: "3 h 20 min"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


class TrainBar(_Bar):
    """Counts steps, with the loss, the rate of images and the share of time that they were waited for.

    Where no one watches (a batch system's log), a line now and then says the same.
    """

    def __init__(self, console: Console, method: str) -> None:
        super().__init__(console, "{task.fields[state]}", elapsed=False)  # so that it fits 80 columns
        self._console, self._said, self._method = console, time.monotonic(), method
        # Unseen until there is a step to count: an error in the settings stands alone.
        self._task = self._progress.add_task(method, total=None, visible=False, state="")

    def __call__(self, progress: "TrainProgress") -> None:
        """Show how far training is."""
        done, total = progress.step, progress.steps
        said = [f"loss {progress.terms['loss']:.3f}", f"{progress.images_per_second:.0f} images/s"]
        if progress.waiting >= LEAST_WAITING:
            said.append(f"waits {progress.waiting:.0%}")
        self._progress.update(self._task, visible=True, completed=done, total=total, state=", ".join(said))
        if not self._console.is_terminal and time.monotonic() - self._said >= LOG_S:
            self._said = time.monotonic()
            left = progress.seconds_left
            line = [f"{self._method}: {done}/{total} steps", *said]
            line += [] if left is None else [f"{duration(left)} left"]
            self._console.print(", ".join(line), highlight=False, soft_wrap=True)


class ConsoleWatcher:
    """A watcher of the demo that shows its stages on the console, one bar after the other."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        """Announce what comes next."""
        self._console.print(text, style="bold", markup=False, highlight=False)

    def warn(self, text: str) -> None:
        """Say what the user should know."""
        self._console.print(text, style="yellow", markup=False, highlight=False)

    def rendering(self) -> RenderBar:
        """A bar over objects."""
        return RenderBar(self._console)

    def verifying(self) -> CountBar:
        """A bar over shards."""
        return CountBar(self._console, "shards")

    def training(self, method: str) -> TrainBar:
        """A bar over steps."""
        return TrainBar(self._console, method)

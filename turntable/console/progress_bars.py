"""Progress bars on a terminal, and the same progress as lines in a log."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from turntable.console.progress_log import ProgressLog, TimeLeft, format_rate
from turntable.sizes import format_bytes

MIN_WAITING_SHARE = 0.05
"""Smallest share of time spent waiting for data that is shown."""

if TYPE_CHECKING:
    from turntable.evaluation import StageProgress
    from turntable.renderer.runs import Progress as RenderProgress
    from turntable.training import TrainProgress


class _Bar:
    """A progress bar that is shown while its ``with`` block runs.

    If the output is not a terminal (a batch system's log), it prints a line now and then instead. The bar is
    hidden until there is something to count: an error in the arguments must not stand below a bar.
    """

    counts: type[ProgressColumn] = MofNCompleteColumn
    """The column with the number of items done and of all."""

    def __init__(self, console: Console, items: str, *fields: str, elapsed: bool = True) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=12 if fields else 24),
            self.counts(),
            *(TextColumn(f"{{task.fields[{name}]}}", markup=False) for name in fields),
            *([TimeElapsedColumn()] if elapsed else []),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._log = ProgressLog(console)
        values: dict[str, Any] = dict.fromkeys(fields, "")
        self._task = self._progress.add_task(items, total=None, visible=False, **values)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def _show(self, done: int, total: int, **fields: Any) -> None:
        """Show the bar with the number of items done, and the values of its fields."""
        self._progress.update(self._task, visible=True, completed=done, total=total, **fields)


class CountBar(_Bar):
    """A bar that counts items of one kind, with the time left."""

    def __init__(self, console: Console, items: str) -> None:
        super().__init__(console, items)
        self._items, self._time_left = items, TimeLeft()

    def __call__(self, done: int, total: int) -> None:
        """Show the number of items done."""
        self._show(done, total)
        self._log.write([f"{done}/{total} {self._items}"], self._time_left.estimate(done, total))


class ByteBar(_Bar):
    """A bar that counts bytes, with the time left."""

    counts = DownloadColumn

    def __init__(self, console: Console) -> None:
        super().__init__(console, "copied")
        self._time_left = TimeLeft()

    def __call__(self, done: int, total: int) -> None:
        """Show the number of bytes done."""
        self._show(done, total)
        self._log.write(
            [f"{format_bytes(done)} of {format_bytes(total)}"], self._time_left.estimate(done, total)
        )


class StageBar(_Bar):
    """A bar that counts the items of one stage after the other, with the time left of the stage.

    Args:
        console: Console to print to.
        work: Name of the whole work, with which the lines in a log begin, such as "evaluate".
    """

    def __init__(self, console: Console, work: str) -> None:
        super().__init__(console, "", "unit")
        self._work, self._stage, self._time_left = work, "", TimeLeft()

    def __call__(self, progress: "StageProgress") -> None:
        """Show the progress of a stage."""
        if progress.stage != self._stage:
            self._stage, self._time_left = progress.stage, TimeLeft()
            self._progress.reset(self._task, description=progress.stage, total=progress.total)
        self._show(progress.done, progress.total, unit=progress.unit)
        self._log.write(
            [f"{self._work}: {progress.stage}", f"{progress.done}/{progress.total} {progress.unit}"],
            self._time_left.estimate(progress.done, progress.total),
        )


class RenderBar(_Bar):
    """A bar that counts objects, with the rate of views, the time left and how many objects were left out."""

    def __init__(self, console: Console) -> None:
        super().__init__(console, "objects", "rate", "left_out")

    def __call__(self, progress: "RenderProgress") -> None:
        """Show the progress of rendering."""
        rate = f"{format_rate(progress.views_per_second)} views/s" if progress.views else ""
        left_out = f"{progress.quarantined} left out" if progress.quarantined else ""
        done, total = progress.objects, progress.objects_total
        self._show(done, total, rate=rate, left_out=left_out)
        self._log.write([f"{done}/{total} objects", rate, left_out], progress.seconds_left)


class TrainBar(_Bar):
    """A bar that counts steps, with the loss, the rate of images and the share of time spent waiting."""

    def __init__(self, console: Console, method: str) -> None:
        super().__init__(console, method, "state", elapsed=False)  # so that it fits 80 columns
        self._method = method

    def __call__(self, progress: "TrainProgress") -> None:
        """Show the progress of training."""
        done, total = progress.step, progress.num_steps
        parts = [f"loss {progress.terms['loss']:.3f}", f"{progress.images_per_second:.0f} images/s"]
        if progress.wait_fraction >= MIN_WAITING_SHARE:
            parts.append(f"waits {progress.wait_fraction:.0%}")
        self._show(done, total, state=", ".join(parts))
        self._log.write([f"{self._method}: {done}/{total} steps", *parts], progress.seconds_left)


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

    def watch_evaluation(self, method: str) -> StageBar:
        """Return a bar over the stages of an evaluation."""
        return StageBar(self._console, method)

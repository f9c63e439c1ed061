"""What a person sees while the command line works: bars and tables."""

import os
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from turntable.datasets.dataset import Dataset

if TYPE_CHECKING:
    from turntable.renderer.generate import Progress as RenderProgress


def default_workers() -> int:
    """One process a core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


class _Bar:
    """A bar that shows itself while the block runs."""

    def __init__(self, console: Console, *columns: str) -> None:
        extra = [TextColumn(column) for column in columns]
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            *extra,
            TimeElapsedColumn(),
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

    def update(self, done: int, total: int) -> None:
        """Show how many are done."""
        self._progress.update(self._task, completed=done, total=total)


class RenderBar(_Bar):
    """Counts objects, with the rate of views and how many objects were left out."""

    def __init__(self, console: Console) -> None:
        super().__init__(console, "{task.fields[rate]}", "{task.fields[left_out]}")
        self._task = self._progress.add_task("objects", total=None, rate="", left_out="")

    def update(self, progress: "RenderProgress") -> None:
        """Show how far rendering is."""
        elapsed = self._progress.tasks[0].elapsed or 0.0
        rate = f"{progress.views / elapsed:.0f} views/s" if elapsed > 0 else ""
        left_out = f"{progress.quarantined} left out" if progress.quarantined else ""
        self._progress.update(
            self._task, completed=progress.objects, total=progress.objects_total, rate=rate, left_out=left_out
        )


def dataset_tables(dataset: Dataset) -> list[Table]:
    """What a data set is, as tables to print."""
    manifest = dataset.manifest
    facts = Table("", "", show_header=False, title=manifest.name, title_justify="left")
    totals = manifest.totals
    rows = {
        "views": f"{totals.images} ({totals.objects} objects, {manifest.views} each)",
        "image": f"{manifest.image_size_px} px, JPEG quality {manifest.jpeg_quality}, {manifest.channel_order}",
        "size": f"{totals.bytes / 2**20:.1f} MiB in {len(manifest.shards)} shards",
        "left out": str(manifest.quarantined),
        "meshes": ", ".join(str(value) for value in manifest.source.values()),
        "drawn by": ", ".join(str(value) for value in manifest.device.values()),
        "fingerprint": manifest.fingerprint,
    }
    for name, value in rows.items():
        facts.add_row(name, value)
    return [facts, _factor_table(dataset), _category_table(dataset)]


def _factor_table(dataset: Dataset) -> Table:
    table = Table("factor", "unit", "low", "high")
    for factor in dataset.manifest.factors:
        table.add_row(factor.name, factor.unit, f"{factor.low:.4g}", f"{factor.high:.4g}")
    return table


def _category_table(dataset: Dataset) -> Table:
    table = Table("category", *dataset.splits)
    counts: dict[str, dict[str, int]] = {name: {} for name in dataset.categories}
    for split in dataset.splits:
        with dataset.split(split) as part:
            for record in part.objects:
                counts[record.category][split] = counts[record.category].get(split, 0) + 1
    for category, by_split in counts.items():
        table.add_row(category, *(str(by_split.get(split, 0)) for split in dataset.splits))
    return table

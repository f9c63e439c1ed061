"""What a person sees while the command line works: bars and tables."""

import os
import time
from collections.abc import Sequence
from dataclasses import fields
from itertools import islice
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
from rich.table import Column, Table

from turntable.datasets import Dataset, ObjectRecord
from turntable.datasets.describing import label_rows
from turntable.datasets.draws import bars, histogram
from turntable.datasets.objects import EqualMeshes, equal_meshes
from turntable.errors import InvalidInputError, shown

LOG_S = 30.0
"""Between two lines of progress in a log."""
LEAST_WAITING = 0.05
"""The share of time spent in waiting for data from which on it is worth saying."""
HISTOGRAM_BINS = 24
WIDTH = 80
"""Of tables of scores, in characters: a terminal's, and a batch system's log's."""
LONGEST_NAME = 30
"""Of a method with its settings, in characters; a longer one breaks."""
_LONGEST_FACT, _MOST_CATEGORIES = 1000, 2000
"""Characters of one fact about a data set, and rows of its categories, that are shown at most."""

if TYPE_CHECKING:
    from turntable.datasets import Recipe
    from turntable.datasets.labels import LabelArray
    from turntable.evaluation import Results
    from turntable.renderer.runs import Progress as RenderProgress
    from turntable.studies import Comparison, StudyTable
    from turntable.training import TrainProgress


def default_workers() -> int:
    """One process a core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


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


def results_tables(results: "Sequence[Results]") -> list[Table]:
    """Scores of methods side by side in tables, as in the report; what sees no image at the end."""
    from turntable.evaluation.report import catalog_of, rows_of, tables

    shown: list[Table] = []
    for table in tables(rows_of(results), catalog_of(results)):
        rows = [[row.method, row.part, *(cell.value for cell in row.cells)] for row in table.rows]
        shown += _fitting(table.title, ["method", "part", *table.headings], rows, named=2)
    return shown


def comparison_console_tables(comparison: "Comparison", intervals: bool = False) -> list[Table]:
    """The short tables of a comparison."""
    from turntable.studies import main_rows

    shown: list[Table] = []
    for section in comparison.sections:
        headings, rows = main_rows(section, intervals)
        title = section.title if len(comparison.sections) > 1 else ""
        shown += _fitting(title, headings, rows, named=3)
    return shown


def study_console_tables(tables: "Sequence[StudyTable]") -> list[Table]:
    """The tables of a study, without the intervals."""
    from turntable.studies import told_rows

    shown: list[Table] = []
    for table in tables:
        headings = [*table.named, *(column.name for column in table.columns)]
        rows = [[*names, *(value for value, _ in cells)] for names, cells in told_rows(table)]
        shown += _fitting(table.title, headings, rows, named=len(table.named))
    return shown


def _fitting(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], named: int, width: int = WIDTH
) -> list[Table]:
    """A table in as many parts beneath each other as keep within the width, so that no number is cut.

    Args:
        title: Of the first part.
        headings: Of all columns; they break at their blanks.
        rows: Of all columns; a part leaves out those that have nothing in it.
        named: So many columns at the start name a row, and stand in every part.
        width: In characters.
    """
    widths = [
        max(len(word) for word in [*heading.split(" "), *(row[place] for row in rows)])
        for place, heading in enumerate(headings)
    ]
    widths[0] = min(widths[0], LONGEST_NAME)
    parts: list[list[int]] = [[]]
    for place in range(named, len(headings)):
        used = sum(widths[p] + 1 for p in [*range(named), *parts[-1], place])
        if parts[-1] and used > width:
            parts.append([])
        parts[-1].append(place)
    shown: list[Table] = []
    for number, part in enumerate(parts):
        table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
        table.title, table.title_justify = (title or None) if number == 0 else None, "left"
        for place in [*range(named), *part]:
            justify = "left" if place < min(named, 2) else "right"
            table.add_column(
                headings[place].replace(" ", "\n"),
                justify=justify,
                no_wrap=place > 0,
                max_width=widths[place],
            )
        for row in rows:
            if any(row[place] for place in part):
                table.add_row(*(row[place] for place in [*range(named), *part]))
        shown.append(table)
    return shown


def method_table() -> Table:
    """Make a table of all methods: turntable's, registered ones, and those of installed packages."""
    from turntable.models import method_entry, method_names

    table = _plain_table("method")
    for heading in ("learns from", "reference"):
        table.add_column(heading, overflow="fold")
    for name in method_names():
        try:
            entry = method_entry(name)
        except InvalidInputError as error:  # of an installed package that cannot be loaded
            table.add_row(name, str(error), "")
        else:
            table.add_row(name, entry.learns_from, entry.reference)
    return table


def settings_table(method: str) -> Table:
    """Make a table of a method's settings: what the paper has, and what the demo has where it differs.

    Raises:
        InvalidInputError: There is no such method.
    """
    from turntable.models import choose_method, method_entry

    entry = method_entry(choose_method(method))
    paper, demo = entry.make_config(), entry.make_config().demo()
    table = _plain_table("setting")
    table.title, table.title_justify = f"{method}: {entry.learns_from} ({entry.reference})", "left"
    table.caption, table.caption_justify = f"reads {', '.join(entry.reads)}", "left"
    for heading in ("paper", "demo"):
        table.add_column(heading, overflow="fold")
    for item in fields(paper):
        one, other = getattr(paper, item.name), getattr(demo, item.name)
        table.add_row(item.name, _setting(one), "" if one == other else _setting(other))
    return table


def _setting(value: object) -> str:
    """Write a value as ``--set`` takes it."""
    if isinstance(value, tuple):
        return ",".join(map(_setting, value))
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def dataset_tables(dataset: Dataset) -> list[Table]:
    """What a data set is, as tables to print."""
    manifest, records = dataset.manifest, _records(dataset)
    facts = Table("", Column(overflow="fold"), show_header=False, title=manifest.name, title_justify="left")
    totals = manifest.totals
    jpeg = f"JPEG quality {manifest.jpeg_quality}, {manifest.channel_order}"
    rows = {
        "views": f"{totals.images} ({totals.objects} objects, {manifest.views} each)",
        "image": f"{manifest.image_size_px} px, {jpeg}",
        "size": f"{totals.bytes / 2**20:.1f} MiB in {len(manifest.shards)} shards",
        "left out": str(manifest.quarantined),
        "meshes": manifest.meshes,
        "equal meshes": _equal(equal_meshes(records)),
        "drawn by": ", ".join(f"{name} {value}" for name, value in manifest.device.items()),
        "fingerprint": manifest.fingerprint,
    }
    for name, value in rows.items():
        facts.add_row(name, shown(value, _LONGEST_FACT))
    return [facts, _factor_table(dataset), _category_table(dataset, records)]


def _equal(found: EqualMeshes) -> str:
    if not found.objects:
        return "none"
    return (
        f"{found.objects} objects share {found.meshes} meshes; {found.conflicting} of them stand under "
        f"several labels, {found.divided} in several splits"
    )


def _records(dataset: Dataset) -> list[ObjectRecord]:
    """Of all objects: a reading of each, so read them once."""
    found: list[ObjectRecord] = []
    for name in dataset.splits:
        with dataset.split(name) as split:
            found += split.objects
    return found


def recipe_tables(recipe: "Recipe", labels: "LabelArray | None") -> list[Table]:
    """What a recipe is, its label columns, and a histogram of each where labels were drawn."""
    facts = Table("", Column(overflow="fold"), show_header=False, title=recipe.name, title_justify="left")
    rows = {
        "": recipe.description,
        "views": f"{recipe.views} of each object, {recipe.image_size_px} px, {recipe.channel_order}",
        "meshes": recipe.source,
        "splits": ", ".join(recipe.splits),
        "draws": f"{recipe.draws}, seed {recipe.seed}",
        "label digest": recipe.label_digest,
    }
    for name, value in rows.items():
        facts.add_row(name, value)
    drawn, meant = _plain_table("column", "unit", "values"), _plain_table("column")
    drawn.add_column("distribution")
    meant.add_column("meaning")
    for row in label_rows(recipe):
        drawn.add_row(row.column, row.unit, row.values, row.distribution)
        meant.add_row(row.column, row.meaning)
    return [facts, drawn, meant] + ([] if labels is None else [_histogram_table(recipe, labels)])


def _plain_table(*unbroken: str) -> Table:
    """Without lines, so that it all fits 80 columns."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in unbroken:
        table.add_column(heading, no_wrap=True)
    return table


def _histogram_table(recipe: "Recipe", labels: "LabelArray") -> Table:
    title = f"{len(labels)} views drawn of invented objects"
    table = _plain_table("column", "low", "", "high")
    table.title, table.title_justify = title, "left"
    table.columns[1].justify = "right"
    for place, factor in enumerate(recipe.factors):
        counts = histogram(factor, labels[:, place], HISTOGRAM_BINS)
        table.add_row(factor.name, f"{factor.low:.4g}", bars(counts), f"{factor.high:.4g}")
    return table


def _factor_table(dataset: Dataset) -> Table:
    table = Table("factor", "unit", "low", "high")
    for factor in dataset.manifest.factors:
        table.add_row(factor.name, factor.unit, f"{factor.low:.4g}", f"{factor.high:.4g}")
    return table


def _category_table(dataset: Dataset, records: Sequence[ObjectRecord]) -> Table:
    table = Table("category", *dataset.splits)
    counts: dict[str, dict[str, int]] = {name: {} for name in dataset.categories}
    for record in records:
        counts.setdefault(record.category, {})
        counts[record.category][record.split] = counts[record.category].get(record.split, 0) + 1
    for category, by_split in islice(counts.items(), _MOST_CATEGORIES):
        table.add_row(category, *(str(by_split.get(split, 0)) for split in dataset.splits))
    if len(counts) > _MOST_CATEGORIES:
        table.add_row(f"and {len(counts) - _MOST_CATEGORIES:,} more")
    return table

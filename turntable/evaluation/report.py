"""The report: one HTML page, complete in itself, that shows data, trainings and scores side by side."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.dataset import Dataset
from turntable.datasets.storage import write_text
from turntable.errors import MissingExtraError
from turntable.evaluation.figures import histograms, loss_curves
from turntable.evaluation.results import Results, Row, Score
from turntable.training import open_run, read_records

COLUMNS: dict[str, tuple[str, float, int]] = {
    "top1": ("top-1, %", 100, 1),
    "r2_pooled": ("R² pooled", 1, 3),
    "r2_averaged": ("R² averaged", 1, 3),
    "geodesic_mean_deg": ("error, mean °", 1, 1),
    "geodesic_median_deg": ("error, median °", 1, 1),
    "acc_at_15": ("within 15°, %", 100, 1),
    "acc_at_30": ("within 30°, %", 100, 1),
}
"""Heading, factor and digits of every metric in the table."""

_LOWER_IS_BETTER = frozenset({"geodesic_mean_deg", "geodesic_median_deg"})


@dataclass(frozen=True, slots=True, eq=False)
class DatasetSummary:
    """What the page says of a data set."""

    name: str
    facts: Mapping[str, str]
    """Shown as they are, in order."""
    factors: Mapping[str, NDArray[np.floating]]
    """The labels of all views, by the factor's name with its unit."""
    contact_sheet: bytes | None = None
    """A PNG or JPEG."""


@dataclass(frozen=True, slots=True)
class RunCurve:
    """How a training went."""

    name: str
    losses: tuple[float, ...]
    """The mean loss of each epoch."""
    settings: str
    """In one line."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A score as the table shows it."""

    value: str
    interval: str
    best: bool


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of the table."""

    method: str
    part: str
    cells: tuple[Cell, ...]


def summarize_dataset(dataset: Dataset, contact_sheet: bytes | None = None) -> DatasetSummary:
    """Read what the page says of a data set.

    Args:
        dataset: Open.
        contact_sheet: A picture of some of its views, PNG or JPEG.

    Raises:
        IntegrityError: A shard's index is damaged.
    """
    manifest = dataset.manifest
    labels: list[NDArray[np.float32]] = []
    counts: list[str] = []
    for name in dataset.splits:
        with dataset.split(name) as split:
            labels.append(split.labels.reshape(-1, len(manifest.factors)))
            counts.append(f"{split.num_objects} {name}")
    columns = np.concatenate(labels).T
    facts = {
        "objects": f"{manifest.totals.objects} ({', '.join(counts)})",
        "categories": str(len(manifest.categories)),
        "views": f"{manifest.views} of each object",
        "pixels": f"{manifest.image_size_px} × {manifest.image_size_px}",
        "images": f"{manifest.totals.images:,}",
        "fingerprint": manifest.fingerprint[:16],
    }
    units = {"1": "", "rad": ", rad", "turn": ", turns", "W": ", W"}
    factors = {
        f.name.removesuffix("_rad") + units[f.unit]: v for f, v in zip(manifest.factors, columns, strict=True)
    }
    return DatasetSummary(manifest.name, facts, factors, contact_sheet)


def summarize_run(run_dir: Path | str) -> RunCurve:
    """Read how a training went, finished or not.

    Raises:
        InvalidInputError: The folder holds no run.
    """
    run = open_run(run_dir)
    losses = tuple(record["loss"] for record in read_records(run.records) if record["kind"] == "epoch")
    config = run.config
    settings = (
        f"{config.backbone}, {config.epochs} epochs of {config.pairs_per_object} pairs an object, "
        f"batch {config.batch_size}, learning rate {config.learning_rate:g}, seed {config.seed}"
    )
    return RunCurve(config.method, losses, settings)


def write_report(
    path: Path | str, dataset: DatasetSummary, runs: Sequence[RunCurve], results: Sequence[Results]
) -> Path:
    """Write the page atomically; it needs no other file and no network.

    Args:
        path: The HTML file.
        dataset: What the runs were evaluated on.
        runs: Their trainings, in the order to show.
        results: Their scores, all on that data set.

    Returns:
        ``path``.

    Raises:
        MissingExtraError: Jinja2 or matplotlib is not installed.
    """
    page = _template().render(
        dataset=dataset,
        contact_sheet=_data_url(dataset.contact_sheet) if dataset.contact_sheet else None,
        histograms=_data_url(histograms(dataset.factors)) if dataset.factors else None,
        curves=_data_url(loss_curves({run.name: run.losses for run in runs})) if runs else None,
        runs=runs,
        headings=[heading for heading, _, _ in COLUMNS.values()],
        rows=table_rows(results),
        num_val_objects=results[0].num_val_objects if results else 0,
        num_val_pairs=results[0].num_val_pairs if results else 0,
        protocol=results[0].protocol.get("name", "") if results else "",
        meaning=meaning(results),
    )
    write_text(Path(path), page)
    return Path(path)


def table_rows(results: Sequence[Results]) -> list[TableRow]:
    """All parts of all methods, then what sees no image; the best of each column is marked."""
    rows = [(result.method, row) for result in results for row in result.rows if row.name != "constant"]
    best = {name: _best(name, (row for _, row in rows)) for name in COLUMNS}
    table = [TableRow(method, row.name, _cells(row, best)) for method, row in rows]
    if results:
        table.append(TableRow("no image", "constant", _cells(results[0].row("constant"), {})))
    return table


def meaning(results: Sequence[Results]) -> tuple[str, ...]:
    """Two sentences that say what the table shows; none without results."""
    rows = [(result.method, row) for result in results for row in result.rows if row.name != "constant"]
    if not rows:
        return ()
    constant = results[0].row("constant").scores
    turn_method, turn = max(rows, key=lambda item: item[1].scores["r2_averaged"].value)
    class_method, names = max(rows, key=lambda item: item[1].scores["top1"].value)
    return (
        f"How an object it has never seen was turned between two views is told best by {turn_method}"
        f" ({turn.name}): R² averaged {turn.scores['r2_averaged'].value:.2f}, where seeing nothing gives"
        f" {_fixed(constant['r2_averaged'].value, 2)} and the truth 1, with a median error of"
        f" {turn.scores['geodesic_median_deg'].value:.0f}° instead of"
        f" {constant['geodesic_median_deg'].value:.0f}°.",
        f"What the object is, a linear classifier reads best from {class_method} ({names.name}):"
        f" right in {100 * names.scores['top1'].value:.0f} % of the views, where naming the most frequent"
        f" category is right in {100 * constant['top1'].value:.0f} %.",
    )


def _fixed(value: float, digits: int) -> str:
    """A number with so many digits, without a minus before nothing."""
    return f"{round(value, digits) + 0.0:.{digits}f}"


def _best(name: str, rows: Iterable[Row]) -> float:
    values = [row.scores[name].value for row in rows]
    pick = min if name in _LOWER_IS_BETTER else max
    return pick(values, default=float("nan"))


def _cells(row: Row, best: Mapping[str, float]) -> tuple[Cell, ...]:
    return tuple(_cell(name, row.scores[name], best.get(name)) for name in COLUMNS)


def _cell(name: str, score: Score, best: float | None) -> Cell:
    _, factor, digits = COLUMNS[name]
    value, low, high = (_fixed(factor * x, digits) for x in (score.value, score.low, score.high))
    return Cell(value, f"{low} … {high}", score.value == best)


def _data_url(image: bytes) -> str:
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"


def _template() -> Any:
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtraError("Jinja2", "train") from error
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.get_template("report.html")

"""The report: one HTML page, complete in itself, that shows data, trainings and scores side by side."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.dataset import Dataset
from turntable.datasets.storage import write_text
from turntable.errors import MissingExtraError
from turntable.evaluation.compare import Comparison, comparison_tables
from turntable.evaluation.details import Details
from turntable.evaluation.figures import error_over_angle, histograms, loss_curves, projections
from turntable.evaluation.results import Results, Row
from turntable.evaluation.retrieval_sheet import retrieval_sheet
from turntable.evaluation.tables import Table, fixed, rows_of, tables
from turntable.training import open_run, read_records


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
class Picture:
    """A figure of the page."""

    image: bytes
    """PNG."""
    title: str
    caption: str


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
    path: Path | str,
    dataset: DatasetSummary,
    runs: Sequence[RunCurve],
    results: Sequence[Results],
    pictures: Sequence[Picture] = (),
) -> Path:
    """Write the page atomically; it needs no other file and no network.

    Args:
        path: The HTML file.
        dataset: What the runs were evaluated on.
        runs: Their trainings, in the order to show.
        results: Their scores, all on that data set.
        pictures: More figures, after the scores.

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
        tables=tables(rows_of(results)),
        elsewhere=_elsewhere(results),
        pictures=[(_data_url(picture.image), picture) for picture in pictures],
        num_val_objects=results[0].num_val_objects if results else 0,
        num_val_pairs=results[0].num_val_pairs if results else 0,
        protocol=results[0].protocol.get("name", "") if results else "",
        meaning=meaning(results),
    )
    write_text(Path(path), page)
    return Path(path)


def write_run_report(
    run_dir: Path | str, dataset: Dataset, results: Results, details: Details, path: Path | str
) -> Path:
    """Write the page of one evaluated run: scores, errors over angles, views as points, what is retrieved.

    Args:
        run_dir: The run's folder.
        dataset: What it was evaluated on.
        results: Its scores.
        details: What its pictures show.
        path: The HTML file.

    Returns:
        ``path``.

    Raises:
        InvalidInputError: The folder holds no run.
        MissingExtraError: Jinja2 or matplotlib is not installed.
    """
    curve = summarize_run(run_dir)
    return write_report(
        path,
        summarize_dataset(dataset),
        [curve] if curve.losses else [],
        [results],
        pictures_of(details, dataset, results),
    )


def write_comparison(path: Path | str, comparison: Comparison) -> Path:
    """Write a comparison as a page, complete in itself.

    Args:
        path: The HTML file.
        comparison: Of evaluated runs.

    Returns:
        ``path``.

    Raises:
        MissingExtraError: Jinja2 is not installed.
    """
    page = _template("comparison.html").render(
        tables=comparison_tables(comparison), warnings=comparison.warnings
    )
    write_text(Path(path), page)
    return Path(path)


def pictures_of(details: Details, dataset: Dataset, results: Results) -> list[Picture]:
    """What the details of an evaluation look like."""
    pictures = []
    if details.errors_deg:
        constant = results.row("constant").scores.get("geodesic_median_deg")
        pictures.append(
            Picture(
                error_over_angle(details.turn_deg, details.errors_deg, constant and constant.value),
                "Error over the angle of the turn",
                "The median error of pairs whose views are so far apart, with the middle half of them shaded."
                " Dashed: what sees no image, over all pairs.",
            )
        )
    if details.projections:
        names = tuple(dataset.manifest.categories)
        pictures.append(
            Picture(
                projections(details.projections, details.projected_categories, names),
                "Views as points",
                "The first two principal components of some views of held-out objects, coloured by category."
                " A part that stays as an object turns shows categories as clouds.",
            )
        )
    if details.retrieval is not None:
        pictures.append(
            Picture(
                retrieval_sheet(details.retrieval, dataset),
                "What the predictor finds",
                "Left the view that is predicted from, then the one that is asked for, then the five views of"
                " the object nearest to the prediction; framed where it is the one.",
            )
        )
    return pictures


def _elsewhere(results: Sequence[Results]) -> list[tuple[str, str, tuple[Table, ...]]]:
    """Name, what it is to training, and tables of each further data set."""
    by_name: dict[str, tuple[float | None, list[tuple[str, Row]]]] = {}
    for result in results:
        for other in result.elsewhere:
            _, rows = by_name.setdefault(other.dataset, (other.share_of_training, []))
            rows += [(result.method, row) for row in other.rows if row.name != "constant"]
    for result in results:
        for other in result.elsewhere:
            rows = by_name[other.dataset][1]
            if rows[-1][1].name != "constant":
                rows += [("no image", row) for row in other.rows if row.name == "constant"]
    return [(name, told_share(share), tables(rows)) for name, (share, rows) in by_name.items()]


def told_share(share: float | None) -> str:
    """What the share of rotations that training can show means."""
    if share is None:
        return (
            "Training does not draw rotations from ranges of angles, so how far this is outside is not known."
        )
    if share == 0:
        return "Out of distribution on SO(3): training can show none of its rotations."
    if share == 1:
        return (
            "Not out of distribution on SO(3): training can show all of its rotations, whatever their angles"
            " are called."
        )
    return f"Training can show {100 * share:.1f} % of its rotations."


def meaning(results: Sequence[Results]) -> tuple[str, ...]:
    """Two sentences that say what the table shows; none without results."""
    rows = [(result.method, row) for result in results for row in result.rows if row.name != "constant"]
    turned = [item for item in rows if "r2_averaged" in item[1].scores]
    named = [item for item in rows if "top1" in item[1].scores and not item[1].name.startswith("aggregate")]
    if not turned or not named:
        return ()
    constant = results[0].row("constant").scores
    turn_method, turn = max(turned, key=lambda item: item[1].scores["r2_averaged"].value)
    class_method, names = max(named, key=lambda item: item[1].scores["top1"].value)
    return (
        f"How an object it has never seen was turned between two views is told best by {turn_method}"
        f" ({turn.name}): R² averaged {turn.scores['r2_averaged'].value:.2f}, where seeing nothing gives"
        f" {fixed(constant['r2_averaged'].value, 2)} and the truth 1, with a median error of"
        f" {turn.scores['geodesic_median_deg'].value:.0f}° instead of"
        f" {constant['geodesic_median_deg'].value:.0f}°.",
        f"What the object is, a linear classifier reads best from {class_method} ({names.name}):"
        f" right in {100 * names.scores['top1'].value:.0f} % of the views, where naming the most frequent"
        f" category is right in {100 * constant['top1'].value:.0f} %.",
    )


def _data_url(image: bytes) -> str:
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"


def _template(name: str = "report.html") -> Any:
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtraError("Jinja2", "train") from error
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.get_template(name)

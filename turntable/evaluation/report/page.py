"""The report: one HTML page, complete in itself, that shows data, trainings and scores side by side."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from turntable.datasets import Dataset
from turntable.datasets.files import write_text
from turntable.evaluation.details import Details
from turntable.evaluation.report.catalog import Catalog, catalog_of
from turntable.evaluation.report.figures import histograms
from turntable.evaluation.report.html import curves_url, image_url, open_template
from turntable.evaluation.report.pictures import Picture, pictures_of
from turntable.evaluation.report.score_tables import (
    ShownTable,
    rows_of,
    side_by_side,
    tables,
    with_baselines_once,
)
from turntable.evaluation.report.summaries import (
    DatasetSummary,
    RunCurve,
    contact_sheet_of,
    summarize_dataset,
    summarize_run,
)
from turntable.evaluation.results import Elsewhere, Results, Row


@dataclass(frozen=True, slots=True)
class OtherData:
    """Scores on another data set, beside those on the trained one's held-out objects."""

    name: str
    share: str
    """What its rotations are to the training's, in a sentence."""
    tables: tuple[ShownTable, ...]
    notes: tuple[str, ...] = ()
    """What is left out, and why."""


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
    elsewhere, catalog = _elsewhere(dataset.name, results), catalog_of(results)
    rows, there = rows_of(results), {name: _rows_there(scored) for name, scored in elsewhere.items()}
    page = open_template("report.html").render(
        title=f"{results[0].method} on {dataset.name}" if len(results) == 1 else dataset.name,
        dataset=dataset,
        contact_sheet=image_url(dataset.contact_sheet) if dataset.contact_sheet else None,
        histograms=image_url(histograms(dataset.factors)) if dataset.factors else None,
        curves=curves_url(runs),
        runs=runs,
        tables=tables(rows, catalog),
        elsewhere=[_other_data(name, scored, catalog) for name, scored in elsewhere.items()],
        notes=_once(note for result in results for note in result.notes),
        beside=side_by_side({dataset.name: rows, **there}, catalog) if there else (),
        pictures=[(image_url(picture.image), picture) for picture in pictures],
        result=results[0] if results else None,
    )
    write_text(Path(path), page)
    return Path(path)


def write_runs_report(
    run_dirs: Sequence[Path | str],
    dataset: Dataset,
    results: Sequence[Results],
    details: Details,
    path: Path | str,
) -> Path:
    """Write the page of evaluated runs: scores, errors over angles, views as points, what is retrieved.

    Args:
        run_dirs: The runs' folders, in the order to show.
        dataset: What they were evaluated on.
        results: Their scores.
        details: What the pictures show: one run's, or several ``together``.
        path: The HTML file.

    Returns:
        ``path``.

    Raises:
        InvalidInputError: A folder holds no run.
        MissingExtraError: Jinja2 or matplotlib is not installed.
    """
    return write_report(
        path,
        summarize_dataset(dataset, contact_sheet_of(dataset)),
        [summarize_run(run_dir) for run_dir in run_dirs],
        results,
        pictures_of(details, dataset),
    )


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


def _elsewhere(own: str, results: Sequence[Results]) -> dict[str, list[tuple[str, Elsewhere]]]:
    """The scores of all methods on each further data set, by its name, with its fingerprint where need be."""
    found: dict[tuple[str, str], list[tuple[str, Elsewhere]]] = {}
    for result in results:
        for other in result.elsewhere:
            found.setdefault((other.dataset, other.fingerprint), []).append((result.method, other))
    names = [own, *(name for name, _ in found)]
    return {
        name if names.count(name) == 1 else f"{name} {fingerprint[:8]}": scored
        for (name, fingerprint), scored in found.items()
    }


def _other_data(name: str, scored: Sequence[tuple[str, Elsewhere]], catalog: Catalog) -> OtherData:
    return OtherData(
        name,
        told_share(scored[0][1].share_of_training),
        tables(_rows_there(scored), catalog),
        _once(note for _, other in scored for note in other.notes),
    )


def _rows_there(scored: Sequence[tuple[str, Elsewhere]]) -> list[tuple[str, Row]]:
    return with_baselines_once([(method, row) for method, other in scored for row in other.rows])


def _once(notes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(notes))

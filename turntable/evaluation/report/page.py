"""The report of evaluated runs: one HTML page with scores, figures, trainings and data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from turntable.datasets import Dataset
from turntable.datasets.files import write_text
from turntable.datasets.stores import convert_os_errors
from turntable.evaluation.evaluation_results import (
    OTHER_FOLDER_REMEDY,
    EvaluationResults,
    OODResults,
    ScoreRow,
    format_training_sources,
)
from turntable.evaluation.figure_data import FigureData
from turntable.evaluation.report.html import curves_to_url, image_to_url, load_template
from turntable.evaluation.report.plots import plot_histograms
from turntable.evaluation.report.report_figures import ReportFigure, build_report_figures
from turntable.evaluation.report.report_summaries import (
    DatasetSummary,
    RunSummary,
    read_contact_sheet,
    summarize_dataset,
    summarize_run,
)
from turntable.evaluation.report.score_catalog import ScoreCatalog, build_catalog
from turntable.evaluation.report.score_marks import MARKS_LEGEND
from turntable.evaluation.report.score_tables import (
    RenderedTable,
    build_side_by_side_tables,
    build_tables,
    collect_rows,
    merge_baselines,
)
from turntable.home import expand_home


@dataclass(frozen=True, slots=True)
class OODSection:
    """The section of the report about an out-of-distribution data set."""

    name: str
    """Name of the data set."""
    share: str
    """Sentence that compares its rotations with those of the training."""
    tables: tuple[RenderedTable, ...]
    """All scores on the data set."""
    notes: tuple[str, ...] = ()
    """Sentences about what is left out, and why."""


def write_report(
    path: Path | str,
    dataset: DatasetSummary,
    runs: Sequence[RunSummary],
    results: Sequence[EvaluationResults],
    figures: Sequence[ReportFigure] = (),
) -> Path:
    """Write the page atomically; it needs no other file and no network.

    Args:
        path: Path of the HTML file.
        dataset: Data set that the runs were evaluated on.
        runs: Trainings of the runs, in the order to show.
        results: Results of the runs, all on that data set.
        figures: Figures to show after the scores.

    Returns:
        ``path``.

    Raises:
        MissingExtraError: Jinja2 or matplotlib is not installed.
        StoreError: The folder cannot be written, or its disk is full.
    """
    ood_results, catalog = _group_ood_results(dataset.name, results), build_catalog(results)
    rows = collect_rows(results)
    ood_rows = {name: _list_ood_rows(scored) for name, scored in ood_results.items()}
    page = load_template("report.html").render(
        title=f"{results[0].method} on {dataset.name}" if len(results) == 1 else dataset.name,
        dataset=dataset,
        contact_sheet=image_to_url(dataset.contact_sheet) if dataset.contact_sheet else None,
        histograms=image_to_url(plot_histograms(dataset.factors)) if dataset.factors else None,
        curves=curves_to_url(runs),
        runs=runs,
        tables=build_tables(rows, catalog),
        legend=MARKS_LEGEND,
        elsewhere=[_build_ood_section(name, scored, catalog) for name, scored in ood_results.items()],
        notes=_remove_duplicates(note for result in results for note in result.notes),
        beside=build_side_by_side_tables({dataset.name: rows, **ood_rows}, catalog) if ood_rows else (),
        figures=[(image_to_url(figure.image), figure) for figure in figures],
        result=results[0] if results else None,
        trained_on=format_training_sources([(result.method, result.training) for result in results]),
    )
    target = expand_home(path)
    with convert_os_errors(target, OTHER_FOLDER_REMEDY):
        write_text(target, page)
    return target


def write_runs_report(
    run_dirs: Sequence[Path | str],
    dataset: Dataset,
    results: Sequence[EvaluationResults],
    details: FigureData,
    path: Path | str,
    more_figures: Sequence[ReportFigure] = (),
) -> Path:
    """Write the page of evaluated runs, with all figures.

    Args:
        run_dirs: Folders of the runs, in the order to show.
        dataset: Data set that the runs were evaluated on.
        results: Results of the runs.
        details: Figure data of one run, or of several by ``merge_figure_data``.
        path: Path of the HTML file.
        more_figures: Figures to show after those.

    Returns:
        ``path``.

    Raises:
        InvalidInputError: A folder holds no run.
        MissingExtraError: Jinja2 or matplotlib is not installed.
        StoreError: The folder of the page cannot be written, or its disk is full.
    """
    return write_report(
        path,
        summarize_dataset(dataset, read_contact_sheet(dataset)),
        [summarize_run(run_dir) for run_dir in run_dirs],
        results,
        [*build_report_figures(details, dataset, results[0].split), *more_figures],
    )


def format_training_share(share: float | None) -> str:
    """Return a sentence about the share of rotations that lie within the training's ranges of angles."""
    if share is None:
        return (
            "The training does not draw rotations from ranges of angles, so it is not known how far these are"
            " out of distribution."
        )
    if share == 0:
        return "Out of distribution on SO(3): none of its rotations can occur in training."
    if share == 1:
        return "Not out of distribution on SO(3): all of its rotations can occur in training."
    return f"{100 * share:.1f} % of its rotations can occur in training."


def _group_ood_results(
    own_name: str, results: Sequence[EvaluationResults]
) -> dict[str, list[tuple[str, OODResults]]]:
    """Group the results on other data sets by name of the data set.

    A data set that has the same name as another has its fingerprint in its name.
    """
    groups: dict[tuple[str, str], list[tuple[str, OODResults]]] = {}
    for result in results:
        for other in result.elsewhere:
            groups.setdefault((other.dataset, other.fingerprint), []).append((result.method, other))
    names = [own_name, *(name for name, _ in groups)]
    return {
        name if names.count(name) == 1 else f"{name} {fingerprint[:8]}": scored
        for (name, fingerprint), scored in groups.items()
    }


def _build_ood_section(
    name: str, ood_results: Sequence[tuple[str, OODResults]], catalog: ScoreCatalog
) -> OODSection:
    return OODSection(
        name,
        format_training_share(ood_results[0][1].share_of_training),
        build_tables(_list_ood_rows(ood_results), catalog),
        _remove_duplicates(note for _, other in ood_results for note in other.notes),
    )


def _list_ood_rows(ood_results: Sequence[tuple[str, OODResults]]) -> list[tuple[str, ScoreRow]]:
    return merge_baselines([(method, row) for method, other in ood_results for row in other.rows])


def _remove_duplicates(notes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(notes))

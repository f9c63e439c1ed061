"""The HTML page of a comparison."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from turntable.datasets.files import write_text
from turntable.evaluation import RunSummary, summarize_run
from turntable.evaluation.report import MARKS_LEGEND, curves_to_url, load_template
from turntable.home import expand_home
from turntable.studies.comparison import ComparedRun, Comparison
from turntable.studies.comparison_formats import build_comparison_tables


def write_comparison(path: Path | str, comparison: Comparison) -> Path:
    """Write a comparison as an HTML page that needs no other file.

    Args:
        path: Path of the HTML file.
        comparison: Comparison of evaluated runs.

    Returns:
        ``path``.

    Raises:
        MissingExtraError: Jinja2 or matplotlib is not installed.
    """
    target = expand_home(path)
    write_text(target, comparison_to_html(comparison))
    return target


def comparison_to_html(comparison: Comparison) -> str:
    """Return a comparison as HTML, with the losses of runs whose folders are known.

    Raises:
        MissingExtraError: Jinja2 or matplotlib is not installed.
    """
    return load_template("comparison.html", Path(__file__).parent).render(
        sections=[(section.title, build_comparison_tables(section)) for section in comparison.sections],
        warnings=comparison.warnings,
        notes=comparison.notes,
        legend=MARKS_LEGEND,
        curves=curves_to_url(_summarize_runs(comparison.runs), with_terms=False),
    )


def _summarize_runs(runs: Iterable[ComparedRun]) -> list[RunSummary]:
    """Summarize the runs that have losses, under their labels in the comparison."""
    summaries = [replace(summarize_run(run.folder), name=run.label) for run in runs if run.folder is not None]
    return [summary for summary in summaries if summary.losses]

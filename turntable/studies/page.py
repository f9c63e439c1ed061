"""A comparison as an HTML page."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from turntable.datasets.files import write_text
from turntable.evaluation import RunCurve, summarize_run
from turntable.evaluation.report import curves_url, open_template
from turntable.studies.comparison import ComparedRun, Comparison
from turntable.studies.short_table import comparison_tables


def write_comparison(path: Path | str, comparison: Comparison) -> Path:
    """Write a comparison as a page, complete in itself.

    Args:
        path: The HTML file.
        comparison: Of evaluated runs.

    Returns:
        ``path``.

    Raises:
        MissingExtraError: Jinja2 or matplotlib is not installed.
    """
    write_text(Path(path), comparison_page(comparison))
    return Path(path)


def comparison_page(comparison: Comparison) -> str:
    """A comparison as HTML, with the losses of the runs whose folders are known.

    Raises:
        MissingExtraError: Jinja2 or matplotlib is not installed.
    """
    return open_template("comparison.html", Path(__file__).parent).render(
        sections=[(section.title, comparison_tables(section)) for section in comparison.sections],
        warnings=comparison.warnings,
        curves=curves_url(_curves_of(comparison.runs), with_terms=False),
    )


def _curves_of(runs: Iterable[ComparedRun]) -> list[RunCurve]:
    """How the trainings went of which there are records, under the names that a comparison has for them."""
    curves = [replace(summarize_run(run.folder), name=run.label) for run in runs if run.folder is not None]
    return [curve for curve in curves if curve.losses]

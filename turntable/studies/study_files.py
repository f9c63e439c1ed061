"""The files of a study: study.json, details.npz and the page study.html."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from turntable.datasets.files import open_atomic_file, write_text
from turntable.evaluation import ScoreColumn, ScoreRow
from turntable.evaluation.report import MARKS_LEGEND, ColumnMarker, format_cell, image_to_url, load_template
from turntable.home import expand_home
from turntable.models import shorten_method_name
from turntable.studies.study import StudyColumn, StudyRow, StudyTable
from turntable.studies.study_runner import StudyResult

FORMAT_VERSION = 1
"""Version of the format of study.json."""
RESULT_NAME, DETAILS_NAME, PAGE_NAME = "study.json", "details.npz", "study.html"
"""Names of the files."""


def write_study(folder: Path | str, studied: StudyResult) -> Path:
    """Write study.json, study.html and, if the study has arrays, details.npz; each file atomically.

    Args:
        folder: Folder, which is created if it is missing.
        studied: Result of ``run_study``.

    Returns:
        Path of the folder.

    Raises:
        MissingExtraError: Jinja2 is not installed.
    """
    folder, page = expand_home(folder), study_to_html(studied)
    arrays = studied.outcome.details
    assert not any(array.dtype.hasobject for array in arrays.values()), "arrays of objects need a pickle"
    if arrays:
        with open_atomic_file(folder / DETAILS_NAME) as file:
            np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]  (its keywords share one type with a flag)
    write_text(folder / RESULT_NAME, study_to_json(studied))
    write_text(folder / PAGE_NAME, page)
    return folder


def study_to_json(studied: StudyResult) -> str:
    """Return a study as JSON, without its figures and arrays; of arrays it has shapes and types."""
    outcome = studied.outcome
    values: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "study": studied.study.name,
        "choices": dict(studied.choices),
        "dataset": studied.dataset,
        "fingerprint": studied.fingerprint,
        "split": studied.split,
        "runs": [
            {
                "label": studied_run.label,
                "method": shorten_method_name(studied_run.run.config.method),
                "seed": studied_run.run.config.seed,
                "folder": str(studied_run.run.folder),
            }
            for studied_run in studied.runs
        ],
        "tables": [asdict(table) for table in outcome.tables],
        "findings": list(outcome.findings),
        "notes": list(outcome.notes),
        "details": {
            name: {"shape": list(array.shape), "dtype": array.dtype.str}
            for name, array in outcome.details.items()
        },
    }
    return json.dumps(values, indent=1, allow_nan=False) + "\n"


def study_to_html(studied: StudyResult) -> str:
    """Return a study as an HTML page that needs no other file.

    Raises:
        MissingExtraError: Jinja2 is not installed.
    """
    return load_template("study.html", Path(__file__).parent).render(
        studied=studied,
        outcome=studied.outcome,
        tables=[(table, format_rows(table)) for table in studied.outcome.tables],
        legend=MARKS_LEGEND,
        figures=[(image_to_url(figure.image), figure) for figure in studied.outcome.figures],
    )


def format_rows(table: StudyTable) -> list[tuple[tuple[str, ...], list[tuple[str, str]]]]:
    """Format the rows of a table: names, then each score with its mark, and its interval.

    A missing score is two empty texts.
    """
    score_rows = [_to_score_row(table, row) for row in table.rows]
    markers = [ColumnMarker.from_rows(_to_score_column(column), score_rows, None) for column in table.columns]
    cells_by_row = [[format_cell(marker, row) for marker in markers] for row in score_rows]
    return [
        (row.names, [(cell.text, cell.interval) for cell in cells])
        for row, cells in zip(table.rows, cells_by_row, strict=True)
    ]


def _to_score_row(table: StudyTable, row: StudyRow) -> ScoreRow:
    """Return a row with its scores by column, as evaluation has it."""
    named = zip(table.columns, row.scores, strict=True)
    return ScoreRow(row.names[-1], 0, {column.name: score for column, score in named if score is not None})


def _to_score_column(column: StudyColumn) -> ScoreColumn:
    return ScoreColumn(column.name, column.name, "", column.factor, column.digits, column.lower_is_better)

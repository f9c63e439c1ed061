"""The files of a study: all of it in JSON, its arrays without a pickle, and a page for people."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from turntable.datasets.files import atomic_file, write_text
from turntable.evaluation.report import image_url, open_template
from turntable.models import method_label
from turntable.studies.running import Studied
from turntable.studies.study import StudyColumn, StudyTable

FORMAT_VERSION = 1
RESULT, DETAILS, PAGE = "study.json", "details.npz", "study.html"


def write_study(folder: Path | str, studied: Studied) -> Path:
    """Write study.json, study.html and, where the study has arrays, details.npz; each whole or not at all.

    Args:
        folder: Made if need be.
        studied: What ``run_study`` gave.

    Returns:
        The folder.

    Raises:
        MissingExtraError: Jinja2 is not installed.
    """
    folder, page = Path(folder), study_page(studied)
    arrays = studied.outcome.details
    assert not any(array.dtype.hasobject for array in arrays.values()), "arrays are plain"
    if arrays:
        with atomic_file(folder / DETAILS) as file:
            np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]  (its keywords share one type with a flag)
    write_text(folder / RESULT, study_json(studied))
    write_text(folder / PAGE, page)
    return folder


def study_json(studied: Studied) -> str:
    """Return all but the pictures and arrays as plain values."""
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
                "method": method_label(studied_run.run.config.method),
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


def study_page(studied: Studied) -> str:
    """Return a page complete in itself.

    Raises:
        MissingExtraError: Jinja2 is not installed.
    """
    return open_template("study.html", Path(__file__).parent).render(
        studied=studied,
        outcome=studied.outcome,
        tables=[(table, told_rows(table)) for table in studied.outcome.tables],
        pictures=[(image_url(picture.image), picture) for picture in studied.outcome.pictures],
    )


def told_rows(table: StudyTable) -> list[tuple[tuple[str, ...], list[tuple[str, str]]]]:
    """Return rows as people read them: names, then each number and its interval, or two empty texts."""
    return [
        (
            row.names,
            [
                _told(column, score.value, score.low, score.high) if score is not None else ("", "")
                for column, score in zip(table.columns, row.scores, strict=True)
            ],
        )
        for row in table.rows
    ]


def _told(column: StudyColumn, value: float, low: float, high: float) -> tuple[str, str]:
    return column.told(value), f"{column.told(low)} … {column.told(high)}"

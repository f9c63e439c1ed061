"""Studies of finished runs, and comparison of evaluated runs, as tables and pages."""

from turntable.extras import explain_import_errors

with explain_import_errors("torch"):
    import torch as _torch

from turntable.studies.comparison import Comparison, compare_runs, sort_comparison
from turntable.studies.comparison_formats import build_main_rows, comparison_to_json, comparison_to_markdown
from turntable.studies.comparison_page import comparison_to_html, write_comparison
from turntable.studies.registry import STUDIES, format_studies_table
from turntable.studies.study import (
    StudiedRun,
    Study,
    StudyColumn,
    StudyInput,
    StudyOutcome,
    StudyRow,
    StudyTable,
)
from turntable.studies.study_files import format_rows, study_to_html, study_to_json, write_study
from turntable.studies.study_runner import run_study

del _torch

__all__ = [
    "STUDIES",
    "Comparison",
    "StudiedRun",
    "Study",
    "StudyColumn",
    "StudyInput",
    "StudyOutcome",
    "StudyRow",
    "StudyTable",
    "build_main_rows",
    "compare_runs",
    "comparison_to_html",
    "comparison_to_json",
    "comparison_to_markdown",
    "format_rows",
    "format_studies_table",
    "run_study",
    "sort_comparison",
    "study_to_html",
    "study_to_json",
    "write_comparison",
    "write_study",
]

"""Studies: finished runs in, tables and a page out; comparison, and those of the registry."""

from turntable.studies.comparison import Comparison, compare_runs, ordered
from turntable.studies.page import comparison_page, write_comparison
from turntable.studies.registry import STUDIES, studies_table
from turntable.studies.running import run_study
from turntable.studies.short_table import comparison_json, comparison_markdown, main_rows
from turntable.studies.study import (
    StudiedRun,
    Study,
    StudyColumn,
    StudyInput,
    StudyOutcome,
    StudyRow,
    StudyTable,
)
from turntable.studies.study_files import study_json, study_page, told_rows, write_study

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
    "compare_runs",
    "comparison_json",
    "comparison_markdown",
    "comparison_page",
    "main_rows",
    "ordered",
    "run_study",
    "studies_table",
    "study_json",
    "study_page",
    "told_rows",
    "write_comparison",
    "write_study",
]

"""Studies: finished runs in, a table and a page out."""

from turntable.studies.comparison import Comparison, compare_runs, ordered
from turntable.studies.page import comparison_page, write_comparison
from turntable.studies.short_table import comparison_json, comparison_markdown, main_rows

__all__ = [
    "Comparison",
    "compare_runs",
    "comparison_json",
    "comparison_markdown",
    "comparison_page",
    "main_rows",
    "ordered",
    "write_comparison",
]

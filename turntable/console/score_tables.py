"""Tables of scores of evaluations, comparisons and studies, within the width of a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

WIDTH = 80
"""Width of tables of scores in characters, on a terminal and in a log."""
MAX_NAME_LENGTH = 30
"""Longest name of a method with its settings, in characters; a longer one is wrapped."""

if TYPE_CHECKING:
    from turntable.evaluation import EvaluationResults
    from turntable.studies import Comparison, StudyTable


def build_results_tables(results: "Sequence[EvaluationResults]") -> list[Table]:
    """Build tables that compare the scores of methods, as in the report; baselines come last."""
    from turntable.evaluation.report import build_catalog, build_tables, collect_rows

    tables: list[Table] = []
    for table in build_tables(collect_rows(results), build_catalog(results)):
        rows = [[row.method, row.part, *(cell.text for cell in row.cells)] for row in table.rows]
        tables += _split_table(table.title, ["method", "part", *table.headings], rows, num_name_columns=2)
    return _add_legend(tables)


def build_comparison_tables(comparison: "Comparison", intervals: bool = False) -> list[Table]:
    """Build the short tables of a comparison."""
    from turntable.studies import build_main_rows

    tables: list[Table] = []
    for section in comparison.sections:
        headings, rows = build_main_rows(section, intervals)
        title = section.title if len(comparison.sections) > 1 else ""
        tables += _split_table(title, headings, rows, num_name_columns=3)
    return _add_legend(tables)


def build_study_tables(study_tables: "Sequence[StudyTable]") -> list[Table]:
    """Build the tables of a study, without the intervals."""
    from turntable.studies import format_rows

    tables: list[Table] = []
    for table in study_tables:
        headings = [*table.named, *(column.name for column in table.columns)]
        rows = [[*names, *(value for value, _ in cells)] for names, cells in format_rows(table)]
        tables += _split_table(table.title, headings, rows, num_name_columns=len(table.named))
    return _add_legend(tables)


def _add_legend(tables: list[Table]) -> list[Table]:
    """Put the explanation of the marks below the last table."""
    from turntable.evaluation.report import MARKS_LEGEND

    if tables:
        tables[-1].caption, tables[-1].caption_justify = MARKS_LEGEND, "left"
    return tables


def _split_table(
    title: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    num_name_columns: int,
    width: int = WIDTH,
) -> list[Table]:
    """Split a table into tables that are narrow enough, so that no number is cut.

    Args:
        title: Title of the first table.
        headings: Headings of all columns; they are wrapped at spaces.
        rows: Cells of all columns. A row that is empty in all columns of a table is left out there.
        num_name_columns: Number of leading columns that name a row; they are repeated in every table.
        width: Maximum width in characters.
    """
    widths = [
        max(len(word) for word in [*heading.split(" "), *(row[column] for row in rows)])
        for column, heading in enumerate(headings)
    ]
    widths[0] = min(widths[0], MAX_NAME_LENGTH)
    parts: list[list[int]] = [[]]
    for column in range(num_name_columns, len(headings)):
        used = sum(widths[p] + 1 for p in [*range(num_name_columns), *parts[-1], column])
        if parts[-1] and used > width:
            parts.append([])
        parts[-1].append(column)
    tables: list[Table] = []
    for number, part in enumerate(parts):
        table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
        table.title, table.title_justify = (title or None) if number == 0 else None, "left"
        for column in [*range(num_name_columns), *part]:
            justify = "left" if column < min(num_name_columns, 2) else "right"
            table.add_column(
                headings[column].replace(" ", "\n"),
                justify=justify,
                no_wrap=column > 0,
                max_width=widths[column],
            )
        for row in rows:
            if any(row[column] for column in part):
                table.add_row(*(row[column] for column in [*range(num_name_columns), *part]))
        tables.append(table)
    return tables

"""Tables of scores: of evaluations, comparisons and studies, within the width of a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

WIDTH = 80
"""The width of tables of scores, in characters: a terminal's, and a batch system's log's."""
LONGEST_NAME = 30
"""The longest name of a method with its settings, in characters; a longer one breaks."""

if TYPE_CHECKING:
    from turntable.evaluation import Results
    from turntable.studies import Comparison, StudyTable


def results_tables(results: "Sequence[Results]") -> list[Table]:
    """Scores of methods side by side in tables, as in the report; what sees no image at the end."""
    from turntable.evaluation.report import catalog_of, rows_of, tables

    shown: list[Table] = []
    for table in tables(rows_of(results), catalog_of(results)):
        rows = [[row.method, row.part, *(cell.value for cell in row.cells)] for row in table.rows]
        shown += _fitting(table.title, ["method", "part", *table.headings], rows, named=2)
    return shown


def comparison_console_tables(comparison: "Comparison", intervals: bool = False) -> list[Table]:
    """The short tables of a comparison."""
    from turntable.studies import main_rows

    shown: list[Table] = []
    for section in comparison.sections:
        headings, rows = main_rows(section, intervals)
        title = section.title if len(comparison.sections) > 1 else ""
        shown += _fitting(title, headings, rows, named=3)
    return shown


def study_console_tables(tables: "Sequence[StudyTable]") -> list[Table]:
    """The tables of a study, without the intervals."""
    from turntable.studies import told_rows

    shown: list[Table] = []
    for table in tables:
        headings = [*table.named, *(column.name for column in table.columns)]
        rows = [[*names, *(value for value, _ in cells)] for names, cells in told_rows(table)]
        shown += _fitting(table.title, headings, rows, named=len(table.named))
    return shown


def _fitting(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], named: int, width: int = WIDTH
) -> list[Table]:
    """A table in as many parts beneath each other as keep within the width, so that no number is cut.

    Args:
        title: Of the first part.
        headings: Of all columns; they break at their blanks.
        rows: Of all columns; a part leaves out those that have nothing in it.
        named: So many columns at the start name a row, and stand in every part.
        width: In characters.
    """
    widths = [
        max(len(word) for word in [*heading.split(" "), *(row[place] for row in rows)])
        for place, heading in enumerate(headings)
    ]
    widths[0] = min(widths[0], LONGEST_NAME)
    parts: list[list[int]] = [[]]
    for place in range(named, len(headings)):
        used = sum(widths[p] + 1 for p in [*range(named), *parts[-1], place])
        if parts[-1] and used > width:
            parts.append([])
        parts[-1].append(place)
    shown: list[Table] = []
    for number, part in enumerate(parts):
        table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
        table.title, table.title_justify = (title or None) if number == 0 else None, "left"
        for place in [*range(named), *part]:
            justify = "left" if place < min(named, 2) else "right"
            table.add_column(
                headings[place].replace(" ", "\n"),
                justify=justify,
                no_wrap=place > 0,
                max_width=widths[place],
            )
        for row in rows:
            if any(row[place] for place in part):
                table.add_row(*(row[place] for place in [*range(named), *part]))
        shown.append(table)
    return shown

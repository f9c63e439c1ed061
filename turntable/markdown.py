"""Markdown tables, for the documentation and for the cards of data sets."""

from collections.abc import Iterable, Sequence


def format_markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Format a Markdown table, without a line end after the last row. Bars in cells are escaped.

    Args:
        headings: Headings of the columns.
        rows: Rows of cells, each as long as ``headings``.
    """
    head = [_format_row(headings), "|---" * len(headings) + "|"]
    return "\n".join([*head, *map(_format_row, rows)])


def _format_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

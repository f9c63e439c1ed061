"""Tables in Markdown: the pages of the docs and cards of data sets have them."""

from collections.abc import Iterable, Sequence


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, without a line end behind it; a bar in a cell is escaped."""
    head = [_line(headings), "|---" * len(headings) + "|"]
    return "\n".join([*head, *map(_line, rows)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

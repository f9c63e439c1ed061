"""Tables without lines between cells, so that more fits into the width of a terminal."""

from rich.table import Table


def make_plain_table(*headings: str) -> Table:
    """Return an empty table without lines, whose columns do not wrap."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    return table

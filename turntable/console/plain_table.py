"""A table without lines, so that more of it fits into the width of a terminal."""

from rich.table import Table


def plain_table(*unbroken: str) -> Table:
    """Without lines, so that it all fits 80 columns."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in unbroken:
        table.add_column(heading, no_wrap=True)
    return table

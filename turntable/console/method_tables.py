"""Tables of methods, and of the settings of one."""

from dataclasses import fields

from rich.table import Table

from turntable.console.plain_table import plain_table
from turntable.errors import InvalidInputError


def method_table() -> Table:
    """Make a table of all methods: turntable's, registered ones, and those of installed packages."""
    from turntable.models import method_entry, method_names

    table = plain_table("method")
    for heading in ("learns from", "reference"):
        table.add_column(heading, overflow="fold")
    for name in method_names():
        try:
            entry = method_entry(name)
        except InvalidInputError as error:  # of an installed package that cannot be loaded
            table.add_row(name, str(error), "")
        else:
            table.add_row(name, entry.learns_from, entry.reference)
    return table


def settings_table(method: str) -> Table:
    """Make a table of a method's settings: what the paper has, and what the demo has where it differs.

    Raises:
        InvalidInputError: There is no such method.
    """
    from turntable.models import choose_method, method_entry

    entry = method_entry(choose_method(method))
    paper, demo = entry.make_config(), entry.make_config().demo()
    table = plain_table("setting")
    table.title, table.title_justify = f"{method}: {entry.learns_from} ({entry.reference})", "left"
    table.caption, table.caption_justify = f"reads {', '.join(entry.reads)}", "left"
    for heading in ("paper", "demo"):
        table.add_column(heading, overflow="fold")
    for item in fields(paper):
        one, other = getattr(paper, item.name), getattr(demo, item.name)
        table.add_row(item.name, _setting(one), "" if one == other else _setting(other))
    return table


def _setting(value: object) -> str:
    """Write a value as ``--set`` takes it."""
    if isinstance(value, tuple):
        return ",".join(map(_setting, value))
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

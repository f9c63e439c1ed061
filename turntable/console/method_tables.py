"""Tables of the methods that can be trained, and of one method's settings."""

from dataclasses import fields

from rich.table import Table

from turntable.console.plain_table import make_plain_table
from turntable.errors import InvalidInputError


def build_method_table() -> Table:
    """Build a table of all methods: turntable's, registered ones, and those of installed packages."""
    from turntable.models import get_method_entry, list_methods

    table = make_plain_table("method")
    for heading in ("learns from", "reference"):
        table.add_column(heading, overflow="fold")
    for name in list_methods():
        try:
            entry = get_method_entry(name)
        except InvalidInputError as error:  # an installed package offers it, but cannot be imported
            table.add_row(name, str(error), "")
        else:
            table.add_row(name, entry.description, entry.reference)
    return table


def build_settings_table(method: str) -> Table:
    """Build a table of a method's settings: the paper's values, and the demo's where they differ.

    Raises:
        InvalidInputError: No method has this name.
    """
    from turntable.models import get_method_entry, resolve_method

    entry = get_method_entry(resolve_method(method))
    paper, demo = entry.make_config(), entry.make_config().demo()
    table = make_plain_table("setting")
    table.title, table.title_justify = f"{method}: {entry.description} ({entry.reference})", "left"
    table.caption, table.caption_justify = f"reads {', '.join(entry.reads)}", "left"
    for heading in ("paper", "demo"):
        table.add_column(heading, overflow="fold")
    for item in fields(paper):
        one, other = getattr(paper, item.name), getattr(demo, item.name)
        table.add_row(item.name, _format_setting(one), "" if one == other else _format_setting(other))
    return table


def _format_setting(value: object) -> str:
    """Return a value in the form that ``--set`` accepts."""
    if isinstance(value, tuple):
        return ",".join(map(_format_setting, value))
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

"""Tables of the methods that can be trained, and of the settings of a method and of its runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from turntable.console.plain_table import make_plain_table
from turntable.errors import InvalidInputError

if TYPE_CHECKING:
    from turntable.training.runs import SettingDescription


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


def build_settings_tables(method: str) -> list[Table]:
    """Build tables of the settings that ``--set`` changes: those of a method, then those of a run of it.

    Raises:
        InvalidInputError: No method has this name.
    """
    from turntable.models import get_method_entry, resolve_method
    from turntable.training.runs import describe_method_settings, describe_run_settings

    entry = get_method_entry(resolve_method(method))
    own = _build_settings_table(
        f"{method}: {entry.description} ({entry.reference})", describe_method_settings(method)
    )
    own.caption, own.caption_justify = f"reads {', '.join(entry.reads)}", "left"
    return [own, _build_settings_table("settings of every run", describe_run_settings(method))]


def _build_settings_table(title: str, settings: "Sequence[SettingDescription]") -> Table:
    table = make_plain_table("setting")
    table.title, table.title_justify = title, "left"
    for heading in ("paper", "demo", "meaning: values"):
        table.add_column(heading, overflow="fold")
    for each in settings:
        demo = "" if each.demo == each.paper else each.demo
        table.add_row(each.name, each.paper, demo, ": ".join(filter(None, [each.meaning, each.values])))
    return table

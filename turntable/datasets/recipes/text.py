"""How large a recipe may be, looked at before a parser has work with it: recipes come from others too."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from turntable.errors import InvalidInputError, RecipeError, shown

MOST_BYTES = 64 * 2**10
"""The size of a recipe, at most: a page of text."""
MOST_LINE_BYTES = 4 * 2**10
MOST_DOTS = 256
"""Dots of a line, at most: the time that a key takes grows with the square of its parts."""
MOST_DEPTH = 8
"""The depth of tables and lists within one another; a recipe has three."""


def read_text(path: Path) -> str:
    """Read the text of a recipe's file.

    Raises:
        InvalidInputError: It cannot be read.
        RecipeError: It is too long, or no text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InvalidInputError(f"recipe {path}: cannot be read ({error.strerror})") from error
    _check_size(len(data), f"{path}")
    try:
        # As a file in text mode: every way to end a line is one.
        return data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise RecipeError(f"recipe {path}: not a text file in UTF-8") from None


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """Parse the text of a recipe.

    Raises:
        RecipeError: It is no TOML, or larger or deeper than a recipe is.
    """
    _check_size(len(text), where)
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MOST_LINE_BYTES or line.count(".") > MOST_DOTS:
            raise RecipeError(
                f"recipe {where}: line {number} has {len(line):,} characters and {line.count('.'):,} dots; a "
                f"recipe's have at most {MOST_LINE_BYTES:,} and {MOST_DOTS}"
            )
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise RecipeError(f"recipe {where}: not TOML: nested too deeply") from None
    except ValueError as error:  # of syntax, and of numbers with thousands of figures
        raise RecipeError(f"recipe {where}: not TOML: {shown(str(error))}") from None


def check_extent(table: object, where: str) -> None:
    """Make sure that a table is no larger and no deeper than a recipe.

    Raises:
        RecipeError: It is, or is no table.
    """
    if not isinstance(table, dict):
        raise RecipeError(
            f"recipe {where}: {shown(repr(type(table).__name__))} is no table of a recipe's keys"
        )
    size, waiting = 0, [(cast("object", table), 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, (dict, list, tuple)) and depth > MOST_DEPTH:
            raise RecipeError(
                f"recipe {where}: tables and lists lie more than {MOST_DEPTH} deep in one another"
            )
        size += _length(value)
        _check_size(size, where)
        waiting += [(item, depth + 1) for item in _items(value)]


def _items(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for key, item in cast("dict[object, object]", value).items():
            yield key
            yield item
    elif isinstance(value, (list, tuple)):
        yield from cast("list[object]", value)


def _length(value: object) -> int:
    """Characters that a value takes at least, its items apart."""
    if isinstance(value, str):
        return len(value)
    return max(value.bit_length() // 4, 1) if isinstance(value, int) else 1


def _check_size(size: int, where: str) -> None:
    if size > MOST_BYTES:
        raise RecipeError(
            f"recipe {where}: longer than {MOST_BYTES // 2**10} KiB; a recipe is a page of text"
        )

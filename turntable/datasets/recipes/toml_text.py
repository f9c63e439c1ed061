"""Reading and parsing of recipe files. The size is limited first, because recipes may come from anyone."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from turntable.datasets.files import BYTE_ORDER_MARK, decode_user_text
from turntable.errors import InvalidInputError, RecipeError, format_text

MAX_BYTES = 64 * 2**10
"""Maximum size of a recipe: a page of text."""
MAX_LINE_BYTES = 4 * 2**10
MAX_DOTS = 256
"""Maximum number of dots in a line. The time to parse a key grows with the square of its parts."""
MAX_DEPTH = 8
"""Maximum depth of nested tables and lists. A recipe has five."""


def read_recipe_text(path: Path) -> str:
    """Read the text of a recipe's file.

    Raises:
        InvalidInputError: The file cannot be read.
        RecipeError: The file is too long, or not UTF-8 text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidInputError(f"recipe {path}: cannot be read ({error.strerror})") from error
    _check_size(len(data), f"{path}")
    try:
        return decode_user_text(data, f"recipe {path}")
    except InvalidInputError as error:
        raise RecipeError(str(error)) from None


def parse_toml(text: str, display_name: str) -> dict[str, Any]:
    """Parse the text of a recipe.

    Raises:
        RecipeError: The text is not TOML, or larger or deeper than a recipe may be.
    """
    _check_size(len(text), display_name)
    text = text.removeprefix(BYTE_ORDER_MARK)
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE_BYTES or line.count(".") > MAX_DOTS:
            raise RecipeError(
                f"recipe {display_name}: line {number} has {len(line):,} characters and {line.count('.'):,} "
                f"dots; at most {MAX_LINE_BYTES:,} and {MAX_DOTS} are allowed"
            )
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise RecipeError(f"recipe {display_name}: not TOML: nested too deeply") from None
    except ValueError as error:  # a syntax error, or a number with thousands of digits
        raise RecipeError(f"recipe {display_name}: not TOML: {format_text(str(error))}") from None


def check_extent(table: object, display_name: str) -> None:
    """Check that a table is not larger or deeper than a recipe may be.

    Raises:
        RecipeError: It is, or it is not a table.
    """
    if not isinstance(table, dict):
        raise RecipeError(
            f"recipe {display_name}: {format_text(repr(type(table).__name__))} is not a table of a recipe's "
            "keys"
        )
    # A stack instead of recursion: the depth is not known to be small yet.
    size, pending = 0, [(cast("object", table), 1)]
    while pending:
        value, depth = pending.pop()
        if isinstance(value, (dict, list, tuple)) and depth > MAX_DEPTH:
            raise RecipeError(
                f"recipe {display_name}: tables and lists are nested more than {MAX_DEPTH} deep"
            )
        size += _compute_length(value)
        _check_size(size, display_name)
        pending += [(item, depth + 1) for item in _iter_items(value)]


def _iter_items(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for key, item in cast("dict[object, object]", value).items():
            yield key
            yield item
    elif isinstance(value, (list, tuple)):
        yield from cast("list[object]", value)


def _compute_length(value: object) -> int:
    """Return a lower bound of the number of characters of a value, without its items."""
    if isinstance(value, str):
        return len(value)
    return max(value.bit_length() // 4, 1) if isinstance(value, int) else 1


def _check_size(size: int, display_name: str) -> None:
    if size > MAX_BYTES:
        raise RecipeError(
            f"recipe {display_name}: longer than {MAX_BYTES // 2**10} KiB; a recipe is a page of text"
        )

"""Conditions over the columns of a label table, as DuckDB reads them: one expression and nothing else.

What others may write is executed only after its syntax tree has been looked through: columns, constants,
comparisons and harmless functions pass; subqueries, settings, files and everything not known here do not.
"""

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from turntable.errors import InvalidInputError, MissingExtraError

_TEMPLATE = "SELECT 1 FROM labels WHERE ({}\n)"
_CLASSES = {
    "BETWEEN",
    "CASE",
    "CAST",
    "COLUMN_REF",
    "COMPARISON",
    "CONJUNCTION",
    "CONSTANT",
    "FUNCTION",
    "OPERATOR",
    "TYPE",
}
FUNCTIONS = frozenset(
    {"+", "-", "*", "/", "//", "%", "^", "**", "~~", "!~~", "~~*", "!~~*", "like_escape", "row"}
    | {"abs", "ceil", "floor", "round", "sign", "sqrt", "pow", "power", "exp", "ln", "log", "mod", "pi"}
    | {"sin", "cos", "tan", "asin", "acos", "atan", "atan2", "radians", "degrees"}
    | {"greatest", "least", "isnan", "isfinite", "isinf", "coalesce"}
    | {"lower", "upper", "length", "starts_with", "ends_with", "prefix", "suffix", "contains"}
    | {"regexp_matches", "regexp_full_match"}
)
"""What a condition may call, operators among them."""
LONGEST = 10_000
"""Characters of a condition."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that may be executed over a table."""

    text: str
    columns: tuple[str, ...]
    """That it looks at."""


def parse_condition(text: str, columns: Sequence[str]) -> Condition:
    """Make sure that a condition is one, over these columns.

    Args:
        text: "floor_hue < 0.5 and category in ('chair', 'sofa')".
        columns: of the table.

    Raises:
        InvalidInputError: it is not, and why.
    """
    if not text.strip() or len(text) > LONGEST:
        raise InvalidInputError(
            f"where: {len(text)} characters; write a condition such as "
            "\"floor_hue < 0.5 and category = 'mug'\""
        )
    tree = _tree(text)
    # Whatever else a statement may have, this one has not: a condition that closes the bracket adds some.
    if {**tree, "where_clause": None} != {**_tree("true"), "where_clause": None}:
        raise _refused(text, "it is more than one condition")
    used: dict[str, None] = {}
    for node in _nodes(tree["where_clause"]):
        _check(node, text)
        if node["class"] == "COLUMN_REF":
            used[_column(node, text, columns)] = None
    return Condition(text, tuple(used))


def _tree(text: str) -> dict[str, Any]:
    duckdb = duckdb_library()
    with duckdb.connect(":memory:") as connection:
        found = connection.execute("SELECT json_serialize_sql(?)", [_TEMPLATE.format(text)]).fetchone()
    answer = json.loads(found[0])
    if answer["error"]:
        at = int(answer.get("position", 0) or 0) - _TEMPLATE.index("{")
        rest = text[max(0, at) :].split()
        raise _refused(text, f"{answer['error_message']}, {f'at {rest[0]!r}' if rest else 'at its end'}")
    if len(answer["statements"]) != 1 or answer["statements"][0]["node"]["type"] != "SELECT_NODE":
        raise _refused(text, "it is more than one condition")
    return _without_places(answer["statements"][0]["node"])


def _without_places(node: Any) -> Any:
    """The tree without where in the text its parts stand."""
    if isinstance(node, dict):
        return {key: _without_places(value) for key, value in node.items() if key != "query_location"}
    return [_without_places(item) for item in node] if isinstance(node, list) else node


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """All expressions of a tree."""
    if isinstance(tree, dict):
        if "class" in tree:
            yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for item in tree:
            yield from _nodes(item)


def _check(node: dict[str, Any], text: str) -> None:
    if node["class"] not in _CLASSES:
        raise _refused(text, f"a {node['class'].lower().replace('_', ' ')} has no place in it")
    if node["class"] == "FUNCTION" and (node["function_name"].lower() not in FUNCTIONS or node.get("schema")):
        known = ", ".join(sorted(name for name in FUNCTIONS if name.isidentifier()))
        raise _refused(text, f"{node['function_name']} is none of the functions that it may call: {known}")


def _column(node: dict[str, Any], text: str, columns: Sequence[str]) -> str:
    """A column's name as the table has it."""
    name = ".".join(node["column_names"])
    known = {column.lower(): column for column in columns}
    if name.lower() in known:
        return known[name.lower()]
    near = difflib.get_close_matches(name, columns, n=2)
    meant = f"; did you mean {' or '.join(near)}?" if near else f"; there are {', '.join(columns)}"
    raise _refused(text, f"there is no column {name!r} (texts stand in single quotes){meant}")


def _refused(text: str, why: str) -> InvalidInputError:
    return InvalidInputError(f"where {text!r}: {why}")


def duckdb_library() -> Any:
    """DuckDB. Raises MissingExtraError where it is not installed."""
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtraError("duckdb", "train") from error
    return duckdb

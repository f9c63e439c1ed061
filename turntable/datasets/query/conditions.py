"""Conditions over the columns of a label table: a single SQL expression.

Conditions may come from anyone, so each one's syntax tree is checked before it is executed. Columns,
constants, comparisons and a list of harmless functions are allowed. Subqueries, settings, files and
everything that is not on the lists below are refused.
"""

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from turntable.datasets.query.duckdb_connection import DuckDBError, open_duckdb
from turntable.datasets.query.explanations import explain_syntax_error
from turntable.errors import InvalidInputError

# No brackets around the condition: "a) or (b" would parse within them, and break out of the brackets that a
# query later puts around it.
_QUERY_PREFIX = "SELECT 1 FROM labels WHERE "
_ALLOWED_NODES = frozenset(
    {"BETWEEN", "CASE", "CAST", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION"}
    | {"OPERATOR", "TYPE"}
)
ALLOWED_FUNCTIONS = frozenset(
    {"abs", "ceil", "floor", "round", "sign", "sqrt", "pow", "power", "exp", "ln", "log", "mod", "pi"}
    | {"sin", "cos", "tan", "asin", "acos", "atan", "atan2", "radians", "degrees"}
    | {"greatest", "least", "isnan", "isfinite", "isinf", "coalesce"}
    | {"lower", "upper", "length", "starts_with", "ends_with", "prefix", "suffix", "contains"}
    | {"regexp_matches", "regexp_full_match"}
)
"""The functions that a condition may call."""
_ALLOWED_OPERATORS = frozenset(
    {"+", "-", "*", "/", "//", "%", "^", "**", "~~", "!~~", "~~*", "!~~*"}
    | {"like_escape", "not_like_escape"}
)
"""The functions that a condition may call by writing an operator."""
_ALLOWED_TYPES = frozenset(
    {"BOOLEAN", "BOOL", "TINYINT", "SMALLINT", "INTEGER", "INT", "BIGINT", "FLOAT", "REAL", "DOUBLE"}
    | {"DECIMAL", "VARCHAR", "TEXT", "STRING"}
)
"""The types that a condition may cast to. Others have their own parsers, or need extensions."""
_PATTERN_FUNCTIONS = frozenset(
    {"regexp_matches", "regexp_full_match", "~~", "!~~", "~~*", "!~~*", "like_escape", "not_like_escape"}
)
"""The functions that match texts with a pattern. With another pattern in each row they could run forever."""
MAX_CONDITION_LENGTH = 10_000
"""Maximum number of characters of a condition."""
_MAX_SHOWN_LENGTH = 200
"""Maximum number of characters of a condition that a message repeats."""
_TOO_DEEP = "too many nested brackets"


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition, which may be executed over a table."""

    text: str
    """The expression. It is complete in itself, so it can stand within brackets. It may end in a comment, so
    the brackets must be on lines of their own."""
    columns: tuple[str, ...]
    """The columns that it reads."""

    def make_error(self, reason: str) -> InvalidInputError:
        """Return the error that tells why the condition cannot be evaluated."""
        return make_condition_error(self.text, reason)


def parse_condition(text: str, columns: Sequence[str]) -> Condition:
    """Parse a condition over some columns, and check it.

    Args:
        text: SQL expression: "floor_hue < 0.5 and category in ('chair', 'sofa')".
        columns: Columns of the table.

    Raises:
        InvalidInputError: The text is not an allowed condition. The message tells why.
    """
    used: dict[str, None] = {}
    for node in _iter_nodes(_parse_tree(text, columns)):
        _check_node(node, text)
        if node["class"] == "COLUMN_REF":
            used[_get_column_name(node, text, columns)] = None
    return Condition(text, tuple(used))


def _parse_tree(text: str, columns: Sequence[str]) -> Any:
    """Parse a text that must be a single expression, and return its syntax tree."""
    if not text.strip():
        raise InvalidInputError("where: empty; write a condition: \"floor_hue < 0.5 and category = 'mug'\"")
    if len(text) > MAX_CONDITION_LENGTH:
        raise make_condition_error(
            text, f"it has {len(text)} characters; at most {MAX_CONDITION_LENGTH} are allowed"
        )
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        raise make_condition_error(text, "it contains a null character or a surrogate")
    with open_duckdb() as engine:
        plain = _parse_statements(engine, "true", columns)[0]["node"]
        statements = _parse_statements(engine, text, columns)
    # The text may smuggle in groups, limits, unions or samples. Apart from its condition, its statement must
    # equal that of the condition "true", which has none of them.
    if len(statements) != 1 or statements[0]["node"] | {"where_clause": None} != plain | {
        "where_clause": None
    }:
        raise make_condition_error(text, "it is more than one condition")
    return statements[0]["node"]["where_clause"]


def _parse_statements(engine: Any, text: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    # A line of its own, since a comment at the end of the text would swallow what follows it. The statement
    # is passed as a value: it is parsed, not executed.
    query = f"{_QUERY_PREFIX}{text}\n"
    try:
        answer = json.loads(engine.fetch_rows("SELECT json_serialize_sql($1::VARCHAR)", [query])[0][0])
    except DuckDBError as error:
        raise make_condition_error(text, str(error)) from None
    except RecursionError:
        raise make_condition_error(text, _TOO_DEEP) from None
    if answer["error"]:
        raise make_condition_error(text, _format_syntax_error(text, answer, columns))
    return answer["statements"]


def _format_syntax_error(text: str, answer: dict[str, Any], columns: Sequence[str]) -> str:
    message = str(answer["error_message"]).split("\n")[0]
    if "expression depth" in message:
        return _TOO_DEEP
    position = _find_position(text, answer["position"]) if "position" in answer else None
    return explain_syntax_error(text, message, position, columns)


def _find_position(text: str, location: str | int) -> int:
    """Return the number of characters before a place that DuckDB gives in bytes of the whole statement."""
    num_bytes = max(0, int(location) - len(_QUERY_PREFIX))
    return len(text.encode()[:num_bytes].decode(errors="ignore"))


def _iter_nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield all expressions of a tree."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if "class" in node:
                yield node
            pending += reversed(node.values())
        elif isinstance(node, list):
            pending += reversed(node)


def _check_node(node: dict[str, Any], text: str) -> None:
    node_class = node["class"]
    if node_class not in _ALLOWED_NODES:
        raise make_condition_error(
            text, f"a {node_class.lower().replace('_', ' ')} is not allowed in a condition"
        )
    if node_class == "FUNCTION":
        # DuckDB 1 calls some operators by their schema, "main".
        schema = node["schema"].removeprefix("main")
        name = ".".join(filter(None, (node["catalog"], schema, node["function_name"].lower())))
        if name not in ALLOWED_FUNCTIONS and name not in _ALLOWED_OPERATORS:
            raise make_condition_error(
                text,
                f"it may not call {name}; the allowed functions are {', '.join(sorted(ALLOWED_FUNCTIONS))}",
            )
        if name in _PATTERN_FUNCTIONS and any(
            part.get("class") != "CONSTANT" for part in _list_arguments(node)[1:]
        ):
            raise make_condition_error(text, "a pattern must be a text in quotes, the same for all views")
    # DuckDB 1 stores the type of a cast in the cast, DuckDB 2 in an expression.
    cast_type = node["type_name"] if node_class == "TYPE" else node.get("cast_type", {}).get("id", "VARCHAR")
    if cast_type.upper() not in _ALLOWED_TYPES:
        raise make_condition_error(
            text, f"a cast to {cast_type.lower()} is not allowed, only to {_format_names(_ALLOWED_TYPES)}"
        )


def _list_arguments(node: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the argument expressions of a function: DuckDB 1 lists them, DuckDB 2 lists them with names."""
    return node.get("children") or [argument["expression"] for argument in node["arguments"]]


def _get_column_name(node: dict[str, Any], text: str, columns: Sequence[str]) -> str:
    """Return a column's name as the table spells it."""
    name = ".".join(node["column_names"])
    known = {column.lower(): column for column in columns}
    if name.lower() in known:
        return known[name.lower()]
    near = difflib.get_close_matches(name.lower(), columns, n=2)
    hint = f"did you mean {' or '.join(near)}?" if near else f"the columns are {', '.join(columns)}"
    place = _find_position(text, node.get("query_location", 0)) + 1
    raise make_condition_error(
        text, f"there is no column {name!r}, at character {place} (put texts in single quotes); {hint}"
    )


def _format_names(names: frozenset[str]) -> str:
    return ", ".join(sorted(name.lower() for name in names))


def make_condition_error(text: str, reason: str) -> InvalidInputError:
    """Return the error that tells why a condition is refused, or cannot be evaluated."""
    shown = text if len(text) <= _MAX_SHOWN_LENGTH else text[:_MAX_SHOWN_LENGTH] + "…"
    return InvalidInputError(f"where {shown!r}: {reason}")

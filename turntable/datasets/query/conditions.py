"""Conditions over the columns of a label table, in SQL's words: one expression and nothing else.

What strangers write is executed only after its syntax tree has been looked through: columns, constants,
comparisons and harmless functions pass; subqueries, settings, files and everything not known here do not.
"""

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from turntable.datasets.query.engine import EngineError, open_engine
from turntable.errors import InvalidInputError

# Without brackets: within some, "a) or (b" would be a condition too, and go on behind those of a query.
_BEFORE = "SELECT 1 FROM labels WHERE "
_CLASSES = frozenset(
    {"BETWEEN", "CASE", "CAST", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION"}
    | {"OPERATOR", "TYPE"}
)
FUNCTIONS = frozenset(
    {"abs", "ceil", "floor", "round", "sign", "sqrt", "pow", "power", "exp", "ln", "log", "mod", "pi"}
    | {"sin", "cos", "tan", "asin", "acos", "atan", "atan2", "radians", "degrees"}
    | {"greatest", "least", "isnan", "isfinite", "isinf", "coalesce"}
    | {"lower", "upper", "length", "starts_with", "ends_with", "prefix", "suffix", "contains"}
    | {"regexp_matches", "regexp_full_match"}
)
"""What a condition may call."""
_OPERATORS = frozenset(
    {"+", "-", "*", "/", "//", "%", "^", "**", "~~", "!~~", "~~*", "!~~*"}
    | {"like_escape", "not_like_escape"}
)
"""What it calls by writing an operator."""
_TYPES = frozenset(
    {"BOOLEAN", "BOOL", "TINYINT", "SMALLINT", "INTEGER", "INT", "BIGINT", "FLOAT", "REAL", "DOUBLE"}
    | {"DECIMAL", "VARCHAR", "TEXT", "STRING"}
)
"""What it may cast to: others bring parsers of their own, or extensions."""
_MATCHING = frozenset(
    {"regexp_matches", "regexp_full_match", "~~", "!~~", "~~*", "!~~*", "like_escape", "not_like_escape"}
)
"""Calls that match texts with a pattern; they may take for ever if each row brings a pattern of its own."""
LONGEST = 10_000
"""Characters of a condition."""
_SHOWN = 200
"""Characters of it that a message repeats."""
_TOO_DEEP = "too many brackets within brackets"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that may be executed over a table."""

    text: str
    """An expression that is complete in itself, within brackets too; they must stand on lines of their own,
    for it may end in a remark."""
    columns: tuple[str, ...]
    """That it looks at."""

    def fault(self, why: str) -> InvalidInputError:
        """The error that says why it cannot be fulfilled."""
        return refused(self.text, why)


def parse_condition(text: str, columns: Sequence[str]) -> Condition:
    """Make sure that a condition is one, over these columns.

    Args:
        text: "floor_hue < 0.5 and category in ('chair', 'sofa')".
        columns: of the table.

    Raises:
        InvalidInputError: it is not, and why.
    """
    used: dict[str, None] = {}
    for node in _nodes(_tree(text)):
        _check(node, text)
        if node["class"] == "COLUMN_REF":
            used[_column(node, text, columns)] = None
    return Condition(text, tuple(used))


def _tree(text: str) -> Any:
    """The syntax tree of the one expression that a text must be."""
    if not text.strip():
        raise InvalidInputError("where: empty; write a condition: \"floor_hue < 0.5 and category = 'mug'\"")
    if len(text) > LONGEST:
        raise refused(text, f"{len(text)} characters, at most {LONGEST} are read")
    if any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in text):
        raise refused(text, "not a text: it has signs that stand for nothing")
    with open_engine() as engine:
        ours = _statements(engine, "true")[0]["node"]
        statements = _statements(engine, text)
    # Whatever else a statement may have - groups, limits, unions, samples -, this one has not.
    if len(statements) != 1 or {**statements[0]["node"], "where_clause": None} != {
        **ours,
        "where_clause": None,
    }:
        raise refused(text, "it is more than one condition")
    return statements[0]["node"]["where_clause"]


def _statements(engine: Any, text: str) -> list[dict[str, Any]]:
    # An own line, for a remark would swallow what follows; the statement is data, it is not executed.
    query = f"{_BEFORE}{text}\n"
    try:
        answer = json.loads(engine.rows("SELECT json_serialize_sql($1::VARCHAR)", [query])[0][0])
    except EngineError as error:
        raise refused(text, str(error)) from None
    except RecursionError:
        raise refused(text, _TOO_DEEP) from None
    if answer["error"]:
        raise refused(text, _syntax_error(text, answer))
    return answer["statements"]


def _syntax_error(text: str, answer: dict[str, Any]) -> str:
    what = str(answer["error_message"]).split("\n")[0]
    if "expression depth" in what:
        return _TOO_DEEP
    if "position" not in answer:
        return what
    at = int(answer["position"]) - len(_BEFORE)  # in bytes
    before = text.encode()[: max(0, at)].decode(errors="ignore")
    rest = text[len(before) :].strip()
    return f"{what}, at character {len(before) + 1} ({rest[:30]!r})" if rest else f"{what}, at its end"


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """All expressions of a tree."""
    left = [tree]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            if "class" in node:
                yield node
            left += reversed(node.values())
        elif isinstance(node, list):
            left += reversed(node)


def _check(node: dict[str, Any], text: str) -> None:
    kind = node["class"]
    if kind not in _CLASSES:
        raise refused(text, f"a {kind.lower().replace('_', ' ')} has no place in it")
    if kind == "FUNCTION":
        # DuckDB 1 calls some operators by their schema, "main".
        schema = node["schema"].removeprefix("main")
        name = ".".join(filter(None, (node["catalog"], schema, node["function_name"].lower())))
        if name not in FUNCTIONS and name not in _OPERATORS:
            raise refused(
                text, f"{name} is none of the functions that it may call: {', '.join(sorted(FUNCTIONS))}"
            )
        if name in _MATCHING and any(part.get("class") != "CONSTANT" for part in _arguments(node)[1:]):
            raise refused(text, "a pattern must be a text in quotes, the same for all views")
    # DuckDB 1 writes a cast's type into the cast, DuckDB 2 as an expression of its own.
    cast_to = node["type_name"] if kind == "TYPE" else node.get("cast_type", {}).get("id", "VARCHAR")
    if cast_to.upper() not in _TYPES:
        raise refused(text, f"nothing can be cast to {cast_to.lower()} here, only to {_listed(_TYPES)}")


def _arguments(node: dict[str, Any]) -> list[dict[str, Any]]:
    """The expressions that a function is called with: DuckDB 1 lists them, DuckDB 2 each with its name."""
    return node.get("children") or [argument["expression"] for argument in node["arguments"]]


def _column(node: dict[str, Any], text: str, columns: Sequence[str]) -> str:
    """A column's name as the table has it."""
    name = ".".join(node["column_names"])
    known = {column.lower(): column for column in columns}
    if name.lower() in known:
        return known[name.lower()]
    near = difflib.get_close_matches(name.lower(), columns, n=2)
    meant = f"; did you mean {' or '.join(near)}? There are" if near else "; there are"
    raise refused(
        text, f"there is no column {name!r} (texts stand in single quotes){meant} {', '.join(columns)}"
    )


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(name.lower() for name in names))


def refused(text: str, why: str) -> InvalidInputError:
    """Return the error that says why a condition is none, or cannot be answered."""
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return InvalidInputError(f"where {shown!r}: {why}")

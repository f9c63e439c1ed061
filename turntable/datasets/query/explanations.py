"""Plain sentences for what DuckDB says about a condition: what is wrong, and where in the condition.

DuckDB's own messages name its types and functions (VARCHAR, ~~) and advise what a condition may not contain.
They differ a little between its versions, so what is not known is passed on without the name of the error.
"""

import difflib
import re
from collections.abc import Callable, Sequence

_MAX_SHOWN_LENGTH = 40
"""Largest number of characters of a part of a condition that a message quotes."""
_OPERATOR_WORDS = {"~~": "like", "!~~": "not like", "~~*": "ilike", "!~~*": "not ilike"}
_WORD = re.compile(r"[A-Za-z_]\w*")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_INCOMPLETE_END = re.compile(
    r"(?:[<>=!+\-*/%^,(]+|and|or|not|between|in|like|ilike|is|case|when|then|else)", re.IGNORECASE
)
"""The ends of a condition after which a value or a column must follow."""
_SIGNS = {"&&": "and", "||": "or"}
"""Signs of other languages, and what a condition has in their place."""
_KEYWORDS = frozenset(
    {"and", "or", "not", "in", "is", "null", "between", "like", "ilike", "escape", "true", "false", "case"}
    | {"when", "then", "else", "end", "cast", "as", "where", "distinct", "from"}
)


def explain_syntax_error(text: str, message: str, position: int | None, columns: Sequence[str]) -> str:
    """Return why a condition cannot be parsed.

    Args:
        text: The condition.
        message: DuckDB's message.
        position: Number of characters before the place that DuckDB names; None if it names none.
        columns: Columns of the table.
    """
    sign = next((sign for sign in _SIGNS if sign in _QUOTED.sub("", text)), None)
    if sign is not None:
        return f"write {_SIGNS[sign]} in place of {sign}"
    if "Only SELECT" in message:
        return "it is more than one condition"
    if re.match(r"\s*where\b", text, re.IGNORECASE):
        return "it begins with the word where; leave it out"
    if "unterminated" in message:
        return "a quote is not closed"
    if position is None:
        return _strip_name(message)
    return _explain_place(text, text[position:].strip(), position) + _suggest_column(text, columns)


def _explain_place(text: str, rest: str, position: int) -> str:
    plain = _QUOTED.sub("", text)
    surplus = plain.count("(") - plain.count(")")
    if surplus:
        return "a bracket is not closed" if surplus > 0 else "it has a closing bracket too many"
    if not rest:
        return "it ends before it is complete"
    if _INCOMPLETE_END.fullmatch(rest):
        return f"a value or a column is missing after {rest!r} at its end"
    is_last = _WORD.fullmatch(rest) or _QUOTED.fullmatch(rest) or re.fullmatch(r"[\d.]+", rest)
    if is_last:
        return f"something is missing before or after {_quote(rest)} at its end"
    return f"it cannot be read from character {position + 1} on: {_quote(rest)}"


def _suggest_column(text: str, columns: Sequence[str]) -> str:
    """Return the question whether a word was meant to be a column; empty if no word is nearly one."""
    known = {*_KEYWORDS, *(column.lower() for column in columns)}
    for word in _WORD.findall(_QUOTED.sub("", text)):
        near = [] if word.lower() in known else difflib.get_close_matches(word.lower(), columns, n=1)
        if near:
            return f"; did you mean {near[0]} by {word}?"
    return ""


def explain_execution_error(message: str, place: str) -> str:
    """Return why a condition that was parsed cannot be evaluated.

    Args:
        message: DuckDB's message.
        place: Part of the condition that DuckDB points at; empty if it points at none.
    """
    where = f" in {_quote(place)}" if place else ""
    for pattern, explain in _EXPLANATIONS:
        match = re.search(pattern, message)
        if match is not None:
            return explain(match, where)
    return _strip_name(message) + where


def explain_result_type(type_name: str) -> str:
    """Return why a condition of a type that is not BOOLEAN cannot be evaluated."""
    return f"it is {_name_type(type_name)}, not true or false; compare it with another, as in floor_hue < 0.5"


def _explain_conversion(match: re.Match[str], where: str) -> str:
    value, target, column = match.groups()
    needed = "true or false" if target.startswith("BOOL") else "a number"
    if column is None:
        return f"the text {_quote(value)} stands where {needed} is needed"
    return f"{column} is a text (such as {_quote(value)}) where {needed} is needed{where}"


def _explain_comparison(match: re.Match[str], where: str) -> str:
    first, second = map(_name_type, match.groups())
    return f"{first} cannot be compared with {second}{where}"


def _explain_mixture(match: re.Match[str], where: str) -> str:
    first, second = map(_name_type, match.groups())
    return f"{first} and {second} cannot take the same place{where}"


def _explain_arguments(match: re.Match[str], where: str) -> str:
    name = _OPERATOR_WORDS.get(match[1], match[1])
    types = [_name_type(part.strip()) for part in match[2].split(",") if part.strip()]
    return f"{name} cannot take {' and '.join(types)}{where}" if types else f"{name} needs a value{where}"


def _explain_pattern(match: re.Match[str], where: str) -> str:
    return f"its pattern is wrong: {match[1]}{where}"


_TYPE = r"(?:type )?(\w+)(?:\([\d, ]*\))?"
_EXPLANATIONS: tuple[tuple[str, Callable[[re.Match[str], str], str]], ...] = (
    (
        r"Could not convert string '(.*)' to (\w+)(?: when casting from source column (\w+))?",
        _explain_conversion,
    ),
    (rf"Cannot compare values of {_TYPE} and {_TYPE}", _explain_comparison),
    (rf"Cannot (?:mix values|combine types) of {_TYPE} and {_TYPE}", _explain_mixture),
    (r"No function matches the given name and argument types '([^(]+)\((.*?)\)'\.", _explain_arguments),
    (r"Invalid Input Error: ((?:missing|invalid|bad|no argument|unexpected).*)", _explain_pattern),
)
"""Patterns of DuckDB's messages, and the functions that write the sentence in their place."""


def _name_type(name: str) -> str:
    base = name.upper().partition("(")[0].partition("_")[0]
    if base in ("VARCHAR", "TEXT", "STRING"):
        return "a text"
    return {"BOOLEAN": "true or false", "NULL": "null", '"NULL"': "null"}.get(base, "a number")


def _strip_name(message: str) -> str:
    """Return a message without the name of DuckDB's error: "Binder Error: …"."""
    return re.sub(r"^(?:[A-Z][A-Za-z]* )+Error: ", "", message)


def _quote(text: str) -> str:
    return repr(text if len(text) <= _MAX_SHOWN_LENGTH else f"{text[:_MAX_SHOWN_LENGTH]}…")

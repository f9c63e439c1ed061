"""Strict reading of a JSON document that a stranger wrote: each field is read with its type and its bounds.

Every fault is a ``FieldError`` that names the field and the expected value. The caller adds the file's name.
"""

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NoReturn, cast

from turntable.datasets.files.digests import is_digest
from turntable.datasets.files.user_text import BYTE_ORDER_MARK

MAX_DEPTH = 16
"""Nesting depth of objects and lists."""
MAX_TEXT_LENGTH = 20_000
"""Characters of a text that has no narrower bound."""
_MAX_SHOWN_LENGTH = 40
"""Characters of a wrong value that a message repeats."""
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, which can steer terminals, except tabs and line ends; and lone surrogates."""
_REQUIRED: Any = object()
"""Default that marks a field as required."""


class FieldError(ValueError):
    """A field of a JSON object that is missing, of another type, or out of bounds."""


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON document, which may begin with a byte-order mark.

    Raises:
        FieldError: The text is not JSON, holds NaN or infinity, or is nested too deeply.
    """
    try:
        plain = text.removeprefix(BYTE_ORDER_MARK) if isinstance(text, str) else text
        return json.loads(plain, parse_constant=_raise_for_constant)
    except RecursionError:
        raise FieldError("it is nested too deeply") from None
    except ValueError as error:
        raise FieldError(str(error)) from None


class JsonFields:
    """The fields of one JSON object, to be read one by one.

    Every ``get_`` method raises FieldError if the field is missing (and has no default) or is not as stated.

    Args:
        table: The parsed JSON object.
        prefix: Name of the object in messages, ending with a dot, such as "shards[3]."; empty for the
            document.

    Raises:
        FieldError: ``table`` is not an object.
    """

    def __init__(self, table: object, prefix: str = "") -> None:
        if not isinstance(table, dict):
            raise FieldError(
                f"{prefix.rstrip('.') or 'the document'} is {_format_value(table)}: not an object"
            )
        self._table, self._prefix = cast("dict[str, Any]", table), prefix
        self._unread = self._table.copy()

    def list_names(self) -> tuple[str, ...]:
        """Return the names of all fields that are present."""
        return tuple(self._table)

    def has(self, name: str) -> bool:
        """Return True if a field is present and not null. A null field counts as read."""
        if self._table.get(name) is not None:
            return True
        self._unread.pop(name, None)
        return False

    def get_integer(self, name: str, min_value: int, max_value: int, default: int = _REQUIRED) -> int:
        """Return a whole number from ``min_value`` to ``max_value``."""
        value = self._get_value(name, default)
        if type(value) is not int or not min_value <= value <= max_value:
            self._raise_error(name, value, f"a whole number from {min_value:,} to {max_value:,}")
        return value

    def get_number(self, name: str, min_value: float, max_value: float, default: float = _REQUIRED) -> float:
        """Return a number from ``min_value`` to ``max_value`` as it was written: 1 stays an integer."""
        value = self._get_value(name, default)
        if type(value) not in (int, float) or not min_value <= value <= max_value:
            self._raise_error(name, value, f"a number from {min_value:g} to {max_value:g}")
        return value

    def get_text(
        self,
        name: str,
        max_length: int = MAX_TEXT_LENGTH,
        pattern: re.Pattern[str] | None = None,
        default: str = _REQUIRED,
    ) -> str:
        """Return a text of at most ``max_length`` characters that matches ``pattern``.

        Without a pattern the text must have no control characters.
        """
        value = self.get_raw_text(name, max_length, default)
        if pattern is None:
            if _CONTROL_CHARACTERS.search(value):
                self._raise_error(name, value, "a text without control characters")
        elif not pattern.fullmatch(value):
            self._raise_error(name, value, f"a text of the form {pattern.pattern}")
        return value

    def get_raw_text(self, name: str, max_length: int, default: str = _REQUIRED) -> str:
        """Return a text of at most ``max_length`` arbitrary characters. Do not print it as it is."""
        value = self._get_value(name, default)
        if not isinstance(value, str) or len(value) > max_length:
            self._raise_error(name, value, f"a text of at most {max_length:,} characters")
        return value

    def get_choice(self, name: str, choices: Collection[str], default: str = _REQUIRED) -> Any:
        """Return a text that is one of ``choices``."""
        value = self._get_value(name, default)
        if not isinstance(value, str) or value not in choices:
            self._raise_error(name, value, f"one of {', '.join(choices)}")
        return value

    def get_flag(self, name: str) -> bool:
        """Return true or false."""
        value = self._get_value(name)
        if not isinstance(value, bool):
            self._raise_error(name, value, "true or false")
        return value

    def get_digest(self, name: str) -> str:
        """Return a sha256: 64 lower-case hexadecimal digits."""
        value = self._get_value(name)
        if not is_digest(value):
            self._raise_error(name, value, "64 hexadecimal digits in lower case")
        return value

    def get_list(self, name: str, max_items: int, default: Any = _REQUIRED) -> list[Any]:
        """Return a list of at most ``max_items`` items of any type."""
        value = self._get_value(name, default)
        if not isinstance(value, list | tuple) or len(cast("list[Any]", value)) > max_items:
            self._raise_error(name, value, f"a list of at most {max_items:,} items")
        return list(cast("list[Any]", value))

    def get_unique_texts(
        self,
        name: str,
        max_items: int,
        max_length: int,
        pattern: re.Pattern[str] | None = None,
        default: Any = _REQUIRED,
    ) -> tuple[str, ...]:
        """Return a list of different texts, each checked as ``get_text`` does.

        Args:
            name: Name of the field.
            max_items: Largest number of texts.
            max_length: Largest number of characters of each text.
            pattern: Form of each text; None: no control characters.
            default: Value of a missing field.
        """
        items = self.get_list(name, max_items, default)
        numbered = self._make_numbered_fields(name, items)
        texts = tuple(numbered.get_text(str(index), max_length, pattern) for index in range(len(items)))
        if len(set(texts)) < len(texts):
            self._raise_error(name, items, "a list of different texts")
        return texts

    def get_numbers(self, name: str, num_items: int, min_value: float, max_value: float) -> tuple[float, ...]:
        """Return a list of exactly ``num_items`` numbers, each from ``min_value`` to ``max_value``."""
        numbered = self._make_numbered_fields(name, self._get_exact_list(name, num_items))
        return tuple(numbered.get_number(str(index), min_value, max_value) for index in range(num_items))

    def get_integers(self, name: str, num_items: int, min_value: int, max_value: int) -> tuple[int, ...]:
        """Return a list of exactly ``num_items`` whole numbers, each from ``min_value`` to ``max_value``."""
        numbered = self._make_numbered_fields(name, self._get_exact_list(name, num_items))
        return tuple(numbered.get_integer(str(index), min_value, max_value) for index in range(num_items))

    def get_fields(self, name: str) -> "JsonFields":
        """Return a nested object, to be read like this one."""
        return JsonFields(self._get_value(name), f"{self._prefix}{name}.")

    def iter_fields(self, name: str, max_items: int) -> Iterator["JsonFields"]:
        """Yield the objects of a list of at most ``max_items`` objects."""
        for index, item in enumerate(self.get_list(name, max_items)):
            yield JsonFields(item, f"{self._prefix}{name}[{index}].")

    def get_dict(self, name: str) -> dict[str, Any]:
        """Return an object with any fields, nested at most ``MAX_DEPTH`` deep.

        Its texts must have at most ``MAX_TEXT_LENGTH`` characters and no control characters, its numbers must
        be finite.
        """
        value = self._get_value(name)
        if not isinstance(value, dict):
            self._raise_error(name, value, "an object")
        self._check_plain(name, value, MAX_DEPTH)
        return cast("dict[str, Any]", value)

    def get_text_dict(self, name: str) -> dict[str, str]:
        """Return an object whose values are all texts."""
        table = self.get_dict(name)
        for key, value in table.items():
            if not isinstance(value, str):
                self._raise_error(f"{name}.{_shorten_text(key)}", value, "a text")
        return cast("dict[str, str]", table)

    def check_all_read(self) -> None:
        """Raise FieldError if the object has a field that was not read."""
        if self._unread:
            raise FieldError(f"unknown: {self._prefix}{_shorten_text(min(self._unread))}")

    def raise_error(self, name: str, expected: str) -> NoReturn:
        """Raise a FieldError that says what was expected of a field."""
        self._raise_error(name, self._table.get(name), expected)

    def _get_exact_list(self, name: str, num_items: int) -> list[Any]:
        items = self.get_list(name, num_items)
        if len(items) != num_items:
            self._raise_error(name, items, f"a list of {num_items} numbers")
        return items

    def _make_numbered_fields(self, name: str, items: list[Any]) -> "JsonFields":
        """Return the items of a list as fields named by their indices."""
        return JsonFields({str(index): item for index, item in enumerate(items)}, f"{self._prefix}{name}.")

    def _get_value(self, name: str, default: Any = _REQUIRED) -> Any:
        self._unread.pop(name, None)
        value = self._table.get(name, default)
        if value is _REQUIRED:
            raise FieldError(f"{self._prefix}{name} is missing")
        return value

    def _raise_error(self, name: str, value: object, expected: str) -> NoReturn:
        raise FieldError(f"{self._prefix}{name} is {_format_value(value)}, not {expected}")

    def _check_plain(self, name: str, value: object, max_depth: int) -> None:
        if isinstance(value, Mapping | list):
            if not max_depth:
                raise FieldError(f"{self._prefix}{_shorten_text(name)} is nested too deeply")
            nested = cast("Any", value)
            for key, item in nested.items() if isinstance(value, Mapping) else enumerate(nested):
                self._check_text(name, str(key))
                self._check_plain(f"{name}.{key}", item, max_depth - 1)
        elif isinstance(value, str):
            self._check_text(name, value)
        elif isinstance(value, float) and not math.isfinite(value):
            self._raise_error(_shorten_text(name), value, "a finite number")

    def _check_text(self, name: str, text: str) -> None:
        if len(text) > MAX_TEXT_LENGTH or _CONTROL_CHARACTERS.search(text):
            self._raise_error(
                _shorten_text(name), text, f"a text of at most {MAX_TEXT_LENGTH:,} plain characters"
            )


def _raise_for_constant(name: str) -> NoReturn:
    raise FieldError(f"{name} is no number")


def _format_value(value: object) -> str:
    """Return a wrong value as a message shows it: short, whatever the value is."""
    if isinstance(value, str):
        return (
            ascii(value[: _MAX_SHOWN_LENGTH + 1])
            if len(value) <= _MAX_SHOWN_LENGTH
            else f"{value[:_MAX_SHOWN_LENGTH]!a}…"
        )
    if isinstance(value, dict | list | tuple):
        type_name = "an object" if isinstance(value, dict) else "a list"
        return f"{type_name} of {len(cast('list[Any]', value)):,}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**_MAX_SHOWN_LENGTH:
        return "a huge number"
    return repr(value)


def _shorten_text(text: str) -> str:
    return _format_value(text)[1:-1] if len(text) <= _MAX_SHOWN_LENGTH else f"{text[:_MAX_SHOWN_LENGTH]!a}…"

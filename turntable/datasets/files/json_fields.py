"""A JSON document that a stranger wrote, read field by field: each reading states a type and bounds.

Whatever is wrong is a ``FieldError``, which names the field and what is wanted; who reads knows the file.
"""

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NoReturn, cast

from turntable.datasets.files.digests import is_digest

DEEPEST = 16
"""Tables and lists within one another."""
LONGEST_TEXT = 20_000
"""Characters of a text that has no narrower bound."""
_SHOWN = 40
"""Characters of a wrong value that a message repeats."""
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, which steer terminals, but for tabs and line ends; and halves of characters."""
_REQUIRED: Any = object()


class FieldError(ValueError):
    """A field is missing, of another type, or out of bounds."""


def parse_json(text: str | bytes) -> Any:
    """Read a JSON document.

    Raises:
        FieldError: It is none, has NaN or infinity in it, or is nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise FieldError("it is nested too deeply") from None
    except ValueError as error:
        raise FieldError(str(error)) from None


class Fields:
    """The fields of one JSON object.

    Args:
        table: The object.
        path: How messages call it, with a dot at its end: "shards[3]."; empty for the whole document.

    Raises:
        FieldError: It is no object.
    """

    def __init__(self, table: object, path: str = "") -> None:
        if not isinstance(table, dict):
            raise FieldError(f"{path.rstrip('.') or 'the document'} is {_shown(table)}: not an object")
        self._table, self._path = cast("dict[str, Any]", table), path
        self._unread = self._table.copy()

    def names(self) -> tuple[str, ...]:
        """Return the names of all fields that are there."""
        return tuple(self._table)

    def has(self, name: str) -> bool:
        """Tell whether a field is there and not null."""
        if self._table.get(name) is not None:
            return True
        self._unread.pop(name, None)
        return False

    def integer(self, name: str, least: int, most: int, default: int = _REQUIRED) -> int:
        """Return a whole number from ``least`` to ``most``."""
        value = self._value(name, default)
        if type(value) is not int or not least <= value <= most:
            self._refuse(name, value, f"a whole number from {least:,} to {most:,}")
        return value

    def number(self, name: str, least: float, most: float, default: float = _REQUIRED) -> float:
        """Return a number from ``least`` to ``most``, as it was written: 1 stays an integer."""
        value = self._value(name, default)
        if type(value) not in (int, float) or not least <= value <= most:
            self._refuse(name, value, f"a number from {least:g} to {most:g}")
        return value

    def text(
        self,
        name: str,
        most: int = LONGEST_TEXT,
        pattern: re.Pattern[str] | None = None,
        default: str = _REQUIRED,
    ) -> str:
        """Return a text of at most ``most`` characters: of a pattern, or else without control characters."""
        value = self.raw_text(name, most, default)
        if pattern is None:
            if _NOT_TEXT.search(value):
                self._refuse(name, value, "a text without control characters")
        elif not pattern.fullmatch(value):
            self._refuse(name, value, f"a text of the form {pattern.pattern}")
        return value

    def raw_text(self, name: str, most: int, default: str = _REQUIRED) -> str:
        """Return a text of at most ``most`` characters, whatever they are: not to be printed as it is."""
        value = self._value(name, default)
        if not isinstance(value, str) or len(value) > most:
            self._refuse(name, value, f"a text of at most {most:,} characters")
        return value

    def choice(self, name: str, choices: Collection[str], default: str = _REQUIRED) -> Any:
        """Return one of some texts."""
        value = self._value(name, default)
        if not isinstance(value, str) or value not in choices:
            self._refuse(name, value, f"one of {', '.join(choices)}")
        return value

    def digest(self, name: str) -> str:
        """Return a sha256: 64 hexadecimal digits, in lower case."""
        value = self._value(name)
        if not is_digest(value):
            self._refuse(name, value, "64 hexadecimal digits in lower case")
        return value

    def items(self, name: str, most: int, default: Any = _REQUIRED) -> list[Any]:
        """Return a list of at most ``most`` items, whatever they are."""
        value = self._value(name, default)
        if not isinstance(value, list | tuple) or len(cast("list[Any]", value)) > most:
            self._refuse(name, value, f"a list of at most {most:,} items")
        return list(cast("list[Any]", value))

    def distinct(
        self,
        name: str,
        most: int,
        longest: int,
        pattern: re.Pattern[str] | None = None,
        default: Any = _REQUIRED,
    ) -> tuple[str, ...]:
        """Return a list of texts, none of them twice; bounds are as of ``items`` and ``text``."""
        items = self.items(name, most, default)
        named = self._numbered(name, items)
        texts = tuple(named.text(str(at), longest, pattern) for at in range(len(items)))
        if len(set(texts)) < len(texts):
            self._refuse(name, items, "a list of different texts")
        return texts

    def numbers(self, name: str, count: int, least: float, most: float) -> tuple[float, ...]:
        """Return a list of exactly ``count`` numbers."""
        named = self._numbered(name, self._exactly(name, count))
        return tuple(named.number(str(at), least, most) for at in range(count))

    def integers(self, name: str, count: int, least: int, most: int) -> tuple[int, ...]:
        """Return a list of exactly ``count`` whole numbers."""
        named = self._numbered(name, self._exactly(name, count))
        return tuple(named.integer(str(at), least, most) for at in range(count))

    def table(self, name: str) -> "Fields":
        """Return an object, to be read like this one."""
        return Fields(self._value(name), f"{self._path}{name}.")

    def tables(self, name: str, most: int) -> Iterator["Fields"]:
        """Return the objects of a list of at most ``most``, one after the other."""
        for at, item in enumerate(self.items(name, most)):
            yield Fields(item, f"{self._path}{name}[{at}].")

    def plain(self, name: str) -> dict[str, Any]:
        """Return an object of anything, which is not too deep and whose texts are such as ``text`` takes."""
        value = self._value(name)
        if not isinstance(value, dict):
            self._refuse(name, value, "an object")
        self._check_plain(name, value, DEEPEST)
        return cast("dict[str, Any]", value)

    def texts(self, name: str) -> dict[str, str]:
        """Return an object whose values are all texts."""
        table = self.plain(name)
        for key, value in table.items():
            if not isinstance(value, str):
                self._refuse(f"{name}.{_cut(key)}", value, "a text")
        return cast("dict[str, str]", table)

    def finish(self) -> None:
        """Refuse the object if it has a field that nobody read."""
        if self._unread:
            raise FieldError(f"unknown: {self._path}{_cut(min(self._unread))}")

    def refuse(self, name: str, wanted: str) -> NoReturn:
        """Refuse a field that was read. Raises FieldError always."""
        self._refuse(name, self._table.get(name), wanted)

    def _exactly(self, name: str, count: int) -> list[Any]:
        items = self.items(name, count)
        if len(items) != count:
            self._refuse(name, items, f"a list of {count} numbers")
        return items

    def _numbered(self, name: str, items: list[Any]) -> "Fields":
        """The items of a list as fields, by their number."""
        return Fields({str(at): item for at, item in enumerate(items)}, f"{self._path}{name}.")

    def _value(self, name: str, default: Any = _REQUIRED) -> Any:
        self._unread.pop(name, None)
        value = self._table.get(name, default)
        if value is _REQUIRED:
            raise FieldError(f"{self._path}{name} is missing")
        return value

    def _refuse(self, name: str, value: object, wanted: str) -> NoReturn:
        raise FieldError(f"{self._path}{name} is {_shown(value)}, not {wanted}")

    def _check_plain(self, name: str, value: object, deepest: int) -> None:
        if isinstance(value, Mapping | list):
            if not deepest:
                raise FieldError(f"{self._path}{_cut(name)} is nested too deeply")
            inside = cast("Any", value)
            for key, item in inside.items() if isinstance(value, Mapping) else enumerate(inside):
                self._check_text(name, str(key))
                self._check_plain(f"{name}.{key}", item, deepest - 1)
        elif isinstance(value, str):
            self._check_text(name, value)
        elif isinstance(value, float) and not math.isfinite(value):
            self._refuse(_cut(name), value, "a finite number")

    def _check_text(self, name: str, text: str) -> None:
        if len(text) > LONGEST_TEXT or _NOT_TEXT.search(text):
            self._refuse(_cut(name), text, f"a text of at most {LONGEST_TEXT:,} plain characters")


def _refuse_constant(name: str) -> NoReturn:
    raise FieldError(f"{name} is no number")


def _shown(value: object) -> str:
    """A wrong value in a message: short, whatever it is."""
    if isinstance(value, str):
        return ascii(value[: _SHOWN + 1]) if len(value) <= _SHOWN else f"{value[:_SHOWN]!a}…"
    if isinstance(value, dict | list | tuple):
        kind = "an object" if isinstance(value, dict) else "a list"
        return f"{kind} of {len(cast('list[Any]', value)):,}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**_SHOWN:
        return "a huge number"
    return repr(value)


def _cut(text: str) -> str:
    return _shown(text)[1:-1] if len(text) <= _SHOWN else f"{text[:_SHOWN]!a}…"

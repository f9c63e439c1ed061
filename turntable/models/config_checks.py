"""Checks of the values of a configuration against the types and bounds of its fields.

Configurations may be read from files of any origin, so a type annotation alone guarantees nothing.
"""

import math
import sys
import types
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, Literal, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

from turntable.errors import format_value

MAX_TUPLE_ITEMS = 64
"""Largest number of values in a tuple."""
MAX_TEXT_LENGTH = 4096
"""Largest number of characters in a text, enough for a path."""


class Bounds(NamedTuple):
    """The smallest and the largest value allowed for a number, both included."""

    low: float = -sys.float_info.max
    high: float = sys.float_info.max


UNBOUNDED = Bounds()
"""Bounds that allow every finite number."""


def find_value_faults(
    config: Any,
    bounds: Mapping[str, Bounds],
    *,
    integer_bounds: Bounds = UNBOUNDED,
    float_bounds: Bounds = UNBOUNDED,
) -> list[str]:
    """Find the fields of a dataclass whose values have the wrong type, are not finite or are out of bounds.

    Args:
        config: Instance of the dataclass.
        bounds: Bounds by field name; those of a tuple apply to each of its numbers.
        integer_bounds: Bounds of integers whose field is not in ``bounds``.
        float_bounds: Bounds of other numbers whose field is not in ``bounds``.

    Returns:
        One sentence for each wrong field, with the field's name and value.
    """
    faults: list[str] = []
    for name, kind in get_field_types(type(config)).items():
        value = getattr(config, name)
        limits = bounds.get(name, integer_bounds if int in _list_types(kind) else float_bounds)
        if (rule := _find_mismatch(value, kind, limits)) is not None:
            faults.append(f"{name} is {format_value(value)}; {rule}")
    return faults


@cache
def get_field_types(config: type) -> Mapping[str, Any]:
    """Return the types of the fields of a dataclass, by field name."""
    hints = get_type_hints(config)
    return {item.name: hints[item.name] for item in fields(config)}


def _list_types(kind: Any) -> tuple[Any, ...]:
    """Return the types inside an annotation, such as int and NoneType for ``tuple[int, ...] | None``."""
    return tuple(part for each in get_args(kind) for part in _list_types(each)) or (kind,)


def _find_mismatch(value: Any, kind: Any, bounds: Bounds) -> str | None:
    """Return the rule that a value breaks, as the end of a sentence; None if it breaks none."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return None if value in parts else f"choose one of: {', '.join(map(str, parts))}"
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        rule = _find_mismatch(value, next(part for part in parts if part is not type(None)), bounds)
        return rule and f"{rule}, or None"
    if origin is tuple:
        return _find_tuple_mismatch(value, parts, bounds)
    if kind is int or kind is float:
        return _find_number_mismatch(value, kind, bounds)
    if kind is str:
        fits = isinstance(value, str) and len(value) <= MAX_TEXT_LENGTH
        return None if fits else f"it must be a text of at most {MAX_TEXT_LENGTH} characters"
    if kind is bool:
        return None if isinstance(value, bool) else "it must be true or false"
    return None  # a nested dataclass, such as an Augmentation, checks its own fields


def _find_tuple_mismatch(value: Any, parts: tuple[Any, ...], bounds: Bounds) -> str | None:
    any_length = parts[1:] == (...,)
    if not isinstance(value, tuple) or len(cast("tuple[Any, ...]", value)) > MAX_TUPLE_ITEMS:
        return f"it must be a tuple of at most {MAX_TUPLE_ITEMS} values"
    if not any_length and len(value) != len(parts):
        return f"it must have {len(parts)} values"
    if not value and parts[0] is int:
        return "it must have a value"
    kinds = parts[:1] * len(value) if any_length else parts
    rules = (_find_mismatch(item, kind, bounds) for item, kind in zip(value, kinds, strict=True))
    rule = next(filter(None, rules), None)
    return rule and f"of each value, {rule}"


def _find_number_mismatch(value: Any, kind: type, bounds: Bounds) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int if kind is int else (int, float)):
        return "it must be a whole number" if kind is int else "it must be a number"
    if kind is float and isinstance(value, float) and not math.isfinite(value):
        return "it must be finite"
    if value < bounds.low:
        return f"it must be at least {bounds.low:.15g}"
    if value > bounds.high:
        return f"it must be at most {bounds.high:.15g}"
    return None

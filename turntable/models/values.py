"""The values of a configuration, by the types of its fields: they come from anywhere, as files of runs do."""

import math
import sys
import types
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, Literal, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

from turntable.errors import said

MOST_ITEMS = 64
"""Values of a tuple, at most."""
MOST_CHARACTERS = 4096
"""The length of a text, at most: a path may be as long."""


class Bounds(NamedTuple):
    """The least and the greatest that a number may be."""

    least: float = -sys.float_info.max
    most: float = sys.float_info.max


ANY = Bounds()


def value_faults(
    config: Any, bounds: Mapping[str, Bounds], *, whole: Bounds = ANY, other: Bounds = ANY
) -> list[str]:
    """Say which values of a dataclass are not of their fields' types, not finite or out of bounds.

    Args:
        config: Its instance.
        bounds: By the names of fields; of each number where a field has several.
        whole: Of whole numbers without bounds of their own.
        other: Of other numbers without bounds of their own.

    Returns:
        A sentence for each such field, which names it.
    """
    faults: list[str] = []
    for name, kind in field_types(type(config)).items():
        value = getattr(config, name)
        limits = bounds.get(name, whole if int in _parts_of(kind) else other)
        if (wanted := _wanted(value, kind, limits)) is not None:
            faults.append(f"{name} is {said(value)}; {wanted}")
    return faults


@cache
def field_types(config: type) -> Mapping[str, Any]:
    """Return the types of a dataclass's fields by their names."""
    hints = get_type_hints(config)
    return {item.name: hints[item.name] for item in fields(config)}


def _parts_of(kind: Any) -> tuple[Any, ...]:
    """The types that a field's values, or their items, may have."""
    return tuple(part for each in get_args(kind) for part in _parts_of(each)) or (kind,)


def _wanted(value: Any, kind: Any, bounds: Bounds) -> str | None:
    """Say what a value must be that it is not."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return None if value in parts else f"choose one of: {', '.join(map(str, parts))}"
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        wanted = _wanted(value, next(part for part in parts if part is not type(None)), bounds)
        return wanted and f"{wanted}, or None"
    if origin is tuple:
        return _wanted_of_items(value, parts, bounds)
    if kind is int or kind is float:
        return _wanted_of_number(value, kind, bounds)
    if kind is str:
        right = isinstance(value, str) and len(value) <= MOST_CHARACTERS
        return None if right else f"it must be a text of at most {MOST_CHARACTERS} characters"
    if kind is bool:
        return None if isinstance(value, bool) else "it must be true or false"
    return None  # a part with checks of its own


def _wanted_of_items(value: Any, parts: tuple[Any, ...], bounds: Bounds) -> str | None:
    several = parts[1:] == (...,)
    if not isinstance(value, tuple) or len(cast("tuple[Any, ...]", value)) > MOST_ITEMS:
        return f"it must be a tuple of at most {MOST_ITEMS} values"
    if not several and len(value) != len(parts):
        return f"it must have {len(parts)} values"
    if not value and parts[0] is int:
        return "it must have a value"
    kinds = parts[:1] * len(value) if several else parts
    each = (_wanted(item, kind, bounds) for item, kind in zip(value, kinds, strict=True))
    wanted = next(filter(None, each), None)
    return wanted and f"of each value, {wanted}"


def _wanted_of_number(value: Any, kind: type, bounds: Bounds) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int if kind is int else (int, float)):
        return "it must be a whole number" if kind is int else "it must be a number"
    if kind is float and isinstance(value, float) and not math.isfinite(value):
        return "it must be finite"
    if value < bounds.least:
        return f"it must be at least {bounds.least:.15g}"
    if value > bounds.most:
        return f"it must be at most {bounds.most:.15g}"
    return None

"""The one door through which a recipe's table becomes checked values, or a message that lists its faults."""

import difflib
from typing import Any, cast

from pydantic import ValidationError

from turntable.datasets.labels import (
    DEFAULT_OFFSET,
    DEFAULT_TRAVEL,
    ROTATION_NAMES,
    STANDARD_BY_NAME,
    Factor,
    RotationRule,
    SequenceRule,
    Span,
)
from turntable.datasets.recipes.rules import broken_rules
from turntable.datasets.recipes.schema import (
    FactorsTable,
    FactorTable,
    RecipeTable,
    RotationTable,
    SequenceTable,
    SpanTable,
    StrictTable,
)
from turntable.errors import RecipeError, said, shown

MOST_FAULTS = 20
"""Faults of a recipe that are told at once; how many more there are is said."""
_LONGEST_KEY = 60
"""Characters of a key in a message."""


def checked_fields(table: dict[str, Any], where: str) -> dict[str, Any]:
    """Check a recipe's table, and return the fields of a ``Recipe``.

    Args:
        table: as read from TOML.
        where: what messages call the recipe.

    Raises:
        RecipeError: lists the faults, each by the name of its key.
    """
    checked = _checked_table(table, where)
    plain = {name: getattr(checked, name) for name in RecipeTable.model_fields if name != "factors"}
    plain |= {"outputs": tuple(checked.outputs), "splits": tuple(checked.splits)}
    plain |= {"rotation": _rotation(checked.rotation), "sequence": _sequence(checked.sequence)}
    return plain | {"drawn": tuple(_factor(name, factor) for name, factor in checked.factor_tables().items())}


def _checked_table(table: dict[str, Any], where: str) -> RecipeTable:
    faults, more = _missing_angles(table), 0
    try:
        checked = RecipeTable.model_validate(table)
    except ValidationError as error:
        details = error.errors(include_url=False)
        faults += [_fault(cast("dict[str, Any]", detail)) for detail in details[:MOST_FAULTS]]
        more = len(details) - MOST_FAULTS
    else:
        faults += broken_rules(checked)
        if not faults:
            return checked
    raise RecipeError(f"recipe {where}: {_listed(faults, max(more, 0))}")


def _factor(name: str, table: FactorTable) -> Factor:
    standard = STANDARD_BY_NAME[name].factor
    if table.value is not None:
        return standard.fixed(table.value)
    if table.inner is not None:
        assert table.outer is not None
        return standard.two_sided(table.inner, table.outer)
    assert table.low is not None
    assert table.high is not None
    return standard.over(table.low, table.high)


def _rotation(table: RotationTable | None) -> RotationRule | None:
    return None if table is None else RotationRule(table.outside, table.margin_deg)


def _sequence(table: SequenceTable | None) -> SequenceRule | None:
    if table is None:
        return None
    screw = table.motion == "screw"
    vary = tuple(name for name in STANDARD_BY_NAME if name in table.vary)
    return SequenceRule(
        length=table.length,
        motion=table.motion,
        speed_rad=_span(table.speed_rad),
        offset=_span(table.offset) or (DEFAULT_OFFSET if screw else None),
        travel=_span(table.travel) or (DEFAULT_TRAVEL if screw else None),
        vary=vary,
    )


def _span(table: SpanTable | None) -> Span | None:
    return None if table is None else (table.low, table.high)


def _listed(faults: list[str], untold: int) -> str:
    """Faults as lines, the first of very many."""
    number, untold = len(faults) + untold, untold + max(len(faults) - MOST_FAULTS, 0)
    count = "1 error" if number == 1 else f"{number:,} errors"
    more = [f"and {untold:,} more"] if untold else []
    return "\n".join([f"{count}:", *(f"  {line}" for line in [*faults[:MOST_FAULTS], *more])])


def _missing_angles(table: dict[str, Any]) -> list[str]:
    factors = table.get("factors")
    if table.get("rotation") is not None or not isinstance(factors, dict):
        return []
    return [f"factors.{name}: missing; {_MISSING_FACTOR}" for name in ROTATION_NAMES if name not in factors]


_MISSING_FACTOR = "give low and high, or value"


def _fault(detail: dict[str, Any]) -> str:
    path = tuple(str(part) for part in detail["loc"])
    name = ".".join(shown(part, _LONGEST_KEY) for part in path)
    return f"{name or 'recipe'}: {_message(path, detail)}"


def _message(path: tuple[str, ...], detail: dict[str, Any]) -> str:
    value, context = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return f"missing; {_MISSING_FACTOR}" if path[0] == "factors" and len(path) == 2 else "missing"
        case "extra_forbidden":
            return f"unknown key; {_suggestion(path)}"
        case "greater_than_equal":
            return f"{said(value, str)} is below {context['ge']:.6g}"
        case "less_than_equal":
            return f"{said(value, str)} is above {context['le']:.6g}"
        case "less_than":
            return f"{said(value, str)} is not below {context['lt']:.6g}"
        case "literal_error":
            return f"{said(value)} is not one of {context['expected']}"
        case "value_error":
            return str(context["error"])
        case _:
            return f"{said(value)}: {detail['msg'][0].lower()}{detail['msg'][1:]}"


def _suggestion(path: tuple[str, ...]) -> str:
    known = _known_keys(path)
    near = difflib.get_close_matches(path[-1][:_LONGEST_KEY], known, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"


def _known_keys(path: tuple[str, ...]) -> list[str]:
    if len(path) == 1:
        return list(RecipeTable.model_fields)
    if path[0] == "factors":
        return list(FactorsTable.model_fields if len(path) == 2 else FactorTable.model_fields)
    tables: dict[str, type[StrictTable]] = {"rotation": RotationTable, "sequence": SequenceTable}
    return list((tables[path[0]] if len(path) == 2 else SpanTable).model_fields)

"""Checks of a recipe's table. Every recipe passes through ``parse_recipe_table``."""

import difflib
from typing import Any, cast

from pydantic import ValidationError

from turntable.datasets.labels import (
    DEFAULT_LEVEL,
    DEFAULT_OFFSET,
    DEFAULT_TRAVEL,
    ROTATION_NAMES,
    STANDARD_FACTORS_BY_NAME,
    DynamicsRule,
    GraphRule,
    JointRule,
    MoleculeRule,
    RotationRule,
    ScanRule,
    SceneRule,
    SequenceRule,
    Span,
    StreetRule,
    make_dynamics_rule,
)
from turntable.datasets.recipes.base_tables import SpanTable, StrictTable
from turntable.datasets.recipes.content_tables import (
    CountTable,
    DynamicsTable,
    GraphTable,
    JointsTable,
    MoleculesTable,
    PolesTable,
    ScanTable,
    SceneTable,
    StreetObjectsTable,
    StreetTable,
    TracksTable,
    WallsTable,
)
from turntable.datasets.recipes.intervention_rules import make_couplings, make_environment, make_factor
from turntable.datasets.recipes.rules import find_broken_rules
from turntable.datasets.recipes.tables import (
    CouplingTable,
    EnvironmentTable,
    FactorsTable,
    FactorTable,
    RecipeTable,
    RotationTable,
    SequenceTable,
    SpeedTable,
)
from turntable.datasets.recipes.track_rules import make_track_rule
from turntable.errors import RecipeError, format_text, format_value

MAX_FAULTS = 20
"""Maximum number of faults that an error lists. It states how many more there are."""
_MAX_KEY_LENGTH = 60
"""Maximum number of characters of a key in a message."""


def parse_recipe_table(table: dict[str, Any], display_name: str) -> dict[str, Any]:
    """Check a recipe's table, and return the fields of a ``Recipe``.

    Args:
        table: Table as read from TOML.
        display_name: Name of the recipe in messages.

    Raises:
        RecipeError: The table has faults. The message lists them, each by the name of its key.
    """
    checked = _check_table(table, display_name)
    fields = {name: getattr(checked, name) for name in RecipeTable.model_fields if name != "factors"}
    fields |= {"outputs": tuple(checked.outputs), "splits": tuple(checked.splits)}
    fields |= {
        "environment": tuple(map(make_environment, checked.environment)),
        "coupling": make_couplings(checked.coupling),
        "rotation": _make_rotation_rule(checked.rotation),
        "sequence": _make_sequence_rule(checked.sequence),
        "joints": _make_joint_rule(checked.joints),
        "scene": _make_scene_rule(checked.scene),
        "molecules": _make_molecule_rule(checked.molecules),
        "dynamics": _make_dynamics_rule(checked.dynamics, checked.sequence),
        "street": _make_street_rule(checked.street),
        "scan": _make_scan_rule(checked.scan),
        "tracks": make_track_rule(checked.tracks, checked.source),
        "graph": None if checked.graph is None else GraphRule(checked.graph.vertices),
    }
    return fields | {
        "drawn_factors": tuple(
            make_factor(name, factor) for name, factor in checked.get_factor_tables().items()
        )
    }


def _check_table(table: dict[str, Any], display_name: str) -> RecipeTable:
    faults, num_omitted = _find_missing_angles(table), 0
    try:
        checked = RecipeTable.model_validate(table)
    except ValidationError as error:
        details = error.errors(include_url=False)
        faults += [_format_fault(cast("dict[str, Any]", detail)) for detail in details[:MAX_FAULTS]]
        num_omitted = max(len(details) - MAX_FAULTS, 0)
    else:
        faults += find_broken_rules(checked)
        if not faults:
            return checked
    raise RecipeError(f"recipe {display_name}: {_format_faults(faults, num_omitted)}")


def _make_rotation_rule(table: RotationTable | None) -> RotationRule | None:
    return None if table is None else RotationRule(table.outside, table.margin_deg)


def _make_sequence_rule(table: SequenceTable | None) -> SequenceRule | None:
    if table is None:
        return None
    is_screw = table.motion == "screw"
    vary = tuple(name for name in STANDARD_FACTORS_BY_NAME if name in table.vary)
    return SequenceRule(
        length=table.length,
        motion=table.motion,
        speed_rad=_make_span(table.speed_rad),
        speeds_rad=tuple((table.speed_rad.values or ()) if table.speed_rad else ()),
        offset=_make_span(table.offset) or (DEFAULT_OFFSET if is_screw else None),
        travel=_make_span(table.travel) or (DEFAULT_TRAVEL if is_screw else None),
        vary=vary,
    )


def _make_joint_rule(table: JointsTable | None) -> JointRule | None:
    return None if table is None else JointRule(table.range, table.seen_fraction, table.per, table.motion)


def _make_scene_rule(table: SceneTable | None) -> SceneRule | None:
    if table is None:
        return None
    return SceneRule(
        objects=(table.objects.low, table.objects.high),
        size=(table.size.low, table.size.high),
        area=table.area,
        orientation=table.get_orientation(),
        gap=table.gap,
        level=DEFAULT_LEVEL if table.level is None else table.level,
        tries=table.tries,
        arrangements=table.arrangements,
    )


def _make_dynamics_rule(table: DynamicsTable | None, sequence: SequenceTable | None) -> DynamicsRule | None:
    if table is None:
        return None
    assert sequence is not None
    keys: dict[str, Any] = table.model_dump(exclude={"law"})
    keys |= {name: _make_span(getattr(table, name)) for name in ("speed_rad", "travel")}
    if table.law == "branching" and table.branch_at is None:
        keys["branch_at"] = sequence.length // 2
    return make_dynamics_rule(table.law, **keys)


def _make_street_rule(table: StreetTable | None) -> StreetRule | None:
    if table is None:
        return None
    given: dict[str, Any] = table.model_dump()
    given |= {name: (given[name]["low"], given[name]["high"]) for name in _STREET_SPANS}
    given["lengths_m"] = tuple(sorted(table.lengths_m.items()))
    return StreetRule(**given)


_STREET_SPANS = ("objects", "speed_m_per_s", "ego_speed_m_per_s", "walls", "poles")


def _make_scan_rule(table: ScanTable | None) -> ScanRule | None:
    if table is None:
        return None
    given: dict[str, Any] = table.model_dump()
    given |= {name: _make_span(getattr(table, name)) for name in ("elevation_deg", "distance_m")}
    return ScanRule(**given)


def _make_molecule_rule(table: MoleculesTable | None) -> MoleculeRule | None:
    if table is None:
        return None
    return MoleculeRule(**table.model_dump(exclude={"elements"}), elements=tuple(table.elements))


def _make_span(table: SpanTable | SpeedTable | None) -> Span | None:
    if table is None or table.low is None or table.high is None:
        return None
    return table.low, table.high


def _format_faults(faults: list[str], num_omitted: int) -> str:
    """Format faults as lines, with at most ``MAX_FAULTS`` of them."""
    total = len(faults) + num_omitted
    num_omitted += max(len(faults) - MAX_FAULTS, 0)
    head = "1 error:" if total == 1 else f"{total:,} errors:"
    tail = [f"and {num_omitted:,} more"] if num_omitted else []
    return "\n".join([head, *(f"  {line}" for line in [*faults[:MAX_FAULTS], *tail])])


def _find_missing_angles(table: dict[str, Any]) -> list[str]:
    factors = table.get("factors")
    if table.get("rotation") is not None or not isinstance(factors, dict):
        return []
    return [f"factors.{name}: missing; {_MISSING_FACTOR}" for name in ROTATION_NAMES if name not in factors]


_MISSING_FACTOR = "give low and high, or value"


def _format_fault(detail: dict[str, Any]) -> str:
    path = tuple(str(part) for part in detail["loc"])
    name = ".".join(format_text(part, _MAX_KEY_LENGTH) for part in path)
    return f"{name or 'recipe'}: {_format_message(path, detail)}"


def _format_message(path: tuple[str, ...], detail: dict[str, Any]) -> str:
    value, context = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return f"missing; {_MISSING_FACTOR}" if path[0] == "factors" and len(path) == 2 else "missing"
        case "extra_forbidden":
            return f"unknown key; {_suggest_key(path)}"
        case "greater_than_equal":
            return f"{format_value(value, str)} is below {context['ge']:.6g}"
        case "less_than_equal":
            return f"{format_value(value, str)} is above {context['le']:.6g}"
        case "less_than":
            return f"{format_value(value, str)} is not below {context['lt']:.6g}"
        case "literal_error":
            return f"{format_value(value)} is not one of {context['expected']}"
        case "value_error":
            return str(context["error"])
        case _:
            return f"{format_value(value)}: {detail['msg'][0].lower()}{detail['msg'][1:]}"


def _suggest_key(path: tuple[str, ...]) -> str:
    known = _list_known_keys(path)
    near = difflib.get_close_matches(path[-1][:_MAX_KEY_LENGTH], known, n=1)
    return f"did you mean {near[0]}?" if near else f"the keys are {', '.join(known)}"


def _list_known_keys(path: tuple[str, ...]) -> list[str]:
    """Return the known keys of the table that the last name of a path is in."""
    *tables, _ = path
    table: type[StrictTable] = RecipeTable
    if "factors" in tables:
        table = FactorsTable if tables[-1] == "factors" else FactorTable
    elif len(tables) > 1 and not tables[1].isdigit():  # a number is that of a table in an array of tables
        table = _INNER_TABLES.get((tables[0], tables[1]), SpanTable)
    elif tables:
        table = _TABLES[tables[0]]
    return list(table.model_fields)


_TABLES: dict[str, type[StrictTable]] = {
    "rotation": RotationTable,
    "sequence": SequenceTable,
    "joints": JointsTable,
    "scene": SceneTable,
    "dynamics": DynamicsTable,
    "tracks": TracksTable,
    "graph": GraphTable,
    "molecules": MoleculesTable,
    "environment": EnvironmentTable,
    "coupling": CouplingTable,
    "street": StreetTable,
    "scan": ScanTable,
}
_INNER_TABLES: dict[tuple[str, str], type[StrictTable]] = {
    ("sequence", "speed_rad"): SpeedTable,
    ("scene", "objects"): CountTable,
    ("street", "objects"): StreetObjectsTable,
    ("street", "walls"): WallsTable,
    ("street", "poles"): PolesTable,
}
"""Tables within these that are no ranges { low, high }."""

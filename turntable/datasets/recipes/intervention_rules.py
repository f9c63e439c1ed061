"""Environments and couplings of a recipe: their rules, and their values from its tables."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from turntable.datasets.labels import (
    CATEGORY,
    POSE_NAMES,
    ROTATION_NAMES,
    STANDARD_FACTORS_BY_NAME,
    Coupling,
    Environment,
    Factor,
    find_coupling_overflows,
    sort_couplings,
)
from turntable.datasets.recipes.tables import CouplingTable, EnvironmentTable, FactorTable, RecipeTable
from turntable.errors import format_text

_MAX_NAME_LENGTH = 60


def make_factor(name: str, table: FactorTable) -> Factor:
    """Return a factor with the law of its table."""
    standard = STANDARD_FACTORS_BY_NAME[name].factor
    if table.value is not None:
        return standard.with_value(table.value)
    if table.inner is not None:
        assert table.outer is not None
        return standard.with_two_sided_range(table.inner, table.outer)
    assert table.low is not None
    assert table.high is not None
    with_law = standard.with_integers if table.integer else standard.with_range
    return with_law(table.low, table.high)


def make_environment(table: EnvironmentTable) -> Environment:
    """Return an environment with what differs in it."""
    factors = (make_factor(name, factor) for name, factor in table.get_factor_tables().items())
    return Environment(table.name, tuple(factors), tuple(sorted(table.slopes.items())))


def make_couplings(tables: Iterable[CouplingTable]) -> tuple[Coupling, ...]:
    """Return the couplings of a recipe, each after the one that it depends on, whatever their order was.

    Raises:
        ValueError: They form a circle.
    """
    return sort_couplings(
        Coupling(table.factor, table.on, table.slope, table.offset, table.noise)
        for table in sorted(tables, key=lambda table: table.factor)
    )


def find_intervention_faults(recipe: RecipeTable, factors: Mapping[str, FactorTable]) -> list[str]:
    """Return a message for each fault of the pose bank, the environments and the couplings."""
    faults = [
        *_find_pose_bank_faults(recipe),
        *_find_environment_faults(recipe, factors),
        *_find_coupling_faults(recipe, factors),
    ]
    # Ranges and circles have a meaning only if every name is known.
    return faults or list(_find_range_faults(recipe, factors))


def _find_pose_bank_faults(recipe: RecipeTable) -> Iterator[str]:
    if recipe.pose_bank and _is_moving(recipe):
        yield (
            "pose_bank: the motion of [sequence] determines the rotations; leave out one of the two, or take "
            'motion = "independent"'
        )


def _is_moving(recipe: RecipeTable) -> bool:
    return recipe.sequence is not None and recipe.sequence.motion != "independent"


def _find_environment_faults(recipe: RecipeTable, factors: Mapping[str, FactorTable]) -> Iterator[str]:
    for name in _find_repeated(table.name for table in recipe.environment):
        yield f"environment: two are named {name}"
    coupled = {table.factor for table in recipe.coupling}
    for table in recipe.environment:
        for name in table.get_factor_tables():
            if fault := _explain_no_override(name, recipe, factors, coupled):
                yield f"environment.{table.name}.factors.{name}: {fault}"
        for name in table.slopes:
            if name not in coupled:
                key = format_text(name, _MAX_NAME_LENGTH)
                yield f"environment.{table.name}.slopes.{key}: no [[coupling]] has this factor"


def _explain_no_override(
    name: str, recipe: RecipeTable, factors: Mapping[str, FactorTable], coupled: set[str]
) -> str:
    """Return why an environment cannot give a factor another law, or "" if it can."""
    if name in ROTATION_NAMES and recipe.rotation is not None:
        return "[rotation] draws the rotations; leave it out"
    if name in ROTATION_NAMES and recipe.pose_bank:
        return "all objects share the rotations of pose_bank; leave it out"
    if name not in factors:
        return f"the recipe has no table [factors.{name}], which the other environments need; give one"
    if name in coupled:
        return "[[coupling]] determines this factor; give slopes instead"
    return ""


def _find_coupling_faults(recipe: RecipeTable, factors: Mapping[str, FactorTable]) -> Iterator[str]:
    for name in _find_repeated(table.factor for table in recipe.coupling):
        yield f"coupling: {format_text(name, _MAX_NAME_LENGTH)} is coupled twice; give one [[coupling]]"
    for table in recipe.coupling:
        named = f"coupling of {format_text(table.factor, _MAX_NAME_LENGTH)}"
        for name in dict.fromkeys((table.factor, table.on)):
            if fault := _explain_no_coupling(name, table, recipe, factors):
                yield f"{named}: {format_text(name, _MAX_NAME_LENGTH)} {fault}"
        if fault := _explain_no_law(factors.get(table.factor)):
            yield f"{named}: {fault}"


def _explain_no_coupling(
    name: str, table: CouplingTable, recipe: RecipeTable, factors: Mapping[str, FactorTable]
) -> str:
    """Return why a coupling cannot use a factor, or "" if it can."""
    if name == CATEGORY and name == table.on != table.factor:
        return ""
    if name in ROTATION_NAMES and recipe.rotation is not None:
        return "belongs to the pose, which [rotation] draws; take another factor"
    if name in POSE_NAMES and _is_moving(recipe):
        return "belongs to the pose, which the motion determines; take another factor"
    if name in ROTATION_NAMES and recipe.pose_bank and name == table.factor:
        return "belongs to the rotations of pose_bank, which all objects share; take another factor"
    if name not in factors:
        return f"is not a factor of this recipe; it has {', '.join(factors)}"
    if recipe.sequence is not None and table.on != CATEGORY and name == table.on:
        return _explain_other_frequency(name, table.factor, recipe)
    return ""


def _explain_other_frequency(on: str, factor: str, recipe: RecipeTable) -> str:
    """Return how often two factors of a recipe with sequences are drawn, or "" if equally often."""
    varies = _is_varying(on, recipe)
    if varies == _is_varying(factor, recipe):
        return ""
    first, second = "is drawn for every view", "holds over a sequence"
    first, second = (first, second) if varies else (second, first)
    return f"{first}, and {factor} {second}; name both in vary, or neither"


def _is_varying(name: str, recipe: RecipeTable) -> bool:
    """Return True if a factor of a recipe with sequences is drawn for every view."""
    assert recipe.sequence is not None
    return name in recipe.sequence.vary or (name in POSE_NAMES and not _is_moving(recipe))


def _explain_no_law(table: FactorTable | None) -> str:
    """Return why the range of a coupled factor cannot be that of a coupling, or "" if it can."""
    if table is None or (table.low is not None and not table.integer):
        return ""
    return "its range must be given by low and high, without integer"


def _find_range_faults(recipe: RecipeTable, factors: Mapping[str, FactorTable]) -> Iterator[str]:
    """Yield a message for a circle, or for each environment in which a coupled factor leaves its range."""
    try:
        couplings = make_couplings(recipe.coupling)
    except ValueError as error:
        yield f"coupling: a circle, {error}; leave out one of these couplings"
        return
    laws = {name: make_factor(name, table) for name, table in factors.items()}
    for environment in map(make_environment, recipe.environment) if recipe.environment else [Environment("")]:
        own = {factor.name: factor for factor in environment.select_laws(laws.values())}
        where = f" in environment {environment.name}" if environment.name else ""
        for name, fault in find_coupling_overflows(own, environment.select_couplings(couplings)):
            yield f"coupling of {name}{where}: {fault}"


def _find_repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]

"""What the keys of a recipe ask of one another, once each is well-formed by itself."""

import math
from collections.abc import Iterable, Iterator

from turntable.datasets.labels import (
    DEFAULT_OFFSET,
    DEFAULT_TRAVEL,
    GREATEST_LEGACY_SEED,
    LEGACY_ORDER,
    MOST_TRANSLATION,
    ROTATION_NAMES,
    STANDARD_BY_NAME,
    TRANSLATION_NAMES,
)
from turntable.datasets.recipes.schema import FactorTable, RecipeTable, SequenceTable
from turntable.errors import shown


def broken_rules(recipe: RecipeTable) -> list[str]:
    """Every combination of keys that cannot be, as "key: what is wrong"."""
    factors = recipe.factor_tables()
    faults = [*_two_sided(factors), *_rotation(recipe, factors), *_draws(recipe, factors)]
    if recipe.sequence is not None:
        faults += [*_sequence(recipe, recipe.sequence, factors), *_vary(recipe.sequence, factors)]
    return faults


def _two_sided(factors: dict[str, FactorTable]) -> Iterator[str]:
    for name, factor in factors.items():
        if factor.outer is not None and STANDARD_BY_NAME[name].minimum >= 0:
            yield f"factors.{name}: inner and outer are for factors that can be negative; give low and high"


def _rotation(recipe: RecipeTable, factors: dict[str, FactorTable]) -> Iterator[str]:
    if recipe.rotation is None:
        return
    for name in ROTATION_NAMES:
        if name in factors:
            yield f"factors.{name}: [rotation] draws the rotations; leave out one of the two"
    if recipe.rotation.outside is None and recipe.rotation.margin_deg:
        yield 'rotation.margin_deg: is measured from a training range; give outside = "3diebench" too'


def _draws(recipe: RecipeTable, factors: dict[str, FactorTable]) -> Iterator[str]:
    if recipe.draws != "philox":
        for name in ("rotation", "sequence"):
            if getattr(recipe, name) is not None:
                yield f'{name}: draws = "{recipe.draws}" knows no [{name}]; leave out one of the two'
    if recipe.draws != "numpy-legacy":
        if recipe.chunks != 1:
            yield 'chunks: only draws = "numpy-legacy" has lists to cut; leave it out'
        return
    for name, factor in factors.items():
        if factor.outer is not None:
            yield f'factors.{name}: draws = "numpy-legacy" has no draw with two sides; give low and high'
        elif factor.value is None and name not in LEGACY_ORDER:
            yield f'factors.{name}: draws = "numpy-legacy" has no such draw; give value'
    if recipe.seed + recipe.chunks - 1 > GREATEST_LEGACY_SEED:
        greatest = f"{GREATEST_LEGACY_SEED}, those of all chunks included"
        yield f'seed: draws = "numpy-legacy" has seeds up to {greatest}'


def _sequence(recipe: RecipeTable, sequence: SequenceTable, factors: dict[str, FactorTable]) -> Iterator[str]:
    if recipe.views % sequence.length:
        yield f"views: {recipe.views} is not a multiple of sequence.length {sequence.length}"
    if sequence.motion == "independent":
        if sequence.speed_rad is not None:
            yield 'sequence.speed_rad: motion = "independent" has none; leave it out'
    elif sequence.speed_rad is None:
        yield "sequence.speed_rad: missing; give { low, high }, the angle from a view to the next"
    elif not 0 <= sequence.speed_rad.low <= sequence.speed_rad.high <= math.pi:
        yield "sequence.speed_rad: leaves [0, pi]; beyond, a turn is a shorter one the other way"
    if sequence.motion == "screw":
        yield from _screw(sequence, factors)
        return
    for name in ("offset", "travel"):
        if getattr(sequence, name) is not None:
            yield f'sequence.{name}: only motion = "screw" has it; leave it out'


def _screw(sequence: SequenceTable, factors: dict[str, FactorTable]) -> Iterator[str]:
    for name in _named(TRANSLATION_NAMES, factors):
        yield f'factors.{name}: motion = "screw" decides where the object is; leave it out'
    low, high = _ends(sequence, "offset")
    if low < 0:
        yield f"sequence.offset: {low} is a distance below 0"
    far = math.hypot(high, max(map(abs, _ends(sequence, "travel"))) / 2)
    if far > MOST_TRANSLATION:
        yield (
            f"sequence.travel: with offset up to {high}, the object comes {far:.3g} from the origin, but "
            f"{MOST_TRANSLATION} is the most: half of travel and offset are the sides of a right angle"
        )


def _ends(sequence: SequenceTable, name: str) -> tuple[float, float]:
    span = getattr(sequence, name)
    return (span.low, span.high) if span else {"offset": DEFAULT_OFFSET, "travel": DEFAULT_TRAVEL}[name]


def _vary(sequence: SequenceTable, factors: dict[str, FactorTable]) -> Iterator[str]:
    if len(set(sequence.vary)) < len(sequence.vary):
        yield "sequence.vary: names a factor twice"
    for name in dict.fromkeys(sequence.vary):
        if name in ROTATION_NAMES + TRANSLATION_NAMES:
            yield f"sequence.vary: {name} belongs to the pose, which the motion decides"
        elif name not in factors:
            free = [item for item in factors if item not in ROTATION_NAMES + TRANSLATION_NAMES]
            yield f"sequence.vary: {shown(name, 60)} is no factor of this recipe; there are {', '.join(free)}"
        elif factors[name].value is not None:
            yield f"sequence.vary: {name} is fixed; give low and high, or leave it out here"
        elif name == "camera_elevation_rad" and sequence.motion == "in-plane":
            yield f'sequence.vary: {name} turns the axis of motion = "in-plane"; it holds over a sequence'


def _named(names: Iterable[str], factors: dict[str, FactorTable]) -> list[str]:
    return [name for name in names if name in factors]

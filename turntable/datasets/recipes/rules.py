"""Rules between the keys of a recipe, checked after each key is valid by itself."""

import math
from collections.abc import Iterable, Iterator

from turntable.datasets.labels import (
    DEFAULT_OFFSET,
    DEFAULT_TRAVEL,
    LEGACY_ORDER,
    MAX_LEGACY_SEED,
    MAX_SCREW_TRANSLATION,
    ROTATION_NAMES,
    STANDARD_FACTORS_BY_NAME,
    TRANSLATION_NAMES,
)
from turntable.datasets.recipes.tables import FactorTable, RecipeTable, SequenceTable
from turntable.errors import format_text


def find_broken_rules(recipe: RecipeTable) -> list[str]:
    """Return a message "key: fault" for every combination of keys that is not allowed."""
    factors = recipe.get_factor_tables()
    faults = [
        *_find_two_sided_faults(factors),
        *_find_rotation_faults(recipe, factors),
        *_find_draws_faults(recipe, factors),
    ]
    if recipe.sequence is None and "flow" in recipe.outputs:
        faults.append(
            "outputs: flow is the motion to the next view of a sequence; add a table [sequence], or leave "
            "flow out"
        )
    if recipe.sequence is not None:
        faults += [
            *_find_sequence_faults(recipe, recipe.sequence, factors),
            *_find_vary_faults(recipe.sequence, factors),
        ]
    return faults


def _find_two_sided_faults(factors: dict[str, FactorTable]) -> Iterator[str]:
    for name, factor in factors.items():
        if factor.outer is not None and STANDARD_FACTORS_BY_NAME[name].minimum >= 0:
            yield f"factors.{name}: inner and outer need a factor that can be negative; give low and high"


def _find_rotation_faults(recipe: RecipeTable, factors: dict[str, FactorTable]) -> Iterator[str]:
    if recipe.rotation is None:
        return
    for name in ROTATION_NAMES:
        if name in factors:
            yield f"factors.{name}: [rotation] draws the rotations; leave out one of the two"
    if recipe.rotation.outside is None and recipe.rotation.margin_deg:
        yield 'rotation.margin_deg: it is measured from a training range; give outside = "3diebench" too'


def _find_draws_faults(recipe: RecipeTable, factors: dict[str, FactorTable]) -> Iterator[str]:
    if recipe.draws != "philox":
        for name in ("rotation", "sequence"):
            if getattr(recipe, name) is not None:
                yield f'{name}: draws = "{recipe.draws}" does not support [{name}]; leave out one of the two'
    if recipe.draws != "numpy-legacy":
        if recipe.chunks != 1:
            yield 'chunks: only draws = "numpy-legacy" divides lists into chunks; leave it out'
        return
    for name, factor in factors.items():
        if factor.outer is not None:
            yield f'factors.{name}: draws = "numpy-legacy" has no two-sided draws; give low and high'
        elif factor.value is None and name not in LEGACY_ORDER:
            yield f'factors.{name}: draws = "numpy-legacy" does not draw this factor; give value'
    if recipe.seed + recipe.chunks - 1 > MAX_LEGACY_SEED:
        yield (
            f'seed: draws = "numpy-legacy" has seeds up to {MAX_LEGACY_SEED}, and chunk c has the seed '
            "seed + c"
        )


def _find_sequence_faults(
    recipe: RecipeTable, sequence: SequenceTable, factors: dict[str, FactorTable]
) -> Iterator[str]:
    if recipe.views % sequence.length:
        yield f"views: {recipe.views} is not a multiple of sequence.length {sequence.length}"
    if sequence.motion == "independent":
        if sequence.speed_rad is not None:
            yield 'sequence.speed_rad: motion = "independent" has no speed; leave it out'
    elif sequence.speed_rad is None:
        yield "sequence.speed_rad: missing; give { low, high }, the angle from a view to the next"
    elif not 0 <= sequence.speed_rad.low <= sequence.speed_rad.high <= math.pi:
        yield (
            "sequence.speed_rad: leaves [0, pi]; a larger rotation is a smaller one in the other direction"
        )
    if sequence.motion == "screw":
        yield from _find_screw_faults(sequence, factors)
        return
    for name in ("offset", "travel"):
        if getattr(sequence, name) is not None:
            yield f'sequence.{name}: only motion = "screw" uses it; leave it out'


def _find_screw_faults(sequence: SequenceTable, factors: dict[str, FactorTable]) -> Iterator[str]:
    for name in _filter_names(TRANSLATION_NAMES, factors):
        yield f'factors.{name}: motion = "screw" determines the position of the object; leave it out'
    low, high = _get_span(sequence, "offset")
    if low < 0:
        yield f"sequence.offset: {low} is negative, but it is a distance"
    # The center is farthest from the origin at both ends: half the travel along the axis, and the offset
    # perpendicular to it.
    farthest = math.hypot(high, max(map(abs, _get_span(sequence, "travel"))) / 2)
    if farthest > MAX_SCREW_TRANSLATION:
        yield (
            f"sequence.travel: with offset up to {high}, the object is up to {farthest:.3g} from the origin; "
            f"at most {MAX_SCREW_TRANSLATION} is allowed, computed as the root of offset² + (travel / 2)²"
        )


def _get_span(sequence: SequenceTable, name: str) -> tuple[float, float]:
    span = getattr(sequence, name)
    return (span.low, span.high) if span else {"offset": DEFAULT_OFFSET, "travel": DEFAULT_TRAVEL}[name]


def _find_vary_faults(sequence: SequenceTable, factors: dict[str, FactorTable]) -> Iterator[str]:
    if len(set(sequence.vary)) < len(sequence.vary):
        yield "sequence.vary: names a factor twice"
    for name in dict.fromkeys(sequence.vary):
        if name in ROTATION_NAMES + TRANSLATION_NAMES:
            yield f"sequence.vary: {name} belongs to the pose, which the motion determines; leave it out here"
        elif name not in factors:
            free = [item for item in factors if item not in ROTATION_NAMES + TRANSLATION_NAMES]
            known = ", ".join(free)
            yield f"sequence.vary: {format_text(name, 60)} is not a factor of this recipe; it has {known}"
        elif factors[name].value is not None:
            yield f"sequence.vary: {name} is fixed; give low and high, or leave it out here"
        elif name == "camera_elevation_rad" and sequence.motion == "in-plane":
            yield (
                f'sequence.vary: {name} would turn the axis of motion = "in-plane", which is fixed over a '
                "sequence; leave it out here"
            )


def _filter_names(names: Iterable[str], factors: dict[str, FactorTable]) -> list[str]:
    return [name for name in names if name in factors]

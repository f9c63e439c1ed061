"""Rules between the keys of a recipe, checked after each key is valid by itself."""

import math
from collections.abc import Iterable, Iterator

from turntable.choices import SOURCES_OF_GLTF, SOURCES_WITHOUT_JOINTS, SOURCES_WITHOUT_PARTS
from turntable.datasets.labels import (
    DEFAULT_OFFSET,
    DEFAULT_TRAVEL,
    FORCE_LAWS,
    LAW_KEYS,
    LEGACY_ORDER,
    MAX_LEGACY_SEED,
    MAX_SCREW_TRANSLATION,
    PARTICLE_LAWS,
    PRINCIPAL_POINT_NAMES,
    ROTATION_NAMES,
    STANDARD_FACTORS_BY_NAME,
    TRANSLATION_NAMES,
)
from turntable.datasets.recipes.base_tables import SpanTable
from turntable.datasets.recipes.content_tables import DynamicsTable
from turntable.datasets.recipes.intervention_rules import find_intervention_faults
from turntable.datasets.recipes.scan_rules import find_scan_faults
from turntable.datasets.recipes.scene_rules import find_scene_faults
from turntable.datasets.recipes.street_rules import find_street_faults
from turntable.datasets.recipes.tables import FactorTable, RecipeTable, SequenceTable, SpeedTable
from turntable.datasets.recipes.track_rules import find_track_faults
from turntable.errors import format_text

MIN_BRANCHING_LENGTH = 4
"""Minimum number of views of a sequence with branches: by default half of them, at least two, are shared."""


def find_broken_rules(recipe: RecipeTable) -> list[str]:
    """Return a message "key: fault" for every combination of keys that is not allowed."""
    factors = recipe.get_factor_tables()
    faults = [
        *_find_two_sided_faults(factors),
        *_find_rotation_faults(recipe, factors),
        *_find_draws_faults(recipe, factors),
        *_find_part_faults(recipe),
        *_find_joint_faults(recipe),
        *find_intervention_faults(recipe, factors),
        *_find_principal_point_faults(recipe, factors),
    ]
    if recipe.sequence is None and "flow" in recipe.outputs:
        faults.append(
            "outputs: flow is the motion to the next view of a sequence; add a table [sequence], or leave "
            "flow out"
        )
    faults += _find_molecule_faults(recipe)
    if recipe.scene is not None:
        faults += find_scene_faults(recipe, recipe.scene)
    if recipe.street is not None:
        faults += find_street_faults(recipe, recipe.street)
    faults += find_scan_faults(recipe)
    if recipe.sequence is not None:
        faults += [
            *_find_sequence_faults(recipe, recipe.sequence, factors),
            *_find_vary_faults(recipe.sequence, factors),
        ]
    if recipe.dynamics is not None:
        faults += [*_find_dynamics_faults(recipe, recipe.dynamics), *_find_law_faults(recipe.dynamics)]
    elif recipe.source == "particles":
        faults.append(
            f'dynamics: missing; source = "particles" needs a law, one of {", ".join(PARTICLE_LAWS)}'
        )
    if recipe.tracks is not None:
        faults += find_track_faults(recipe, recipe.tracks)
    return faults


def _find_molecule_faults(recipe: RecipeTable) -> Iterator[str]:
    if recipe.source != "molecules":
        if recipe.molecules is not None:
            yield (
                f'molecules: the objects of source = "{recipe.source}" are no molecules; leave [molecules] '
                'out, or choose source = "molecules"'
            )
        return
    if recipe.split_rule != "overall" and recipe.scene is None:
        yield f'split_rule: molecules are divided by scaffold, not by "{recipe.split_rule}"; leave it out'


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


def _find_principal_point_faults(recipe: RecipeTable, factors: dict[str, FactorTable]) -> Iterator[str]:
    limit = recipe.image_size_px / 2
    for name in _filter_names(PRINCIPAL_POINT_NAMES, factors):
        table = factors[name]
        ends = [end for end in (table.low, table.high, table.value, table.outer) if end is not None]
        farthest = max(ends, key=abs)
        if abs(farthest) > limit:
            yield (
                f"factors.{name}: {farthest:g} is more than half of image_size_px = {recipe.image_size_px}; "
                f"give at most {limit:g} in magnitude, or larger pictures"
            )


def _find_draws_faults(recipe: RecipeTable, factors: dict[str, FactorTable]) -> Iterator[str]:
    if recipe.draws != "philox":
        rules = (
            "rotation",
            "sequence",
            "scene",
            "joints",
            "dynamics",
            "tracks",
            "pose_bank",
            "environment",
            "coupling",
            "street",
        )
        for name in rules:
            if getattr(recipe, name):
                yield f'{name}: draws = "{recipe.draws}" does not support [{name}]; leave out one of the two'
    if recipe.draws != "numpy-legacy":
        if recipe.chunks != 1:
            yield 'chunks: only draws = "numpy-legacy" divides lists into chunks; leave it out'
        return
    for name, factor in factors.items():
        if factor.outer is not None:
            yield f'factors.{name}: draws = "numpy-legacy" has no two-sided draws; give low and high'
        elif factor.integer:
            yield f'factors.{name}: draws = "numpy-legacy" draws no integers; leave integer out'
        elif factor.value is None and name not in LEGACY_ORDER:
            yield f'factors.{name}: draws = "numpy-legacy" does not draw this factor; give value'
    if recipe.seed + recipe.chunks - 1 > MAX_LEGACY_SEED:
        yield (
            f'seed: draws = "numpy-legacy" has seeds up to {MAX_LEGACY_SEED}, and chunk c has the seed '
            "seed + c"
        )


def _find_part_faults(recipe: RecipeTable) -> Iterator[str]:
    if not recipe.parts:
        return
    if recipe.source not in SOURCES_OF_GLTF:
        sources = " or ".join(f'"{name}"' for name in SOURCES_OF_GLTF)
        yield (
            f'parts: source = "{recipe.source}" reads no glTF files, whose animations tell parts; leave it '
            f"out, or choose source = {sources}"
        )
    if recipe.scene is not None:
        yield "parts: the parts of a scene are whole objects; leave out one of parts and [scene]"


def _find_joint_faults(recipe: RecipeTable) -> Iterator[str]:
    if recipe.joints is None:
        return
    if recipe.source in SOURCES_WITHOUT_JOINTS:
        yield (
            f'joints: the objects of source = "{recipe.source}" have no joints; leave [joints] out, or '
            'choose source = "articulated"'
        )
    given = recipe.joints.model_fields_set
    if "seen_fraction" in given and recipe.joints.range == "full":
        yield 'joints.seen_fraction: range = "full" draws from the whole range; leave it out'
    if "motion" in given and recipe.sequence is None:
        yield "joints.motion: joints move over sequences; give [sequence] too, or leave it out"
    elif "motion" in given and recipe.joints.per == "object":
        yield 'joints.motion: with per = "object" a joint keeps one value in all views; leave it out'


def _find_sequence_faults(
    recipe: RecipeTable, sequence: SequenceTable, factors: dict[str, FactorTable]
) -> Iterator[str]:
    if recipe.views % sequence.length:
        yield f"views: {recipe.views} is not a multiple of sequence.length {sequence.length}"
    if sequence.motion in ("independent", "still"):
        if sequence.speed_rad is not None:
            yield f'sequence.speed_rad: motion = "{sequence.motion}" has no speed; leave it out'
    elif sequence.speed_rad is None:
        yield "sequence.speed_rad: missing; give { low, high }, the angle from a view to the next"
    else:
        yield from _find_speed_faults(sequence.speed_rad)
    if sequence.motion == "screw":
        yield from _find_screw_faults(sequence, factors)
        return
    for name in ("offset", "travel"):
        if getattr(sequence, name) is not None:
            yield f'sequence.{name}: only motion = "screw" uses it; leave it out'


def _find_speed_faults(speed: SpeedTable) -> Iterator[str]:
    turn = "a larger rotation is a smaller one in the other direction"
    if speed.values is not None:
        if max(map(abs, speed.values)) > math.pi:
            yield f"sequence.speed_rad: values leave [-pi, pi]; {turn}"
        return
    assert speed.low is not None
    assert speed.high is not None
    if not 0 <= speed.low <= speed.high <= math.pi:
        yield f"sequence.speed_rad: leaves [0, pi]; {turn}"


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


def _find_dynamics_faults(recipe: RecipeTable, dynamics: DynamicsTable) -> Iterator[str]:
    """Find what the rest of the recipe lacks for [dynamics]: parts that move, and frames."""
    law, particles = dynamics.law, recipe.source == "particles"
    if recipe.source in SOURCES_WITHOUT_PARTS and recipe.scene is None:
        yield f'dynamics: an object of source = "{recipe.source}" has no parts that could move; leave it out'
    elif particles and law not in PARTICLE_LAWS:
        yield f'dynamics.law: source = "particles" moves by one of {", ".join(PARTICLE_LAWS)}'
    elif not particles and law in FORCE_LAWS:
        yield f'dynamics.law: "{law}" moves particles; give source = "particles"'
    if recipe.sequence is None:
        yield "dynamics: motion needs frames; give [sequence] with length"
    elif dynamics.branch_at is not None and dynamics.branch_at >= recipe.sequence.length:
        yield (
            f"dynamics.branch_at: {dynamics.branch_at} is not below sequence.length "
            f"{recipe.sequence.length}, so no frame is left for the futures"
        )
    elif law == "branching" and recipe.sequence.length < MIN_BRANCHING_LENGTH:
        yield f"sequence.length: a sequence with branches has at least {MIN_BRANCHING_LENGTH} views"


def _find_law_faults(dynamics: DynamicsTable) -> Iterator[str]:
    """Find keys that the law does not use, and speeds that no motion has."""
    for name in type(dynamics).model_fields:
        if name != "law" and getattr(dynamics, name) is not None and name not in LAW_KEYS[dynamics.law]:
            yield f'dynamics.{name}: law = "{dynamics.law}" does not use it; leave it out'
    yield from _find_angle_faults("dynamics.speed_rad", dynamics.speed_rad)
    if dynamics.travel is not None and dynamics.travel.low < 0:
        yield f"dynamics.travel: {dynamics.travel.low} is negative, but it is a distance"


def _find_angle_faults(key: str, speed: SpanTable | None) -> Iterator[str]:
    if speed is not None and not 0 <= speed.low <= speed.high <= math.pi:
        yield f"{key}: leaves [0, pi]; a larger rotation is a smaller one in the other direction"


def _filter_names(names: Iterable[str], factors: dict[str, FactorTable]) -> list[str]:
    return [name for name in names if name in factors]

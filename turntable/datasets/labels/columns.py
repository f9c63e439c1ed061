"""The label columns of a recipe: what it draws, what its motion decides, and what follows from both."""

import math
from collections.abc import Iterable

from turntable.datasets.labels.factors import STANDARD, STANDARD_BY_NAME, Factor
from turntable.datasets.labels.rotation_rule import EULER_RANGES, RotationRule
from turntable.datasets.labels.schema import ROTATION_NAMES, TRANSLATION_NAMES, TWIST_NAMES
from turntable.datasets.labels.sequence_rule import MOST_TRANSLATION, SequenceRule

POSE_NAMES = (*ROTATION_NAMES, *TRANSLATION_NAMES)

GREATEST_LEGACY_SEED = 2**32 - 1
"""The greatest that ``np.random.seed`` takes."""

LEGACY_ORDER = (
    "floor_hue",
    "light_theta_rad",
    "light_phi_rad",
    "light_hue",
    *TRANSLATION_NAMES,
    *ROTATION_NAMES,
)
"""The order in which the published generators drew the factors of a view; 3DIEBench has no translations."""


def label_columns(
    drawn: tuple[Factor, ...], rotation: RotationRule | None, sequence: SequenceRule | None
) -> tuple[Factor, ...]:
    """All columns in order: those of the scene in the standard order, then the twist.

    Args:
        drawn: the factors a recipe gives, in the standard order.
        rotation: its rule for rotations, where they are not among the factors.
        sequence: its rule for sequences.
    """
    if rotation is None and sequence is None:
        return drawn
    moving = sequence is not None and sequence.moving
    by_name = {factor.name: factor for factor in drawn}
    if rotation is not None or moving:
        by_name |= {
            name: STANDARD_BY_NAME[name].factor.bounded(*span)
            for name, span in zip(ROTATION_NAMES, EULER_RANGES, strict=True)
        }
    if sequence is not None and sequence.motion == "screw":
        by_name |= _translations(MOST_TRANSLATION)
    elif moving and by_name.keys() & set(TRANSLATION_NAMES):
        by_name |= _translations(most_translation(drawn))
    scene = tuple(by_name[item.factor.name] for item in STANDARD if item.factor.name in by_name)
    return scene if sequence is None else _held(scene, sequence) + _twist(sequence, most_translation(drawn))


def most_translation(drawn: Iterable[Factor]) -> float:
    """The greatest distance of the object's centre from the origin that the factors allow."""
    return math.hypot(
        *(max(abs(item.low), abs(item.high)) for item in drawn if item.name in TRANSLATION_NAMES)
    )


def _translations(most: float) -> dict[str, Factor]:
    return {name: STANDARD_BY_NAME[name].factor.bounded(-most, most) for name in TRANSLATION_NAMES}


def _held(scene: tuple[Factor, ...], sequence: SequenceRule) -> tuple[Factor, ...]:
    free = {*POSE_NAMES, *sequence.vary}
    return tuple(item if item.name in free else item.held() for item in scene)


def _twist(sequence: SequenceRule, most: float) -> tuple[Factor, ...]:
    omega, v = sequence.twist_bounds(most)
    what = "{} of the twist from the view before, along the object's {} axis; 0 at step 0"
    return tuple(
        Factor(
            name,
            "rad" if "omega" in name else "1",
            low=-bound if bound else 0.0,
            high=bound,
            distribution="joint" if bound else "fixed",
            description=what.format("rotation vector" if "omega" in name else "translation", axis),
            role="derived",
        )
        for name, axis, bound in zip(TWIST_NAMES, "xyzxyz", (omega,) * 3 + (v,) * 3, strict=True)
    )

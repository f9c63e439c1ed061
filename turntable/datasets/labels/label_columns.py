"""The label columns of a recipe: those drawn, those that a motion determines, and those derived from them."""

import math
from collections.abc import Iterable

from turntable.datasets.labels.dynamics_rule import DynamicsRule
from turntable.datasets.labels.factors import STANDARD_FACTORS, STANDARD_FACTORS_BY_NAME, Factor
from turntable.datasets.labels.label_schema import ROTATION_NAMES, TRANSLATION_NAMES, TWIST_NAMES
from turntable.datasets.labels.rotation_rule import EULER_RANGES, RotationRule
from turntable.datasets.labels.sequence_rule import MAX_SCREW_TRANSLATION, SequenceRule

POSE_NAMES = (*ROTATION_NAMES, *TRANSLATION_NAMES)
"""The names of the columns that hold an object's pose."""

BRANCH_NAME = "branch"
"""The name of the column that says which of several futures a sequence takes."""

MAX_LEGACY_SEED = 2**32 - 1
"""The greatest seed that ``np.random.seed`` accepts."""

LEGACY_ORDER = (
    "floor_hue",
    "light_theta_rad",
    "light_phi_rad",
    "light_hue",
    *TRANSLATION_NAMES,
    *ROTATION_NAMES,
)
"""The order in which the published generators drew the factors of a view. 3DIEBench has no translations."""


POSE_INDEX = "pose_index"
ENVIRONMENT = "environment"


def build_label_columns(
    drawn: tuple[Factor, ...],
    rotation: RotationRule | None,
    sequence: SequenceRule | None,
    dynamics: DynamicsRule | None = None,
) -> tuple[Factor, ...]:
    """Return all label columns: those of the scene in the standard order, those of the twist, and the branch.

    Args:
        drawn: Factors that the recipe gives, in the standard order.
        rotation: Rule for rotations on SO(3); None if the recipe has factors for the angles.
        sequence: Rule for sequences; None if the views are independent.
        dynamics: Rule for the motion of parts; None if they do not move by a law.
    """
    if rotation is None and sequence is None:
        return drawn
    moving = sequence is not None and sequence.is_moving
    by_name = {factor.name: factor for factor in drawn}
    if rotation is not None or moving:
        by_name |= {
            name: STANDARD_FACTORS_BY_NAME[name].factor.with_joint_range(*span)
            for name, span in zip(ROTATION_NAMES, EULER_RANGES, strict=True)
        }
    if sequence is not None and sequence.motion == "screw":
        by_name |= _make_translation_factors(MAX_SCREW_TRANSLATION)
    elif moving and by_name.keys() & set(TRANSLATION_NAMES):
        by_name |= _make_translation_factors(compute_max_translation(drawn))
    scene = tuple(by_name[item.factor.name] for item in STANDARD_FACTORS if item.factor.name in by_name)
    if sequence is None:
        return scene
    twist = _make_twist_factors(sequence, compute_max_translation(drawn))
    branch = (_make_branch_factor(dynamics),) if dynamics is not None and dynamics.branches else ()
    return _hold_over_sequence(scene, sequence) + twist + branch


def build_index_columns(pose_bank: int, num_environments: int) -> tuple[Factor, ...]:
    """Return the columns that number a view's rotation in the pose bank and an object's environment.

    Args:
        pose_bank: Number of rotations of the bank; 0 for none.
        num_environments: Number of environments; 0 for none.
    """
    pose = "number of the view's rotation in the recipe's pose_bank"
    environment = "number of the object's environment, in the order of the recipe's tables [[environment]]"
    columns = ((POSE_INDEX, pose, pose_bank), (ENVIRONMENT, environment, num_environments))
    return tuple(
        Factor(
            name,
            "1",
            0.0,
            float(count - 1),
            distribution="integer" if count > 1 else "fixed",
            description=description,
            role="derived",
        )
        for name, description, count in columns
        if count
    )


def compute_max_translation(drawn: Iterable[Factor]) -> float:
    """Compute the greatest distance of the object's center from the origin that the factors allow."""
    return math.hypot(
        *(max(abs(item.low), abs(item.high)) for item in drawn if item.name in TRANSLATION_NAMES)
    )


def _make_translation_factors(max_translation: float) -> dict[str, Factor]:
    return {
        name: STANDARD_FACTORS_BY_NAME[name].factor.with_joint_range(-max_translation, max_translation)
        for name in TRANSLATION_NAMES
    }


def _hold_over_sequence(scene: tuple[Factor, ...], sequence: SequenceRule) -> tuple[Factor, ...]:
    free = {*sequence.vary, *(() if sequence.motion == "still" else POSE_NAMES)}
    return tuple(item if item.name in free else item.with_per_sequence() for item in scene)


def _make_branch_factor(dynamics: DynamicsRule) -> Factor:
    return Factor(
        BRANCH_NAME,
        "1",
        low=0.0,
        high=float(dynamics.branches - 1),
        distribution="joint",
        description=f"number of the future that the sequence takes from its frame {dynamics.branch_at} on",
        role="derived",
        per="sequence",
    )


def _make_twist_factors(sequence: SequenceRule, max_translation: float) -> tuple[Factor, ...]:
    omega, v = sequence.compute_twist_bounds(max_translation)
    template = "{} of the twist from the view before, along the object's {} axis; 0 at step 0"
    return tuple(
        Factor(
            name,
            "rad" if "omega" in name else "1",
            low=-bound if bound else 0.0,
            high=bound,
            distribution="joint" if bound else "fixed",
            description=template.format("rotation vector" if "omega" in name else "translation", axis),
            role="derived",
        )
        for name, axis, bound in zip(TWIST_NAMES, "xyzxyz", (omega,) * 3 + (v,) * 3, strict=True)
    )

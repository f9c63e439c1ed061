"""The draw of the joints of an articulated object, as a pure function of the recipe, the object and the view.

The joints have a Philox key of their own, and for every view a block of four words each: two values, between
which the joint moves in a sequence, and the end of the range that both lie at.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws.philox import (
    WORDS_PER_BLOCK,
    ViewIndices,
    draw_words,
    make_philox_key,
    words_to_units,
)
from turntable.datasets.labels import DEFAULT_JOINT_RULE
from turntable.datasets.objects import ObjectPart, list_joints
from turntable.datasets.recipes import Recipe
from turntable.errors import InvalidInputError

FloatArray = NDArray[np.float64]

MIN_SPACINGS = 100
"""Least width of a joint's range in spacings of float32. The smallest share that is drawn from is 1/40."""


def draw_joint_values(
    recipe: Recipe, object_id: str, parts: Sequence[ObjectPart], views: ViewIndices
) -> NDArray[np.float32]:
    """Draw the values of an object's joints.

    In a sequence a joint moves evenly from one drawn value, at the first view, to another at the last. With
    the range "unseen" both lie at the same end of the joint's range, so that no view shows a seen value.

    Args:
        recipe: Recipe; its label digest, sequences and joint rule take part.
        object_id: Id of the object.
        parts: Parts of the object.
        views: Numbers [V] of the views.

    Returns:
        float32 [V, J] in radians or diagonals, in the order of ``list_joints``. Every value lies within the
        part of its joint's range that the rule names, after rounding.

    Raises:
        InvalidInputError: The range of a joint is too narrow for float32, or is not finite.
    """
    joints = list_joints(parts)
    rule = recipe.joints or DEFAULT_JOINT_RULE
    low, high = (np.array([getattr(joint, name) for joint in joints]) for name in ("low", "high"))
    if not joints:
        return np.zeros((len(views), 0), dtype=np.float32)
    _check_ranges(object_id, parts)
    length = recipe.sequence.length if recipe.sequence is not None else 1
    drawn_at = np.zeros_like(views) if rule.per == "object" else views - views % length
    words = draw_words(
        make_philox_key(recipe.label_digest, object_id, "joints"), drawn_at, WORDS_PER_BLOCK * len(joints)
    )
    first, last, side, _ = np.moveaxis(words_to_units(words).reshape(-1, len(joints), WORDS_PER_BLOCK), -1, 0)
    step = views % length if rule.per == "view" and rule.motion == "linear" else np.zeros_like(views)
    share = first + (step / max(length - 1, 1))[:, None] * (last - first)
    least, greatest = rule.choose_intervals(low, high, side < 0.5)
    return _round_within(least + share * (greatest - least), least, greatest)


def _check_ranges(object_id: str, parts: Sequence[ObjectPart]) -> None:
    for part in parts:
        if part.joint is None:
            continue
        low, high = part.joint.low, part.joint.high
        spacing = np.spacing(np.float32(max(abs(low), abs(high))))
        if not (np.isfinite((low, high)).all() and high - low >= MIN_SPACINGS * spacing):
            raise InvalidInputError(
                f"{object_id}: the joint of part {part.name} has the range [{low}, {high}]; its low must be "
                "below its high, by more than float32 can tell apart, and both finite"
            )


def _round_within(values: FloatArray, low: FloatArray, high: FloatArray) -> NDArray[np.float32]:
    """Round to float32 without leaving [low, high]."""
    least, greatest = low.astype(np.float32), high.astype(np.float32)
    least = np.where(least < low, np.nextafter(least, np.float32(np.inf)), least)
    greatest = np.where(greatest > high, np.nextafter(greatest, np.float32(-np.inf)), greatest)
    return np.clip(values.astype(np.float32), least, greatest)

"""The labels of views that follow one another: poses by a motion, twists, and factors that hold or vary."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.draws.counters import MOTION_WORD, ViewNumbers, counter_key, units_of, words_of
from turntable.datasets.labels import (
    NUM_UNITS,
    POSE_NAMES,
    ROTATION_NAMES,
    TRANSLATION_NAMES,
    TWIST_NAMES,
    LabelArray,
    LabelSchema,
    SequenceRule,
    label_columns,
    poses_at,
)
from turntable.datasets.recipes import Recipe

FloatArray = NDArray[np.float64]
Alone = Callable[[ViewNumbers], LabelArray]


def sequence_labels(recipe: Recipe, object_id: str, views: ViewNumbers, alone: Alone) -> LabelArray:
    """The labels [V, L] of some views; each depends on its own number alone, not on which are asked for.

    Args:
        recipe: with a sequence rule.
        object_id: of the object.
        views: view numbers.
        alone: draws views as if there were no sequences, [V, D].
    """
    rule = recipe.sequence
    assert rule is not None
    drawn = LabelSchema(label_columns(recipe.drawn, recipe.rotation, None))
    firsts, which = np.unique(views - views % rule.length, return_inverse=True)
    held, own = alone(firsts), alone(views)
    varying = {*rule.vary, *(() if rule.moving else POSE_NAMES)}
    columns = {name: own[:, i] if name in varying else held[which, i] for i, name in enumerate(drawn.names)}
    if rule.moving:
        start, twist = _motions(recipe, rule, object_id, firsts, held, drawn)
        poses, twists = poses_at(start[which], twist[which], views % rule.length), twist[which]
        columns |= _pose_columns(poses)
    else:
        before = alone(np.maximum(views - 1, firsts[which]))
        twists = geometry.log_se3(geometry.inverse_pose(_poses(drawn, before)) @ _poses(drawn, own))
    twists = np.where((views % rule.length > 0)[:, None], twists, 0.0)
    columns |= dict(zip(TWIST_NAMES, twists.T, strict=True))
    return recipe.schema.round(np.stack([columns[name] for name in recipe.schema.names], axis=-1))


def _motions(
    recipe: Recipe,
    rule: SequenceRule,
    object_id: str,
    firsts: ViewNumbers,
    held: LabelArray,
    drawn: LabelSchema,
) -> tuple[FloatArray, FloatArray]:
    """First poses [N, 4, 4] and twists [N, 6] of the sequences that begin with these views."""
    words = words_of(counter_key(recipe.label_digest, object_id), firsts)
    return rule.start_and_twist(
        units_of(words[:, MOTION_WORD : MOTION_WORD + NUM_UNITS]),
        drawn.rotations(held),
        drawn.translations(held).astype(np.float64),
        drawn.values(held, "camera_elevation_rad").astype(np.float64),
    )


def _pose_columns(poses: FloatArray) -> dict[str, NDArray[np.float64]]:
    """Angles and translations as labels: the translation acts before the object turns."""
    rotation = poses[:, :3, :3]
    translation = np.swapaxes(rotation, -1, -2) @ poses[:, :3, 3:]
    values = np.concatenate([geometry.matrix_to_euler(rotation), translation[..., 0]], axis=-1)
    return dict(zip(ROTATION_NAMES + TRANSLATION_NAMES, values.T, strict=True))


def _poses(schema: LabelSchema, labels: LabelArray) -> FloatArray:
    return geometry.pose(schema.rotations(labels), schema.translations(labels))

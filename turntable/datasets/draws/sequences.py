"""The draw of the labels of sequences: poses that follow a motion, twists, and factors that hold or vary."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.draws.philox import (
    FIRST_MOTION_WORD,
    ViewIndices,
    draw_words,
    make_philox_key,
    words_to_units,
)
from turntable.datasets.draws.world_draws import WorldKeys, draw_branches
from turntable.datasets.labels import (
    BRANCH_NAME,
    NUM_MOTION_UNITS,
    POSE_NAMES,
    ROTATION_NAMES,
    TRANSLATION_NAMES,
    TWIST_NAMES,
    LabelArray,
    LabelSchema,
    SequenceRule,
    build_label_columns,
    compute_poses,
)
from turntable.datasets.recipes import Recipe

FloatArray = NDArray[np.float64]
DrawViews = Callable[[ViewIndices], LabelArray]


def draw_sequence_labels(
    recipe: Recipe, object_id: str, views: ViewIndices, draw_independent: DrawViews
) -> LabelArray:
    """Draw the labels [V, L] of views of sequences.

    A view's labels depend on its own number alone, not on the other views asked for.

    Args:
        recipe: Recipe with a sequence rule.
        object_id: Id of the object.
        views: Numbers of the views.
        draw_independent: Function that draws views as if there were no sequences, [V, D].
    """
    rule = recipe.sequence
    assert rule is not None
    drawn = LabelSchema(build_label_columns(recipe.drawn_factors, recipe.rotation, None))
    # A factor that holds over a sequence has the value that its first view would draw by itself.
    firsts, sequence = np.unique(views - views % rule.length, return_inverse=True)
    held, own = draw_independent(firsts), draw_independent(views)
    varying = {*rule.vary, *(POSE_NAMES if rule.motion == "independent" else ())}
    columns: dict[str, NDArray[Any]] = {
        name: own[:, i] if name in varying else held[sequence, i] for i, name in enumerate(drawn.names)
    }
    if rule.is_moving:
        start, twist = _draw_motions(recipe, rule, object_id, firsts, held, drawn)
        poses, twists = compute_poses(start[sequence], twist[sequence], views % rule.length), twist[sequence]
        columns |= _poses_to_columns(poses)
    else:
        before = draw_independent(np.maximum(views - 1, firsts[sequence]))
        twists = geometry.log_se3(
            geometry.invert_pose(_labels_to_poses(drawn, before)) @ _labels_to_poses(drawn, own)
        )
    twists = np.where((views % rule.length > 0)[:, None], twists, 0.0)
    columns |= dict(zip(TWIST_NAMES, twists.T, strict=True))
    if recipe.dynamics is not None and recipe.dynamics.branches:
        key = WorldKeys.from_recipe(recipe, object_id).branch
        columns[BRANCH_NAME] = draw_branches(key, views // rule.length, recipe.dynamics.branches)
    schema = LabelSchema(tuple(factor for factor in recipe.object_schema.factors if factor.name in columns))
    return schema.round_values(np.stack([columns[name] for name in schema.names], axis=-1))


def _draw_motions(
    recipe: Recipe,
    rule: SequenceRule,
    object_id: str,
    firsts: ViewIndices,
    held: LabelArray,
    drawn: LabelSchema,
) -> tuple[FloatArray, FloatArray]:
    """Draw the first poses [N, 4, 4] and twists [N, 6] of the sequences that start at ``firsts``."""
    words = draw_words(make_philox_key(recipe.label_digest, object_id), firsts)
    return rule.compute_start_and_twist(
        words_to_units(words[:, FIRST_MOTION_WORD : FIRST_MOTION_WORD + NUM_MOTION_UNITS]),
        drawn.compute_rotations(held),
        drawn.get_translations(held).astype(np.float64),
        drawn.get_values(held, "camera_elevation_rad").astype(np.float64),
    )


def _poses_to_columns(poses: FloatArray) -> dict[str, NDArray[np.float64]]:
    """Convert poses to columns of angles and of translations in the object's frame."""
    rotation = poses[:, :3, :3]
    translation = np.swapaxes(rotation, -1, -2) @ poses[:, :3, 3:]
    values = np.concatenate([geometry.matrix_to_euler(rotation), translation[..., 0]], axis=-1)
    return dict(zip(ROTATION_NAMES + TRANSLATION_NAMES, values.T, strict=True))


def _labels_to_poses(schema: LabelSchema, labels: LabelArray) -> FloatArray:
    return geometry.make_pose(schema.compute_rotations(labels), schema.get_translations(labels))

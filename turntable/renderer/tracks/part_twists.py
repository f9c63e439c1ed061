"""The exact velocities of moving parts: twists of each part in each view, by the laws that move it.

Twists are those from a frame to the next. A part is moved by its object ([sequence]), by a law of its own
([dynamics]) and by the joints from it to the root of its chain; the twists of all are added in one frame.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets import Recipe
from turntable.datasets.draws import draw_joint_values, get_drawn_id
from turntable.datasets.labels import LabelArray
from turntable.datasets.objects import ObjectPart, get_rest_poses
from turntable.renderer.dynamics import compute_free_twists

Array = NDArray[np.float64]

_MIRROR_OF_TWIST = np.array([1.0, -1, -1, -1, 1, 1])
"""Factors of a twist in the mirror image, x to -x: a turn about x stays, a shift along it is reversed."""


def compute_object_twists(recipe: Recipe, labels: LabelArray, object_to_world: Array) -> Array:
    """Return the twist of the object itself in each view, in the world: zeros if it stands still.

    Args:
        recipe: Recipe with sequences in which the object moves by one twist, or stands.
        labels: Labels [V, L] of all views, in order.
        object_to_world: Poses [V, 4, 4] of the object.

    Returns:
        [V, 6].
    """
    assert recipe.sequence is not None
    # The first view of a sequence has the label 0, for it was reached by no step; the second has the twist.
    of_sequences = recipe.schema.get_twists(labels).astype(np.float64)[1 :: recipe.sequence.length]
    return geometry.move_twist(object_to_world, np.repeat(of_sequences, recipe.sequence.length, axis=0))


def compute_part_twists(
    recipe: Recipe, object_id: str, parts: Sequence[ObjectPart], part_pose: NDArray[np.float32]
) -> Array:
    """Return the twist of each part relative to its object, in each view, in the world.

    Args:
        recipe: Recipe with sequences.
        object_id: Id of the object.
        parts: Parts of the object, which are no particles.
        part_pose: Poses [V, K, 4, 4] of the parts in all views, in order.

    Returns:
        [V, K, 6].
    """
    views, pose = np.arange(len(part_pose)), part_pose.astype(np.float64)
    drawn_id = get_drawn_id(recipe, object_id)
    free = compute_free_twists(recipe, drawn_id, parts, views)
    if drawn_id != object_id:
        free = free * _MIRROR_OF_TWIST
    rates = _compute_joint_rates(recipe, drawn_id, parts, views)
    return geometry.move_twist(pose, _add_along_chains(parts, pose, free, rates))


def _add_along_chains(parts: Sequence[ObjectPart], pose: Array, free: Array, rates: Array) -> Array:
    """Return the twist [V, K, 6] of each part in its own frame: its own, its joint's and its carrier's.

    Args:
        parts: Parts of the object.
        pose: Poses [V, K, 4, 4] of the parts' own frames, in any common frame.
        free: Twists [V, K, 6] of parts that nothing carries, in their own frames.
        rates: Rates [V, J] of the joints.
    """
    twists, to_rest, column = free.copy(), geometry.invert_pose(get_rest_poses(parts)), 0
    for index, part in enumerate(parts):
        if part.joint is not None:
            of_joint = part.joint.compute_twists(rates[:, column])
            twists[:, index] += geometry.move_twist(to_rest[index], of_joint)
            column += 1
        if part.parent is not None:
            from_parent = geometry.invert_pose(pose[:, index]) @ pose[:, part.parent]
            twists[:, index] += geometry.move_twist(from_parent, twists[:, part.parent])
    return twists


def _compute_joint_rates(
    recipe: Recipe, object_id: str, parts: Sequence[ObjectPart], views: NDArray[np.int64]
) -> Array:
    """Return the change [V, J] of each joint's value from a view to the next; it is even over a sequence."""
    assert recipe.sequence is not None
    steps = recipe.sequence.length - 1
    firsts = views - views % recipe.sequence.length
    first, last = (draw_joint_values(recipe, object_id, parts, at) for at in (firsts, firsts + steps))
    return (last.astype(np.float64) - first) / steps

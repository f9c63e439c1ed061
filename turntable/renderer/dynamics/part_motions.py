"""The motions of an assembly's parts in the views of a data set, by the recipe's dynamics."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets import Recipe
from turntable.datasets.draws import WorldKeys, draw_branches
from turntable.datasets.labels import DynamicsRule
from turntable.datasets.objects import ObjectPart, get_rest_poses
from turntable.errors import MeshError
from turntable.renderer.dynamics.particle_motions import compute_particle_motion
from turntable.renderer.dynamics.starts import draw_twists
from turntable.renderer.dynamics.twists import compute_acting_twists, compute_twist_motions

Array = NDArray[np.float64]


def compute_free_motions(
    recipe: Recipe, object_id: str, parts: Sequence[ObjectPart], views: NDArray[np.int64]
) -> Array:
    """Return the motion of each part from rest by the law of the recipe's dynamics, before joints move it.

    A part that another carries moves with it. The result depends on the recipe's label digest, the object and
    the number of each view alone.

    Args:
        recipe: Recipe with dynamics and sequences.
        object_id: Id of the object.
        parts: Parts of the object.
        views: Numbers [V] of the views.

    Returns:
        [V, K, 4, 4], in the object's frame.

    Raises:
        MeshError: The object has another number of particles than the recipe.
    """
    rule, sequence = recipe.dynamics, recipe.sequence
    assert rule is not None
    assert sequence is not None
    numbers, row = np.unique(views // sequence.length, return_inverse=True)
    frames = views % sequence.length
    keys = WorldKeys.from_recipe(recipe, object_id)
    if recipe.source == "particles":
        if len(parts) != rule.bodies:
            raise MeshError(
                f"{object_id}: it has {len(parts)} balls, and dynamics.bodies is {rule.bodies}; take objects "
                "that the source lists for this recipe",
                reason="other number of bodies",
            )
        places = compute_particle_motion(rule, keys, tuple(numbers.tolist()), sequence.length).places
        motions = np.tile(np.eye(4), (len(views), len(parts), 1, 1))
        motions[..., :3, 3] = places[row, frames] - get_rest_poses(parts)[:, :3, 3]
        return motions
    roots, rest = _list_roots(parts), get_rest_poses(parts)
    twists, branches = _draw_free_twists(recipe, rule, object_id, len(parts), views // sequence.length)
    moved = compute_twist_motions(rule, twists, branches, frames[:, None, None].astype(np.float64))
    return (rest @ moved[:, :, 0] @ geometry.invert_pose(rest))[:, roots]


def compute_free_twists(
    recipe: Recipe, object_id: str, parts: Sequence[ObjectPart], views: NDArray[np.int64]
) -> Array:
    """Return the twist of each part that nothing carries, by the law of the recipe's dynamics.

    The arguments are those of ``compute_free_motions``, but for particles, which have no twists.

    Returns:
        [V, K, 6] twists by which the views were reached, from the frame before, in the part's own frame as
        the view poses it. Zeros for a part that another carries, and without dynamics.
    """
    rule, sequence = recipe.dynamics, recipe.sequence
    if rule is None:
        return np.zeros((len(views), len(parts), 6))
    assert sequence is not None
    twists, branches = _draw_free_twists(recipe, rule, object_id, len(parts), views // sequence.length)
    frames = (views % sequence.length)[:, None, None].astype(np.float64)
    acting = compute_acting_twists(rule, twists, branches, frames)[:, :, 0]
    return acting * np.array([part.parent is None for part in parts])[:, None]


def _draw_free_twists(
    recipe: Recipe, rule: DynamicsRule, object_id: str, num_parts: int, sequences: NDArray[np.int64]
) -> tuple[Array, NDArray[np.int64]]:
    """Draw the twists [V, K, 6] of parts in sequences [V], and their branches [V, K]: 0 if there are none."""
    numbers, row = np.unique(sequences, return_inverse=True)
    keys = WorldKeys.from_recipe(recipe, object_id)
    branches = np.zeros(len(numbers), dtype=np.int64)
    if rule.branches:
        branches = draw_branches(keys.branch, numbers, rule.branches)
    twists = draw_twists(rule, keys.motion, numbers, num_parts)
    return twists[row], np.tile(branches[row, None], num_parts)


def _list_roots(parts: Sequence[ObjectPart]) -> list[int]:
    """List for each part the one at the start of the chain that carries it, which may be itself."""
    roots: list[int] = []
    for index, part in enumerate(parts):
        roots.append(index if part.parent is None else roots[part.parent])
    return roots

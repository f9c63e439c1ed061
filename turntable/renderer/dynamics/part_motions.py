"""The motions of an assembly's parts in the views of a data set, by the recipe's dynamics."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets import Recipe
from turntable.datasets.draws import WorldKeys, draw_branches
from turntable.datasets.labels import DynamicsRule
from turntable.datasets.objects import ObjectPart, get_rest_poses
from turntable.errors import MeshError
from turntable.renderer.dynamics.starts import draw_twists
from turntable.renderer.dynamics.systems import Systems, draw_systems
from turntable.renderer.dynamics.tracks import simulate_systems
from turntable.renderer.dynamics.twists import compute_twist_motions

Array = NDArray[np.float64]

_REMEMBERED_OBJECTS = 64
"""Number of objects whose tracks are kept, for views of them that are rendered in several pieces."""


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
        places = compute_particle_places(rule, keys, tuple(numbers.tolist()), sequence.length)
        motions = np.tile(np.eye(4), (len(views), len(parts), 1, 1))
        motions[..., :3, 3] = places[row, frames] - get_rest_poses(parts)[:, :3, 3]
        return motions
    roots = _list_roots(parts)
    twists = draw_twists(rule, keys.motion, numbers, len(parts))[row][:, roots]
    branches = np.zeros(len(views), dtype=np.int64)
    if rule.branches:
        branches = draw_branches(keys.branch, numbers, rule.branches)[row]
    rest = get_rest_poses(parts)[roots]
    each_part, each_frame = np.tile(branches[:, None], len(parts)), frames[:, None, None].astype(np.float64)
    moved = compute_twist_motions(rule, twists, each_part, each_frame)[:, :, 0]
    return rest @ moved @ geometry.invert_pose(rest)


@lru_cache(maxsize=_REMEMBERED_OBJECTS)
def compute_particle_places(
    rule: DynamicsRule, keys: WorldKeys, sequences: tuple[int, ...], length: int
) -> Array:
    """Return the places [S, T, N, 3] of particles in the object's frame, in diagonals.

    In each sequence they are ``scale`` times those of the simulation, less the center of the box that holds
    the whole motion.

    Args:
        rule: Rule of the motion.
        keys: Keys of the object's random streams.
        sequences: Numbers of the sequences.
        length: Number of frames of a sequence.
    """
    own = draw_systems(rule, keys.system, np.zeros(1, dtype=np.int64))
    count = len(sequences)
    systems = Systems(np.repeat(own.charges, count, axis=0), np.repeat(own.interaction, count, axis=0))
    worlds = np.array(sequences, dtype=np.int64)
    tracks = simulate_systems(rule, systems, keys, worlds, length)
    low, high = (bound(tracks.positions, axis=(1, 2), keepdims=True) for bound in (np.min, np.max))
    places = rule.scale * (tracks.positions - (low + high) / 2)
    places.setflags(write=False)  # remembered, and so shared
    return places


def _list_roots(parts: Sequence[ObjectPart]) -> list[int]:
    """List for each part the one at the start of the chain that carries it, which may be itself."""
    roots: list[int] = []
    for index, part in enumerate(parts):
        roots.append(index if part.parent is None else roots[part.parent])
    return roots

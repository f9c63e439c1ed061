"""The arrays of an object's tracks: places and velocities in the world, and what the agents are.

Agents are keypoints of the surface, or particles. Places are those that the pictures show, to the rounding of
part poses; velocities are exact, from the laws of motion and not from differences of places.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets import Recipe
from turntable.datasets.draws import WorldKeys, get_drawn_id
from turntable.datasets.labels import LabelArray
from turntable.datasets.objects import get_rest_poses
from turntable.renderer.dynamics import ParticleMotion, compute_particle_motion
from turntable.renderer.meshes import Mesh
from turntable.renderer.posing import PartPoses
from turntable.renderer.tracks.keypoints import Keypoints, sample_object_keypoints
from turntable.renderer.tracks.part_twists import compute_object_twists, compute_part_twists

Array = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]

_MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True, eq=False)
class _TrackedObject:
    """An object and all its views, in order, whose points or particles are tracked."""

    recipe: Recipe
    """Recipe with tracks."""
    object_id: str
    """Id of the object."""
    mesh: Mesh
    """Mesh of the object."""
    labels: LabelArray
    """[V, L] labels."""
    object_to_world: Array
    """[V, 4, 4] poses of the object."""
    parts: PartPoses | None
    """Poses of the parts; None for an object of one piece."""


def compute_track_arrays(
    recipe: Recipe,
    object_id: str,
    mesh: Mesh,
    labels: LabelArray,
    object_to_world: Array,
    parts: PartPoses | None,
) -> Arrays:
    """Compute the arrays of an object's tracks by name; none if the recipe has no tracks.

    Args:
        recipe: Recipe of the data set.
        object_id: Id of the object.
        mesh: Mesh of the object.
        labels: Labels [V, L] of all views, in order.
        object_to_world: Poses [V, 4, 4] of the object.
        parts: Poses of the parts; None for an object of one piece.

    Returns:
        ``tracks`` and ``velocities`` float32 [V, N, 3] and ``track_part`` uint8 [N]; of particles also
        ``charge`` int8 [N], ``interaction`` int8 [N, N], and ``track_center`` float64 [S, 3].

    Raises:
        MeshError: The mesh has no area to have points on.
    """
    if recipe.tracks is None:
        return {}
    tracked = _TrackedObject(recipe, object_id, mesh, labels, object_to_world, parts)
    return _track_particles(tracked) if recipe.source == "particles" else _track_keypoints(tracked)


def _track_keypoints(tracked: _TrackedObject) -> Arrays:
    keypoints = sample_object_keypoints(tracked.recipe, tracked.object_id, tracked.mesh)
    places = _place_keypoints(tracked, keypoints)
    twists = compute_object_twists(tracked.recipe, tracked.labels, tracked.object_to_world)[:, None]
    if tracked.parts is not None:
        of_parts = compute_part_twists(
            tracked.recipe, tracked.object_id, tracked.mesh.parts, tracked.parts.part_pose
        )
        twists = twists + of_parts[:, keypoints.parts]
    velocities = geometry.compute_velocities(twists, places)
    return _list_motion(places, velocities) | {"track_part": keypoints.parts.astype(np.uint8)}


def _place_keypoints(tracked: _TrackedObject, keypoints: Keypoints) -> Array:
    """Return the places [V, N, 3] of keypoints in the world."""
    if tracked.parts is None:
        return _move_points(tracked.object_to_world[:, None], keypoints.places)
    to_part = geometry.invert_pose(get_rest_poses(tracked.mesh.parts))[keypoints.parts]
    poses = tracked.parts.part_pose[:, keypoints.parts].astype(np.float64)
    return _move_points(poses, _move_points(to_part, keypoints.places))


def _track_particles(tracked: _TrackedObject) -> Arrays:
    motion, pose = _find_particle_motion(tracked), tracked.object_to_world[:, None]
    assert tracked.parts is not None
    places = tracked.parts.part_pose[..., :3, 3].astype(np.float64)
    twists = compute_object_twists(tracked.recipe, tracked.labels, tracked.object_to_world)[:, None]
    mirror = _MIRROR if _is_twin(tracked) else np.ones(3)
    own = mirror * motion.velocities.reshape(places.shape)
    velocities = (pose[..., :3, :3] @ own[..., None])[..., 0] + geometry.compute_velocities(twists, places)
    return _list_motion(places, velocities) | {
        "track_part": np.arange(places.shape[1], dtype=np.uint8),
        "charge": motion.charges.astype(np.int8),
        "interaction": motion.interaction,
        "track_center": mirror * motion.centers,
    }


def _find_particle_motion(tracked: _TrackedObject) -> ParticleMotion:
    """Return the motion of the particles in all sequences."""
    recipe = tracked.recipe
    assert recipe.dynamics is not None
    assert recipe.sequence is not None
    keys = WorldKeys.from_recipe(recipe, get_drawn_id(recipe, tracked.object_id))
    sequences = tuple(range(len(tracked.labels) // recipe.sequence.length))
    return compute_particle_motion(recipe.dynamics, keys, sequences, recipe.sequence.length)


def _is_twin(tracked: _TrackedObject) -> bool:
    return get_drawn_id(tracked.recipe, tracked.object_id) != tracked.object_id


def _list_motion(places: Array, velocities: Array) -> dict[str, NDArray[Any]]:
    return {"tracks": places.astype(np.float32), "velocities": velocities.astype(np.float32)}


def _move_points(poses: Array, points: Array) -> Array:
    """Return points [..., 3], each moved by its pose [..., 4, 4]."""
    return (poses[..., :3, :3] @ points[..., None])[..., 0] + poses[..., :3, 3]

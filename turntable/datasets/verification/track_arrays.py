"""Checks of an object's tracks against the poses of its parts, its labels and each other."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.labels import LabelArray
from turntable.datasets.manifest import Manifest
from turntable.datasets.verification.part_arrays import MAX_POSE_ERROR

_Array = NDArray[np.float64]
_Arrays = Mapping[str, NDArray[Any] | None]

_OF_AGENTS = ("velocities", "track_part")
_OF_PARTICLES = ("charge", "interaction", "track_center")
_MAX_ERROR = 4 * MAX_POSE_ERROR
"""Largest error of a length in diagonals that the rounding of poses and tracks to float32 explains; it grows
with places that are farther from the origin than 1."""


def find_track_faults(manifest: Manifest, labels: LabelArray, arrays: _Arrays) -> Iterator[str]:
    """Yield what is wrong with the tracks of an object.

    Args:
        manifest: Manifest of the data set.
        labels: Labels [V, L] of the object.
        arrays: Arrays of the object by name, whose axes agree; None for one that cannot be decoded. Then, and
            without tracks, nothing is checked.
    """
    tracks, parts = arrays.get("tracks"), arrays.get("track_part")
    if tracks is None or any(array is None for array in arrays.values()):
        return
    given = [name for name in _OF_PARTICLES if name in arrays]
    wanted = (*_OF_AGENTS, *(_OF_PARTICLES if given else ()))
    if missing := [name for name in wanted if name not in arrays]:
        yield f"it has tracks and no {', no '.join(missing)}"
        return
    assert parts is not None
    part_pose = arrays.get("part_pose")
    num_parts = 1 if part_pose is None else part_pose.shape[1]
    if parts.max(initial=0) >= num_parts:
        yield f"its tracks name part {parts.max()}, and it has {num_parts}"
        return
    poses = _find_poses(manifest, labels, part_pose, parts)
    if given:
        yield from _find_particle_faults(tracks, poses, arrays)
    else:
        yield from _find_keypoint_faults(tracks.astype(np.float64), poses, arrays)


def _find_poses(
    manifest: Manifest, labels: LabelArray, part_pose: NDArray[Any] | None, parts: NDArray[Any]
) -> _Array:
    """Return the pose [V, N, 4, 4] of the part of each agent."""
    if part_pose is not None:
        return part_pose[:, parts].astype(np.float64)
    schema = manifest.schema
    pose = geometry.make_pose(schema.compute_rotations(labels), schema.get_translations(labels))
    return np.repeat(pose[:, None], len(parts), axis=1)


def _find_particle_faults(tracks: NDArray[Any], poses: _Array, arrays: _Arrays) -> Iterator[str]:
    charge, interaction = (np.asarray(arrays[name], np.int64) for name in ("charge", "interaction"))
    if not np.array_equal(tracks, poses[..., :3, 3]):
        yield "its tracks are not where its particles are"
    if (interaction != interaction.T).any() or np.diag(interaction).any():
        yield "its interaction is not symmetric, or has numbers on the diagonal"
    elif charge.any() and not np.array_equal(
        interaction, charge[:, None] * charge * (1 - np.eye(len(charge)))
    ):
        yield "its interaction is not the product of its charges"


def _find_keypoint_faults(tracks: _Array, poses: _Array, arrays: _Arrays) -> Iterator[str]:
    """Yield keypoints that move in their parts, or whose velocities no rigid motion has."""
    limit = _MAX_ERROR * max(1, np.abs(tracks).max(initial=0))
    in_parts = (geometry.invert_pose(poses) @ _append_one(tracks))[..., :3, 0]
    if np.abs(in_parts - in_parts[:1]).max(initial=0) > limit:
        yield "its keypoints are not fixed to their parts"
    velocities, parts = np.asarray(arrays["velocities"], np.float64), np.asarray(arrays["track_part"])
    for part in np.unique(parts):
        own = parts == part
        apart, relative = (item[:, own, None] - item[:, None, own] for item in (tracks, velocities))
        if np.abs((apart * relative).sum(axis=-1)).max(initial=0) > limit:
            yield f"the velocities of its keypoints on part {part} are those of no rigid motion"


def _append_one(places: _Array) -> _Array:
    return np.concatenate([places, np.ones_like(places[..., :1])], axis=-1)[..., None]

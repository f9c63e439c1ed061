"""Checks of an object's part poses and joint values against its record, its labels and each other."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.labels import FIRST_ARRAYS, NO_PART, LabelArray
from turntable.datasets.manifest import Manifest
from turntable.datasets.objects import (
    ObjectPart,
    ObjectRecord,
    compute_joint_motions,
    get_rest_poses,
    list_joints,
)

_Array = NDArray[np.float64]

PART_ARRAYS = ("part_pose", "joint_values")
"""Names of the arrays of an object's parts, in the order of the arguments of ``find_part_faults``."""
MAX_POSE_ERROR = 1e-5
"""Largest error of a number of a stored pose, which float32 and the laws of motion before it explain."""
_MOVING_TABLES = ("scene", "dynamics")
"""Tables of a recipe whose laws move parts, besides the joints."""


def find_record_faults(manifest: Manifest, record: ObjectRecord, arrays: Sequence[str]) -> Iterator[str]:
    """Yield where an object's description does not agree with its arrays.

    Args:
        manifest: Manifest of the data set.
        record: Record of the object.
        arrays: Names of the arrays that the object's members hold.
    """
    num_parts, num_joints = len(record.parts), len(list_joints(record.parts))
    has_arrays = tuple(name in arrays for name in PART_ARRAYS)
    if has_arrays != (num_parts > 0, num_joints > 0):
        yield f"it has {num_parts} parts and {num_joints} joints, which its arrays do not fit"
    if ("points" in arrays) != (manifest.points > 0):
        yield "it and the manifest do not agree on its point cloud"
    if unknown := [name for name in arrays if name not in (*FIRST_ARRAYS, *manifest.arrays)]:
        yield f"it has arrays that the manifest does not name: {', '.join(unknown)}"
    largest = manifest.array_sizes
    if any(size > largest.get(axis, 0) for axis, size in record.array_sizes.items()):
        yield f"its arrays have sizes {dict(record.array_sizes)}, the manifest says at most {dict(largest)}"


def find_part_faults(
    manifest: Manifest,
    record: ObjectRecord,
    labels: LabelArray,
    part_pose: NDArray[np.float32] | None,
    joint_values: NDArray[np.float32] | None,
) -> Iterator[str]:
    """Yield what is wrong with the arrays of an object's parts.

    Args:
        manifest: Manifest of the data set.
        record: Record of the object, with its parts.
        labels: Labels [V, L] of the object.
        part_pose: Poses [V, K, 4, 4] of the parts in the world; None if there are none to check.
        joint_values: Values [V, J] of the joints; None if there are none to check.
    """
    joints = list_joints(record.parts)
    if part_pose is None or (joints and joint_values is None):
        return
    values = np.zeros((len(labels), 0), np.float32) if joint_values is None else joint_values
    expected = (len(labels), len(record.parts), 4, 4), (len(labels), len(joints))
    if (part_pose.shape, values.shape) != expected:
        yield f"poses {part_pose.shape} and joint values {values.shape}, not {expected[0]} and {expected[1]}"
        return
    if not (np.isfinite(part_pose).all() and np.isfinite(values).all()):
        yield "its poses or joint values are NaN or infinite"
        return
    low, high = (np.array([getattr(joint, end) for joint in joints]) for end in ("low", "high"))
    if not ((values >= low - MAX_POSE_ERROR) & (values <= high + MAX_POSE_ERROR)).all():
        yield "a joint's value leaves its range"
    elif not _is_rigid(part_pose.astype(np.float64)):
        yield "a part's pose is not a rigid motion"
    else:
        yield from _find_motion_faults(manifest, record.parts, labels, part_pose.astype(np.float64), values)


def find_index_fault(record: ObjectRecord, parts: NDArray[np.uint8]) -> str:
    """Return what is wrong with a picture [S, S] of part indices; "" if it shows parts of the object."""
    count = max(1, len(record.parts))
    largest = parts[parts != NO_PART].max(initial=0)
    return f"it shows part {largest}, and the object has {count}" if largest >= count else ""


def _is_rigid(pose: _Array) -> bool:
    """Return True if all matrices [..., 4, 4] are rotations with a translation."""
    rotation = pose[..., :3, :3]
    error = np.abs(np.swapaxes(rotation, -1, -2) @ rotation - np.eye(3)).max(initial=0)
    has_last_row = (pose[..., 3, :] == [0, 0, 0, 1]).all()
    return bool(error <= MAX_POSE_ERROR and has_last_row and (np.linalg.det(rotation) > 0).all())


def _find_motion_faults(
    manifest: Manifest,
    parts: Sequence[ObjectPart],
    labels: LabelArray,
    part_pose: _Array,
    values: NDArray[np.float32],
) -> Iterator[str]:
    """Yield the parts whose motion from rest is not the one that the joints give.

    Where another law moves parts too, only the motion of a joint's part relative to its parent is known.
    """
    schema = manifest.schema
    pose = geometry.make_pose(schema.compute_rotations(labels), schema.get_translations(labels))
    motions = geometry.invert_pose(pose)[:, None] @ part_pose @ geometry.invert_pose(get_rest_poses(parts))
    expected = compute_joint_motions(parts, values.astype(np.float64))
    has_law = any(manifest.recipe.get(name) for name in _MOVING_TABLES)
    for index, part in enumerate(parts):
        found, right = motions[:, index], expected[:, index]
        if has_law:
            if part.joint is None or part.parent is None:
                continue
            found, right = (
                geometry.invert_pose(every[:, part.parent]) @ every[:, index] for every in (motions, expected)
            )
        if np.abs(found - right).max(initial=0) > MAX_POSE_ERROR * _count_carriers(parts, index):
            yield f"the poses of part {part.name} are not those that the labels and joint values give"


def _count_carriers(parts: Sequence[ObjectPart], index: int) -> int:
    """Return the number of parts from one to the root that carries it; errors add up along the way."""
    count, parent = 1, parts[index].parent
    while parent is not None:
        count, parent = count + 1, parts[parent].parent
    return count

"""The joints that animations move nodes by: a turn about one fixed axis, or a shift along one fixed line."""

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.objects import Joint, JointKind
from turntable.renderer.meshes.formats.gltf.motion.node_motions import MIN_SHIFT, MIN_TURN, NodeMotion

Floats = NDArray[np.float64]

MAX_DISTANCE = 100
"""Largest distance of an axis, and largest shift, in diagonals of the object."""


def fit_joint(motion: NodeMotion, pivot: Floats, size: float) -> Joint | None:
    """Return the joint that has a node's motions, or None if no joint has them all.

    Args:
        motion: Motions of the node.
        pivot: Place [3] of the node at rest: the origin of a hinge is the nearest point of its axis.
        size: Diagonal of the object.

    Returns:
        Joint in the frame of the scene, with its range from the least to the greatest keyframe; at most a
        whole turn. The farthest keyframe is on its positive side.
    """
    if np.abs(motion.sines).max() <= MIN_TURN:
        return _fit_slide(motion, size)
    return _fit_hinge(motion, pivot, size)


def _fit_slide(motion: NodeMotion, size: float) -> Joint | None:
    distances = np.linalg.norm(motion.shifts, axis=1)
    farthest = int(np.argmax(distances))
    axis = motion.shifts[farthest] / distances[farthest]
    values = motion.shifts @ axis
    beside = motion.shifts - values[:, None] * axis
    if np.abs(beside).max() > MIN_SHIFT * size or distances[farthest] > MAX_DISTANCE * size:
        return None
    return _make_joint("slide", axis, np.zeros(3), float(values.min()), float(values.max()))


def _fit_hinge(motion: NodeMotion, pivot: Floats, size: float) -> Joint | None:
    lengths = np.linalg.norm(motion.sines, axis=1)
    longest = int(np.argmax(lengths))
    axis = motion.sines[longest] / lengths[longest]
    along = motion.sines @ axis
    if np.abs(motion.sines - along[:, None] * axis).max() > MIN_TURN:
        return None
    angles = _unwrap(2 * np.arctan2(along, motion.cosines), motion.lengths)
    if angles[np.argmax(np.abs(angles))] < 0:
        axis, along, angles = -axis, -along, -angles
    # A point c of the axis stands still: (I - R) c = shift. From the pivot, with half the angle a,
    # c - pivot = (d + cot(a) axis x d) / 2, where d is how far the pivot moves.
    moved = motion.rotations @ pivot + motion.shifts - pivot
    across = moved[longest] - (moved[longest] @ axis) * axis
    offset = (across + motion.cosines[longest] / along[longest] * np.cross(axis, across)) / 2
    origin = pivot + offset
    misses = motion.rotations @ origin + motion.shifts - origin
    if np.abs(misses).max() > MIN_SHIFT * size or np.linalg.norm(offset) > MAX_DISTANCE * size:
        return None
    low = float(angles.min())
    return _make_joint("hinge", axis, origin, low, min(float(angles.max()), low + 2 * np.pi))


def _unwrap(angles: Floats, lengths: tuple[int, ...]) -> Floats:
    """Return angles [K] of several animations such that each goes on from the one before, the shorter way.

    The first of each animation is within half a turn.
    """
    wrapped = np.angle(np.exp(1j * angles))
    pieces = np.split(wrapped, np.cumsum(lengths)[:-1])
    return np.concatenate([np.unwrap(piece) for piece in pieces])


def _make_joint(kind: JointKind, axis: Floats, origin: Floats, low: float, high: float) -> Joint:
    a, b, c = axis.tolist()
    x, y, z = origin.tolist()
    return Joint(kind, (a, b, c), (x, y, z), low, high)

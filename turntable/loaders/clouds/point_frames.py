"""A frame at each point of a cloud, from its normal and the direction to the cloud's centroid."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_LEAST_TANGENT = 1e-6
"""Length of the tangential part of a unit vector below which it gives no direction."""


def compute_point_frames(points: NDArray[np.floating]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Compute the frames of clouds. They turn with the cloud where they are valid.

    Args:
        points: [..., P, 6] places and unit normals.

    Returns:
        Frames [..., P, 3, 3], right-handed, with rows e1, e2 = e3 x e1 and the normal e3; and which of them
        are valid, [..., P]. e1 is the normalized tangential part of the direction to the centroid. Where
        that part is shorter than 1e-6, e1 is that of the axis that has the largest, and the frame is not
        valid.
    """
    places, stored_normal = (half.astype(np.float64) for half in np.split(points, 2, axis=-1))
    normal = _normalize(stored_normal)
    toward = _normalize(places.mean(axis=-2, keepdims=True) - places)
    tangent = _remove_normal_part(toward, normal)
    length = np.linalg.norm(tangent, axis=-1)
    is_valid = length >= _LEAST_TANGENT
    if not is_valid.all():
        axis = np.eye(3)[np.abs(normal).argmin(axis=-1)]
        tangent = np.where(is_valid[..., None], tangent, _remove_normal_part(axis, normal))
    first = _normalize(tangent)
    return np.stack([first, _cross(normal, first), normal], axis=-2), is_valid


def _remove_normal_part(vectors: FloatArray, normal: FloatArray) -> FloatArray:
    return vectors - (vectors * normal).sum(axis=-1, keepdims=True) * normal


def _normalize(vectors: FloatArray) -> FloatArray:
    """Return vectors [..., 3] of length 1; zeros stay zeros."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1.0)


def _cross(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the cross products of vectors [..., 3], faster than numpy's."""
    (a, b, c), (x, y, z) = np.moveaxis(first, -1, 0), np.moveaxis(second, -1, 0)
    return np.stack([b * z - c * y, c * x - a * z, a * y - b * x], axis=-1)

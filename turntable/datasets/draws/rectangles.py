"""Distances between rectangles in a plane, by which boxes that stand upright are kept apart."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def measure_rectangle_gaps(
    own: Array, first: Array, others: Array, second: Array, offset: Array
) -> NDArray[np.float64]:
    """Return the largest gap [...] along a side of either of two rectangles (separating axes).

    No gap is larger than the distance of the two; where they overlap, it is negative.

    Args:
        own: Sides of the first as columns, [..., 2, 2].
        first: Half the lengths [2] of its sides.
        others: Sides of the second, [..., 2, 2].
        second: Half the lengths [2] of its sides.
        offset: Center of the second less that of the first, [..., 2].
    """
    relative = np.abs(np.swapaxes(own, -1, -2) @ others)
    along_own = np.abs(_turn_back(own, offset)) - first - relative @ second
    along_others = np.abs(_turn_back(others, offset)) - second - np.swapaxes(relative, -1, -2) @ first
    return np.maximum(along_own, along_others).max(axis=-1)


def _turn_back(rotation: Array, vectors: Array) -> Array:
    return (np.swapaxes(rotation, -1, -2) @ vectors[..., None])[..., 0]

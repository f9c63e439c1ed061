"""The overlap of two partial clouds, and its bins."""

import numpy as np
from numpy.typing import NDArray

OVERLAP_BINS = ("none", "low", "high")
"""Names of the bins by their numbers: up to 0.1, up to 0.3 (that of 3DLoMatch), and above."""
_BIN_EDGES = (0.1, 0.3)
_ROWS_AT_ONCE = 64
"""Points that are compared at once."""


def compute_overlap(
    first: NDArray[np.floating], second: NDArray[np.floating], transform: NDArray[np.floating], reach: float
) -> float:
    """Return the share of a second cloud's points that have a point of the first within reach.

    Args:
        first: [N, 3] points of the first cloud; N may be 0.
        second: [M, 3] points of the second one.
        transform: [4, 4] from the second cloud's frame to that of the first.
        reach: Largest distance, in the unit of the points.
    """
    if not (len(first) and len(second)):
        return 0.0
    # About the first cloud's centroid the rounding of squares is far below any reach. Sorted along an axis,
    # each part of the second cloud needs only a slice of the first.
    center = first.mean(axis=0, dtype=np.float64)
    fixed = _sort(first.astype(np.float64) - center)
    moved = _sort(
        second.astype(np.float64) @ transform[:3, :3].T.astype(np.float64) + (transform[:3, 3] - center)
    )
    squares = (fixed**2).sum(axis=1)
    num_near = 0
    for part in np.split(moved, range(_ROWS_AT_ONCE, len(moved), _ROWS_AT_ONCE)):
        near = slice(*np.searchsorted(fixed[:, 0], [part[0, 0] - reach, part[-1, 0] + reach]))
        apart = squares[near] - 2 * (part @ fixed[near].T)
        least = apart.min(axis=1, initial=np.inf) + (part**2).sum(axis=1)
        num_near += int((least <= reach**2).sum())
    return num_near / len(moved)


def _sort(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points [N, 3] in the order of their first coordinate."""
    return points[np.argsort(points[:, 0], kind="stable")]


def find_overlap_bin(overlap: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the number of each overlap's bin, one of ``OVERLAP_BINS``."""
    return np.searchsorted(_BIN_EDGES, overlap, side="left")

"""The overlap of two partial clouds, and its bins."""

import numpy as np
from numpy.typing import NDArray

OVERLAP_BINS = ("none", "low", "high")
"""Names of the bins by their numbers: up to 0.1, up to 0.3 (that of 3DLoMatch), and above."""
_BIN_EDGES = (0.1, 0.3)
_ROWS_AT_ONCE = 1024


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
    # Squares of distances about the first cloud's centroid, whose rounding is far below any reach.
    center = first.mean(axis=0, dtype=np.float64)
    fixed = first.astype(np.float64) - center
    moved = second.astype(np.float64) @ transform[:3, :3].T.astype(np.float64) + (transform[:3, 3] - center)
    squares = (fixed**2).sum(axis=1)
    near = [
        (squares - 2 * (part @ fixed.T)).min(axis=1) + (part**2).sum(axis=1) <= reach**2
        for part in np.split(moved, range(_ROWS_AT_ONCE, len(moved), _ROWS_AT_ONCE))
    ]
    return float(np.concatenate(near).mean())


def find_overlap_bin(overlap: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the number of each overlap's bin, one of ``OVERLAP_BINS``."""
    return np.searchsorted(_BIN_EDGES, overlap, side="left")

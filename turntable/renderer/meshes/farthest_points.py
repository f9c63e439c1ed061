"""Farthest-point sampling: a few of many points that are spread as far apart as possible."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def choose_farthest_points(points: FloatArray, groups: NDArray[np.integer], count: int) -> NDArray[np.intp]:
    """Choose points one after the other, each the farthest from those before it (Gonzalez, 1985).

    The first is the farthest from the origin. As long as some group has none of the chosen points, only
    points of such groups are candidates. Of equally distant points the first in order is taken.

    Args:
        points: Places [M, 3].
        groups: Group [M] of each point.
        count: Number of points to choose, at most M.

    Returns:
        [count] indices of the chosen points, in the order in which they were chosen.
    """
    num_groups = len(np.unique(groups))
    waiting = np.ones(len(points), dtype=np.bool_)  # of groups without a chosen point
    distance = _measure_squares(points, np.zeros(3))
    chosen: list[int] = []
    for number in range(count):
        candidates = np.where(waiting, distance, -1.0) if number < num_groups else distance
        best = int(np.argmax(candidates))
        to_best = _measure_squares(points, points[best])
        distance = np.minimum(distance, to_best) if chosen else to_best
        waiting &= groups != groups[best]
        chosen.append(best)
    return np.array(chosen, dtype=np.intp)


def _measure_squares(points: FloatArray, place: FloatArray) -> FloatArray:
    """Return the squared distances [M] of points from a place, summed in one order on every processor."""
    x, y, z = ((points - place) ** 2).T
    return x + y + z

"""The choice of a partial cloud's points among the pixels that show an object."""

import numpy as np
from numpy.typing import NDArray

from turntable.loaders.clouds.point_draws import FloatArray

IndexArray = NDArray[np.int64]
_CANDIDATES = 4
"""Uniform points for each one that farthest-point sampling picks."""


def choose_uniform(words: NDArray[np.uint64], num_points: int) -> IndexArray:
    """Return the places of the smallest words in ascending order of the words: a uniform choice.

    Args:
        words: [M] random words, one for each item to choose from.
        num_points: Number N of items to choose; all M if there are fewer.
    """
    if num_points >= len(words):
        return np.argsort(words)
    chosen = np.argpartition(words, num_points)[:num_points]
    return chosen[np.argsort(words[chosen])]


def count_candidates(num_points: int) -> int:
    """Return the number of uniform points from which ``choose_farthest`` picks."""
    return _CANDIDATES * num_points


def choose_farthest(places: FloatArray, num_points: int) -> IndexArray:
    """Return the first place, and then again and again the one farthest from all that were chosen.

    Args:
        places: [M, 3] places, in the order in which the first of equally far ones wins.
        num_points: Number N of places to choose; all M if there are fewer.
    """
    chosen = np.zeros(min(num_points, len(places)), dtype=np.int64)
    nearest = np.full(len(places), np.inf)
    for index in range(1, len(chosen)):
        away = places - places[chosen[index - 1]]
        np.minimum(nearest, np.einsum("mi,mi->m", away, away), out=nearest)
        chosen[index] = nearest.argmax()
    return chosen

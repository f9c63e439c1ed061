"""The label of a view as a pure function of (what decides labels, object, view number).

No stream is shared: each object has its own Philox key and each view its own stretch of the counter, so any
order, any number of workers and any resumed run draw the same bits.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import LabelArray
from turntable.datasets.recipe import Recipe
from turntable.errors import InvalidInputError

_WORDS_PER_VIEW = 32
"""Fixed, whatever the recipe: a 64-bit word for each factor, with room for factors to come."""
_WORDS_PER_BLOCK = 4
"""Philox 4x64 gives four words for each step of its counter."""


def draw_factors(
    recipe: Recipe, object_id: str, view: int | Sequence[int] | NDArray[np.integer]
) -> LabelArray:
    """Draw the labels of one object's views.

    Args:
        recipe: only its label digest (seed and factors) takes part.
        object_id: as in the data set's objects; not its key.
        view: one view number, or several in any order (a range is fastest).

    Returns:
        float32 [V, L] in schema order, one row a view asked for ([1, L] for an int); every value lies
        within its factor's [low, high] after rounding.
    """
    views = np.atleast_1d(np.asarray(view, dtype=np.int64))
    if views.ndim != 1 or (views.size and views.min() < 0):
        raise InvalidInputError(f"view numbers must be a flat list of numbers >= 0, not {view!r}")
    words = _words(_key(recipe.label_digest, object_id), views)
    # The upper 53 bits of a word, as a number in [0, 1).
    units = (words[:, : len(recipe.factors)] >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return _scale(units, recipe)


def _key(label_digest: str, object_id: str) -> int:
    digest = hashlib.sha256(f"{label_digest}\0{object_id}".encode()).digest()
    return int.from_bytes(digest[:16], "little")


def _words(key: int, views: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The 64-bit words of each view, [V, words]: one call where the views are consecutive."""
    if views.size == 0:
        return np.empty((0, _WORDS_PER_VIEW), dtype=np.uint64)
    first, count = int(views[0]), int(views.size)
    if count == 1 or np.array_equal(views, np.arange(first, first + count)):
        # Counted from zero by setting the counter outright: cheaper than advancing.
        start = first * (_WORDS_PER_VIEW // _WORDS_PER_BLOCK)
        words = np.random.Philox(key=key, counter=start).random_raw(count * _WORDS_PER_VIEW)
        return np.asarray(words, dtype=np.uint64).reshape(count, _WORDS_PER_VIEW)
    return np.concatenate([_words(key, views[i : i + 1]) for i in range(count)])


def _scale(units: NDArray[np.floating], recipe: Recipe) -> LabelArray:
    """Map [0, 1) onto each factor's range; rounding to float32 never leaves it."""
    low = np.array([factor.low for factor in recipe.factors])
    high = np.array([factor.high for factor in recipe.factors])
    bounds = np.array([factor.bounds() for factor in recipe.factors], dtype=np.float32)
    values = (low + units * (high - low)).astype(np.float32)
    return np.clip(values, bounds[:, 0], bounds[:, 1])

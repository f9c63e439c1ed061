"""Random words by counting: Philox 4x64, a key for each object, a stretch of its counter for each view."""

import hashlib

import numpy as np
from numpy.typing import NDArray

ViewNumbers = NDArray[np.int64]
"""[V] numbers of views of an object."""
Words = NDArray[np.uint64]

WORDS_PER_VIEW = 32
"""Fixed, whatever the recipe: a 64-bit word for each factor, with room for factors to come."""
MOTION_WORD = 24
"""From here on, the words of a sequence's first view decide its motion; below are the factors'."""
WORDS_PER_BLOCK = 4
"""Philox 4x64 gives four words for each step of its counter."""
_SPAREST = 16
"""To count through so many views for each that is asked for takes no longer than to begin anew at each."""


def counter_key(label_digest: str, *names: str) -> int:
    """The 128-bit key of an object, or of a purpose of it that must not meet its other draws."""
    digest = hashlib.sha256("\0".join([label_digest, *names]).encode()).digest()
    return int.from_bytes(digest[:16], "little")


def words_of(key: int, views: ViewNumbers, words_per_view: int = WORDS_PER_VIEW, beginning: int = 0) -> Words:
    """The 64-bit words of each view, [V, words]: one call where the views are near one another.

    Args:
        key: of the object.
        views: in any order.
        words_per_view: a multiple of the four of a block.
        beginning: where on the counter view 0 begins.
    """
    if views.size == 0:
        return np.empty((0, words_per_view), dtype=np.uint64)
    first, last, count = int(views.min()), int(views.max()), int(views.size)
    span = last + 1 - first
    if span > _SPAREST * count:
        pieces = (words_of(key, views[i : i + 1], words_per_view, beginning) for i in range(count))
        return np.concatenate(list(pieces))
    # Counted from zero by setting the counter outright: cheaper than advancing.
    start = beginning + first * (words_per_view // WORDS_PER_BLOCK)
    words = np.random.Philox(key=key, counter=start).random_raw(span * words_per_view)
    words = np.asarray(words, dtype=np.uint64).reshape(span, words_per_view)
    return words if count == span and (np.diff(views) == 1).all() else words[views - first]


def units_of(words: Words) -> NDArray[np.float64]:
    """The upper 53 bits of words, as numbers in [0, 1)."""
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def signs_of(words: Words) -> NDArray[np.float64]:
    """-1 or 1, by the lowest bit of words, which ``units_of`` does not use."""
    return np.where(words & np.uint64(1), -1.0, 1.0)

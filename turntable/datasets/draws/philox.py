"""Counter-based random words by Philox 4x64: a key for each object, a counter range for each view."""

import hashlib

import numpy as np
from numpy.typing import NDArray

ViewIndices = NDArray[np.int64]
"""Numbers of views of an object, [V]."""
RandomWords = NDArray[np.uint64]

WORDS_PER_VIEW = 32
"""Number of 64-bit words reserved for each view, whatever the recipe: one for each factor, and some to
spare."""
FIRST_MOTION_WORD = 24
"""First of the words that determine the motion of a sequence, among those of its first view. The words before
it belong to factors."""
WORDS_PER_BLOCK = 4
"""Number of words that Philox 4x64 generates in each step of its counter."""
_MAX_VIEWS_PER_DRAWN_VIEW = 16
"""Maximum ratio of the range of views to their number for which one call generates the whole range. Beyond
it, one call for each view is faster."""


def make_philox_key(label_digest: str, *names: str) -> int:
    """Return the 128-bit key of an object, or of an independent stream of it with further names."""
    digest = hashlib.sha256("\0".join([label_digest, *names]).encode()).digest()
    return int.from_bytes(digest[:16], "little")


def draw_words(
    key: int, views: ViewIndices, words_per_view: int = WORDS_PER_VIEW, counter_offset: int = 0
) -> RandomWords:
    """Draw the 64-bit words of each view, [V, words_per_view].

    Args:
        key: Key of the object.
        views: Numbers of the views, in any order.
        words_per_view: Number of words of each view, a multiple of WORDS_PER_BLOCK.
        counter_offset: Value of the counter at view 0.
    """
    if views.size == 0:
        return np.empty((0, words_per_view), dtype=np.uint64)
    first, last, count = int(views.min()), int(views.max()), int(views.size)
    span = last + 1 - first
    if span > _MAX_VIEWS_PER_DRAWN_VIEW * count:
        pieces = (draw_words(key, views[i : i + 1], words_per_view, counter_offset) for i in range(count))
        return np.concatenate(list(pieces))
    # The counter is set when the generator is made, which is cheaper than to make it and call `advance`.
    start = counter_offset + first * (words_per_view // WORDS_PER_BLOCK)
    words = np.random.Philox(key=key, counter=start).random_raw(span * words_per_view)
    words = np.asarray(words, dtype=np.uint64).reshape(span, words_per_view)
    return words if count == span and (np.diff(views) == 1).all() else words[views - first]


def words_to_units(words: RandomWords) -> NDArray[np.float64]:
    """Convert the upper 53 bits of words to numbers in [0, 1)."""
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def units_to_normals(units: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert uniform numbers [..., 2 n] in [0, 1) to as many normal ones (Box and Muller, 1958).

    Their mean is 0 and their variance 1. Logarithms and sines differ in their last bit between processors,
    and so do these numbers.
    """
    radius = np.sqrt(-2 * np.log(1 - units[..., ::2]))
    angle = 2 * np.pi * units[..., 1::2]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)


def pairs_to_normals(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert pairs of uniform numbers [...] in [0, 1) to one normal number each (Box and Muller, 1958).

    Unlike ``units_to_normals`` it gives one number a pair, so a longer draw begins with those of a shorter.
    """
    return np.sqrt(-2 * np.log1p(-first)) * np.cos(2 * np.pi * second)


def words_to_signs(words: RandomWords) -> NDArray[np.float64]:
    """Convert the lowest bit of words to -1 or 1. ``words_to_units`` does not use this bit."""
    return np.where(words & np.uint64(1), -1.0, 1.0)

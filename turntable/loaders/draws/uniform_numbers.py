"""The uniform random numbers of views, and the operations of an augmentation that use them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws import draw_words, make_philox_key, words_to_units
from turntable.loaders.draws.geometry_draws import AFFINE_WORDS, CROP_WORDS, FloatArray

_WORD_COUNTS = {
    "crop": CROP_WORDS,
    "flip": 1,
    "jitter": 1,
    "brightness": 1,
    "contrast": 1,
    "saturation": 1,
    "hue_shift": 1,
    "grey": 1,
    "blur": 2,
    "solarize": 1,
    "affine": AFFINE_WORDS,
    "shift_px": 2,
}
"""Number of random words that each operation uses for a view.

Every operation has fixed words, even when it is off. So turning one operation on or off does not change the
numbers of the others.
"""
_FIRST_WORDS = dict(zip(_WORD_COUNTS, np.cumsum([0, *_WORD_COUNTS.values()])[:-1].tolist(), strict=True))
"""Position of each operation's first word."""
_WORDS_PER_VIEW = 40
"""Number of random words drawn for a view: a multiple of four, because Philox makes four words at a time.

All are in use. A further operation needs words of a key of its own, so that the numbers of these stay the
same.
"""


@dataclass(frozen=True, slots=True, eq=False)
class UniformNumbers:
    """Uniform random numbers of views, looked up by the operation that uses them."""

    numbers: FloatArray
    """[B, k, 40] numbers from 0 to 1."""

    @classmethod
    def draw(cls, names: Sequence[str], positions: NDArray[np.int64], num_views: int) -> Self:
        """Draw the numbers of views, each a pure function of the names, its position and its place.

        Args:
            names: Names of the stream, such as the seed and the epoch.
            positions: [B] positions of the samples in the epoch.
            num_views: Number of views k of a sample.
        """
        keys = [make_philox_key("augmentation", *names, str(view)) for view in range(num_views)]
        words = [draw_words(key, positions, _WORDS_PER_VIEW) for key in keys]
        return cls(words_to_units(np.stack(words, axis=1)))

    def get_words(self, operation: str) -> FloatArray:
        """Return all n numbers of an operation, [B, k, n]."""
        first = _FIRST_WORDS[operation]
        return self.numbers[..., first : first + _WORD_COUNTS[operation]]

    def get_scalar(self, operation: str) -> FloatArray:
        """Return the first number of an operation, [B, k]."""
        return self.get_words(operation)[..., 0]

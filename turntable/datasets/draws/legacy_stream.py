"""Random access to numpy's legacy stream: ``np.random.seed(seed)`` followed by ``np.random.uniform`` calls.

The published generators drew all numbers of a data set one after the other from one such stream. To read an
object's numbers, the Mersenne Twister is restored to the nearest saved state and advanced from there. Once
the stream has been read through, no position is more than a few milliseconds from a saved state.
"""

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STRIDE = 1 << 17
"""Initial distance between saved states, in numbers. The generator takes about half a millisecond for it."""
_MAX_STATES = 256
"""Maximum number of saved states, of 2.5 kB each. At this number every other one is dropped."""


class LegacyStream:
    """The random numbers of one seed, by their position in the stream. Threads may share it."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.RandomState(seed)
        self._lock = threading.Lock()
        self._position = 0
        self._stride = _STRIDE
        self._states: list[Any] = [self._random.get_state()]

    def draw_uniform(
        self, start: int, low: Sequence[float], high: Sequence[float], num_rows: int
    ) -> NDArray[np.float64]:
        """Return the results of scalar calls ``np.random.uniform(low[i], high[i])``, row by row.

        Args:
            start: Number of calls before these, counted from the seed.
            low: Lower bounds of the calls of one row.
            high: Upper bounds of the calls of one row.
            num_rows: Number of rows.

        Returns:
            [num_rows, len(low)], equal to the bit.
        """
        with self._lock:
            self._seek(start)
            # Not random_sample and a product in numpy: uniform runs the C function of the scalar calls. If
            # the compiler fused its product and sum into one rounding, it did so for them as well.
            values = self._random.uniform(low, high, size=(num_rows, len(low)))
            self._position += values.size
            return values

    def _seek(self, position: int) -> None:
        """Move to a position, from the current one or from the nearest saved state before it."""
        nearest = min(position // self._stride, len(self._states) - 1)
        if not nearest * self._stride <= self._position <= position:
            self._random.set_state(self._states[nearest])
            self._position = nearest * self._stride
        while self._position < position:
            self._advance(min(position, (self._position // self._stride + 1) * self._stride))

    def _advance(self, position: int) -> None:
        """Skip numbers up to a position; save the state there if it is the next multiple of the stride."""
        self._random.random_sample(position - self._position)
        self._position = position
        if position == len(self._states) * self._stride:
            self._states.append(self._random.get_state())
        if len(self._states) > _MAX_STATES:
            self._states = self._states[::2]
            self._stride *= 2


@lru_cache(maxsize=32)
def get_legacy_stream(seed: int) -> LegacyStream:
    """Return the stream of a seed, cached for the next object."""
    return LegacyStream(seed)

"""numpy's legacy stream at any place: what ``np.random.seed(seed)`` and calls of ``np.random.uniform`` gave.

The published generators drew all numbers of a data set one after the other from one such stream. Here each
object's numbers are taken where they stood: the Mersenne Twister is run on from the nearest remembered state,
and no state is further than a few milliseconds away once the stream has been walked along.
"""

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STRIDE = 1 << 17
"""Numbers between remembered states, at first: from one to the next is about half a millisecond."""
_MOST_STATES = 256
"""Of 2.5 kB each; where more would be needed, every other one is forgotten."""


class LegacyStream:
    """The numbers of one seed, by their place in the stream. Threads may share it."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.RandomState(seed)
        self._lock = threading.Lock()
        self._place = 0
        self._stride = _STRIDE
        self._states: list[Any] = [self._random.get_state()]

    def uniform(
        self, start: int, low: Sequence[float], high: Sequence[float], rows: int
    ) -> NDArray[np.float64]:
        """The numbers of scalar calls ``np.random.uniform(low[i], high[i])`` in turn, ``rows`` times over.

        Args:
            start: how many calls came before, from the seed on.
            low: one for each call of a row.
            high: the same.
            rows: of the result.

        Returns:
            [rows, len(low)], to the bit.
        """
        with self._lock:
            self._seek(start)
            # Not random_sample and a product: this is the C function of the scalar calls, and where a
            # compiler joins product and sum into one rounding, it does so in both.
            values = self._random.uniform(low, high, size=(rows, len(low)))
            self._place += values.size
            return values

    def _seek(self, place: int) -> None:
        nearest = min(place // self._stride, len(self._states) - 1)
        if not nearest * self._stride <= self._place <= place:
            self._random.set_state(self._states[nearest])
            self._place = nearest * self._stride
        while self._place < place:
            self._walk(min(place, (self._place // self._stride + 1) * self._stride))

    def _walk(self, place: int) -> None:
        self._random.random_sample(place - self._place)
        self._place = place
        if place == len(self._states) * self._stride:
            self._states.append(self._random.get_state())
        if len(self._states) > _MOST_STATES:
            self._states = self._states[::2]
            self._stride *= 2


@lru_cache(maxsize=32)
def legacy_stream(seed: int) -> LegacyStream:
    """The stream of a seed, kept for the next object."""
    return LegacyStream(seed)

"""Intervals: how far chance in the choice of objects could have moved a number.

Objects are drawn anew with replacement, not views or pairs: those of one object are right or wrong together,
so that counting each of them as evidence of its own makes intervals too narrow (Efron and Tibshirani 1993,
chapter 8). A statistic over a resample is computed from what each object adds to it, which makes a thousand
resamples one matrix product.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turntable.evaluation.results import Score

FloatArray = NDArray[np.float64]

_AT_ONCE = 1 << 24
"""Numbers that a step of the median may hold."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """How the bootstrap draws."""

    num_resamples: int = 1000
    seed: int = 0
    level: float = 0.95
    """The share of resamples inside an interval."""


@dataclass(frozen=True)
class Resamples:
    """The objects as they are, and the resamples of them."""

    num_objects: int
    resampling: Resampling = Resampling()

    @cached_property
    def counts(self) -> FloatArray:
        """[1 + R, N]: how often each resample has each object; the first has each once."""
        generator = np.random.Generator(np.random.Philox(self.resampling.seed))
        draws = generator.integers(self.num_objects, size=(self.resampling.num_resamples, self.num_objects))
        counted = [np.bincount(rows, minlength=self.num_objects) for rows in draws]
        return np.stack([np.ones(self.num_objects), *counted]).astype(np.float64)

    def sums(self, of_objects: ArrayLike) -> FloatArray:
        """What the objects' numbers [N, ...] add up to in each resample, [1 + R, ...]."""
        return np.tensordot(self.counts, np.asarray(of_objects, np.float64), axes=1)

    def score(self, values: FloatArray) -> Score:
        """A statistic's value and percentile interval, of its values [1 + R]."""
        tail = (1 - self.resampling.level) / 2
        low, high = np.quantile(values[1:], [tail, 1 - tail])
        return Score(float(values[0]), float(low), float(high))

    def mean(self, values: ArrayLike) -> Score:
        """The mean of values [N, P], P of each object."""
        array = np.asarray(values, np.float64).reshape(self.num_objects, -1)
        return self.score(self.sums(array.mean(axis=1)) / self.sums(np.ones(len(array))))

    def median(self, values: ArrayLike) -> Score:
        """The median of values [N, P]: the least that half of them do not exceed, or between two such."""
        array = np.asarray(values, np.float64).reshape(self.num_objects, -1)
        order = np.argsort(array, axis=None, kind="stable")
        ranked, owners = array.ravel()[order], order // array.shape[1]
        step = max(1, _AT_ONCE // len(ranked))
        parts = [
            _medians(ranked, self.counts[start : start + step, owners])
            for start in range(0, len(self.counts), step)
        ]
        return self.score(np.concatenate(parts))


def _medians(ranked: FloatArray, times: FloatArray) -> FloatArray:
    """Medians of values [M] in their order, each so many times [R, M]."""
    reached = times.cumsum(axis=1)
    half = reached[:, -1:] / 2
    lower = ranked[(reached >= half).argmax(axis=1)]
    upper = ranked[(reached > half).argmax(axis=1)]
    return (lower + upper) / 2

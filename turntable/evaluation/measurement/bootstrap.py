"""Bootstrap intervals over objects: how much a number varies with the choice of objects.

Objects are resampled with replacement, not views or pairs. Those of one object are not independent, so
resampling them would make intervals too narrow (Efron and Tibshirani 1993, chapter 8). A statistic of a
resample is computed from a sum over its objects, so a thousand resamples are one matrix product.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turntable.evaluation.evaluation_results import Score

FloatArray = NDArray[np.float64]

_MAX_NUMBERS_AT_ONCE = 1 << 24
"""Maximal number of array elements that the median holds in memory at a time."""


@dataclass(frozen=True, slots=True)
class BootstrapConfig:
    """Settings of the bootstrap."""

    num_resamples: int = 1000
    """Number of resamples."""
    seed: int = 0
    """Seed of the draw."""
    level: float = 0.95
    """Share of resamples inside an interval."""


@dataclass(frozen=True)
class BootstrapResamples:
    """The objects as they are, and their resamples."""

    num_objects: int
    """Number of objects, N."""
    config: BootstrapConfig = BootstrapConfig()
    """Settings of the bootstrap."""

    @cached_property
    def counts(self) -> FloatArray:
        """Number of times that each resample has each object, [1 + R, N]; the first row has each once."""
        generator = np.random.Generator(np.random.Philox(self.config.seed))
        draws = generator.integers(self.num_objects, size=(self.config.num_resamples, self.num_objects))
        counted = [np.bincount(rows, minlength=self.num_objects) for rows in draws]
        return np.stack([np.ones(self.num_objects), *counted]).astype(np.float64)

    def compute_sums(self, values: ArrayLike) -> FloatArray:
        """Compute the sums [1 + R, ...] of values [N, ...] over the objects of each resample."""
        return np.tensordot(self.counts, np.asarray(values, np.float64), axes=1)

    def compute_score(self, values: FloatArray) -> Score:
        """Compute the value and the percentile interval of a statistic from its values [1 + R]."""
        tail = (1 - self.config.level) / 2
        low, high = np.quantile(values[1:], [tail, 1 - tail])
        return Score(float(values[0]), float(low), float(high))

    def compute_mean(self, values: ArrayLike) -> Score:
        """Compute the mean of values [N, P], P of each object, with its interval."""
        array = np.asarray(values, np.float64).reshape(self.num_objects, -1)
        return self.compute_score(
            self.compute_sums(array.mean(axis=1)) / self.compute_sums(np.ones(len(array)))
        )

    def compute_median(self, values: ArrayLike) -> Score:
        """Compute the median of values [N, P], P of each object, with its interval.

        If half of the values lie at or below one value and half at or above the next, it is their mean.
        """
        array = np.asarray(values, np.float64).reshape(self.num_objects, -1)
        order = np.argsort(array, axis=None, kind="stable")
        sorted_values, objects = array.ravel()[order], order // array.shape[1]
        step = max(1, _MAX_NUMBERS_AT_ONCE // len(sorted_values))
        parts = [
            _compute_medians(sorted_values, self.counts[start : start + step, objects])
            for start in range(0, len(self.counts), step)
        ]
        return self.compute_score(np.concatenate(parts))


def _compute_medians(sorted_values: FloatArray, counts: FloatArray) -> FloatArray:
    """Compute the medians [R] of sorted values [M], each of which counts several times [R, M]."""
    cumulative = counts.cumsum(axis=1)
    half = cumulative[:, -1:] / 2
    lower = sorted_values[(cumulative >= half).argmax(axis=1)]
    upper = sorted_values[(cumulative > half).argmax(axis=1)]
    return (lower + upper) / 2

"""Metrics: arrays in, one number out; and how far chance could have moved it.

The field publishes two R² of rotations that differ by a constant: SIE, EquiCaps and CapsIE pool all four
components around one scalar mean, so that predicting the mean quaternion already gives 0.23 on 3DIEBench;
seq-JEPA averages the R² of the components, where the same prediction gives 0. Both are here, by name.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def r2_pooled(predicted: ArrayLike, target: ArrayLike) -> float:
    """1 - sum of squared errors / sum of squares around the one scalar mean of all components.

    Args:
        predicted: [N, C].
        target: [N, C]; not all equal.
    """
    p, t = np.asarray(predicted, np.float64), np.asarray(target, np.float64)
    return float(1 - np.square(p - t).sum() / np.square(t - t.mean()).sum())


def r2_averaged(predicted: ArrayLike, target: ArrayLike) -> float:
    """The R² of each component around its own mean, averaged; scikit-learn's ``r2_score``.

    Args:
        predicted: [N, C].
        target: [N, C]; no column constant.
    """
    p, t = np.asarray(predicted, np.float64), np.asarray(target, np.float64)
    return float(np.mean(1 - np.square(p - t).sum(axis=0) / np.square(t - t.mean(axis=0)).sum(axis=0)))


def geodesic_deg(predicted: ArrayLike, target: ArrayLike) -> FloatArray:
    """The angle between the rotations of two quaternions, whatever their signs.

    Args:
        predicted: [N, 4]; lengths do not matter, and zero, which is no rotation, counts as 180 degrees off.
        target: [N, 4], not zero.

    Returns:
        [N] degrees in [0, 180].
    """
    p, t = _unit(np.asarray(predicted, np.float64)), _unit(np.asarray(target, np.float64))
    apart = np.linalg.norm(p - t, axis=1)
    opposite = np.linalg.norm(p + t, axis=1)
    # Unlike arccos of the inner product, this is exact for the smallest angles.
    angle_rad = 4 * np.arctan2(np.minimum(apart, opposite), np.maximum(apart, opposite))
    return np.where(np.any(p != 0, axis=1), np.degrees(angle_rad), 180.0)


def accuracy_at(angles_deg: ArrayLike, threshold_deg: float) -> float:
    """The share of angles [N] of at most a threshold, in [0, 1]."""
    return float(np.mean(np.asarray(angles_deg) <= threshold_deg))


def top1(predicted: ArrayLike, target: ArrayLike) -> float:
    """The share of class numbers [N] that are right, in [0, 1]."""
    return float(np.mean(np.asarray(predicted) == np.asarray(target)))


def majority_class(categories: ArrayLike) -> int:
    """The most frequent class number of [N], the smallest of several: what guessing blindly predicts."""
    return int(np.bincount(np.asarray(categories, np.int64)).argmax())


def bootstrap_interval(
    statistic: Callable[[IntArray], float],
    num_objects: int,
    *,
    level: float = 0.95,
    num_resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """The percentile interval of a statistic when objects are drawn anew with replacement.

    Objects, not pairs: the pairs of one object are right or wrong together, so that counting each of them as
    evidence of its own makes intervals too narrow (Efron and Tibshirani 1993, chapter 8).

    Args:
        statistic: Of the objects with these rows [num_objects], some of them twice.
        num_objects: How many there are.
        level: The share of resamples inside.
        num_resamples: How many resamples are drawn.
        seed: Of the draw.

    Returns:
        The lower and the upper end.
    """
    generator = np.random.Generator(np.random.Philox(seed))
    draws = generator.integers(num_objects, size=(num_resamples, num_objects))
    values = [statistic(rows) for rows in draws]
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _unit(q: FloatArray) -> FloatArray:
    length = np.linalg.norm(q, axis=1, keepdims=True)
    return np.divide(q, length, out=np.zeros_like(q), where=length > 0)

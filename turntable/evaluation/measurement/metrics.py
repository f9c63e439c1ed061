"""Metrics, as functions from arrays to numbers, and a reference implementation of the bootstrap.

There are two R² of rotations in the literature. SIE, EquiCaps and CapsIE pool all four components around one
scalar mean, so that predicting the mean quaternion already gives 0.23 on 3DIEBench. seq-JEPA averages the R²
of the components, where the same prediction gives 0. Both are here.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def compute_r2_pooled(predicted: ArrayLike, target: ArrayLike) -> float:
    """Compute R² as 1 - sum of squared errors / sum of squares around the scalar mean of all components.

    Args:
        predicted: Predictions, [N, C].
        target: Targets, not all equal, [N, C].
    """
    p, t = np.asarray(predicted, np.float64), np.asarray(target, np.float64)
    return float(1 - np.square(p - t).sum() / np.square(t - t.mean()).sum())


def compute_r2_averaged(predicted: ArrayLike, target: ArrayLike) -> float:
    """Compute the average of the R² of each component around its own mean, as scikit-learn's ``r2_score``.

    Args:
        predicted: Predictions, [N, C].
        target: Targets without a constant column, [N, C].
    """
    p, t = np.asarray(predicted, np.float64), np.asarray(target, np.float64)
    return float(np.mean(1 - np.square(p - t).sum(axis=0) / np.square(t - t.mean(axis=0)).sum(axis=0)))


def compute_geodesic_deg(predicted: ArrayLike, target: ArrayLike) -> FloatArray:
    """Compute the angle between the rotations of two quaternions; their signs do not matter.

    Args:
        predicted: Quaternions of any length, [N, 4]; zero is not a rotation and counts as 180 degrees off.
        target: Quaternions other than zero, [N, 4].

    Returns:
        Angles in degrees from 0 to 180, [N].
    """
    p, t = _normalize(np.asarray(predicted, np.float64)), _normalize(np.asarray(target, np.float64))
    difference = np.linalg.norm(p - t, axis=1)
    opposite = np.linalg.norm(p + t, axis=1)
    # q and -q are the same rotation. Unlike the arccos of the inner product, this is exact for small angles.
    angle_rad = 4 * np.arctan2(np.minimum(difference, opposite), np.maximum(difference, opposite))
    return np.where(np.any(p != 0, axis=1), np.degrees(angle_rad), 180.0)


def compute_accuracy_at(angles_deg: ArrayLike, threshold_deg: float) -> float:
    """Compute the share, from 0 to 1, of angles [N] that are at most a threshold."""
    return float(np.mean(np.asarray(angles_deg) <= threshold_deg))


def compute_top1(predicted: ArrayLike, target: ArrayLike) -> float:
    """Compute the share, from 0 to 1, of predicted categories [N] that are right."""
    return float(np.mean(np.asarray(predicted) == np.asarray(target)))


def compute_majority_category(categories: ArrayLike) -> int:
    """Return the most frequent of categories [N], the smallest if there are several."""
    return int(np.bincount(np.asarray(categories, np.int64)).argmax())


def compute_bootstrap_interval(
    statistic: Callable[[IntArray], float],
    num_objects: int,
    *,
    level: float = 0.95,
    num_resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Compute the percentile interval of a statistic by resampling objects with replacement.

    Objects are resampled, not pairs: the pairs of one object are not independent, so resampling them would
    make intervals too narrow (Efron and Tibshirani 1993, chapter 8). ``BootstrapResamples`` gives the same
    intervals faster, for statistics that are computed from sums over objects.

    Args:
        statistic: Function from the row numbers [num_objects] of resampled objects, with repetitions, to the
            statistic.
        num_objects: Number of objects.
        level: Share of resamples inside the interval.
        num_resamples: Number of resamples.
        seed: Seed of the draw.

    Returns:
        The lower and the upper end of the interval.
    """
    generator = np.random.Generator(np.random.Philox(seed))
    draws = generator.integers(num_objects, size=(num_resamples, num_objects))
    values = [statistic(rows) for rows in draws]
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _normalize(q: FloatArray) -> FloatArray:
    length = np.linalg.norm(q, axis=1, keepdims=True)
    return np.divide(q, length, out=np.zeros_like(q), where=length > 0)

"""Scores: every metric of one set of predictions, with intervals over objects."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from turntable.evaluation.numbers import metrics
from turntable.evaluation.numbers.resampling import Resamples
from turntable.evaluation.results import Score

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.int64]
Scores = dict[str, Score]


def top1_score(predicted: IntArray, categories: IntArray, resamples: Resamples) -> Score:
    """Accuracy over views.

    Args:
        predicted: [N, V] class numbers.
        categories: [N] true ones.
        resamples: Of the N objects.
    """
    return resamples.mean(predicted == categories[:, None])


def regression_scores(predicted: FloatArray, target: FloatArray, resamples: Resamples) -> Scores:
    """Both R² of the field (``metrics.r2_pooled``, ``metrics.r2_averaged``).

    Args:
        predicted: [N * P, C], object by object.
        target: [N * P, C].
        resamples: Of the N objects.
    """
    t = np.asarray(target, np.float64).reshape(resamples.num_objects, -1, target.shape[1])
    wrong = np.square(np.asarray(predicted, np.float64).reshape(t.shape) - t).sum(axis=1)
    count = resamples.sums(np.full(len(t), t.shape[1], np.float64))[:, None]
    errors, sums = resamples.sums(wrong), resamples.sums(t.sum(axis=1))
    squares = resamples.sums(np.square(t).sum(axis=1))
    pooled = squares.sum(axis=1) - np.square(sums.sum(axis=1)) / (count[:, 0] * t.shape[2])
    averaged = _explained(errors, squares - np.square(sums) / count)
    return {
        "r2_pooled": resamples.score(_explained(errors.sum(axis=1), pooled)),
        "r2_averaged": resamples.score(averaged.mean(axis=1)),
    }


def rotation_scores(predicted: FloatArray, target: FloatArray, resamples: Resamples) -> Scores:
    """Every metric of rotations.

    Args:
        predicted: [N * P, 4] quaternions of any length, object by object, P each.
        target: [N * P, 4] unit quaternions.
        resamples: Of the N objects.
    """
    angles = metrics.geodesic_deg(predicted, target).reshape(resamples.num_objects, -1)
    statistics: dict[str, Callable[[], Score]] = {
        "geodesic_mean_deg": lambda: resamples.mean(angles),
        "geodesic_median_deg": lambda: resamples.median(angles),
        "acc_at_15": lambda: resamples.mean(angles <= 15),
        "acc_at_30": lambda: resamples.mean(angles <= 30),
    }
    return regression_scores(predicted, target, resamples) | {n: score() for n, score in statistics.items()}


def turn_error(predicted: FloatArray, target: FloatArray) -> NDArray[np.float64]:
    """How far directions [M, 2] (cosine, sine) point from values [M] on a circle, in turns from 0 to 0.5."""
    told = np.arctan2(predicted[:, 1], predicted[:, 0]) / (2 * np.pi)
    apart = np.abs(told - target) % 1
    return np.minimum(apart, 1 - apart)


def prefixed(prefix: str, scores: Scores) -> Scores:
    """The same under longer names."""
    return {prefix + name: score for name, score in scores.items()}


def _explained(errors: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - errors / spread; 0 where all targets are one and there is nothing to explain."""
    return np.where(spread > 0, 1 - errors / np.where(spread > 0, spread, 1), 0.0)

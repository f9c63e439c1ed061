"""Metrics of predictions with bootstrap intervals over objects."""

import numpy as np
from numpy.typing import NDArray

from turntable.evaluation.evaluation_results import Score
from turntable.evaluation.measurement import metrics
from turntable.evaluation.measurement.bootstrap import BootstrapResamples

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.int64]
Scores = dict[str, Score]
"""Scores by metric."""


def compute_top1_score(predicted: IntArray, categories: IntArray, resamples: BootstrapResamples) -> Score:
    """Compute the accuracy over views.

    Args:
        predicted: Predicted categories, [N, V].
        categories: True categories, [N].
        resamples: Resamples of the N objects.
    """
    return resamples.compute_mean(predicted == categories[:, None])


def compute_regression_scores(
    predicted: FloatArray, target: FloatArray, resamples: BootstrapResamples
) -> Scores:
    """Compute the pooled and the averaged R², as ``compute_r2_pooled`` and ``compute_r2_averaged`` do.

    Args:
        predicted: Predictions, object by object, [N * P, C].
        target: Targets, [N * P, C].
        resamples: Resamples of the N objects.
    """
    t = np.asarray(target, np.float64).reshape(resamples.num_objects, -1, target.shape[1])
    wrong = np.square(np.asarray(predicted, np.float64).reshape(t.shape) - t).sum(axis=1)
    count = resamples.compute_sums(np.full(len(t), t.shape[1], np.float64))[:, None]
    errors, sums = resamples.compute_sums(wrong), resamples.compute_sums(t.sum(axis=1))
    squares = resamples.compute_sums(np.square(t).sum(axis=1))
    pooled = squares.sum(axis=1) - np.square(sums.sum(axis=1)) / (count[:, 0] * t.shape[2])
    averaged = _compute_r2(errors, squares - np.square(sums) / count)
    return {
        "r2_pooled": resamples.compute_score(_compute_r2(errors.sum(axis=1), pooled)),
        "r2_averaged": resamples.compute_score(averaged.mean(axis=1)),
    }


def compute_rotation_scores(
    predicted: FloatArray, target: FloatArray, resamples: BootstrapResamples
) -> Scores:
    """Compute every metric of rotations.

    Args:
        predicted: Quaternions of any length, object by object, P of each, [N * P, 4].
        target: Unit quaternions, [N * P, 4].
        resamples: Resamples of the N objects.
    """
    angles = metrics.compute_geodesic_deg(predicted, target).reshape(resamples.num_objects, -1)
    return compute_regression_scores(predicted, target, resamples) | {
        "geodesic_mean_deg": resamples.compute_mean(angles),
        "geodesic_median_deg": resamples.compute_median(angles),
        "acc_at_15": resamples.compute_mean(angles <= 15),
        "acc_at_30": resamples.compute_mean(angles <= 30),
    }


def compute_circular_errors(predicted: FloatArray, target: FloatArray) -> NDArray[np.float64]:
    """Compute the distances [M] around the circle between predictions and targets, in turns from 0 to 0.5.

    Args:
        predicted: Directions (cosine, sine), [M, 2].
        target: Values in turns, [M].
    """
    turns = np.arctan2(predicted[:, 1], predicted[:, 0]) / (2 * np.pi)
    distances = np.abs(turns - target) % 1
    return np.minimum(distances, 1 - distances)


def add_prefix(prefix: str, scores: Scores) -> Scores:
    """Return scores with a prefix before each name."""
    return {prefix + name: score for name, score in scores.items()}


def _compute_r2(errors: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute 1 - errors / squares; it is 0 where all targets are equal and there is nothing to explain."""
    return np.where(squares > 0, 1 - errors / np.where(squares > 0, squares, 1), 0.0)

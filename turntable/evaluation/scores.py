"""Scores: every metric of one set of predictions, with intervals over objects."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.evaluation import metrics
from turntable.evaluation.results import Score

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Resampling:
    """How the bootstrap draws."""

    num_resamples: int = 1000
    seed: int = 0


def top1_score(predicted: IntArray, categories: IntArray, resampling: Resampling) -> Score:
    """Accuracy over views.

    Args:
        predicted: [N, V] class numbers.
        categories: [N] true ones.
        resampling: How the interval is drawn.
    """
    right = (predicted == categories[:, None]).mean(axis=1)
    return _score(lambda rows: float(right[rows].mean()), len(right), resampling)


def rotation_scores(
    predicted: FloatArray, target: FloatArray, num_objects: int, resampling: Resampling
) -> dict[str, Score]:
    """Every metric of the rotations between pairs of views.

    Args:
        predicted: [N * P, 4] quaternions of any length, object by object, P pairs each.
        target: [N * P, 4] unit quaternions.
        num_objects: N.
        resampling: How the intervals are drawn.
    """
    p = np.asarray(predicted, np.float64).reshape(num_objects, -1, 4)
    t = np.asarray(target, np.float64).reshape(num_objects, -1, 4)
    angles = metrics.geodesic_deg(p.reshape(-1, 4), t.reshape(-1, 4)).reshape(num_objects, -1)
    statistics: dict[str, Callable[[IntArray], float]] = {
        "r2_pooled": lambda rows: metrics.r2_pooled(p[rows].reshape(-1, 4), t[rows].reshape(-1, 4)),
        "r2_averaged": lambda rows: metrics.r2_averaged(p[rows].reshape(-1, 4), t[rows].reshape(-1, 4)),
        "geodesic_mean_deg": lambda rows: float(angles[rows].mean()),
        "geodesic_median_deg": lambda rows: float(np.median(angles[rows])),
        "acc_at_15": lambda rows: metrics.accuracy_at(angles[rows], 15),
        "acc_at_30": lambda rows: metrics.accuracy_at(angles[rows], 30),
    }
    return {name: _score(statistic, num_objects, resampling) for name, statistic in statistics.items()}


def _score(statistic: Callable[[IntArray], float], num_objects: int, resampling: Resampling) -> Score:
    low, high = metrics.bootstrap_interval(
        statistic, num_objects, num_resamples=resampling.num_resamples, seed=resampling.seed
    )
    return Score(statistic(np.arange(num_objects)), low, high)

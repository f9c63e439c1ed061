"""Intervals by one matrix product against drawing each resample by itself."""

import numpy as np
import pytest

from turntable.evaluation.measurement import (
    BootstrapConfig,
    BootstrapResamples,
    compute_circular_errors,
    compute_regression_scores,
    compute_rotation_scores,
    metrics,
)

GENERATOR = np.random.default_rng(0)
TARGET = GENERATOR.normal(size=(12, 5, 3))
PREDICTED = TARGET + 0.3 * GENERATOR.normal(size=TARGET.shape)
RESAMPLES = BootstrapResamples(12, BootstrapConfig(300))


def literal(statistic):
    """Value and interval, resample by resample."""
    low, high = metrics.compute_bootstrap_interval(statistic, 12, num_resamples=300)
    return pytest.approx((statistic(np.arange(12)), low, high))


def told(score):
    return score.value, score.low, score.high


def test_r2_of_resamples_are_those_of_the_formulas():
    scores = compute_regression_scores(PREDICTED.reshape(-1, 3), TARGET.reshape(-1, 3), RESAMPLES)
    for name in ("r2_pooled", "r2_averaged"):
        formula = getattr(metrics, f"compute_{name}")
        expected = literal(
            lambda rows, f=formula: f(PREDICTED[rows].reshape(-1, 3), TARGET[rows].reshape(-1, 3))
        )
        assert told(scores[name]) == expected


def test_means_and_medians_of_resamples_are_numpys():
    values = PREDICTED[..., 0]
    assert told(RESAMPLES.compute_mean(values)) == literal(lambda rows: float(values[rows].mean()))
    assert told(RESAMPLES.compute_median(values)) == literal(lambda rows: float(np.median(values[rows])))
    even = values[:, :4]
    assert told(RESAMPLES.compute_median(even)) == literal(lambda rows: float(np.median(even[rows])))


def test_of_one_value_for_all_nothing_is_explained():
    target = np.ones((12, 2))
    assert told(compute_regression_scores(target, target, RESAMPLES)["r2_averaged"]) == (0, 0, 0)


def test_rotation_scores_are_those_of_the_angles():
    q = GENERATOR.normal(size=(2, 60, 4))
    predicted, target = q / np.linalg.norm(q, axis=2, keepdims=True)
    angles = metrics.compute_geodesic_deg(predicted, target)
    scores = compute_rotation_scores(predicted, target, RESAMPLES)
    assert scores["geodesic_mean_deg"].value == pytest.approx(angles.mean())
    assert scores["geodesic_median_deg"].value == pytest.approx(np.median(angles))
    assert scores["acc_at_30"].value == pytest.approx((angles <= 30).mean())


def test_hues_are_compared_around_their_circle():
    turns = np.array([0.0, 0.25, 0.95, 0.5])
    told_turns = np.array([0.9, 0.25, 0.05, 0.0])
    directions = np.stack([np.cos(2 * np.pi * told_turns), np.sin(2 * np.pi * told_turns)], axis=1)
    assert compute_circular_errors(7 * directions, turns) == pytest.approx([0.1, 0, 0.1, 0.5])

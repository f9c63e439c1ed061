import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from turntable.evaluation.measurement import metrics


def random_quaternions(count, seed=0):
    return Rotation.random(count, rng=np.random.default_rng(seed)).as_quat()


def id_pairs(count, seed=0):
    """Relative quaternions of poses uniform in the Euler box of 3DIEBench, as scipy signs them."""
    angles = np.random.default_rng(seed).uniform(-np.pi / 2, np.pi / 2, (2, count, 3))
    first, second = (Rotation.from_euler("xyz", a) for a in angles)
    return (first.inv() * second).as_quat()


def test_r2_of_a_known_example_by_hand():
    target = np.array([[0.0, 10.0], [2.0, 14.0]])
    predicted = np.array([[1.0, 10.0], [2.0, 12.0]])
    # errors 1, 0, 0, 4; squares around 6.5: 42.25 + 12.25 + 20.25 + 56.25; around (1, 12): 2 and 8
    assert metrics.compute_r2_pooled(predicted, target) == pytest.approx(1 - 5 / 131)
    assert metrics.compute_r2_averaged(predicted, target) == pytest.approx(((1 - 1 / 2) + (1 - 4 / 8)) / 2)


def test_predicting_the_mean_scores_229_pooled_and_nothing_averaged():
    target = id_pairs(100_000)
    mean = np.broadcast_to(target.mean(axis=0), target.shape)
    assert metrics.compute_r2_pooled(mean, target) == pytest.approx(0.229, abs=0.01)
    assert metrics.compute_r2_averaged(mean, target) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("error_deg", "pooled", "averaged"), [(10, 0.992, 0.988), (30, 0.927, 0.895), (60, 0.712, 0.585)]
)
def test_r2_hides_large_angles(error_deg, pooled, averaged):
    target = id_pairs(50_000)
    axes = np.random.default_rng(1).normal(size=(len(target), 3))
    axes *= np.radians(error_deg) / np.linalg.norm(axes, axis=1, keepdims=True)
    predicted = (Rotation.from_quat(target) * Rotation.from_rotvec(axes)).as_quat()
    predicted *= np.sign((predicted * target).sum(axis=1, keepdims=True))
    assert metrics.compute_r2_pooled(predicted, target) == pytest.approx(pooled, abs=0.003)
    assert metrics.compute_r2_averaged(predicted, target) == pytest.approx(averaged, abs=0.003)
    assert metrics.compute_geodesic_deg(predicted, target) == pytest.approx(error_deg, abs=1e-6)


def test_geodesic_equals_scipys():
    first, second = random_quaternions(500), random_quaternions(500, seed=1)
    expected = np.degrees((Rotation.from_quat(first).inv() * Rotation.from_quat(second)).magnitude())
    assert np.allclose(metrics.compute_geodesic_deg(first, second), expected, atol=1e-9)


@settings(max_examples=50)
@given(st.floats(1e-7, 179.9999), st.floats(1e-3, 1e3), st.booleans())
def test_geodesic_is_exact_at_both_ends_and_blind_to_sign_and_length(angle_deg, length, flip):
    half = np.radians(angle_deg) / 2
    turned = np.array([[np.sin(half), 0, 0, np.cos(half)]]) * length * (-1 if flip else 1)
    assert metrics.compute_geodesic_deg(turned, [[0, 0, 0, 1.0]])[0] == pytest.approx(angle_deg, rel=1e-6)


def test_a_prediction_of_zero_is_no_rotation():
    assert metrics.compute_geodesic_deg([[0.0, 0, 0, 0]], [[0, 0, 0, 1.0]]).tolist() == [180]


def test_a_flip_of_all_signs_leaves_the_angles():
    predicted, target = random_quaternions(100), random_quaternions(100, seed=1)
    angles = metrics.compute_geodesic_deg(predicted, target)
    assert np.array_equal(metrics.compute_geodesic_deg(-predicted, target), angles)
    assert metrics.compute_r2_pooled(-predicted, target) != pytest.approx(
        metrics.compute_r2_pooled(predicted, target)
    )


def test_counting_metrics():
    assert metrics.compute_accuracy_at([0, 15, 15.1, 90], 15) == 0.5
    assert metrics.compute_top1([1, 2, 2], [1, 2, 3]) == pytest.approx(2 / 3)
    assert metrics.compute_majority_category([3, 1, 1, 3, 0]) == 1


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution():
    values = np.random.default_rng(0).normal(size=400)
    low, high = metrics.compute_bootstrap_interval(
        lambda rows: float(values[rows].mean()), 400, num_resamples=4000
    )
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.015)
    assert high == pytest.approx(values.mean() + half, abs=0.015)


def test_the_interval_counts_objects_not_pairs():
    """Ten equal pairs of each object say nothing that one does not."""
    values = np.random.default_rng(0).normal(size=50)
    repeated = np.repeat(values[:, None], 10, axis=1)
    once = metrics.compute_bootstrap_interval(lambda rows: float(values[rows].mean()), 50)
    tenfold = metrics.compute_bootstrap_interval(lambda rows: float(repeated[rows].mean()), 50)
    assert once == pytest.approx(tenfold)


def test_the_interval_is_a_function_of_its_seed():
    values = np.arange(10.0)

    def interval(seed):
        return metrics.compute_bootstrap_interval(lambda rows: float(values[rows].mean()), 10, seed=seed)

    assert interval(1) == interval(1)
    assert interval(1) != interval(2)

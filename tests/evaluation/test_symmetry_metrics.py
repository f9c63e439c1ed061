"""Errors and densities up to a symmetry, against scipy and brute force over the elements of the group."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from turntable.datasets.objects import ObjectSymmetry
from turntable.errors import InvalidInputError
from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.measurement import (
    BootstrapResamples,
    compute_density_entropy,
    compute_expected_error_deg,
    compute_geodesic_deg,
    compute_least_geodesic_deg,
    compute_symmetric_scores,
    compute_symmetry_recall,
)
from turntable.evaluation.tasks import TASKS, AbsoluteRotation, EvaluatedSplit, PairConfig
from turntable.renderer.meshes.solids import SOLID_NAMES, get_solid_facts

Array = NDArray[np.float64]
RNG = np.random.default_rng(3)
SYMMETRIES = {name: get_solid_facts(name, 1).symmetry for name in SOLID_NAMES}
TILTED = ObjectSymmetry(
    "Dinf",
    ((0.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 0.0)),
    tuple(np.array([0.6, 0.0, 0.8]).tolist()),
    (0.0, 0.0, 0.0),
    0.0,
)
"""A cylinder about another axis than z, with a half turn across it that scipy's z does not know."""


def quaternions(count: int, seed: int) -> Array:
    return Rotation.random(count, random_state=seed).as_quat()


def brute_force(predicted: Array, target: Array, symmetry: ObjectSymmetry, turns: int = 720) -> Array:
    group = Rotation.from_quat(symmetry.list_rotations(turns))
    errors = [
        (Rotation.from_quat(p).inv() * Rotation.from_quat(t) * group).magnitude().min()
        for p, t in zip(predicted, target, strict=True)
    ]
    return np.degrees(errors)


@pytest.mark.parametrize("name", [name for name in SOLID_NAMES if SYMMETRIES[name].group != "SO3"])
def test_the_least_error_is_that_of_brute_force(name: str) -> None:
    predicted, target = quaternions(60, 1), quaternions(60, 2)
    found = compute_least_geodesic_deg(predicted, target, SYMMETRIES[name])
    is_finite = SYMMETRIES[name].axis is None
    # 720 turns about an axis stand 0.5 degrees apart, so brute force is at most 0.25 above.
    assert found == pytest.approx(
        brute_force(predicted, target, SYMMETRIES[name]), abs=1e-4 if is_finite else 0.26
    )
    assert (found <= brute_force(predicted, target, SYMMETRIES[name]) + 1e-4).all()


def test_the_axis_may_point_anywhere() -> None:
    predicted, target = quaternions(60, 1), quaternions(60, 2)
    found = compute_least_geodesic_deg(predicted, target, TILTED)
    assert found == pytest.approx(brute_force(predicted, target, TILTED), abs=0.26)


def test_a_cone_has_the_angle_between_its_axes() -> None:
    predicted, target = quaternions(50, 3), quaternions(50, 4)
    axes = [Rotation.from_quat(q).apply([0, 0, 1]) for q in (predicted, target)]
    expected = np.degrees(np.arccos(np.clip(np.sum(axes[0] * axes[1], axis=1), -1, 1)))
    assert compute_least_geodesic_deg(predicted, target, SYMMETRIES["cone"]) == pytest.approx(
        expected, abs=1e-4
    )
    both = np.minimum(expected, 180 - expected)
    assert compute_least_geodesic_deg(predicted, target, SYMMETRIES["cylinder"]) == pytest.approx(
        both, abs=1e-4
    )


@pytest.mark.parametrize("symmetry", [*SYMMETRIES.values(), TILTED, None])
def test_right_rotations_have_no_error_and_zero_is_no_rotation(symmetry: ObjectSymmetry | None) -> None:
    target = quaternions(5, 6)
    elements = [[0, 0, 0, 1.0]]
    if symmetry is not None and symmetry.group != "SO3":
        elements = symmetry.list_rotations(17)
    for element in elements:
        right = (Rotation.from_quat(target) * Rotation.from_quat(element)).as_quat()
        assert compute_least_geodesic_deg(-3 * right, target, symmetry) == pytest.approx(0, abs=1e-3)
    assert compute_least_geodesic_deg(np.zeros((5, 4)), target, symmetry).tolist() == [180] * 5


def test_without_symmetry_it_is_the_angle_and_a_sphere_has_none() -> None:
    predicted, target = quaternions(30, 7), quaternions(30, 8)
    plain = compute_geodesic_deg(predicted, target)
    for symmetry in (None, SYMMETRIES["cylO"]):
        assert compute_least_geodesic_deg(predicted, target, symmetry).tolist() == plain.tolist()
    assert not compute_least_geodesic_deg(predicted, target, SYMMETRIES["sphere"]).any()
    # Every further element can only lower the error.
    nested = [SYMMETRIES[name] for name in ("tetX", "tetrahedron", "cube")]
    errors = [plain, *(compute_least_geodesic_deg(predicted, target, item) for item in nested)]
    assert all((later <= earlier + 1e-9).all() for earlier, later in pairwise(errors))


def test_scores_use_the_symmetry_of_each_object() -> None:
    predicted, target = quaternions(12, 9), quaternions(12, 10)
    symmetries = [SYMMETRIES["cube"], None, SYMMETRIES["sphere"]]
    scores = compute_symmetric_scores(predicted, target, symmetries, BootstrapResamples(3))
    by_hand = [
        compute_least_geodesic_deg(predicted[4 * i : 4 * i + 4], target[4 * i : 4 * i + 4], symmetry)
        for i, symmetry in enumerate(symmetries)
    ]
    assert scores["symmetric_mean_deg"].value == pytest.approx(np.mean(by_hand))
    assert scores["symmetric_median_deg"].value == pytest.approx(np.median(by_hand))
    assert scores["symmetric_acc_at_15"].value == pytest.approx(np.mean(np.array(by_hand) <= 15))
    assert compute_symmetric_scores(predicted, target, [None] * 3, BootstrapResamples(3)) == {}
    assert compute_symmetric_scores(predicted, target, [], BootstrapResamples(3)) == {}


def score_absolute(symmetries: tuple[ObjectSymmetry | None, ...]) -> set[str]:
    """Metrics of the task of absolute rotations, of the constant baseline on made-up views."""
    rotations = quaternions(12, 11).reshape(3, 4, 4)
    split = SplitFeatures(
        {"representation": RNG.normal(size=(3, 4, 5)).astype(np.float32)},
        rotations,
        np.arange(3),
        symmetries=symmetries,
    )
    evaluated = EvaluatedSplit("val", split, BootstrapResamples(3), PairConfig())
    return set(AbsoluteRotation().build_baselines(evaluated)["constant"](evaluated))


def test_the_task_of_absolute_rotations_has_them_where_records_have_a_symmetry() -> None:
    plain = score_absolute(())
    assert score_absolute((None, None, None)) == plain
    more = {f"absolute_symmetric_{name}" for name in ("mean_deg", "median_deg", "acc_at_15")}
    assert score_absolute((SYMMETRIES["cube"], None, SYMMETRIES["cone"])) == plain | more
    columns = {column.metric for task in TASKS for table in task.tables for column in table.columns}
    assert more <= columns


GRID = quaternions(4000, 12)
"""Rotations that stand for a grid: about 12 degrees apart."""


def make_density(target: Array, symmetry: ObjectSymmetry, width_deg: float) -> Array:
    """Right densities [N, M]: a bump on every rotation that looks the same."""
    errors = np.stack(
        [compute_least_geodesic_deg(GRID, np.broadcast_to(t, GRID.shape), symmetry) for t in target]
    )
    weights = np.exp(-((errors / width_deg) ** 2))
    return weights / weights.sum(axis=1, keepdims=True)


def test_entropies_are_those_of_uniform_densities_on_a_part_of_the_cells() -> None:
    p = np.zeros((3, 800))
    p[0], p[1, :100], p[2, 5] = 1 / 800, 1 / 100, 1.0
    expected = np.log(np.pi**2) + np.log([1, 1 / 8, 1 / 800])
    assert compute_density_entropy(p) == pytest.approx(expected)


def test_the_spread_of_a_uniform_density_is_the_mean_angle_of_random_rotations() -> None:
    target, uniform = quaternions(3, 13), np.full((3, len(GRID)), 1 / len(GRID))
    # A random rotation turns by pi/2 + 2/pi on average; an axis is 90 degrees off, one without sign 1 radian.
    for symmetry, expected in (
        (None, np.degrees(np.pi / 2 + 2 / np.pi)),
        (SYMMETRIES["cone"], 90.0),
        (SYMMETRIES["cylinder"], np.degrees(1.0)),
        (SYMMETRIES["sphere"], 0.0),
    ):
        assert compute_expected_error_deg(uniform, GRID, target, symmetry) == pytest.approx(expected, abs=2)


@pytest.mark.parametrize("name", ["tetrahedron", "cube", "cone", "cylinder", "sphere", "tetX", "sphereX"])
def test_a_right_density_finds_the_whole_group_and_one_with_a_single_mode_does_not(name: str) -> None:
    symmetry, target = SYMMETRIES[name], quaternions(4, 14)
    right = make_density(target, symmetry, 20)
    # The grid has gaps, next to which no rotation has half of the greatest density.
    recall = compute_symmetry_recall(right, GRID, target, symmetry, min_share=0.3, within_deg=20)
    assert recall.tolist() == [1] * 4
    single = make_density(target, SYMMETRIES["cylO"], 5)
    found = compute_symmetry_recall(single, GRID, target, symmetry, within_deg=20)
    size = {"C1": 1, "C3": 3, "T": 12, "O": 24}.get(symmetry.group)
    if size is None:
        assert (found < 0.3).all()
    else:
        assert found == pytest.approx(1 / size)
    wrong = make_density(quaternions(4, 15), SYMMETRIES["cylO"], 5)
    assert compute_expected_error_deg(right, GRID, target, symmetry).max() < 35
    if symmetry.group in ("C1", "C3"):
        assert compute_symmetry_recall(wrong, GRID, target, symmetry).max() < 1


@pytest.mark.parametrize(
    "wrong", [np.full((2, 4000), 1.0), np.full(4000, 1 / 4000), np.zeros((0, 4000)), np.full((1, 4), np.nan)]
)
def test_numbers_that_are_no_probabilities_are_refused(wrong: Array) -> None:
    with pytest.raises(InvalidInputError, match="none negative, with a sum of 1"):
        compute_density_entropy(wrong)


def test_a_grid_of_another_size_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"grid of shape \(4000, 4\) for 2 probabilities"):
        compute_expected_error_deg(np.array([[0.5, 0.5]]), GRID, quaternions(1, 1), None)

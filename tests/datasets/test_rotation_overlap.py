import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from turntable import geometry
from turntable.datasets import Recipe, draw_factors, load_recipe
from turntable.datasets.draws import has_different_rotations, is_in_box
from turntable.datasets.draws.rotation_overlap import compute_min_distance, compute_overlap, get_reference_box
from turntable.datasets.labels import RotationRule
from turntable.errors import InvalidInputError

TRAINING = load_recipe("3diebench")
BOX = get_reference_box(TRAINING)
HALF_PI = math.pi / 2
angles = st.floats(-7, 7)


@given(angles, angles, angles)
def test_the_rule_and_the_ranges_of_angles_agree(x: float, y: float, z: float) -> None:
    """Two ways to say whether training can show a rotation: by the matrix, and by looking for its angles."""
    R = geometry.euler_to_matrix([x, y, z])
    if min(abs(R[0, 0]), abs(R[2, 2])) > 1e-5:  # at the border itself rounding decides
        assert RotationRule("3diebench").accepts(R) == (not is_in_box(R[None], BOX)[0])


def test_rotations_of_the_ood_set_are_far_from_a_dense_sample_of_training() -> None:
    recipe = load_recipe("so3-ood")
    labels = np.concatenate([draw_factors(recipe, f"object/{n}", range(50)) for n in range(20)])
    drawn = Rotation.from_euler("xyz", recipe.schema.get_euler_angles(labels).astype(np.float64))
    # Training rotations by scipy, from a grid of the box with its faces, edges and corners, and at random.
    steps = np.linspace(-HALF_PI, HALF_PI, 13)
    grid = np.array(list(itertools.product(steps, repeat=3)))
    random_ = np.random.default_rng(0).uniform(-HALF_PI, HALF_PI, (20_000, 3))
    training = Rotation.from_euler("xyz", np.concatenate([grid, random_]))
    cosine = np.abs(drawn.as_quat() @ training.as_quat().T).max()
    assert math.degrees(2 * math.acos(min(cosine, 1.0))) >= 10
    # And the bound is not idle: something drawn comes within a degree or two of it.
    assert math.degrees(2 * math.acos(min(cosine, 1.0))) < 13


def test_minimising_the_distance_does_not_break_the_margin() -> None:
    recipe = load_recipe("so3-ood")
    labels = np.concatenate([draw_factors(recipe, f"object/{n}", range(50)) for n in range(50)])
    least = math.degrees(compute_min_distance(recipe.schema.compute_rotations(labels), BOX))
    assert 10 <= least < 11


def test_the_search_finds_known_distances() -> None:
    # An object on its head is half a turn from upright, and a quarter from the nearest that training shows.
    upside_down = geometry.euler_to_matrix([[math.pi, 0, 0]])
    assert compute_min_distance(upside_down, BOX) == pytest.approx(HALF_PI, abs=1e-5)
    behind = geometry.euler_to_matrix([[0, 0, math.radians(100)]])
    assert compute_min_distance(behind, BOX) == pytest.approx(math.radians(10), abs=1e-5)


def test_the_margin_is_drawn_uniformly_outside() -> None:
    """The share of the outside that a larger margin leaves is that of Haar's measure."""
    labels = np.concatenate([draw_factors(load_recipe("so3-ood"), f"o/{n}", range(50)) for n in range(100)])
    drawn = load_recipe("so3-ood").schema.compute_rotations(labels)
    haar = Rotation.random(40_000, rng=np.random.default_rng(0)).as_matrix()
    rule, further = RotationRule("3diebench", 10), RotationRule("3diebench", 40)
    assert rule.accepts(drawn).all()
    expected = further.accepts(haar).sum() / rule.accepts(haar).sum()
    assert further.accepts(drawn).mean() == pytest.approx(expected, abs=0.03)


def test_shares_of_the_shipped_recipes() -> None:
    shares = {
        name: compute_overlap(load_recipe(name), TRAINING, 2000)
        for name in ("so3-ood", "3diebench-ood-legacy")
    }
    assert shares["so3-ood"].share == 0
    assert math.degrees(shares["so3-ood"].min_angle_rad) >= 10
    assert shares["3diebench-ood-legacy"].share == 1
    assert compute_overlap(TRAINING, load_recipe("3diebench-ood-legacy"), 2000).share == 1
    assert [
        has_different_rotations(load_recipe(name)) for name in ("so3-ood", "3diebench-t", "sequences")
    ] == [
        True,
        False,
        True,
    ]


def test_a_set_of_rotations_has_no_ranges_to_compare_with() -> None:
    with pytest.raises(InvalidInputError, match="so3-ood has no ranges of angles"):
        compute_overlap(TRAINING, load_recipe("so3-ood"), 100)


def test_all_of_so3_may_be_drawn() -> None:
    table = load_recipe("so3-ood").to_dict() | {"rotation": {"kind": "uniform"}}
    found = compute_overlap(Recipe.from_dict(table), TRAINING, 4000)
    haar = Rotation.random(40_000, rng=np.random.default_rng(0)).as_matrix()
    assert found.share == pytest.approx(is_in_box(haar, BOX).mean(), abs=0.03)

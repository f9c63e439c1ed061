import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from turntable.datasets import load_recipe
from turntable.datasets.labels import STANDARD_FACTORS, STANDARD_FACTORS_BY_NAME, Factor, LabelSchema
from turntable.errors import InvalidInputError


def test_standard_order_is_that_of_3diebench() -> None:
    assert [standard.factor.name for standard in STANDARD_FACTORS] == [
        "rotation_x_rad",
        "rotation_y_rad",
        "rotation_z_rad",
        "floor_hue",
        "light_theta_rad",
        "light_phi_rad",
        "light_hue",
        "translation_x",
        "translation_y",
        "translation_z",
        "camera_distance",
        "camera_elevation_rad",
        "light_power_w",
        "sun_strength",
        "camera_roll_rad",
        "principal_point_dx_px",
        "principal_point_dy_px",
    ]


def test_usual_ranges_lie_within_the_limits() -> None:
    for standard in STANDARD_FACTORS:
        assert standard.minimum <= standard.factor.low < standard.factor.high <= standard.maximum


@given(st.floats(-7, 7), st.floats(-7, 7))
def test_bounds_are_the_outermost_float32_inside(low: float, high: float) -> None:
    assume(np.float32(low) < np.float32(high))
    least, greatest = Factor("x", "1", low, high).compute_bounds()
    assert low <= float(least) <= float(greatest) <= high
    assert float(np.nextafter(least, np.float32(-np.inf))) < low
    assert float(np.nextafter(greatest, np.float32(np.inf))) > high


def test_contains_knows_bounds_and_nan() -> None:
    factor = STANDARD_FACTORS_BY_NAME["rotation_x_rad"].factor
    values = np.array([-1.6, -1.5, np.nan, np.inf, 1.5707963], dtype=np.float32)
    assert factor.contains(values).tolist() == [False, True, False, False, True]
    # float32(pi/2) is above pi/2, so it is not a label.
    assert not factor.contains(np.float32(math.pi / 2))


def test_a_fixed_factor_contains_its_rounded_value_alone() -> None:
    factor = STANDARD_FACTORS_BY_NAME["floor_hue"].factor.with_value(0.1)
    assert factor.contains(np.float32(0.1))
    assert not factor.contains(np.nextafter(np.float32(0.1), np.float32(1)))


@pytest.fixture
def schema() -> LabelSchema:
    return load_recipe("3diebench-t").schema


def test_columns_are_found_by_name(schema: LabelSchema) -> None:
    assert schema.get_column("floor_hue") == 3
    assert schema.get_columns(["light_hue", "rotation_x_rad"]) == [6, 0]
    assert "translation_z" in schema
    assert len(schema) == 10
    with pytest.raises(
        InvalidInputError, match="the labels have no factor 'hue'; they have rotation_x_rad, "
    ):
        schema.get_column("hue")


def test_rotations_and_translations_read_their_own_columns(schema: LabelSchema) -> None:
    labels = np.zeros((2, 10), dtype=np.float32)
    labels[0, 2] = math.pi / 2
    labels[1, 7:] = [0.1, 0.2, 0.3]
    assert np.allclose(schema.compute_rotations(labels)[0] @ [1, 0, 0], [0, 1, 0], atol=1e-7)
    assert np.allclose(schema.compute_quaternions(labels)[0], [0, 0, math.sqrt(0.5), math.sqrt(0.5)])
    assert np.allclose(schema.get_translations(labels)[1], [0.1, 0.2, 0.3])


def test_a_factor_left_out_has_its_default() -> None:
    schema = load_recipe("3diebench").schema
    labels = np.ones((4, 5, 7), dtype=np.float32)
    assert (schema.get_translations(labels) == np.zeros((4, 5, 3))).all()
    with pytest.raises(InvalidInputError, match="fog"):
        schema.get_values(labels, "fog")


def test_two_sided_labels_keep_to_both_sides() -> None:
    factor = STANDARD_FACTORS_BY_NAME["rotation_x_rad"].factor.with_two_sided_range(math.pi / 2, math.pi)
    labels = factor.to_label([math.pi / 2, -math.pi / 2, math.pi, -math.pi, 2.0])
    assert factor.contains(labels).all()
    assert np.allclose(labels, [math.pi / 2, -math.pi / 2, math.pi, -math.pi, 2.0])
    # As rounded they would not: float32(pi/2) and float32(pi) are above their doubles.
    assert (np.abs(labels.astype(np.float64)) >= math.pi / 2).all()
    assert (np.abs(labels.astype(np.float64)) <= math.pi).all()
    assert factor.contains(np.float32([0, 1.5, -1.5, 3.2])).tolist() == [False] * 4
    assert factor.get_intervals() == ((-math.pi, -math.pi / 2), (math.pi / 2, math.pi))


def test_scene_columns_leave_out_what_follows() -> None:
    schema = load_recipe("sequences").schema
    labels = np.arange(2 * len(schema), dtype=np.float32).reshape(2, -1)
    assert schema.scene_names == load_recipe("3diebench").schema.names
    assert (schema.select_scene_columns(labels) == labels[:, :7]).all()
    assert (schema.get_twists(labels) == labels[:, 7:]).all()
    with pytest.raises(InvalidInputError, match="no factor 'twist_omega_x_rad'"):
        load_recipe("zoo").schema.get_twists(labels)


def test_silent_recipes_have_the_published_camera_and_lights(schema: LabelSchema) -> None:
    labels = np.zeros((2, len(schema)), dtype=np.float32)
    still = dict.fromkeys(("camera_roll_rad", "principal_point_dx_px", "principal_point_dy_px"), 0)
    defaults = {"camera_distance": 2.5, "camera_elevation_rad": np.float32(math.pi / 4)}
    for name, value in (defaults | {"light_power_w": 500, "sun_strength": 1.5, **still}).items():
        assert (schema.get_values(labels, name) == value).all()

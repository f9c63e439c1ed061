import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from turntable.datasets.factors import STANDARD, STANDARD_BY_NAME, Factor
from turntable.datasets.labels import LabelSchema
from turntable.datasets.recipe import load_recipe
from turntable.errors import InvalidInputError


def test_standard_order_is_that_of_3diebench() -> None:
    assert [standard.factor.name for standard in STANDARD] == [
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
    ]


def test_usual_ranges_lie_within_the_limits() -> None:
    for standard in STANDARD:
        assert standard.minimum <= standard.factor.low < standard.factor.high <= standard.maximum


@given(st.floats(-7, 7), st.floats(-7, 7))
def test_bounds_are_the_outermost_float32_inside(low: float, high: float) -> None:
    assume(np.float32(low) < np.float32(high))
    least, greatest = Factor("x", "1", low, high).bounds()
    assert low <= float(least) <= float(greatest) <= high
    assert float(np.nextafter(least, np.float32(-np.inf))) < low
    assert float(np.nextafter(greatest, np.float32(np.inf))) > high


def test_contains_knows_bounds_and_nan() -> None:
    factor = STANDARD_BY_NAME["rotation_x_rad"].factor
    values = np.array([-1.6, -1.5, np.nan, np.inf, 1.5707963], dtype=np.float32)
    assert factor.contains(values).tolist() == [False, True, False, False, True]
    # float32(pi/2) is above pi/2, so it is not a label.
    assert not factor.contains(np.float32(math.pi / 2))


def test_a_fixed_factor_contains_its_rounded_value_alone() -> None:
    factor = STANDARD_BY_NAME["floor_hue"].factor.fixed(0.1)
    assert factor.contains(np.float32(0.1))
    assert not factor.contains(np.nextafter(np.float32(0.1), np.float32(1)))


@pytest.fixture
def schema() -> LabelSchema:
    return load_recipe("3diebench-t").schema


def test_columns_are_found_by_name(schema: LabelSchema) -> None:
    assert schema.column("floor_hue") == 3
    assert schema.columns(["light_hue", "rotation_x_rad"]) == [6, 0]
    assert "translation_z" in schema
    assert len(schema) == 10
    with pytest.raises(InvalidInputError, match="no factor 'hue' in the labels; there are rotation_x_rad, "):
        schema.column("hue")


def test_rotations_and_translations_read_their_own_columns(schema: LabelSchema) -> None:
    labels = np.zeros((2, 10), dtype=np.float32)
    labels[0, 2] = math.pi / 2
    labels[1, 7:] = [0.1, 0.2, 0.3]
    assert np.allclose(schema.rotations(labels)[0] @ [1, 0, 0], [0, 1, 0], atol=1e-7)
    assert np.allclose(schema.quaternions(labels)[0], [0, 0, math.sqrt(0.5), math.sqrt(0.5)])
    assert np.allclose(schema.translations(labels)[1], [0.1, 0.2, 0.3])


def test_a_factor_left_out_has_its_default() -> None:
    schema = load_recipe("3diebench").schema
    labels = np.ones((4, 5, 7), dtype=np.float32)
    assert (schema.translations(labels) == np.zeros((4, 5, 3))).all()
    with pytest.raises(InvalidInputError, match="fog"):
        schema.values(labels, "fog")

"""Against figures measured on linear renders of the original's single lights."""

import numpy as np
import pytest

from turntable.renderer.scene import WORLD_RADIANCE, lighting, tone


@pytest.mark.parametrize(
    ("n_z", "radiance"),
    [(1.0, 0.3955), (0.8, 0.3164), (0.5, 0.2060), (0.2, 0.1243), (0.0, 0.0810), (-0.5, 0.0082)],
)
def test_sun_by_the_normals_tilt(n_z, radiance):
    table = lighting.build_sun_irradiance_table(401)
    assert np.interp(n_z, np.linspace(-1, 1, 401), table) / np.pi == pytest.approx(radiance, abs=6e-4)


def test_unlit_floor():
    assert lighting.build_sun_irradiance_table(3)[-1] / np.pi + WORLD_RADIANCE == pytest.approx(
        0.44554, abs=2e-4
    )


def test_spot_straight_below():
    power = lighting.compute_spot_intensity(np.array([0.0, 0, -1]), np.array([0.0, 0, 4]))
    assert power / np.pi == pytest.approx(0.5050, abs=2e-3)


def test_spot_ends_at_its_cone():
    light = np.array([0.0, 0, 4])
    inside, outside = np.array([[5 * np.tan(0.12), 0, -1], [5 * np.tan(0.26), 0, -1]])
    assert lighting.compute_spot_intensity(inside, light) > 0.8 * lighting.compute_spot_intensity(
        np.array([0.0, 0, -1]), light
    )
    assert lighting.compute_spot_intensity(outside, light) == 0


def test_lamps_light_as_they_are_strong():
    point, light = np.array([0.3, 0.1, -1]), np.array([0.0, 0, 4])
    usual, table = lighting.compute_spot_intensity(point, light), lighting.build_sun_irradiance_table(5)
    for times in (0.0, 0.5, 10.0):
        assert lighting.compute_spot_intensity(point, light, power_w=500 * times) == pytest.approx(
            times * usual
        )
        np.testing.assert_allclose(
            lighting.build_sun_irradiance_table(5, strength=1.5 * times), times * table, rtol=1e-6
        )


def test_spot_table_equals_the_integral_at_its_nodes():
    table = lighting.build_spot_table(9, 5)
    radius, depth = 0.75, 5.0
    point = np.array([0.0, radius, 4 - depth])
    assert table[2, 3] == pytest.approx(
        lighting.compute_spot_intensity(point, np.array([0.0, 0, 4])), rel=3e-3
    )


@pytest.mark.parametrize("count", [16, 100])
def test_sphere_directions_are_even(count):
    directions = lighting.compute_sphere_directions(count)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    assert np.linalg.norm(directions.mean(axis=0)) < 0.02
    cosine = directions @ directions.T - 2 * np.eye(count)
    nearest = np.arccos(cosine.max(axis=1))
    assert nearest.min() > 0.6 * np.sqrt(4 * np.pi / count)


def test_frame_is_right_handed():
    axis = lighting.compute_sphere_directions(50)
    u, v = lighting.compute_perpendicular_axes(axis)
    np.testing.assert_allclose(np.cross(u, v), axis, atol=1e-12)


@pytest.mark.parametrize(
    ("linear", "level"),
    [
        (0.01, 25.8),
        (0.05, 69.6),
        (0.1, 99.0),
        (0.18, 127.6),
        (0.3, 152.9),
        (0.5, 177.2),
        (1, 205.9),
        (2, 227.5),
    ],
)
def test_tone_curve_on_greys(linear, level):
    assert 255 * tone.display_from_linear(np.array(linear)) == pytest.approx(level, abs=0.3)


def test_tone_curve_on_a_colour_rises_and_ends():
    np.testing.assert_allclose(
        255 * tone.display_from_linear(np.array([0.6, 0.24, 0.24])), [185, 142, 142], atol=1
    )
    values = tone.display_from_linear(np.concatenate([[0.0], np.logspace(-6, 3, 500)]))
    assert (np.diff(values) >= 0).all()
    assert values[0] >= 0
    assert values[-1] <= 1

"""Cameras and the rotations that they see, against scipy."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from turntable.geometry import compute_allocentric_rotation, look_at_origin, place_camera

RNG = np.random.default_rng(2)
ROTATIONS = Rotation.random(50, rng=RNG).as_matrix()


def test_cameras_look_at_the_origin_from_plus_y() -> None:
    position = place_camera([2.0, 3.0], [0.5, 1.0])
    np.testing.assert_allclose(np.linalg.norm(position, axis=-1), [2, 3])
    np.testing.assert_allclose(np.arcsin(position[:, 2] / [2, 3]), [0.5, 1.0])
    np.testing.assert_allclose(position[:, 0], 0, atol=1e-15)
    assert (position[:, 1] > 0).all()


@pytest.mark.parametrize("roll", [0.0, 0.4, -3.0, np.pi])
def test_a_roll_keeps_the_forward_axis_and_the_place(roll: float) -> None:
    position = RNG.normal(size=(20, 3))
    level, rolled = look_at_origin(position), look_at_origin(position, roll)
    np.testing.assert_allclose(rolled[:, 2], level[:, 2], atol=1e-15)
    np.testing.assert_allclose(np.linalg.inv(rolled)[:, :3, 3], position, atol=1e-12)
    turn = Rotation.from_matrix(rolled[:, :3, :3] @ np.swapaxes(level[:, :3, :3], -1, -2))
    np.testing.assert_allclose(
        turn.as_matrix(), np.tile(Rotation.from_rotvec([0, 0, roll]).as_matrix(), (20, 1, 1)), atol=1e-12
    )


def test_one_camera_or_one_roll_for_many() -> None:
    position, rolls = np.array([0.3, 2.0, 1.0]), np.linspace(-2, 2, 7)
    many = look_at_origin(position, rolls)
    assert many.shape == (7, 4, 4)
    np.testing.assert_array_equal(many[2], look_at_origin(position, rolls[2]))


def test_the_allocentric_correction_is_the_smallest_turn_to_the_center() -> None:
    center = RNG.normal(size=(50, 3))
    found = compute_allocentric_rotation(ROTATIONS, center)
    turn = ROTATIONS @ np.swapaxes(found, -1, -2)  # Q, as camera_rotation = Q allocentric
    np.testing.assert_allclose(np.linalg.det(turn), 1)
    direction = center / np.linalg.norm(center, axis=-1, keepdims=True)
    np.testing.assert_allclose(turn[..., 2], direction, atol=1e-12)
    # No rotation that takes +z to the center turns by less than the angle between them.
    angle = Rotation.from_matrix(turn).magnitude()
    np.testing.assert_allclose(angle, np.arccos(direction[:, 2]), atol=1e-7)


@pytest.mark.parametrize("center", [(0, 0, 2.5), (1e-17, -1e-17, 2.5), (0, 0, 0)])
def test_on_the_forward_axis_there_is_nothing_to_correct(center: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(compute_allocentric_rotation(ROTATIONS, center), ROTATIONS, atol=1e-15)


def test_straight_behind_the_camera_it_is_a_half_turn_about_x() -> None:
    found = compute_allocentric_rotation(ROTATIONS, (0.0, 0.0, -1.0))
    np.testing.assert_allclose(found, np.diag([1, -1, -1]) @ ROTATIONS, atol=1e-12)

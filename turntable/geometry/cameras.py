"""Cameras that look at the origin: where they stand, how they turn, and an object's rotation as they see it.

The world has z up. A camera has OpenCV axes: x right, y down, z forward. Every function is batched over
leading axes and computes in float64.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turntable.geometry.rotations import exp_so3

FloatArray = NDArray[np.float64]

CAMERA_AZIMUTH_RAD = np.pi / 2
"""Azimuth from +x at which cameras stand: towards +y."""


def direction_from_angles(polar_rad: ArrayLike, azimuth_rad: ArrayLike) -> FloatArray:
    """Return unit vectors [..., 3] from polar angles off +z and azimuths from +x."""
    polar, azimuth = np.asarray(polar_rad), np.asarray(azimuth_rad)
    sine = np.sin(polar)
    return np.stack(
        [sine * np.cos(azimuth), sine * np.sin(azimuth), np.cos(polar) * np.ones_like(azimuth)], axis=-1
    )


def place_camera(distance: ArrayLike, elevation_rad: ArrayLike) -> FloatArray:
    """Return positions [..., 3] at distances [...] from the origin and elevations [...] above the horizontal.

    They lie towards +y.
    """
    polar = np.pi / 2 - np.asarray(elevation_rad, dtype=np.float64)
    return np.asarray(distance)[..., None] * direction_from_angles(polar, CAMERA_AZIMUTH_RAD)


def look_at_origin(position: ArrayLike, roll_rad: ArrayLike = 0.0) -> FloatArray:
    """Return ``world_to_camera = Rz(roll) L`` with the level camera L.

    A positive roll turns the content of the picture clockwise.

    Args:
        position: Positions of the cameras, [..., 3], none straight above the origin.
        roll_rad: Turns about their forward axes in radians, [...].

    Returns:
        [..., 4, 4].
    """
    place = np.asarray(position, dtype=np.float64)
    place = np.broadcast_to(place, (*np.broadcast_shapes(place.shape[:-1], np.shape(roll_rad)), 3))
    forward = -place / np.linalg.norm(place, axis=-1, keepdims=True)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    down = np.cross(forward, right)
    cosine, sine = (np.asarray(turn)[..., None] for turn in (np.cos(roll_rad), np.sin(roll_rad)))
    rotation = np.stack([cosine * right - sine * down, sine * right + cosine * down, forward], axis=-2)
    matrix = np.zeros((*place.shape[:-1], 4, 4))
    matrix[..., :3, :3] = rotation
    matrix[..., :3, 3] = -(rotation @ place[..., None])[..., 0]
    matrix[..., 3, 3] = 1.0
    return matrix


def compute_allocentric_rotation(camera_rotation: ArrayLike, center: ArrayLike) -> FloatArray:
    """Return rotations without the part that comes from seeing an object beside the forward axis.

    Args:
        camera_rotation: Rotations from the object's frame to the camera's, [..., 3, 3].
        center: Centers of the objects in the camera's frame, [..., 3].

    Returns:
        ``Qᵀ camera_rotation``, [..., 3, 3], with the smallest rotation Q that turns the forward axis to the
        direction of the center. Q is the identity for a center in the camera, and the half turn about the
        camera's x axis for one straight behind it.
    """
    turn = _turn_forward_axis(np.asarray(center, dtype=np.float64))
    return np.swapaxes(turn, -1, -2) @ np.asarray(camera_rotation, dtype=np.float64)


def _turn_forward_axis(target: FloatArray) -> FloatArray:
    """Return the smallest rotations [..., 3, 3] that turn +z to the directions of vectors [..., 3]."""
    x, y, z = np.moveaxis(target, -1, 0)
    aside = np.hypot(x, y)
    # The axis is z × target, of length 1; on the forward axis it is free, and x is as good as any.
    safe = np.where(aside > 0, aside, 1.0)
    axis = np.stack([np.where(aside > 0, -y / safe, 1.0), x / safe, np.zeros_like(z)], axis=-1)
    return exp_so3(np.arctan2(aside, z)[..., None] * axis)

"""Boxes around the objects of a scan: upright, in the sensor's frame, turned about its vertical axis."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])


def compute_sensor_boxes(bounds: Array, to_sensor: Array) -> Array:
    """Return boxes [..., K, 7]: center x, y, z, length, width, height in meters, and yaw in radians.

    The yaw is that of the object's own x axis, from the sensor's x axis to its y axis, in [-π, π]; the length
    lies along it. The box holds the object's own bounding box, and equals it where the object stands upright.

    Args:
        bounds: Lowest and highest corner [K, 2, 3] of each object in its own frame, in meters.
        to_sensor: Poses [..., K, 4, 4] of the objects in the sensor's frame.
    """
    rotation = to_sensor[..., :3, :3]
    yaw = np.arctan2(rotation[..., 1, 0], rotation[..., 0, 0])
    cosine, sine, zero = np.cos(yaw), np.sin(yaw), np.zeros_like(yaw)
    rows = [[cosine, sine, zero], [-sine, cosine, zero], [zero, zero, zero + 1]]
    to_box = np.moveaxis(np.array(rows), (0, 1), (-2, -1))
    corners = bounds[:, 0, None] + _CORNERS * (bounds[:, 1] - bounds[:, 0])[:, None]
    placed = corners @ np.swapaxes(rotation, -1, -2) + to_sensor[..., None, :3, 3]
    aligned = placed @ np.swapaxes(to_box, -1, -2)
    low, high = aligned.min(axis=-2), aligned.max(axis=-2)
    center = (np.swapaxes(to_box, -1, -2) @ ((low + high) / 2)[..., None])[..., 0]
    return np.concatenate([center, high - low, yaw[..., None]], axis=-1)

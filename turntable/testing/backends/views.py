"""Labels, scenes and cameras for tests, and the rays through the pixels of a camera."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import OutputName
from turntable.renderer.backends import get_quality
from turntable.renderer.scene import (
    DEFAULT_CAMERA,
    FLOOR_Z,
    OPTIONAL_FACTORS,
    REQUIRED_FACTORS,
    Camera,
    Scenes,
    scenes_from_labels,
)

Array = NDArray[np.float64]
Numbers = Sequence[float] | Array
CameraPosition = tuple[float, float]
"""Distance of a camera, and its elevation in radians."""

SIZE = 128
"""Side of a picture in pixels, in most tests."""
FAST, STANDARD = get_quality("fast"), get_quality("standard")
ALL_OUTPUTS: tuple[OutputName, ...] = ("rgb", "mask", "depth", "normals", "coordinates", "parts")
USUAL_CAMERA: CameraPosition = (DEFAULT_CAMERA.distance, np.pi / 4)
"""Position of the default camera."""


def make_label(
    angles: Numbers = (0.0, 0.0, 0.0),
    floor_hue: float = 0.3,
    theta: float = 0.4,
    phi: float = 1.0,
    light_hue: float = 0.6,
    shift: Numbers = (0.0, 0.0, 0.0),
    camera: CameraPosition = USUAL_CAMERA,
    power: float = 500.0,
    sun: float = 1.5,
    roll: float = 0.0,
    lens: Numbers = (0.0, 0.0),
) -> list[float]:
    """Return the factors of a view, in the order that ``make_scenes`` takes.

    Args:
        angles: Rotation angles of the object around x, y and z, in radians.
        floor_hue: Hue of the floor, in turns.
        theta: Angle of the light from the vertical, in radians.
        phi: Angle of the light around the vertical, in radians.
        light_hue: Hue of the light, in turns.
        shift: Translation of the object, in its own frame.
        camera: Distance of the camera, and its elevation in radians.
        power: Power of the spot, in watts.
        sun: Strength of the sun.
        roll: Turn of the camera about its forward axis, in radians.
        lens: Shift of the principal point right and down, in pixels.
    """
    return [*angles, floor_hue, theta, phi, light_hue, *shift, *camera, power, sun, roll, *lens]


def make_scenes(*labels: Numbers) -> Scenes:
    """Return the scenes of views, from their factors as ``make_label`` returns them."""
    return scenes_from_labels((*REQUIRED_FACTORS, *OPTIONAL_FACTORS), np.array(labels))


def make_camera(distance: float, elevation: float) -> Camera:
    """Return the camera at a distance and an elevation in radians."""
    return Camera(distance, np.pi / 2 - elevation)


def move_pixels(pixels: NDArray[np.floating], size: int, roll: float, lens: Numbers) -> Array:
    """Return where pixel coordinates [..., 2] go in a picture when the camera rolls and its lens shifts.

    Args:
        pixels: Coordinates in the picture of a level camera with its principal point in the middle.
        size: Side of the picture in pixels.
        roll: Turn of the camera in radians; what the picture shows turns clockwise.
        lens: Shift of the principal point right and down, in pixels.
    """
    right, down = np.moveaxis(np.asarray(pixels, dtype=float) - size / 2, -1, 0)
    turned = [right * np.cos(roll) - down * np.sin(roll), right * np.sin(roll) + down * np.cos(roll)]
    return np.stack(turned, axis=-1) + size / 2 + np.asarray(lens)


def move_back(size: int, roll: float, lens: Numbers) -> Array:
    """Return where the pixel centers [S, S, 2] of a picture are in that of a level, centered camera."""
    grid = np.stack(np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5), axis=-1)
    return move_pixels(grid - np.asarray(lens), size, -roll, (0.0, 0.0))


def compute_pixel_rays(size: int, camera: Camera = DEFAULT_CAMERA) -> Array:
    """Compute the directions [S, S, 3] through the centers of all pixels, in the world and of unit depth."""
    grid = np.stack(np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5), axis=-1)
    homogeneous = np.concatenate([grid, np.ones((size, size, 1))], axis=-1)
    return homogeneous @ np.linalg.inv(camera.compute_intrinsics(size)).T @ camera.world_to_camera[:3, :3]


def compute_floor_points(size: int, camera: Camera = DEFAULT_CAMERA) -> Array:
    """Compute the points [S, S, 3] where the rays through the pixels hit the floor.

    For a ray above the horizon it is a point of the floor far away.
    """
    rays = compute_pixel_rays(size, camera)
    rays[..., 2] = np.minimum(rays[..., 2], -1e-4)
    return camera.position + rays * ((FLOOR_Z - camera.position[2]) / rays[..., 2:])


def compute_horizon_row(size: int, elevation: float) -> float:
    """Compute the distance from the top of the picture to the horizon, in pixels."""
    return size / 2 - size / 2 / np.tan(DEFAULT_CAMERA.field_of_view_rad / 2) * np.tan(elevation)

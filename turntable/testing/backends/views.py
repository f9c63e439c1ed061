"""Views whose geometry can be calculated: labels, cameras, and the rays through pixels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import OutputName
from turntable.renderer.backends import quality
from turntable.renderer.scene import CAMERA, FLOOR_Z, OPTIONAL, REQUIRED, Camera, Scenes, scenes_from_labels

Array = NDArray[np.float64]
Numbers = Sequence[float] | Array
Place = tuple[float, float]
"""Distance and elevation of a camera."""

SIZE = 128
FAST, STANDARD = quality("fast"), quality("standard")
ALL: tuple[OutputName, ...] = ("rgb", "mask", "depth", "normals", "coordinates")
USUAL: Place = (CAMERA.distance, np.pi / 4)


def label(
    angles: Numbers = (0.0, 0.0, 0.0),
    floor_hue: float = 0.3,
    theta: float = 0.4,
    phi: float = 1.0,
    light_hue: float = 0.6,
    shift: Numbers = (0.0, 0.0, 0.0),
    camera: Place = USUAL,
    power: float = 500.0,
    sun: float = 1.5,
) -> list[float]:
    """Return the factors of a view, in the order that ``scenes`` takes.

    Args:
        angles: Of the object, in radians.
        floor_hue: In turns.
        theta: Of the light, from the vertical, in radians.
        phi: Of the light, around the vertical, in radians.
        light_hue: In turns.
        shift: Of the object, in its own frame.
        camera: Its distance, and its elevation in radians.
        power: Of the spot, in watts.
        sun: The strength of the sun.
    """
    return [*angles, floor_hue, theta, phi, light_hue, *shift, *camera, power, sun]


def scenes(*labels: Numbers) -> Scenes:
    """Return the scenes of views, from their factors as ``label`` gives them."""
    return scenes_from_labels((*REQUIRED, *OPTIONAL), np.array(labels))


def camera_at(distance: float, elevation: float) -> Camera:
    """Return the camera at a distance and an elevation in radians."""
    return Camera(distance, np.pi / 2 - elevation)


def pixel_rays(size: int, camera: Camera = CAMERA) -> Array:
    """Return directions [S, S, 3] in the world, of unit depth, through the centre of every pixel."""
    grid = np.stack(np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5), axis=-1)
    homogeneous = np.concatenate([grid, np.ones((size, size, 1))], axis=-1)
    return homogeneous @ np.linalg.inv(camera.intrinsics(size)).T @ camera.world_to_camera[:3, :3]


def floor_points(size: int, camera: Camera = CAMERA) -> Array:
    """Return where those rays meet the floor [S, S, 3]; of rays that do not, a place far away on it."""
    rays = pixel_rays(size, camera)
    rays[..., 2] = np.minimum(rays[..., 2], -1e-4)
    return camera.position + rays * ((FLOOR_Z - camera.position[2]) / rays[..., 2:])


def horizon_row(size: int, elevation: float) -> float:
    """Return the rows from the top of the picture to the horizon, in pixels."""
    return size / 2 - size / 2 / np.tan(CAMERA.field_of_view_rad / 2) * np.tan(elevation)

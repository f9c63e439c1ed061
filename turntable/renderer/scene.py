"""The scene of 3DIEBench as a pure function of a label: camera, floor, sun, spot and pose, in numbers.

A scene knows no renderer. World: right-handed, z up, the object's bounding-box centre at the origin, one unit
is the bounding-box diagonal. Camera: OpenCV axes (x right, y down, z forward). Colours are scene-linear
Rec.709. The constants are those of the published generator (BlenderProc 2.5, Blender 3.4, Cycles).
"""

import colorsys
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import rotations
from turntable.errors import InvalidInputError

Array = NDArray[np.float64]

FLOOR_Z = -1.0
FLOOR_SATURATION, FLOOR_VALUE = 0.6, 0.6
WORLD_RADIANCE = 0.05
SUN_STRENGTH = 1.5
"""Irradiance of a surface that faces the sun, were all of its light parallel."""
SPOT_DISTANCE = 4.0
SPOT_POWER_W = 500.0
SPOT_SATURATION, SPOT_VALUE = 1.0, 0.8
SPOT_HALF_ANGLE_RAD = math.pi / 16
SPOT_BLEND = 0.15
SPOT_RADIUS = 0.25


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera that looks at the origin; the same for every view of 3DIEBench."""

    distance: float = 2.5
    polar_rad: float = math.pi / 4
    azimuth_rad: float = math.pi / 2
    field_of_view_rad: float = 2 * math.atan(18 / 50)
    """Both ways: a 50 mm lens on a 36 mm square sensor."""

    @property
    def position(self) -> Array:
        """[3] in the world."""
        return self.distance * direction(self.polar_rad, self.azimuth_rad)

    @property
    def world_to_camera(self) -> Array:
        """[4, 4], OpenCV axes."""
        forward = -self.position / self.distance
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(forward, right), forward])
        matrix = np.eye(4)
        matrix[:3, :3] = rotation
        matrix[:3, 3] = -rotation @ self.position
        return matrix

    def intrinsics(self, image_size_px: int) -> Array:
        """K [3, 3] in pixels; pixel i covers [i, i + 1), the origin is the top left corner."""
        focal = image_size_px / 2 / math.tan(self.field_of_view_rad / 2)
        centre = image_size_px / 2
        return np.array([[focal, 0.0, centre], [0.0, focal, centre], [0.0, 0.0, 1.0]])

    def project(self, points: Array, image_size_px: int) -> Array:
        """Pixel coordinates [..., 2] of world points [..., 3]."""
        camera = points @ self.world_to_camera[:3, :3].T + self.world_to_camera[:3, 3]
        image = camera @ self.intrinsics(image_size_px).T
        return image[..., :2] / image[..., 2:]

    def rays(self, pixels: NDArray[np.floating], image_size_px: int) -> Array:
        """Directions [..., 3] in the world, of unit depth, through places [..., 2] of the image."""
        homogeneous = np.concatenate([pixels, np.ones((*pixels.shape[:-1], 1))], axis=-1)
        in_camera = homogeneous @ np.linalg.inv(self.intrinsics(image_size_px)).T
        return in_camera @ self.world_to_camera[:3, :3]

    def describe(self, image_size_px: int) -> dict[str, object]:
        """What a manifest says of the camera."""
        return {
            "axes": "OpenCV: x right, y down, z forward",
            "K": self.intrinsics(image_size_px).tolist(),
            "world_to_camera": self.world_to_camera.tolist(),
            "field_of_view_rad": self.field_of_view_rad,
        }


CAMERA = Camera()


@dataclass(frozen=True, slots=True, eq=False)
class Scenes:
    """The scenes of V views, one row each; everything a backend needs besides the mesh."""

    object_to_world: Array
    """[V, 4, 4], R @ T(t): the translation acts in the object's frame."""
    floor_albedo: Array
    """[V, 3] linear."""
    light_position: Array
    """[V, 3]; the spot is aimed at the origin."""
    light_color: Array
    """[V, 3] linear."""

    def __len__(self) -> int:
        """The number of views."""
        return len(self.object_to_world)

    def __getitem__(self, rows: slice) -> "Scenes":
        """Some of the views."""
        return Scenes(
            self.object_to_world[rows],
            self.floor_albedo[rows],
            self.light_position[rows],
            self.light_color[rows],
        )


def direction(polar_rad: float | Array, azimuth_rad: float | Array) -> Array:
    """Unit vectors [..., 3] from the polar angle off +z and the azimuth from +x."""
    polar, azimuth = np.asarray(polar_rad), np.asarray(azimuth_rad)
    sine = np.sin(polar)
    return np.stack(
        [sine * np.cos(azimuth), sine * np.sin(azimuth), np.cos(polar) * np.ones_like(azimuth)], axis=-1
    )


def hue_to_rgb(hue: Array, saturation: float, value: float) -> Array:
    """HSV to RGB [..., 3]; the scene takes these numbers as linear light."""
    return np.array([colorsys.hsv_to_rgb(float(h), saturation, value) for h in np.ravel(hue)]).reshape(
        *np.shape(hue), 3
    )


REQUIRED = (
    "rotation_x_rad",
    "rotation_y_rad",
    "rotation_z_rad",
    "floor_hue",
    "light_theta_rad",
    "light_phi_rad",
    "light_hue",
)
OPTIONAL = ("translation_x", "translation_y", "translation_z")


def scenes_from_labels(names: Sequence[str], labels: NDArray[np.floating]) -> Scenes:
    """The scenes of labelled views.

    Args:
        names: The factor of each column.
        labels: [V, L] values in the units of their factors.

    Raises:
        InvalidInputError: A factor the scene needs is missing, or one is unknown to it.
    """
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in REQUIRED + OPTIONAL]
    if missing or unknown:
        parts = [f"missing factors: {', '.join(missing)}"] if missing else []
        parts += [f"unknown factors: {', '.join(unknown)}"] if unknown else []
        raise InvalidInputError(f"the scene cannot be made from these labels: {'; '.join(parts)}")
    values = np.asarray(labels, dtype=np.float64)
    column = {name: values[:, i] for i, name in enumerate(names)}
    zeros = np.zeros(len(values))
    angles = np.stack([column[name] for name in REQUIRED[:3]], axis=-1)
    translation = np.stack([column.get(name, zeros) for name in OPTIONAL], axis=-1)
    return Scenes(
        object_to_world=rotations.pose(rotations.euler_to_matrix(angles), translation),
        floor_albedo=hue_to_rgb(column["floor_hue"], FLOOR_SATURATION, FLOOR_VALUE),
        light_position=SPOT_DISTANCE * direction(column["light_theta_rad"], column["light_phi_rad"]),
        light_color=hue_to_rgb(column["light_hue"], SPOT_SATURATION, SPOT_VALUE),
    )

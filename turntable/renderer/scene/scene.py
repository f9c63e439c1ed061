"""The scene of 3DIEBench as a pure function of a label: camera, floor, sun, spot and pose, in numbers.

A scene knows no renderer. World: right-handed, z up, the object's bounding-box centre at the origin, one unit
is the bounding-box diagonal. Camera: OpenCV axes (x right, y down, z forward). Colours are scene-linear
Rec.709. The constants are those of the published generator (BlenderProc 2.5, Blender 3.4, Cycles).
"""

import colorsys
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.labels import DEFAULTS, REQUIRED
from turntable.errors import InvalidInputError

Array = NDArray[np.float64]

NEAR = 0.1
"""The least depth at which the camera sees objects."""
FAR = 1000.0
"""The greatest; the floor it sees to the horizon."""
FLOOR_Z = -1.0
FLOOR_SATURATION, FLOOR_VALUE = 0.6, 0.6
WORLD_RADIANCE = 0.05
"""From everywhere above the floor: what is seen beyond the horizon."""
SUN_STRENGTH = 1.5
"""Irradiance of a surface that faces the sun, were all of its light parallel; where labels are silent."""
SPOT_DISTANCE = 4.0
SPOT_POWER_W = 500.0
"""Where labels are silent."""
SPOT_SATURATION, SPOT_VALUE = 1.0, 0.8
SPOT_HALF_ANGLE_RAD = math.pi / 16
SPOT_BLEND = 0.15
SPOT_RADIUS = 0.25


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera that looks at the origin; without arguments, that of every view of 3DIEBench."""

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
        return look_at_origin(self.position)

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

    def directions(self, pixels: NDArray[np.floating], image_size_px: int) -> Array:
        """Directions [..., 3] in the camera's axes, of unit depth, through places [..., 2] of the image."""
        homogeneous = np.concatenate([pixels, np.ones((*pixels.shape[:-1], 1))], axis=-1)
        return homogeneous @ np.linalg.inv(self.intrinsics(image_size_px)).T

    def rays(self, pixels: NDArray[np.floating], image_size_px: int) -> Array:
        """The same directions in the world's axes."""
        return self.directions(pixels, image_size_px) @ self.world_to_camera[:3, :3]

    def describe(self, image_size_px: int) -> dict[str, object]:
        """What a manifest says of the camera."""
        return {
            "axes": "OpenCV: x right, y down, z forward",
            "K": self.intrinsics(image_size_px).tolist(),
            "world_to_camera": self.world_to_camera.tolist(),
            "field_of_view_rad": self.field_of_view_rad,
        }


CAMERA = Camera()
"""Where labels are silent. Labels move the camera; the lens is the same for every view."""


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
    light_power_w: Array
    """[V] of the spot."""
    sun_strength: Array
    """[V] irradiance, as ``SUN_STRENGTH`` is."""
    camera_position: Array
    """[V, 3]; the camera looks at the origin."""
    world_to_camera: Array
    """[V, 4, 4], OpenCV axes."""

    def __len__(self) -> int:
        """The number of views."""
        return len(self.object_to_world)

    def __getitem__(self, rows: slice) -> "Scenes":
        """Some of the views."""
        return Scenes(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def spot_gain(self) -> Array:
        """[V] how many times as strong as the original's the spot is: tables hold that one's light."""
        return self.light_power_w / SPOT_POWER_W

    @property
    def sun_gain(self) -> Array:
        """[V] the same of the sun."""
        return self.sun_strength / SUN_STRENGTH

    @property
    def horizon(self) -> Array:
        """[V] how high the floor ends in the picture: tangent of the angle above the forward axis."""
        return self.world_to_camera[:, 2, 2] / self.world_to_camera[:, 1, 2]


def direction(polar_rad: float | Array, azimuth_rad: float | Array) -> Array:
    """Unit vectors [..., 3] from the polar angle off +z and the azimuth from +x."""
    polar, azimuth = np.asarray(polar_rad), np.asarray(azimuth_rad)
    sine = np.sin(polar)
    return np.stack(
        [sine * np.cos(azimuth), sine * np.sin(azimuth), np.cos(polar) * np.ones_like(azimuth)], axis=-1
    )


def look_at_origin(position: Array) -> Array:
    """world_to_camera [..., 4, 4] of cameras at positions [..., 3], level, none of them straight above."""
    forward = -position / np.linalg.norm(position, axis=-1, keepdims=True)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    rotation = np.stack([right, np.cross(forward, right), forward], axis=-2)
    matrix = np.zeros((*position.shape[:-1], 4, 4))
    matrix[..., :3, :3] = rotation
    matrix[..., :3, 3] = -(rotation @ position[..., None])[..., 0]
    matrix[..., 3, 3] = 1.0
    return matrix


def hue_to_rgb(hue: Array, saturation: float, value: float) -> Array:
    """HSV to RGB [..., 3]; the scene takes these numbers as linear light."""
    return np.array([colorsys.hsv_to_rgb(float(h), saturation, value) for h in np.ravel(hue)]).reshape(
        *np.shape(hue), 3
    )


OPTIONAL = tuple(DEFAULTS)
"""Factors that labels may leave out: the constants above hold then."""
CAMERA_FACTORS = ("camera_distance", "camera_elevation_rad")
"""Factors that move the camera."""


def describe_camera(image_size_px: int, names: Sequence[str]) -> dict[str, object]:
    """What a manifest says of the camera of views with these factors: where labels move it, also how."""
    moved = [name for name in CAMERA_FACTORS if name in names]
    described = CAMERA.describe(image_size_px)
    if not moved:
        return described
    rule = (
        "world_to_camera above is the camera's where labels leave it. A view's own camera stands at "
        "camera_distance * (0, cos(e), sin(e)), e = camera_elevation_rad, and looks at the origin: its rows "
        "are right (-1, 0, 0), down (0, sin(e), -cos(e)), forward (0, -cos(e), -sin(e)); the last column is "
        "(0, 0, camera_distance). K is the same for every view."
    )
    default = {name: DEFAULTS[name] for name in CAMERA_FACTORS}
    return {**described, "moved_by": moved, "where_labels_are_silent": default, "rule": rule}


def scenes_from_labels(names: Sequence[str], labels: NDArray[np.floating]) -> Scenes:
    """The scenes of labelled views.

    Args:
        names: The factor of each column: all of ``REQUIRED``, any of ``OPTIONAL``.
        labels: [V, L] values in the units of their factors.

    Raises:
        InvalidInputError: A factor the scene needs is missing, or one is unknown to it; or there is no such
            camera or light.
    """
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in REQUIRED + OPTIONAL]
    if missing or unknown:
        parts = [f"missing factors: {', '.join(missing)}"] if missing else []
        parts += [f"unknown factors: {', '.join(unknown)}"] if unknown else []
        raise InvalidInputError(f"the scene cannot be made from these labels: {'; '.join(parts)}")
    values = np.asarray(labels, dtype=np.float64)
    column = {name: np.full(len(values), value) for name, value in DEFAULTS.items()}
    column |= {name: values[:, i] for i, name in enumerate(names)}
    _check(column)
    angles, translation = (
        np.stack([column[n] for n in part], axis=-1) for part in (REQUIRED[:3], OPTIONAL[:3])
    )
    polar = math.pi / 2 - column["camera_elevation_rad"]
    camera = column["camera_distance"][:, None] * direction(polar, CAMERA.azimuth_rad)
    return Scenes(
        object_to_world=geometry.pose(geometry.euler_to_matrix(angles), translation),
        floor_albedo=hue_to_rgb(column["floor_hue"], FLOOR_SATURATION, FLOOR_VALUE),
        light_position=SPOT_DISTANCE * direction(column["light_theta_rad"], column["light_phi_rad"]),
        light_color=hue_to_rgb(column["light_hue"], SPOT_SATURATION, SPOT_VALUE),
        light_power_w=column["light_power_w"],
        sun_strength=column["sun_strength"],
        camera_position=camera,
        world_to_camera=look_at_origin(camera),
    )


def _check(column: Mapping[str, Array]) -> None:
    """Whether there can be such cameras and lights."""
    elevation = column["camera_elevation_rad"]
    wrong = {
        "camera_distance": (column["camera_distance"] <= 0, "more than 0"),
        "camera_elevation_rad": ((elevation <= 0) | (elevation >= math.pi / 2), "between 0 and pi/2"),
        "light_power_w": (column["light_power_w"] < 0, "0 or more"),
        "sun_strength": (column["sun_strength"] < 0, "0 or more"),
    }
    for name, (views, allowed) in wrong.items():
        if views.any():
            view = int(views.argmax())
            raise InvalidInputError(
                f"{name} is {column[name][view]:g} in view {view} of these labels; give {allowed}"
            )

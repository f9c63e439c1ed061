"""The scene of 3DIEBench as a pure function of a label: camera, floor, sun, spot and object pose, in numbers.

The scene does not depend on a backend. World: right-handed, z up; the center of the object's bounding box is
at the origin, and its diagonal is one unit long. Camera: OpenCV axes (x right, y down, z forward). Colors are
scene-linear Rec. 709. The constants are those of the published generator (BlenderProc 2.5, Blender 3.4,
Cycles).
"""

import colorsys
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.labels import FACTOR_DEFAULTS, REQUIRED_FACTORS
from turntable.errors import InvalidInputError

Array = NDArray[np.float64]

NEAR = 0.1
"""Smallest depth at which the camera sees objects."""
FAR = 1000.0
"""Largest depth at which the camera sees objects; it sees the floor to the horizon."""
FLOOR_Z = -1.0
FLOOR_SATURATION, FLOOR_VALUE = 0.6, 0.6
WORLD_RADIANCE = 0.05
"""Radiance of the world, from every direction above the floor; also the gray beyond the horizon."""
SUN_STRENGTH = 1.5
"""Irradiance of a surface that faces the sun, if its light were parallel; used if labels do not set it."""
SPOT_DISTANCE = 4.0
SPOT_POWER_W = 500.0
"""Power of the spot, used if labels do not set it."""
SPOT_SATURATION, SPOT_VALUE = 1.0, 0.8
SPOT_HALF_ANGLE_RAD = math.pi / 16
SPOT_BLEND = 0.15
SPOT_RADIUS = 0.25


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera that looks at the origin; the defaults are the camera of every view of 3DIEBench."""

    distance: float = 2.5
    polar_rad: float = math.pi / 4
    azimuth_rad: float = math.pi / 2
    field_of_view_rad: float = 2 * math.atan(18 / 50)
    """Horizontal and vertical field of view: a 50 mm lens on a 36 mm square sensor."""

    @property
    def position(self) -> Array:
        """Position [3] in the world."""
        return self.distance * direction_from_angles(self.polar_rad, self.azimuth_rad)

    @property
    def world_to_camera(self) -> Array:
        """Matrix [4, 4] from the world to the camera's OpenCV axes."""
        return look_at_origin(self.position)

    def compute_intrinsics(self, image_size_px: int) -> Array:
        """Return the matrix K [3, 3] in pixels; pixel i covers [i, i + 1), the origin is top left."""
        focal = image_size_px / 2 / math.tan(self.field_of_view_rad / 2)
        center = image_size_px / 2
        return np.array([[focal, 0.0, center], [0.0, focal, center], [0.0, 0.0, 1.0]])

    def project(self, points: Array, image_size_px: int) -> Array:
        """Return pixel coordinates [..., 2] of world points [..., 3]."""
        camera = points @ self.world_to_camera[:3, :3].T + self.world_to_camera[:3, 3]
        image = camera @ self.compute_intrinsics(image_size_px).T
        return image[..., :2] / image[..., 2:]

    def compute_directions(self, pixels: NDArray[np.floating], image_size_px: int) -> Array:
        """Return directions [..., 3] of depth 1 in the camera's axes, through pixel coordinates [..., 2]."""
        homogeneous = np.concatenate([pixels, np.ones((*pixels.shape[:-1], 1))], axis=-1)
        return homogeneous @ np.linalg.inv(self.compute_intrinsics(image_size_px)).T

    def compute_rays(self, pixels: NDArray[np.floating], image_size_px: int) -> Array:
        """Return directions [..., 3] of depth 1 in the world's axes, through pixel coordinates [..., 2]."""
        return self.compute_directions(pixels, image_size_px) @ self.world_to_camera[:3, :3]

    def describe(self, image_size_px: int) -> dict[str, object]:
        """Return the camera's entry of a manifest."""
        return {
            "axes": "OpenCV: x right, y down, z forward",
            "K": self.compute_intrinsics(image_size_px).tolist(),
            "world_to_camera": self.world_to_camera.tolist(),
            "field_of_view_rad": self.field_of_view_rad,
        }


DEFAULT_CAMERA = Camera()
"""The camera if labels do not move it. Labels move the camera; the lens is the same for every view."""


@dataclass(frozen=True, slots=True, eq=False)
class Scenes:
    """The scenes of V views, one row each: all that a backend needs besides the mesh."""

    object_to_world: Array
    """[V, 4, 4] poses R @ T(t): the translation t acts in the object's frame."""
    floor_albedo: Array
    """[V, 3] linear colors of the floor."""
    light_position: Array
    """[V, 3] positions of the spot, which is aimed at the origin."""
    light_color: Array
    """[V, 3] linear colors of the spot."""
    light_power_w: Array
    """[V] powers of the spot in watts."""
    sun_strength: Array
    """[V] irradiances, in the meaning of ``SUN_STRENGTH``."""
    camera_position: Array
    """[V, 3] positions of the camera, which looks at the origin."""
    world_to_camera: Array
    """[V, 4, 4] matrices to the camera's OpenCV axes."""
    part_motions: Array | None = None
    """[V, K, 4, 4] motion of each part of an assembly from rest, in the object's frame; None for a mesh of
    one piece. The point of part k that is at p at rest is at ``object_to_world @ part_motions[k] @ p``."""

    def __len__(self) -> int:
        """Return the number of views."""
        return len(self.object_to_world)

    def __getitem__(self, rows: slice) -> "Scenes":
        """Return the scenes of some of the views."""
        arrays = {item.name: getattr(self, item.name) for item in fields(self)}
        chosen: dict[str, Any] = {
            name: None if array is None else array[rows] for name, array in arrays.items()
        }
        return Scenes(**chosen)

    @property
    def spot_gain(self) -> Array:
        """[V] powers of the spot relative to ``SPOT_POWER_W``, for which tables hold its light."""
        return self.light_power_w / SPOT_POWER_W

    @property
    def sun_gain(self) -> Array:
        """[V] strengths of the sun relative to ``SUN_STRENGTH``."""
        return self.sun_strength / SUN_STRENGTH

    @property
    def horizon(self) -> Array:
        """[V] tangents of the angle between the camera's forward axis and the horizon, upwards."""
        return self.world_to_camera[:, 2, 2] / self.world_to_camera[:, 1, 2]


def direction_from_angles(polar_rad: float | Array, azimuth_rad: float | Array) -> Array:
    """Return unit vectors [..., 3] from polar angles off +z and azimuths from +x."""
    polar, azimuth = np.asarray(polar_rad), np.asarray(azimuth_rad)
    sine = np.sin(polar)
    return np.stack(
        [sine * np.cos(azimuth), sine * np.sin(azimuth), np.cos(polar) * np.ones_like(azimuth)], axis=-1
    )


def look_at_origin(position: Array) -> Array:
    """Return world_to_camera [..., 4, 4] of level cameras at positions [..., 3], none straight above."""
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
    """Convert HSV colors to RGB [..., 3], which the scene takes as linear light, as the original does."""
    return np.array([colorsys.hsv_to_rgb(float(h), saturation, value) for h in np.ravel(hue)]).reshape(
        *np.shape(hue), 3
    )


OPTIONAL_FACTORS = tuple(FACTOR_DEFAULTS)
"""Factors that labels may leave out; the constants above are used instead."""
CAMERA_FACTORS = ("camera_distance", "camera_elevation_rad")
"""Factors that move the camera."""


def describe_camera(image_size_px: int, names: Sequence[str]) -> dict[str, object]:
    """Return the camera's entry of a manifest for views with these factors.

    If labels move the camera, the entry also says how to compute a view's own camera.
    """
    moved = [name for name in CAMERA_FACTORS if name in names]
    described = DEFAULT_CAMERA.describe(image_size_px)
    if not moved:
        return described
    rule = (
        "world_to_camera above is the camera's where labels leave it. A view's own camera stands at "
        "camera_distance * (0, cos(e), sin(e)), e = camera_elevation_rad, and looks at the origin: its rows "
        "are right (-1, 0, 0), down (0, sin(e), -cos(e)), forward (0, -cos(e), -sin(e)); the last column is "
        "(0, 0, camera_distance). K is the same for every view."
    )
    default = {name: FACTOR_DEFAULTS[name] for name in CAMERA_FACTORS}
    return {**described, "moved_by": moved, "where_labels_are_silent": default, "rule": rule}


def scenes_from_labels(names: Sequence[str], labels: NDArray[np.floating]) -> Scenes:
    """Return the scenes of labeled views.

    Args:
        names: Factor of each column: all of ``REQUIRED_FACTORS``, any of ``OPTIONAL_FACTORS``.
        labels: Values [V, L] in the units of their factors.

    Raises:
        InvalidInputError: A required factor is missing, a factor is unknown, or a value is outside of its
            physical range.
    """
    missing = [name for name in REQUIRED_FACTORS if name not in names]
    unknown = [name for name in names if name not in REQUIRED_FACTORS + OPTIONAL_FACTORS]
    if missing or unknown:
        parts = [f"missing factors: {', '.join(missing)}"] if missing else []
        parts += [f"unknown factors: {', '.join(unknown)}"] if unknown else []
        raise InvalidInputError(f"the scene cannot be made from these labels: {'; '.join(parts)}")
    values = np.asarray(labels, dtype=np.float64)
    column = {name: np.full(len(values), value) for name, value in FACTOR_DEFAULTS.items()}
    column |= {name: values[:, i] for i, name in enumerate(names)}
    _check_ranges(column)
    angles, translation = (
        np.stack([column[n] for n in part], axis=-1) for part in (REQUIRED_FACTORS[:3], OPTIONAL_FACTORS[:3])
    )
    polar = math.pi / 2 - column["camera_elevation_rad"]
    camera = column["camera_distance"][:, None] * direction_from_angles(polar, DEFAULT_CAMERA.azimuth_rad)
    return Scenes(
        object_to_world=geometry.make_pose(geometry.euler_to_matrix(angles), translation),
        floor_albedo=hue_to_rgb(column["floor_hue"], FLOOR_SATURATION, FLOOR_VALUE),
        light_position=SPOT_DISTANCE
        * direction_from_angles(column["light_theta_rad"], column["light_phi_rad"]),
        light_color=hue_to_rgb(column["light_hue"], SPOT_SATURATION, SPOT_VALUE),
        light_power_w=column["light_power_w"],
        sun_strength=column["sun_strength"],
        camera_position=camera,
        world_to_camera=look_at_origin(camera),
    )


def _check_ranges(column: Mapping[str, Array]) -> None:
    """Check that cameras and lights with these factors can exist.

    Raises:
        InvalidInputError: A factor is outside of its physical range.
    """
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

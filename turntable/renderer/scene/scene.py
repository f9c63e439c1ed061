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
from turntable.datasets.labels import FACTOR_DEFAULTS, PRINCIPAL_POINT_NAMES, REQUIRED_FACTORS
from turntable.errors import InvalidInputError
from turntable.geometry import direction_from_angles, look_at_origin, place_camera
from turntable.renderer.scene.camera import DEFAULT_CAMERA

Array = NDArray[np.float64]

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
    principal_shift_px: Array
    """[V, 2] shifts of the principal point from the middle of the picture, right and down, in pixels."""
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
    def whole_shift_px(self) -> NDArray[np.int64]:
        """[V, 2] shifts of the principal point, rounded to whole pixels.

        Backends lay out their patterns of samples from there, so that a picture that is shifted by whole
        pixels has the same pixels.
        """
        return np.rint(self.principal_shift_px).astype(np.int64)

    def compute_intrinsics(self, image_size_px: int) -> Array:
        """Return the matrices K [V, 3, 3] in pixels; pixel i covers [i, i + 1), the origin is top left."""
        intrinsics = np.repeat(DEFAULT_CAMERA.compute_intrinsics(image_size_px)[None], len(self), axis=0)
        intrinsics[:, :2, 2] += self.principal_shift_px
        return intrinsics

    def compute_horizons(self, image_size_px: int) -> Array:
        """Return the lines [V, 3] beyond which pictures show no floor.

        Of a line (a, b, c), the pixel coordinates (x, y) lie a x + b y + c pixels below the horizon, towards
        the floor; this is negative in the sky. A level camera has (0, 1, -row of the horizon).
        """
        focal = DEFAULT_CAMERA.compute_intrinsics(image_size_px)[0, 0]
        climb = self.world_to_camera[:, :3, 2]  # of the camera's axes, in the world
        steepness = np.hypot(climb[:, 0], climb[:, 1])
        normal = -climb[:, :2] / steepness[:, None]
        middle = image_size_px / 2 + self.principal_shift_px
        offset = -(normal * middle).sum(axis=1) - focal * (climb[:, 2] / steepness)
        return np.concatenate([normal, offset[:, None]], axis=1)


def hue_to_rgb(hue: Array, saturation: float, value: float) -> Array:
    """Convert HSV colors to RGB [..., 3], which the scene takes as linear light, as the original does."""
    return np.array([colorsys.hsv_to_rgb(float(h), saturation, value) for h in np.ravel(hue)]).reshape(
        *np.shape(hue), 3
    )


OPTIONAL_FACTORS = tuple(FACTOR_DEFAULTS)
"""Factors that labels may leave out; the constants above are used instead."""


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
    camera = place_camera(column["camera_distance"], column["camera_elevation_rad"])
    return Scenes(
        object_to_world=geometry.make_pose(geometry.euler_to_matrix(angles), translation),
        floor_albedo=hue_to_rgb(column["floor_hue"], FLOOR_SATURATION, FLOOR_VALUE),
        light_position=SPOT_DISTANCE
        * direction_from_angles(column["light_theta_rad"], column["light_phi_rad"]),
        light_color=hue_to_rgb(column["light_hue"], SPOT_SATURATION, SPOT_VALUE),
        light_power_w=column["light_power_w"],
        sun_strength=column["sun_strength"],
        camera_position=camera,
        world_to_camera=look_at_origin(camera, column["camera_roll_rad"]),
        principal_shift_px=np.stack([column[name] for name in PRINCIPAL_POINT_NAMES], axis=-1),
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

"""The camera: its place and its lens, and its entry in a manifest. Labels move it, view by view."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import CAMERA_POSE_NAMES, FACTOR_DEFAULTS, PRINCIPAL_POINT_NAMES
from turntable.geometry import direction_from_angles, look_at_origin

Array = NDArray[np.float64]

NEAR = 0.1
"""Smallest depth at which the camera sees objects."""
FAR = 1000.0
"""Largest depth at which the camera sees objects; it sees the floor to the horizon."""


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
"""The camera if labels do not move it. Labels move the camera, turn it about its forward axis and shift its
principal point; the focal length is the same for every view."""

CAMERA_FACTORS = (*CAMERA_POSE_NAMES, *PRINCIPAL_POINT_NAMES)
"""Factors that determine a view's camera."""

_PLACE_RULE = (
    "world_to_camera above is the camera's where labels leave it. A view's own camera stands at "
    "camera_distance * (0, cos(e), sin(e)), e = camera_elevation_rad, and looks at the origin: its rows "
    "are right (-1, 0, 0), down (0, sin(e), -cos(e)), forward (0, -cos(e), -sin(e)); the last column is "
    "(0, 0, camera_distance)."
)
_ROLL_RULE = (
    "Then it turns about its forward axis: with a = camera_roll_rad its first two rows become "
    "cos(a) right - sin(a) down and sin(a) right + cos(a) down."
)
_SAME_LENS_RULE = "K is the same for every view."
_LENS_RULE = (
    "K of a view is K above with principal_point_dx_px added to its first row's last number and "
    "principal_point_dy_px to its second row's."
)


def describe_camera(image_size_px: int, names: Sequence[str]) -> dict[str, object]:
    """Return the camera's entry of a manifest for views with these factors.

    If labels move the camera, the entry also says how to compute a view's own camera.
    """
    moved = [name for name in CAMERA_FACTORS if name in names]
    described = DEFAULT_CAMERA.describe(image_size_px)
    if not moved:
        return described
    # Where neither roll nor lens varies, the entry is as before there were these factors.
    *place, roll = CAMERA_POSE_NAMES
    known, rules = place, [_PLACE_RULE]
    if roll in moved:
        known, rules = [*known, roll], [*rules, _ROLL_RULE]
    if any(name in moved for name in PRINCIPAL_POINT_NAMES):
        known, rules = [*known, *PRINCIPAL_POINT_NAMES], [*rules, _LENS_RULE]
    else:
        rules = [*rules, _SAME_LENS_RULE]
    default = {name: FACTOR_DEFAULTS[name] for name in known}
    return {**described, "moved_by": moved, "where_labels_are_silent": default, "rule": " ".join(rules)}

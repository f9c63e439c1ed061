"""The values of labels in float64: the poses of views in several forms, and the steps between views."""

from functools import cached_property

import numpy as np

from turntable import geometry
from turntable.datasets.labels import (
    CAMERA_POSE_NAMES,
    FACTOR_DEFAULTS,
    FloatArray,
    LabelArray,
    LabelSchema,
)


class ViewLabels:
    """The labels of k views of each of B objects. Each is computed when it is first used, and only once.

    The properties have the names of the labels. docs/labels.md defines them.

    Args:
        schema: Schema of the label columns.
        labels: float32 [B, k, L] label columns.
    """

    def __init__(self, schema: LabelSchema, labels: LabelArray) -> None:
        self._schema, self._labels = schema, labels

    @cached_property
    def factors(self) -> FloatArray:
        """All label columns, [B, k, L]."""
        return self._labels.astype(np.float64)

    @cached_property
    def euler_angles_rad(self) -> FloatArray:
        """Extrinsic x, y and z angles in radians, [B, k, 3]."""
        return self._schema.get_euler_angles(self._labels).astype(np.float64)

    @cached_property
    def rotation(self) -> FloatArray:
        """Rotation matrices from the object to the world, [B, k, 3, 3]."""
        return geometry.euler_to_matrix(self.euler_angles_rad)

    @cached_property
    def rotation_6d(self) -> FloatArray:
        """First two columns of the rotation matrices, [B, k, 6]."""
        return _take_first_columns(self.rotation)

    @cached_property
    def quaternion_product(self) -> FloatArray:
        """Quaternions xyzw of the rotations, [B, k, 4], with the sign of the half-angle product."""
        return geometry.euler_to_quaternion(self.euler_angles_rad)

    @cached_property
    def quaternion_canonical(self) -> FloatArray:
        """Quaternions xyzw of the rotations, [B, k, 4], with w >= 0."""
        return geometry.canonicalize_quaternion(self.quaternion_product)

    @cached_property
    def translation(self) -> FloatArray:
        """Translations in the object's frame, [B, k, 3]; zeros if the recipe has none."""
        return self._schema.get_translations(self._labels).astype(np.float64)

    @cached_property
    def pose(self) -> FloatArray:
        """Pose matrices from the object to the world, [B, k, 4, 4]."""
        return geometry.make_pose(self.rotation, self.translation)

    @cached_property
    def position(self) -> FloatArray:
        """Positions of the object's center in the world, [B, k, 3]."""
        return self.pose[..., :3, 3]

    @cached_property
    def world_to_camera(self) -> FloatArray:
        """Matrices from the world to the camera's OpenCV axes, [B, k, 4, 4], or [4, 4] if all are equal."""
        # Not rounded to float32: the renderer takes the default of a factor that labels lack in float64.
        distance, elevation, roll = (
            self.get_factor(name) if name in self._schema else FACTOR_DEFAULTS[name]
            for name in CAMERA_POSE_NAMES
        )
        return geometry.look_at_origin(geometry.place_camera(distance, elevation), roll)

    @cached_property
    def object_to_camera(self) -> FloatArray:
        """Pose matrices from the object to the camera's OpenCV axes, [B, k, 4, 4]."""
        return self.world_to_camera @ self.pose

    @cached_property
    def camera_rotation(self) -> FloatArray:
        """Rotation matrices from the object's frame to the camera's, [B, k, 3, 3]."""
        return self.world_to_camera[..., :3, :3] @ self.rotation

    @cached_property
    def allocentric_rotation(self) -> FloatArray:
        """Camera rotations as if the object's center lay on the camera's forward axis, [B, k, 3, 3]."""
        center = (self.world_to_camera @ self.pose[..., 3:])[..., :3, 0]
        return geometry.compute_allocentric_rotation(self.camera_rotation, center)

    @cached_property
    def twist(self) -> FloatArray:
        """Twists from the view before, as stored, [B, k, 6]."""
        return self._schema.get_twists(self._labels).astype(np.float64)

    @cached_property
    def relative_rotation(self) -> FloatArray:
        """Rotations of the steps in the object's frame, [B, k - 1, 3, 3]."""
        return geometry.compute_relative_rotation(*_split_steps(self.rotation))

    @cached_property
    def relative_rotation_6d(self) -> FloatArray:
        """First two columns of the relative rotations, [B, k - 1, 6]."""
        return _take_first_columns(self.relative_rotation)

    @cached_property
    def relative_rotation_world(self) -> FloatArray:
        """Rotations of the steps in the world's frame, [B, k - 1, 3, 3]."""
        before, after = _split_steps(self.rotation)
        return after @ np.swapaxes(before, -1, -2)

    @cached_property
    def relative_rotation_vector(self) -> FloatArray:
        """Rotation vectors of the relative rotations in radians, [B, k - 1, 3]."""
        return geometry.log_so3(self.relative_rotation)

    @cached_property
    def relative_angle_rad(self) -> FloatArray:
        """Angles of the relative rotations in radians, [B, k - 1]."""
        return np.linalg.norm(self.relative_rotation_vector, axis=-1)

    @cached_property
    def relative_quaternion_product(self) -> FloatArray:
        """Quaternions xyzw of the relative rotations, [B, k - 1, 4].

        The sign is that of the product of the two views' quaternions.
        """
        return geometry.compute_relative_quaternion(*_split_steps(self.quaternion_product))

    @cached_property
    def relative_quaternion_canonical(self) -> FloatArray:
        """Quaternions xyzw of the relative rotations, [B, k - 1, 4], with w >= 0."""
        return geometry.canonicalize_quaternion(self.relative_quaternion_product)

    @cached_property
    def relative_pose(self) -> FloatArray:
        """Pose matrices of the steps in the object's frame, [B, k - 1, 4, 4]."""
        before, after = _split_steps(self.pose)
        return geometry.invert_pose(before) @ after

    @cached_property
    def relative_twist(self) -> FloatArray:
        """Twists of the relative poses, [B, k - 1, 6]."""
        return geometry.log_se3(self.relative_pose)

    @cached_property
    def translation_difference_object(self) -> FloatArray:
        """Differences of the translations in the object's frame, [B, k - 1, 3]."""
        return np.diff(self.translation, axis=1)

    @cached_property
    def translation_difference_base(self) -> FloatArray:
        """Differences of the positions in the world, [B, k - 1, 3]."""
        return np.diff(self.position, axis=1)

    def get_factor(self, name: str) -> FloatArray:
        """Return the values of a factor, [B, k]."""
        return self.factors[..., self._schema.get_column(name)]

    def compute_difference(self, name: str) -> FloatArray:
        """Compute the differences of a factor from each view to the next, [B, k - 1]."""
        return np.diff(self.get_factor(name), axis=1)

    def compute_circular_difference(self, name: str) -> FloatArray:
        """Compute the differences of a factor with a period, the shorter way around the circle, [B, k - 1].

        Values are in [-period / 2, period / 2), also after rounding to float32.
        """
        period = self._schema.factors[self._schema.get_column(name)].period
        assert period is not None
        difference = self.compute_difference(name)
        wrapped = difference - period * np.floor(difference / period + 0.5)
        # Labels are rounded to float32 later. A value just below half a period would become half a period
        # then, which is outside of the range, so it becomes minus half a period here.
        half = np.float32(period / 2)
        return np.where(wrapped.astype(np.float32) >= half, -np.float64(half), wrapped)


def _split_steps(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the values before and after each step: [B, k, ...] as two arrays [B, k - 1, ...]."""
    return values[:, :-1], values[:, 1:]


def _take_first_columns(matrix: FloatArray) -> FloatArray:
    """Return the first two columns of matrices [..., 3, 3], one after the other, [..., 6]."""
    return np.concatenate([matrix[..., 0], matrix[..., 1]], axis=-1)

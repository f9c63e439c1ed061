"""The values that labels are: every form of the poses of views and of the steps between them, in float64."""

from functools import cached_property

import numpy as np

from turntable import geometry
from turntable.datasets.labels import FloatArray, LabelArray, LabelSchema


class ViewLabels:
    """What labels are made of, for k views of each of B objects; each is computed once, when first asked for.

    Args:
        schema: of the columns.
        labels: float32 [B, k, L].
    """

    def __init__(self, schema: LabelSchema, labels: LabelArray) -> None:
        self._schema, self._labels = schema, labels

    @cached_property
    def factors(self) -> FloatArray:
        """[B, k, L]."""
        return self._labels.astype(np.float64)

    @cached_property
    def euler_angles_rad(self) -> FloatArray:
        """[B, k, 3]."""
        return self._schema.euler_angles(self._labels).astype(np.float64)

    @cached_property
    def rotation(self) -> FloatArray:
        """[B, k, 3, 3]."""
        return geometry.euler_to_matrix(self.euler_angles_rad)

    @cached_property
    def rotation_6d(self) -> FloatArray:
        """[B, k, 6]."""
        return _first_columns(self.rotation)

    @cached_property
    def quaternion_product(self) -> FloatArray:
        """[B, k, 4], the sign as the half-angle product gives it."""
        return geometry.euler_to_quaternion(self.euler_angles_rad)

    @cached_property
    def quaternion_canonical(self) -> FloatArray:
        """[B, k, 4], w >= 0."""
        return geometry.canonical_quaternion(self.quaternion_product)

    @cached_property
    def translation(self) -> FloatArray:
        """[B, k, 3] in the object's frame; zeros where the recipe has none."""
        return self._schema.translations(self._labels).astype(np.float64)

    @cached_property
    def pose(self) -> FloatArray:
        """[B, k, 4, 4]."""
        return geometry.pose(self.rotation, self.translation)

    @cached_property
    def position(self) -> FloatArray:
        """[B, k, 3] of the object's centre in the world."""
        return self.pose[..., :3, 3]

    @cached_property
    def twist(self) -> FloatArray:
        """[B, k, 6] as stored."""
        return self._schema.twists(self._labels).astype(np.float64)

    @cached_property
    def relative_rotation(self) -> FloatArray:
        """[B, k - 1, 3, 3]."""
        return geometry.relative_rotation(*_steps(self.rotation))

    @cached_property
    def relative_rotation_6d(self) -> FloatArray:
        """[B, k - 1, 6]."""
        return _first_columns(self.relative_rotation)

    @cached_property
    def relative_rotation_world(self) -> FloatArray:
        """[B, k - 1, 3, 3]."""
        before, after = _steps(self.rotation)
        return after @ np.swapaxes(before, -1, -2)

    @cached_property
    def relative_rotation_vector(self) -> FloatArray:
        """[B, k - 1, 3]."""
        return geometry.log_so3(self.relative_rotation)

    @cached_property
    def relative_angle_rad(self) -> FloatArray:
        """[B, k - 1]."""
        return np.linalg.norm(self.relative_rotation_vector, axis=-1)

    @cached_property
    def relative_quaternion_product(self) -> FloatArray:
        """[B, k - 1, 4], the sign as the product of the two absolute ones gives it."""
        return geometry.relative_quaternion(*_steps(self.quaternion_product))

    @cached_property
    def relative_quaternion_canonical(self) -> FloatArray:
        """[B, k - 1, 4], w >= 0."""
        return geometry.canonical_quaternion(self.relative_quaternion_product)

    @cached_property
    def relative_pose(self) -> FloatArray:
        """[B, k - 1, 4, 4]."""
        before, after = _steps(self.pose)
        return geometry.inverse_pose(before) @ after

    @cached_property
    def relative_twist(self) -> FloatArray:
        """[B, k - 1, 6]."""
        return geometry.log_se3(self.relative_pose)

    @cached_property
    def translation_difference_object(self) -> FloatArray:
        """[B, k - 1, 3]."""
        return np.diff(self.translation, axis=1)

    @cached_property
    def translation_difference_base(self) -> FloatArray:
        """[B, k - 1, 3]."""
        return np.diff(self.position, axis=1)

    def factor(self, name: str) -> FloatArray:
        """[B, k]."""
        return self.factors[..., self._schema.column(name)]

    def difference(self, name: str) -> FloatArray:
        """[B, k - 1] of a factor."""
        return np.diff(self.factor(name), axis=1)

    def circular_difference(self, name: str) -> FloatArray:
        """[B, k - 1] of a factor with a period, the shorter way round."""
        period = self._schema.factors[self._schema.column(name)].period
        assert period is not None
        difference = self.difference(name)
        wrapped = difference - period * np.floor(difference / period + 0.5)
        # What rounds up to half a period as float32 is half a period the other way.
        half = np.float32(period / 2)
        return np.where(wrapped.astype(np.float32) >= half, -np.float64(half), wrapped)


def _steps(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What each step begins with, and ends with: [B, k, ...] as two of [B, k - 1, ...]."""
    return values[:, :-1], values[:, 1:]


def _first_columns(matrix: FloatArray) -> FloatArray:
    """[..., 3, 3] to [..., 6]."""
    return np.concatenate([matrix[..., 0], matrix[..., 1]], axis=-1)

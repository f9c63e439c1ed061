"""The label schema of a data set: the meaning of each column of a float32 [V, L] array of labels.

Labels are float32 from the moment they are drawn. The renderer reads the array that is stored, so a label is
exactly what was rendered.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels.factors import STANDARD_FACTORS_BY_NAME, Factor
from turntable.errors import InvalidInputError
from turntable.geometry import euler_to_matrix, euler_to_quaternion

LabelArray = NDArray[np.float32]
FloatArray = NDArray[np.float64]

ROTATION_NAMES = ("rotation_x_rad", "rotation_y_rad", "rotation_z_rad")
TRANSLATION_NAMES = ("translation_x", "translation_y", "translation_z")
CAMERA_POSE_NAMES = ("camera_distance", "camera_elevation_rad", "camera_roll_rad")
PRINCIPAL_POINT_NAMES = ("principal_point_dx_px", "principal_point_dy_px")
TWIST_NAMES = (*(f"twist_omega_{axis}_rad" for axis in "xyz"), *(f"twist_v_{axis}" for axis in "xyz"))


@dataclass(frozen=True)  # no slots: the names are cached, which are looked up many times an object
class LabelSchema:
    """The factors of a data set in the order of its label columns. Its methods take labels [..., L]."""

    factors: tuple[Factor, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(factor.name for factor in self.factors)

    def __len__(self) -> int:
        return len(self.factors)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def get_column(self, name: str) -> int:
        """Return the index of a factor's column.

        Raises:
            InvalidInputError: The data set has no such factor.
        """
        if name not in self.names:
            raise InvalidInputError(f"the labels have no factor {name!r}; they have {', '.join(self.names)}")
        return self.names.index(name)

    def get_columns(self, names: Iterable[str]) -> list[int]:
        """Return the indices of several factors' columns, in the order of ``names``."""
        return [self.get_column(name) for name in names]

    def get_values(self, labels: LabelArray, name: str) -> LabelArray:
        """Return one factor [...] of labels [..., L]; a factor that the recipe left out has its default.

        Raises:
            InvalidInputError: The factor is not in the labels and has no default.
        """
        if name not in self.names:
            default = STANDARD_FACTORS_BY_NAME[name].default if name in STANDARD_FACTORS_BY_NAME else None
            if default is not None:
                return np.full(labels.shape[:-1], default, dtype=np.float32)
        return labels[..., self.get_column(name)]

    @property
    def scene_names(self) -> tuple[str, ...]:
        """The names of the columns that describe the scene: all but derived ones, such as twists."""
        return tuple(factor.name for factor in self.factors if factor.role == "scene")

    def select_scene_columns(self, labels: LabelArray) -> LabelArray:
        """Return the columns ``scene_names`` of labels [..., L]."""
        return labels[..., self.get_columns(self.scene_names)]

    def round_values(self, values: NDArray[np.floating]) -> LabelArray:
        """Round values [..., L] drawn in float64 to labels; none leaves its factor's range."""
        rounded = [factor.to_label(values[..., column]) for column, factor in enumerate(self.factors)]
        return np.stack(rounded, axis=-1)

    def get_twists(self, labels: LabelArray) -> LabelArray:
        """Return the twists from the previous view of the sequence, [..., 6]: rotation vector, then v.

        The rotation vector is in radians, v in bounding-box diagonals.

        Raises:
            InvalidInputError: The data set has no sequences.
        """
        return labels[..., self.get_columns(TWIST_NAMES)]

    def get_euler_angles(self, labels: LabelArray) -> LabelArray:
        """Return the extrinsic x, y, z angles in radians, [..., 3]."""
        return labels[..., self.get_columns(ROTATION_NAMES)]

    def compute_rotations(self, labels: LabelArray) -> FloatArray:
        """Compute the rotations of the object in the world, [..., 3, 3]."""
        return euler_to_matrix(self.get_euler_angles(labels))

    def compute_quaternions(self, labels: LabelArray) -> FloatArray:
        """Compute the quaternions of those rotations, [..., 4], xyzw, signed as the half-angle product."""
        return euler_to_quaternion(self.get_euler_angles(labels))

    def get_translations(self, labels: LabelArray) -> LabelArray:
        """Return the translations in the object's frame, [..., 3], in bounding-box diagonals.

        They are zero if the recipe has none.
        """
        return np.stack([self.get_values(labels, name) for name in TRANSLATION_NAMES], axis=-1)

"""The label schema: which column of a float32 [V, L] array is which factor, read by name.

Labels are float32 from the moment they are drawn. The renderer reads the same array that is stored, so the
label is what was rendered, to the bit.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels.factors import STANDARD_BY_NAME, Factor
from turntable.errors import InvalidInputError
from turntable.geometry import euler_to_matrix, euler_to_quaternion

LabelArray = NDArray[np.float32]
FloatArray = NDArray[np.float64]

ROTATION_NAMES = ("rotation_x_rad", "rotation_y_rad", "rotation_z_rad")
TRANSLATION_NAMES = ("translation_x", "translation_y", "translation_z")
TWIST_NAMES = (*(f"twist_omega_{axis}_rad" for axis in "xyz"), *(f"twist_v_{axis}" for axis in "xyz"))


@dataclass(frozen=True, slots=True)
class LabelSchema:
    """The factors of a data set in the order of its label columns. All helpers take labels [..., L]."""

    factors: tuple[Factor, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(factor.name for factor in self.factors)

    def __len__(self) -> int:
        return len(self.factors)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def column(self, name: str) -> int:
        """Index of a factor's column.

        Raises:
            InvalidInputError: the data set has no such factor.
        """
        if name not in self.names:
            raise InvalidInputError(f"no factor {name!r} in the labels; there are {', '.join(self.names)}")
        return self.names.index(name)

    def columns(self, names: Iterable[str]) -> list[int]:
        """Indices of several factors' columns, in the order asked."""
        return [self.column(name) for name in names]

    def values(self, labels: LabelArray, name: str) -> LabelArray:
        """One factor [...] of labels [..., L]; a factor the recipe left out has its default everywhere.

        Raises:
            InvalidInputError: the factor is neither in the labels nor has a default.
        """
        if name not in self.names:
            default = STANDARD_BY_NAME[name].default if name in STANDARD_BY_NAME else None
            if default is not None:
                return np.full(labels.shape[:-1], default, dtype=np.float32)
        return labels[..., self.column(name)]

    @property
    def scene_names(self) -> tuple[str, ...]:
        """Names of the columns a scene is made of: all but derived ones, such as twists."""
        return tuple(factor.name for factor in self.factors if factor.role == "scene")

    def scene_columns(self, labels: LabelArray) -> LabelArray:
        """The columns of ``scene_names``, of labels [..., L]."""
        return labels[..., self.columns(self.scene_names)]

    def round(self, values: NDArray[np.floating]) -> LabelArray:
        """Round values [..., L] drawn in float64 to labels; none leaves its factor's range."""
        rounded = [factor.to_label(values[..., column]) for column, factor in enumerate(self.factors)]
        return np.stack(rounded, axis=-1)

    def twists(self, labels: LabelArray) -> LabelArray:
        """[..., 6] from the previous view of the sequence to this one: rotation vector in radians, then v.

        Raises:
            InvalidInputError: the data set has no sequences.
        """
        return labels[..., self.columns(TWIST_NAMES)]

    def euler_angles(self, labels: LabelArray) -> LabelArray:
        """[..., 3] extrinsic x, y, z angles in radians."""
        return labels[..., self.columns(ROTATION_NAMES)]

    def rotations(self, labels: LabelArray) -> FloatArray:
        """[..., 3, 3] absolute rotations of the object in the world."""
        return euler_to_matrix(self.euler_angles(labels))

    def quaternions(self, labels: LabelArray) -> FloatArray:
        """[..., 4] absolute quaternions, xyzw, with the sign of the half-angle product."""
        return euler_to_quaternion(self.euler_angles(labels))

    def translations(self, labels: LabelArray) -> LabelArray:
        """[..., 3] in the object's frame, in bounding-box diagonals; zeros where the recipe has none."""
        return np.stack([self.values(labels, name) for name in TRANSLATION_NAMES], axis=-1)

"""The rotations that leave an object's surface as it is, as its record holds them."""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import JsonFields
from turntable.geometry import exp_so3, matrix_to_quaternion, multiply_quaternions

GROUP_PATTERN = re.compile(r"C([1-9]|1[0-6]|inf)|D([2-9]|1[0-6]|inf)|[TOI]|SO3")
"""Names of groups of rotations."""
MAX_GROUP_SIZE = 60
"""Largest number of rotations that are listed: those of an icosahedron."""
MAX_CENTER = 1.0
"""Largest coordinate of a centroid, in diagonals; it lies in the bounding box."""
MAX_RESIDUAL = 1.0
"""Largest deviation of a surface from itself, in diagonals."""
_DECIMALS = 6
"""Decimals of the numbers in a record."""


@dataclass(frozen=True, slots=True)
class ObjectSymmetry:
    """The proper rotations about one point that leave an object's surface as it is, within a tolerance.

    They form one of the groups Cn (turns about one axis), Dn (with half turns about axes across it), T, O and
    I (the turns of a tetrahedron, a cube and an icosahedron), Cinf and Dinf (every turn about ``axis``), or
    SO3 (every rotation).
    """

    group: str
    """Name of the group: "C1" for an object without symmetry, "D4" for a square prism, "Cinf" for a cone."""
    rotations: tuple[tuple[float, float, float, float], ...]
    """Unit quaternions, xyzw with w >= 0, the identity first, in the object's frame.

    Of a finite group they are all its elements. Of Cinf and Dinf every element is one of these after a turn
    about ``axis``; of SO3 the identity stands for all.
    """
    axis: tuple[float, float, float] | None
    """Unit axis of every turn, for Cinf and Dinf."""
    center: tuple[float, float, float]
    """The point that the rotations keep: the centroid of the surface, in diagonals in the object's frame."""
    residual: float
    """Largest deviation of the surface from itself after one of the rotations, in diagonals."""

    def list_rotations(self, turns: int = 36) -> NDArray[np.float64]:
        """Return quaternions [N, 4], xyzw, of the group's elements.

        Args:
            turns: Number of turns about the axis of Cinf and Dinf that stand for all, spread evenly.

        Raises:
            ValueError: The group is SO3, of which no list is complete.
        """
        if self.group == "SO3":
            raise ValueError("every rotation is a symmetry of a sphere; no list has them all")
        listed = np.array(self.rotations)
        if self.axis is None:
            return listed
        angles = 2 * np.pi * np.arange(turns) / turns
        about_axis = matrix_to_quaternion(exp_so3(angles[:, None] * np.array(self.axis)))
        return multiply_quaternions(about_axis[:, None], listed[None]).reshape(-1, 4)

    def mirror(self) -> "ObjectSymmetry":
        """Return the symmetry of the mirror image, x to -x in the object's frame."""
        # The mirror image of a turn about an axis turns by the same angle about the axis (x, -y, -z).
        mirrored = [_round(np.array((x, -y, -z, w))) for x, y, z, w in self.rotations]
        axis = None if self.axis is None else _round(np.array(self.axis) * (1, -1, -1))
        cx, cy, cz = _round(np.array(self.center) * (-1, 1, 1))
        return replace(
            self,
            rotations=tuple((x, y, z, w) for x, y, z, w in mirrored),
            axis=None if axis is None else (axis[0], axis[1], axis[2]),
            center=(cx, cy, cz),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the symmetry as a table for JSON."""
        table: dict[str, Any] = {
            "group": self.group,
            "rotations": [list(rotation) for rotation in self.rotations],
            "center": list(self.center),
            "residual": self.residual,
        }
        return table if self.axis is None else {**table, "axis": list(self.axis)}

    @classmethod
    def from_fields(cls, fields: JsonFields) -> "ObjectSymmetry":
        """Read what ``to_dict`` wrote, from untrusted JSON. Raises FieldError."""
        listed = fields.get_list("rotations", MAX_GROUP_SIZE)
        if not listed:
            fields.raise_error("rotations", "at least the identity")
        numbers = JsonFields({str(place): item for place, item in enumerate(listed)}, "rotations.")
        rotations = [numbers.get_numbers(name, 4, -1, 1) for name in numbers.list_names()]
        axis = fields.get_numbers("axis", 3, -1, 1) if fields.has("axis") else None
        center = fields.get_numbers("center", 3, -MAX_CENTER, MAX_CENTER)
        return cls(
            group=fields.get_text("group", pattern=GROUP_PATTERN),
            rotations=tuple((x, y, z, w) for x, y, z, w in rotations),
            axis=None if axis is None else (axis[0], axis[1], axis[2]),
            center=(center[0], center[1], center[2]),
            residual=fields.get_number("residual", 0, MAX_RESIDUAL),
        )


def make_object_symmetry(
    group: str,
    rotations: NDArray[np.float64],
    axis: NDArray[np.float64] | None,
    center: NDArray[np.float64],
    residual: float,
) -> ObjectSymmetry:
    """Make a record of a group: numbers rounded to six decimals, so that it is short and equal everywhere.

    Args:
        group: Name of the group.
        rotations: Quaternions [N, 4], the identity first.
        axis: Unit axis [3] of Cinf and Dinf.
        center: The point [3] that the rotations keep.
        residual: Largest deviation, in diagonals.
    """
    x, y, z = _round(center)
    turned = None if axis is None else _round(axis)
    return ObjectSymmetry(
        group,
        tuple((a, b, c, d) for a, b, c, d in map(_round, rotations)),
        None if turned is None else (turned[0], turned[1], turned[2]),
        (x, y, z),
        round(residual, _DECIMALS),
    )


def _round(values: NDArray[np.float64]) -> list[float]:
    # Adding zero turns -0.0 into 0.0.
    return [round(float(value), _DECIMALS) + 0.0 for value in values]

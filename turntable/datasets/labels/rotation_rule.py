"""The rule that draws rotations on SO(3), optionally away from those of a training set."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

TrainingRange = Literal["3diebench"]
"""The training set whose rotations can be excluded."""
MAX_MARGIN_DEG = 60.0
"""The greatest margin. Beyond it nearly every draw would be rejected."""


@dataclass(frozen=True, slots=True)
class RotationRule:
    """A distribution uniform on SO(3) (Haar measure), or uniform on the part outside a training range."""

    outside: TrainingRange | None = None
    """The training range to exclude: every angle within pi/2. None excludes nothing."""
    margin_deg: float = 0.0
    """The least angle on SO(3) between a drawn rotation and any rotation of that range."""

    def accepts(self, matrix: ArrayLike) -> NDArray[np.bool_]:
        """Return for each rotation [..., 3, 3] whether the rule may draw it.

        The training range is the box |x|, |y|, |z| <= pi/2 of R = Rz Ry Rx. In terms of the matrix, the box
        is ``R[0, 0] >= 0 and R[2, 2] >= 0``. Proof: R[0, 0] = cos z cos y and R[2, 2] = cos y cos x, so both
        hold in the box. Conversely, every rotation has angles with cos y >= 0. If cos y > 0 and both hold,
        then cos z and cos x are not negative, and the angles are in the box. If cos y = 0, only x - z (or x +
        z) matters, and half of it for x and half for z are in the box.

        R[0, 0] is the cosine of the angle by which R turns the x axis away from itself. For every rotation Q
        of the box that angle is at most pi/2. If R turns the x axis by more than pi/2 + m, then R and Q move
        it to directions more than m apart, so the angle of Q⁻¹R on SO(3) is at least m. The same holds for
        the z axis. For the margin m it is therefore enough that ``R[0, 0] < -sin m or R[2, 2] < -sin m``.
        """
        R = np.asarray(matrix, dtype=np.float64)
        if self.outside is None:
            return np.ones(R.shape[:-2], dtype=np.bool_)
        least = -math.sin(math.radians(self.margin_deg))
        return (R[..., 0, 0] < least) | (R[..., 2, 2] < least)

    def to_dict(self) -> dict[str, Any]:
        """Return the table [rotation] of a recipe."""
        outside = {"outside": self.outside, "margin_deg": self.margin_deg}
        return {"kind": "uniform"} | (outside if self.outside else {})

    def __str__(self) -> str:
        """Return the rule in words, for tables."""
        if self.outside is None:
            return "uniform on SO(3)"
        return f"uniform on SO(3), over {self.margin_deg:g}° outside {self.outside}"


EULER_RANGES = ((-math.pi, math.pi), (-math.pi / 2, math.pi / 2), (-math.pi, math.pi))
"""The ranges of canonical angles x, y, z."""

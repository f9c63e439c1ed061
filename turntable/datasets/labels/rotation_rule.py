"""Rotations drawn on SO(3) itself, and kept away from those that a training set can show."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

TrainingRange = Literal["3diebench"]
"""Training set whose rotations can be left out."""
MOST_MARGIN_DEG = 60.0
"""Beyond, nearly every draw would be thrown away."""


@dataclass(frozen=True, slots=True)
class RotationRule:
    """Uniform on SO(3) (Haar), or uniform on the part of it that is outside a training range."""

    outside: TrainingRange | None = None
    """The training range to stay away from: every angle within pi/2."""
    margin_deg: float = 0.0
    """No rotation of that range is nearer than this, as an angle on SO(3)."""

    def accepts(self, matrix: ArrayLike) -> NDArray[np.bool_]:
        """Tell which rotations [..., 3, 3] it may draw.

        The training range is the box |x|, |y|, |z| <= pi/2 of R = Rz Ry Rx. In its entries, the box is
        ``R[0, 0] >= 0 and R[2, 2] >= 0``. For R[0, 0] = cos z cos y and R[2, 2] = cos y cos x, so both hold
        in the box. Every rotation has angles with cos y >= 0; where cos y > 0 and both hold, cos z and cos x
        are not negative, and the angles are in the box; where cos y = 0 only x - z (or x + z) counts, and its
        halves are in the box.

        R[0, 0] is the cosine of the angle by which R turns the x axis away from itself: at most pi/2 for
        every rotation Q of the box. If R turns it by more than pi/2 + m, then R and Q send the x axis to
        places more than m apart, and the angle of Q⁻¹R on SO(3) is at least that. The same holds for the z
        axis. So, for the margin m, this is enough:
        ``R[0, 0] < -sin m or R[2, 2] < -sin m``.
        """
        R = np.asarray(matrix, dtype=np.float64)
        if self.outside is None:
            return np.ones(R.shape[:-2], dtype=np.bool_)
        least = -math.sin(math.radians(self.margin_deg))
        return (R[..., 0, 0] < least) | (R[..., 2, 2] < least)

    def to_dict(self) -> dict[str, Any]:
        """The table [rotation] of a recipe."""
        outside = {"outside": self.outside, "margin_deg": self.margin_deg}
        return {"kind": "uniform"} | (outside if self.outside else {})

    def __str__(self) -> str:
        """In words, for tables."""
        if self.outside is None:
            return "uniform on SO(3)"
        return f"uniform on SO(3), over {self.margin_deg:g}° outside {self.outside}"


EULER_RANGES = ((-math.pi, math.pi), (-math.pi / 2, math.pi / 2), (-math.pi, math.pi))
"""Of canonical angles x, y, z."""

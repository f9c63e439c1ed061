"""The one table of relative labels: what lies between a view and the next, its width, and the way back.

Loaders compute these labels and methods are given them as actions; both read here what a label is.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

from turntable.errors import InvalidInputError

Inverse = Literal["same", "negated", "conjugate", "transposed", "inverted"]
"""How the label of the step back follows from that of the step: it is the same, its negative, the conjugate
of a quaternion, the transpose of a rotation matrix, or the inverse of a motion's matrix."""

_DIFFERENCES = ("_difference", "_difference_circular")


@dataclass(frozen=True, slots=True)
class RelativeLabel:
    """A label of the step from one view to the next (1 and 2 in its meaning)."""

    name: str
    """With FACTOR in it, it stands for a label of every factor."""
    shape: tuple[int, ...]
    """Without the batch and the steps before it."""
    unit: str
    """"1" for pure numbers, "diagonals" (of the bounding box) for lengths."""
    frame: str
    """In whose axes the numbers are told; "" where there are none."""
    meaning: str
    inverse: Inverse | None
    """How the step back is told; None: the label alone does not tell it."""

    @property
    def width(self) -> int:
        """Count of its numbers."""
        return math.prod(self.shape)


RELATIVE_LABELS: tuple[RelativeLabel, ...] = (
    RelativeLabel("relative_rotation", (3, 3), "1", "object", "R1ᵀ R2", "transposed"),
    RelativeLabel(
        "relative_quaternion",
        (4,),
        "1",
        "object",
        "xyzw of R1ᵀ R2, its sign by `quaternion_sign`",
        "conjugate",
    ),
    RelativeLabel(
        "relative_rotation_6d", (6,), "1", "object", "first column of R1ᵀ R2, then its second", None
    ),
    RelativeLabel(
        "relative_rotation_vector",
        (3,),
        "rad",
        "object",
        "axis times angle of R1ᵀ R2, at most π long",
        "negated",
    ),
    RelativeLabel("relative_rotation_world", (3, 3), "1", "world", "R2 R1ᵀ", "transposed"),
    RelativeLabel("relative_angle_rad", (), "rad", "", "geodesic angle of R1ᵀ R2, 0 to π", "same"),
    RelativeLabel("relative_pose", (4, 4), "1, diagonals", "object", "M1⁻¹ M2", "inverted"),
    RelativeLabel(
        "relative_twist",
        (6,),
        "rad, diagonals",
        "object",
        "(ω, v) with exp(ω, v) = M1⁻¹ M2, ω at most π long",
        "negated",
    ),
    RelativeLabel("translation_difference_object", (3,), "diagonals", "object", "t2 - t1", "negated"),
    RelativeLabel("translation_difference_base", (3,), "diagonals", "world", "R2 t2 - R1 t1", "negated"),
)
"""Those of the object's motion."""

FACTOR_DIFFERENCES: tuple[RelativeLabel, ...] = (
    RelativeLabel(
        "FACTOR_difference",
        (),
        "its own",
        "",
        "of view 2 minus of view 1, such as `floor_hue_difference`",
        "negated",
    ),
    RelativeLabel(
        "FACTOR_difference_circular",
        (),
        "its own",
        "",
        "the shorter way round: -period/2 ≤ difference < period/2",
        "negated",
    ),
)
"""Those of any factor, whose name takes the place of FACTOR."""

_BY_NAME = {label.name: label for label in RELATIVE_LABELS}


def relative_label(name: str) -> RelativeLabel:
    """Look a relative label up by its name, such as ``relative_pose`` or ``floor_hue_difference``.

    Raises:
        InvalidInputError: There is none of this name.
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    for label, suffix in zip(FACTOR_DIFFERENCES, _DIFFERENCES, strict=True):
        if name.endswith(suffix):
            return replace(label, name=name)
    raise InvalidInputError(
        f"{name!r} is no label of a step from one view to the next; take {', '.join(_BY_NAME)}, or the"
        " difference of a factor, such as floor_hue_difference"
    )

"""The table of relative labels: their names, shapes, units, frames and inverses.

A relative label describes the step from one view to the next. Loaders compute these labels, and methods get
them as actions. Both read this table.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

from turntable.errors import InvalidInputError

InverseRule = Literal["same", "negated", "conjugate", "transposed", "inverted"]
"""The rule that gives the label of the step back from the label of the step.

"same": they are equal. "negated": it is the negative. "conjugate": the conjugate of a quaternion.
"transposed": the transpose of a rotation matrix. "inverted": the inverse of a motion's matrix."""

_DIFFERENCE_SUFFIXES = ("_difference", "_difference_circular")
_ROTATION, _TRANSLATION = ("rotation",), ("translation",)
_MOTION = (*_ROTATION, *_TRANSLATION)


@dataclass(frozen=True, slots=True)
class RelativeLabel:
    """A label of the step from one view to the next. ``meaning`` calls the two views 1 and 2."""

    name: str
    """The name of the label. "FACTOR" in it stands for the name of any factor."""
    shape: tuple[int, ...]
    """The shape of one label, without the axes for the batch and the steps."""
    unit: str
    """The unit: "1" for pure numbers, "diagonals" (of the bounding box) for lengths."""
    frame: str
    """The frame whose axes the numbers refer to; "" if there is none."""
    meaning: str
    inverse: InverseRule | None
    """The rule for the step back; None if it cannot be computed from the label alone."""
    determines: tuple[str, ...] = ()
    """The changes that follow from the label alone: "rotation", "translation", or the name of a factor."""

    @property
    def width(self) -> int:
        """Number of values of one label."""
        return math.prod(self.shape)


RELATIVE_LABELS: tuple[RelativeLabel, ...] = (
    RelativeLabel("relative_rotation", (3, 3), "1", "object", "R1ᵀ R2", "transposed", _ROTATION),
    RelativeLabel(
        "relative_quaternion",
        (4,),
        "1",
        "object",
        "xyzw of R1ᵀ R2, its sign by `quaternion_sign`",
        "conjugate",
        _ROTATION,
    ),
    RelativeLabel(
        "relative_rotation_6d",
        (6,),
        "1",
        "object",
        "first column of R1ᵀ R2, then its second",
        None,
        _ROTATION,
    ),
    RelativeLabel(
        "relative_rotation_vector",
        (3,),
        "rad",
        "object",
        "axis times angle of R1ᵀ R2, at most π long",
        "negated",
        _ROTATION,
    ),
    RelativeLabel("relative_rotation_world", (3, 3), "1", "world", "R2 R1ᵀ", "transposed", _ROTATION),
    RelativeLabel("relative_angle_rad", (), "rad", "", "geodesic angle of R1ᵀ R2, 0 to π", "same"),
    RelativeLabel("relative_pose", (4, 4), "1, diagonals", "object", "M1⁻¹ M2", "inverted", _MOTION),
    RelativeLabel(
        "relative_twist",
        (6,),
        "rad, diagonals",
        "object",
        "(ω, v) with exp(ω, v) = M1⁻¹ M2, ω at most π long",
        "negated",
        _MOTION,
    ),
    RelativeLabel(
        "translation_difference_object", (3,), "diagonals", "object", "t2 - t1", "negated", _TRANSLATION
    ),
    RelativeLabel(
        "translation_difference_base", (3,), "diagonals", "world", "R2 t2 - R1 t1", "negated", _TRANSLATION
    ),
)
"""The relative labels of the object's motion."""

FACTOR_DIFFERENCES: tuple[RelativeLabel, ...] = (
    RelativeLabel(
        "FACTOR_difference",
        (),
        "its own",
        "",
        "value in view 2 minus value in view 1, such as `floor_hue_difference`",
        "negated",
    ),
    RelativeLabel(
        "FACTOR_difference_circular",
        (),
        "its own",
        "",
        "difference by the shorter way around the circle: -period/2 ≤ difference < period/2",
        "negated",
    ),
)
"""The relative labels of any factor. The factor's name replaces "FACTOR"."""

_BY_NAME = {label.name: label for label in RELATIVE_LABELS}


def get_relative_label(name: str) -> RelativeLabel:
    """Return the relative label of a name, such as ``relative_pose`` or ``floor_hue_difference``.

    Raises:
        InvalidInputError: There is no relative label of this name.
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    for label, suffix in zip(FACTOR_DIFFERENCES, _DIFFERENCE_SUFFIXES, strict=True):
        if name.endswith(suffix):
            return replace(label, name=name, determines=(name.removesuffix(suffix),))
    raise InvalidInputError(
        f"there is no relative label {name!r}; use one of {', '.join(_BY_NAME)}, or the difference of a "
        "factor, such as floor_hue_difference"
    )

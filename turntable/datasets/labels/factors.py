"""The factors of variation of a view: their names, units and ranges, and the limits for any recipe."""

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turntable.datasets.files import FACTOR_NAME_PATTERN, MAX_SIZE_PX, JsonFields

Unit = Literal["rad", "turn", "1", "W", "px"]
Distribution = Literal["uniform", "fixed", "two-sided", "integer", "joint"]
"""The distribution of a column. "uniform": over [low, high]. "fixed": one value. "two-sided": a magnitude
uniform over [inner, high] with a random sign. "integer": one of the whole numbers from low to high, both
included, each as likely. "joint": drawn together with other columns (a rotation on SO(3), a motion, a factor
that is coupled to another or differs by environment), so the column alone has only its bounds."""
Role = Literal["scene", "object", "derived"]
Draws = Literal["philox", "numpy-legacy", "imported"]
"""The origin of factors. "philox": counter-based draws. "numpy-legacy": the stream of the published
generators. "imported": labels that came with pictures."""
_MIN_SIZE, _MAX_SIZE = 1e-9, 1e9
"""The least and the greatest magnitude of the numbers of a factor that is read from untrusted JSON."""


@dataclass(frozen=True, slots=True)
class Factor:
    """One label column, and how it is drawn."""

    name: str
    unit: Unit
    """The unit: "rad", "turn" for a hue (1 is a full circle), "W", "px" of the picture as rendered, or "1"
    for lengths in bounding-box diagonals."""
    low: float
    high: float
    """The upper end of the range; equal to ``low`` if the distribution is "fixed"."""
    distribution: Distribution = "uniform"
    period: float | None = None
    """The value after which a circular quantity repeats; None if it is not circular."""
    description: str = ""
    inner: float = 0.0
    """The least magnitude if the distribution is "two-sided"; ``low`` is then ``-high``."""
    role: Role = "scene"
    """The role of the column: "scene" columns describe the scene, "object" ones the object itself, whose mesh
    shows them; "derived" ones are computed from others."""
    per: Literal["view", "sequence"] = "view"
    """The frequency of the draws: one for every view, or one held over a sequence of views."""

    @classmethod
    def from_fields(cls, fields: JsonFields) -> "Factor":
        """Read a factor from untrusted JSON. Raises FieldError.

        The name is checked against a pattern, because queries contain it.
        """
        low, high = (fields.get_number(name, -_MAX_SIZE, _MAX_SIZE) for name in ("low", "high"))
        if low > high:
            fields.raise_error("low", f"at most {high:g}, as high is")
        factor = cls(
            name=fields.get_text("name", pattern=FACTOR_NAME_PATTERN),
            unit=fields.get_choice("unit", get_args(Unit)),
            low=low,
            high=high,
            distribution=fields.get_choice("distribution", get_args(Distribution), "uniform"),
            period=fields.get_number("period", _MIN_SIZE, _MAX_SIZE) if fields.has("period") else None,
            description=fields.get_text("description", default=""),
            inner=fields.get_number("inner", 0, _MAX_SIZE, default=0.0),
            role=fields.get_choice("role", get_args(Role), "scene"),
            per=fields.get_choice("per", ("view", "sequence"), "view"),
        )
        fields.check_all_read()
        return factor

    def compute_bounds(self) -> tuple[np.float32, np.float32]:
        """Compute the least and the greatest float32 label.

        They lie inside [low, high]; those of a fixed factor are its rounded value.
        """
        low, high = np.float32(self.low), np.float32(self.high)
        if self.distribution == "fixed":
            return low, high
        # Rounding to float32 may leave the range; then the next number inside it is the bound.
        low = np.nextafter(low, np.float32(np.inf)) if float(low) < self.low else low
        high = np.nextafter(high, np.float32(-np.inf)) if float(high) > self.high else high
        return low, high

    def contains(self, values: ArrayLike) -> NDArray[np.bool_]:
        """Return for each value whether it is a label of this factor: finite and within bounds."""
        low, high = self.compute_bounds()
        array = np.asarray(values)
        inside = np.isfinite(array) & (array >= low) & (array <= high)
        if self.distribution == "integer":
            return inside & (array == np.round(array))
        return inside & (np.abs(array) >= self.inner) if self.distribution == "two-sided" else inside

    def to_label(self, values: ArrayLike) -> NDArray[np.float32]:
        """Round values within the range to float32 labels that do not leave it."""
        rounded = np.asarray(values, dtype=np.float64).astype(np.float32)
        if self.distribution == "integer":
            rounded = np.round(rounded)
        if self.distribution == "two-sided":
            least = np.float32(self.inner)
            least = np.nextafter(least, np.float32(np.inf)) if float(least) < self.inner else least
            rounded = np.copysign(np.maximum(np.abs(rounded), least), rounded)
        return np.clip(rounded, *self.compute_bounds())

    def get_intervals(self) -> tuple[tuple[float, float], ...]:
        """Return the closed intervals that hold all of its values."""
        if self.distribution == "two-sided":
            return (-self.high, -self.inner), (self.inner, self.high)
        return ((self.low, self.high),)

    def with_range(self, low: float, high: float) -> "Factor":
        """Return this factor, uniform over another range."""
        return replace(self, low=float(low), high=float(high), inner=0.0, distribution="uniform")

    def with_value(self, value: float) -> "Factor":
        """Return this factor, fixed at one value."""
        return replace(self, low=float(value), high=float(value), inner=0.0, distribution="fixed")

    def with_two_sided_range(self, inner: float, outer: float) -> "Factor":
        """Return this factor with a random sign and a magnitude uniform over [inner, outer]."""
        changed = replace(self, low=-float(outer), high=float(outer), inner=float(inner))
        return replace(changed, distribution="two-sided")

    def with_integers(self, low: float, high: float) -> "Factor":
        """Return this factor, drawn from the whole numbers of a range."""
        return replace(self, low=float(low), high=float(high), inner=0.0, distribution="integer")

    def with_per_sequence(self) -> "Factor":
        """Return this factor, drawn once for each sequence of views."""
        return replace(self, per="sequence")

    def with_joint_range(self, low: float, high: float) -> "Factor":
        """Return this factor, drawn together with others and bounded by [low, high]."""
        return replace(self, low=float(low), high=float(high), inner=0.0, distribution="joint")


@dataclass(frozen=True, slots=True)
class StandardFactor:
    """A factor that the renderer understands: its usual range, and the physical limits for any recipe."""

    factor: Factor
    minimum: float
    maximum: float
    maximum_excluded: bool = False
    default: float | None = None
    """The value if a recipe does not name the factor; None if every recipe must name it."""


def _make_rotation(axis: str) -> StandardFactor:
    return StandardFactor(
        Factor(
            f"rotation_{axis}_rad",
            "rad",
            -math.pi / 2,
            math.pi / 2,
            period=2 * math.pi,
            description=f"extrinsic Euler angle about the world's {axis} axis; R = Rz Ry Rx",
        ),
        minimum=-2 * math.pi,
        maximum=2 * math.pi,
    )


def _make_hue(name: str, description: str) -> StandardFactor:
    factor = Factor(name, "turn", 0.0, 1.0, period=1.0, description=description)
    return StandardFactor(factor, minimum=0.0, maximum=1.0)


def _make_translation(axis: str) -> StandardFactor:
    description = f"shift along the object's own {axis} axis before it turns, in bounding-box diagonals"
    factor = Factor(f"translation_{axis}", "1", -0.5, 0.5, description=description)
    return StandardFactor(factor, minimum=-2.0, maximum=2.0, default=0.0)


_LIGHT_THETA = StandardFactor(
    Factor("light_theta_rad", "rad", 0.0, math.pi / 4, description="angle of the spot from the vertical"),
    minimum=0.0,
    maximum=math.pi / 2,
    maximum_excluded=True,
)
_LIGHT_PHI = StandardFactor(
    Factor(
        "light_phi_rad",
        "rad",
        0.0,
        2 * math.pi,
        period=2 * math.pi,
        description="azimuth of the spot from +x",
    ),
    minimum=-2 * math.pi,
    maximum=2 * math.pi,
)

# Descriptions are stored in manifests, so their wording must not change.
_DISTANCE_DESCRIPTION = "of the camera from the origin, in bounding-box diagonals"
_CAMERA_DISTANCE = StandardFactor(
    Factor("camera_distance", "1", 2.0, 3.0, description=_DISTANCE_DESCRIPTION),
    minimum=1.5,
    maximum=7.0,  # depths are stored up to 8, and the whole object must be within that
    default=2.5,
)
_CAMERA_ELEVATION = StandardFactor(
    Factor(
        "camera_elevation_rad",
        "rad",
        math.pi / 6,
        math.pi / 3,
        description="angle of the camera above the horizontal",
    ),
    minimum=0.02,
    maximum=math.pi / 2 - 0.02,
    default=math.pi / 4,
)
_LIGHT_POWER = StandardFactor(
    Factor("light_power_w", "W", 250.0, 750.0, description="radiant power of the spot"),
    minimum=0.0,
    maximum=5000.0,
    default=500.0,
)
_SUN_STRENGTH = StandardFactor(
    Factor("sun_strength", "1", 0.75, 2.25, description="irradiance of the white sun from straight above"),
    minimum=0.0,
    maximum=10.0,
    default=1.5,
)
_CAMERA_ROLL = StandardFactor(
    Factor(
        "camera_roll_rad",
        "rad",
        -math.pi,
        math.pi,
        period=2 * math.pi,
        description="turn of the camera about its forward axis; the picture's content turns clockwise",
    ),
    minimum=-math.pi,
    maximum=math.pi,
    default=0.0,
)


def _make_principal_point(axis: str, direction: str) -> StandardFactor:
    description = f"shift of the principal point {direction}, in pixels of the picture as rendered"
    factor = Factor(f"principal_point_d{axis}_px", "px", -16.0, 16.0, description=description)
    # Half of the largest picture; a recipe's own picture limits it further.
    return StandardFactor(factor, minimum=-MAX_SIZE_PX / 2, maximum=MAX_SIZE_PX / 2, default=0.0)


STANDARD_FACTORS: tuple[StandardFactor, ...] = (
    *(_make_rotation(axis) for axis in "xyz"),
    _make_hue("floor_hue", "hue of the floor; saturation and value are 0.6"),
    _LIGHT_THETA,
    _LIGHT_PHI,
    _make_hue("light_hue", "hue of the spot; saturation 1, value 0.8"),
    *(_make_translation(axis) for axis in "xyz"),
    _CAMERA_DISTANCE,
    _CAMERA_ELEVATION,
    _LIGHT_POWER,
    _SUN_STRENGTH,
    _CAMERA_ROLL,
    _make_principal_point("x", "to the right"),
    _make_principal_point("y", "down"),
)
"""The factors that the renderer understands, in the order of the label columns. 3DIEBench's come first."""

HANDEDNESS = Factor(
    "handedness",
    "1",
    -1.0,
    1.0,
    distribution="two-sided",
    description="1 for the mesh as it is, -1 for its mirror image, x to -x in the object's frame",
    inner=1.0,
    role="object",
)
"""The column that tells mirrored twins from their objects, in a set that has twins."""

STANDARD_FACTORS_BY_NAME: dict[str, StandardFactor] = {
    standard.factor.name: standard for standard in STANDARD_FACTORS
}

REQUIRED_FACTORS: tuple[str, ...] = tuple(
    item.factor.name for item in STANDARD_FACTORS if item.default is None
)
"""The factors that every view must have: those of 3DIEBench, in the order of its published labels."""

FACTOR_DEFAULTS: dict[str, float] = {
    item.factor.name: item.default for item in STANDARD_FACTORS if item.default is not None
}
"""The factors that a recipe may leave out, with their values in that case."""

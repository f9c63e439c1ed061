"""The factors of variation a view may have: names, units, ranges, and the limits no recipe may leave."""

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turntable.datasets.files import FACTOR_NAME, Fields

Unit = Literal["rad", "turn", "1", "W"]
Distribution = Literal["uniform", "fixed", "two-sided", "joint"]
"""Of a column: uniform over [low, high]; one value; a magnitude uniform over [inner, high] with a sign at
random; or decided together with other columns (a rotation on SO(3), a motion) and only bounded by itself."""
Draws = Literal["philox", "numpy-legacy", "imported"]
"""Origin of factors: counters, the stream of the published generators, or labels that came with pictures."""
_LEAST, _GREATEST = 1e-9, 1e9
"""In size, of the numbers of a factor that a stranger describes."""


@dataclass(frozen=True, slots=True)
class Factor:
    """One column of the labels, and how it is drawn."""

    name: str
    unit: Unit
    """"rad", "turn" for a hue (1 is a full circle), "W", "1" for lengths in bounding-box diagonals."""
    low: float
    high: float
    """Equal to ``low`` where the distribution is "fixed"."""
    distribution: Distribution = "uniform"
    period: float | None = None
    """Where the quantity is a circle: the value after which it repeats."""
    description: str = ""
    inner: float = 0.0
    """Least magnitude where the distribution is "two-sided"; ``low`` is then ``-high``."""
    role: Literal["scene", "derived"] = "scene"
    """"derived" columns follow from others, and no scene is made of them."""
    per: Literal["view", "sequence"] = "view"
    """Whether it is drawn for every view, or once and held over a sequence of views."""

    @classmethod
    def from_fields(cls, fields: Fields) -> "Factor":
        """Read a factor from JSON, whoever wrote it; queries have its name in them. Raises FieldError."""
        low, high = (fields.number(name, -_GREATEST, _GREATEST) for name in ("low", "high"))
        if low > high:
            fields.refuse("low", f"at most {high:g}, as high is")
        factor = cls(
            name=fields.text("name", pattern=FACTOR_NAME),
            unit=fields.choice("unit", get_args(Unit)),
            low=low,
            high=high,
            distribution=fields.choice("distribution", get_args(Distribution), "uniform"),
            period=fields.number("period", _LEAST, _GREATEST) if fields.has("period") else None,
            description=fields.text("description", default=""),
            inner=fields.number("inner", 0, _GREATEST, default=0.0),
            role=fields.choice("role", ("scene", "derived"), "scene"),
            per=fields.choice("per", ("view", "sequence"), "view"),
        )
        fields.finish()
        return factor

    def bounds(self) -> tuple[np.float32, np.float32]:
        """The least and the greatest float32 label: inside [low, high], or the value fixed, rounded."""
        low, high = np.float32(self.low), np.float32(self.high)
        if self.distribution == "fixed":
            return low, high
        low = np.nextafter(low, np.float32(np.inf)) if float(low) < self.low else low
        high = np.nextafter(high, np.float32(-np.inf)) if float(high) > self.high else high
        return low, high

    def contains(self, values: ArrayLike) -> NDArray[np.bool_]:
        """Tell for each value whether it is a label this factor can have (finite, within bounds)."""
        low, high = self.bounds()
        array = np.asarray(values)
        inside = np.isfinite(array) & (array >= low) & (array <= high)
        return inside & (np.abs(array) >= self.inner) if self.distribution == "two-sided" else inside

    def to_label(self, values: ArrayLike) -> NDArray[np.float32]:
        """Round values drawn within the range to float32 labels that do not leave it."""
        rounded = np.asarray(values, dtype=np.float64).astype(np.float32)
        if self.distribution == "two-sided":
            least = np.float32(self.inner)
            least = np.nextafter(least, np.float32(np.inf)) if float(least) < self.inner else least
            rounded = np.copysign(np.maximum(np.abs(rounded), least), rounded)
        return np.clip(rounded, *self.bounds())

    def intervals(self) -> tuple[tuple[float, float], ...]:
        """The closed intervals that hold all its values."""
        if self.distribution == "two-sided":
            return (-self.high, -self.inner), (self.inner, self.high)
        return ((self.low, self.high),)

    def over(self, low: float, high: float) -> "Factor":
        """This factor, uniform over another range."""
        return replace(self, low=float(low), high=float(high), inner=0.0, distribution="uniform")

    def fixed(self, value: float) -> "Factor":
        """This factor, held at one value."""
        return replace(self, low=float(value), high=float(value), inner=0.0, distribution="fixed")

    def two_sided(self, inner: float, outer: float) -> "Factor":
        """This factor, its magnitude uniform over [inner, outer] and its sign at random."""
        changed = replace(self, low=-float(outer), high=float(outer), inner=float(inner))
        return replace(changed, distribution="two-sided")

    def held(self) -> "Factor":
        """This factor, drawn once for a sequence of views."""
        return replace(self, per="sequence")

    def bounded(self, low: float, high: float) -> "Factor":
        """This factor, decided together with others and never beyond [low, high]."""
        return replace(self, low=float(low), high=float(high), inner=0.0, distribution="joint")


@dataclass(frozen=True, slots=True)
class StandardFactor:
    """A factor the renderer understands: its usual range, and the physical limits of any recipe."""

    factor: Factor
    minimum: float
    maximum: float
    maximum_excluded: bool = False
    default: float | None = None
    """The value where a recipe is silent; None: a recipe must name the factor."""


def _rotation(axis: str) -> StandardFactor:
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


def _hue(name: str, description: str) -> StandardFactor:
    factor = Factor(name, "turn", 0.0, 1.0, period=1.0, description=description)
    return StandardFactor(factor, minimum=0.0, maximum=1.0)


def _translation(axis: str) -> StandardFactor:
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

_CAMERA_DISTANCE = StandardFactor(
    Factor(
        "camera_distance",
        "1",
        2.0,
        3.0,
        description="of the camera from the origin, in bounding-box diagonals",
    ),
    minimum=1.5,
    maximum=7.0,  # depths are stored up to 8, which is to hold for all of an object
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

STANDARD: tuple[StandardFactor, ...] = (
    *(_rotation(axis) for axis in "xyz"),
    _hue("floor_hue", "hue of the floor; saturation and value are 0.6"),
    _LIGHT_THETA,
    _LIGHT_PHI,
    _hue("light_hue", "hue of the spot; saturation 1, value 0.8"),
    *(_translation(axis) for axis in "xyz"),
    _CAMERA_DISTANCE,
    _CAMERA_ELEVATION,
    _LIGHT_POWER,
    _SUN_STRENGTH,
)
"""Every factor the renderer understands, in the order of the label columns (3DIEBench's own comes first)."""

STANDARD_BY_NAME: dict[str, StandardFactor] = {standard.factor.name: standard for standard in STANDARD}

REQUIRED: tuple[str, ...] = tuple(item.factor.name for item in STANDARD if item.default is None)
"""Those that every view must have: 3DIEBench's own, in the order of its published labels."""

DEFAULTS: dict[str, float] = {item.factor.name: item.default for item in STANDARD if item.default is not None}
"""Those that may be left out, and the values they have then."""

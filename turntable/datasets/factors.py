"""The factors of variation a view may have: names, units, ranges, and the limits no recipe may leave."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Unit = Literal["rad", "turn", "1"]
Distribution = Literal["uniform", "fixed"]


@dataclass(frozen=True, slots=True)
class Factor:
    """One column of the labels, and how it is drawn."""

    name: str
    unit: Unit
    """"rad", "turn" for a hue (1 is a full circle), "1" for lengths in bounding-box diagonals."""
    low: float
    high: float
    """Equal to ``low`` where the distribution is "fixed"."""
    distribution: Distribution = "uniform"
    period: float | None = None
    """Where the quantity is a circle: the value after which it repeats."""
    description: str = ""

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
        return np.isfinite(array) & (array >= low) & (array <= high)

    def over(self, low: float, high: float) -> "Factor":
        """This factor, uniform over another range."""
        return replace(self, low=float(low), high=float(high), distribution="uniform")

    def fixed(self, value: float) -> "Factor":
        """This factor, held at one value."""
        return replace(self, low=float(value), high=float(value), distribution="fixed")


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

STANDARD: tuple[StandardFactor, ...] = (
    *(_rotation(axis) for axis in "xyz"),
    _hue("floor_hue", "hue of the floor; saturation and value are 0.6"),
    _LIGHT_THETA,
    _LIGHT_PHI,
    _hue("light_hue", "hue of the spot; saturation 1, value 0.8"),
    *(_translation(axis) for axis in "xyz"),
)
"""Every factor the renderer understands, in the order of the label columns (3DIEBench's own)."""

STANDARD_BY_NAME: dict[str, StandardFactor] = {standard.factor.name: standard for standard in STANDARD}

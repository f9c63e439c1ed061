"""The rule by which a spinning LiDAR scans the scene of each view, as in a recipe's table [scan].

The sensor's frame has x forward, y to the left and z up. Lengths are in meters: a recipe with a scanner says
how many of them a unit of the world has (``meters_per_unit``), and the floor of the pictures is the ground.
"""

from dataclasses import dataclass
from typing import Any

from turntable.datasets.labels.sequence_rule import Span

MAX_BEAMS = 128
"""Largest number of beams of a scanner."""
MAX_RAYS = 2**18
"""Largest number of rays of a scan."""
GROUND_INSTANCE = -1
"""Instance of returns from the ground."""
CLUTTER_INSTANCE = -2
"""Instance of returns from walls and poles."""
DEFAULT_ELEVATION_DEG: Span = (-25.0, 3.0)


@dataclass(frozen=True, slots=True)
class ScanRule:
    """The scanner of a recipe. The defaults are a scanner of 32 beams on the roof of a car."""

    beams: int = 32
    """Number of beams, at even angles from the least elevation to the greatest."""
    elevation_deg: Span = DEFAULT_ELEVATION_DEG
    """Least and greatest angle of a beam above the horizontal."""
    azimuth_step_deg: float = 0.4
    """Angle between two columns of rays; 360 is a multiple of it."""
    range_m: float = 50.0
    """Largest distance of a return."""
    noise_m: float = 0.02
    """Standard deviation of the noise of ranges, along the ray."""
    dropout: float = 0.05
    """Share of the returns that are lost."""
    height_m: float = 1.7
    """Height of the sensor above the ground."""
    distance_m: Span | None = None
    """Least and greatest distance of the sensor from the vertical axis, which it faces; None on a street,
    whose sensor drives."""

    @property
    def num_columns(self) -> int:
        """Number of columns of rays of a whole turn."""
        return round(360 / self.azimuth_step_deg)

    @property
    def num_rays(self) -> int:
        """Number of rays of a scan."""
        return self.beams * self.num_columns

    def __str__(self) -> str:
        """Return the rule in words, for tables."""
        low, high = self.elevation_deg
        return (
            f"{self.beams} beams from {low:g} to {high:g} degrees in {self.num_columns:,} columns, up to "
            f"{self.range_m:g} m, {self.height_m:g} m above the ground"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the table [scan] of a recipe."""
        low, high = self.elevation_deg
        table: dict[str, Any] = {
            "beams": self.beams,
            "elevation_deg": {"low": low, "high": high},
            "azimuth_step_deg": self.azimuth_step_deg,
            "range_m": self.range_m,
            "noise_m": self.noise_m,
            "dropout": self.dropout,
            "height_m": self.height_m,
        }
        if self.distance_m is not None:
            table["distance_m"] = {"low": self.distance_m[0], "high": self.distance_m[1]}
        return table

"""The rule by which objects are composed into streets that a sensor drives through, as in a table [street].

A street is an assembly whose parts are whole objects, in true size, besides walls and poles that stand still.
They stand on the floor of the pictures, which is the ground, and the sensor is above the origin in the first
frame of every sequence. Lengths are in meters, times in seconds.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal

from turntable.datasets.labels.sequence_rule import Span

Front = Literal["+x", "-x", "+y", "-y"]
"""Direction in which the front of objects points in their own frame."""

MAX_STREET_OBJECTS = 24
"""Largest number of objects of a street."""
MAX_WALLS = 8
"""Largest number of walls of a street."""
MAX_POLES = 16
"""Largest number of poles of a street."""
WALL = "wall"
"""Category of the parts that are walls."""
POLE = "pole"
"""Category of the parts that are poles."""
DEFAULT_LENGTHS: tuple[tuple[str, float], ...] = (
    ("bicycle", 1.8),
    ("bus", 11.0),
    ("car", 4.5),
    ("dog", 1.0),
    ("truck", 7.0),
)
"""Categories of a street's objects with their usual lengths."""


@dataclass(frozen=True, slots=True)
class StreetRule:
    """The rule of a recipe's streets."""

    objects: tuple[int, int] = (5, 12)
    """Least and greatest number of objects of a street."""
    lengths_m: tuple[tuple[str, float], ...] = DEFAULT_LENGTHS
    """Categories of the objects, sorted, with their usual lengths; an object's own is within a tenth."""
    front: Front = "+y"
    """Direction in which the front of the objects points in the source's meshes; "+y" in the zoo."""
    area_m: float = 25.0
    """Half the side of the square in which all stand at the first frame of a sequence."""
    gap_m: float = 0.3
    """Least distance between two boxes, in every frame."""
    clearance_m: float = 2.5
    """Half the side of the square around the sensor that nothing enters, in every frame."""
    frame_s: float = 0.1
    """Time from a frame to the next."""
    resting: float = 0.4
    """Share of the objects that are at rest."""
    speed_m_per_s: Span = (0.0, 15.0)
    """Least and greatest speed of the others, along their heading."""
    yaw_rate_rad_per_s: float = 0.5
    """Greatest rate at which they, and the sensor, turn either way."""
    ego_speed_m_per_s: Span = (0.0, 10.0)
    """Least and greatest speed of the sensor, along its heading."""
    walls: tuple[int, int] = (1, 3)
    """Least and greatest number of walls."""
    poles: tuple[int, int] = (2, 6)
    """Least and greatest number of poles."""
    tries: int = 100
    """Largest number of tries to arrange a street."""

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories of the objects, sorted."""
        return tuple(name for name, _ in self.lengths_m)

    def to_dict(self) -> dict[str, Any]:
        """Return the table [street] of a recipe, without what has its default."""
        given = {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if getattr(self, item.name) != item.default
        }
        return {name: _to_table(name, value) for name, value in given.items()}

    def __str__(self) -> str:
        """Return the rule in words, for tables."""
        low, high = self.objects
        count = f"{low} objects" if low == high else f"{low} to {high} objects"
        return (
            f"{count} ({', '.join(self.categories)}) within {self.area_m:g} m of the sensor along x and y, "
            f"{self.resting:.0%} at rest, the others at up to {self.speed_m_per_s[1]:g} m/s"
        )


def _to_table(name: str, value: Any) -> Any:
    if name == "lengths_m":
        return dict(value)
    return {"low": value[0], "high": value[1]} if isinstance(value, tuple) else value

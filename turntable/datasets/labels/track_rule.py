"""The rule of the tracks of points and particles, as in a recipe's table [tracks]."""

from dataclasses import dataclass
from typing import Any

DEFAULT_KEYPOINTS = 16
MAX_KEYPOINTS = 1024


@dataclass(frozen=True, slots=True)
class TrackRule:
    """The rule of a recipe's tracks."""

    keypoints: int
    """Number of points of each object's surface that are followed; 0 for the centers of particles."""

    def describe(self) -> str:
        """Return the rule in words, for tables."""
        return f"{self.keypoints} points of each object" if self.keypoints else "particles"

    def to_dict(self) -> dict[str, Any]:
        """Return the table [tracks] of a recipe."""
        return {"keypoints": self.keypoints}

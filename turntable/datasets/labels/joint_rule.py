"""The rule that draws the values of joints, as in a recipe's table [joints]."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

JointRange = Literal["full", "seen", "unseen"]
"""Share of a joint's range that is drawn from: all of it, its middle, or the rest at both ends."""
JointMotion = Literal["linear", "held"]
"""Motion of a joint over a sequence: evenly from one drawn value to another, or none."""
JointScope = Literal["view", "object"]
"""Scope of a drawn value: a view (or a sequence of views), or all views of an object."""
DEFAULT_SEEN_FRACTION = 0.6


@dataclass(frozen=True, slots=True)
class JointRule:
    """The rule of a recipe's joints."""

    range: JointRange = "full"
    seen_fraction: float = DEFAULT_SEEN_FRACTION
    """Share of a joint's range, in its middle, that "seen" draws from and "unseen" leaves out."""
    per: JointScope = "view"
    motion: JointMotion = "linear"
    """Motion over a sequence; without sequences, and where an object has one value, there is none."""

    def to_dict(self) -> dict[str, Any]:
        """Return the table [joints] of a recipe, without the keys that have their default."""
        table: dict[str, Any] = {"range": self.range}
        fraction = self.seen_fraction
        table |= {"seen_fraction": fraction} if fraction != DEFAULT_SEEN_FRACTION else {}
        table |= {"per": self.per} if self.per != "view" else {}
        return table | ({"motion": self.motion} if self.motion != "linear" else {})

    def choose_intervals(
        self, low: FloatArray, high: FloatArray, at_high_end: NDArray[np.bool_]
    ) -> tuple[FloatArray, FloatArray]:
        """Return the intervals to draw from.

        Args:
            low: Least values [J] of the joints.
            high: Greatest values [J].
            at_high_end: Mask [..., J]: for "unseen", which of the two ends to take.

        Returns:
            Least and greatest values: [..., J] each for "unseen", and [J] otherwise.
        """
        cut = (high - low) * (1 - self.seen_fraction) / 2
        if self.range == "full":
            cut = np.zeros_like(cut)
        if self.range != "unseen":
            return low + cut, high - cut
        return np.where(at_high_end, high - cut, low), np.where(at_high_end, high, low + cut)

    def describe(self, *, in_sequences: bool) -> str:
        """Return the rule in words, for tables and manifests.

        Args:
            in_sequences: True if the views are divided into sequences.
        """
        share = f"{self.seen_fraction:.0%}"
        where = {
            "full": "over its whole range",
            "seen": f"over the middle {share} of its range",
            "unseen": f"over both ends of its range, outside the middle {share}",
        }
        own = "one value for each view"
        if self.per == "object":
            own = "one value for each object"
        elif in_sequences:
            own = "one value for each sequence" if self.motion == "held" else "even motion over each sequence"
        return f"each joint uniform {where[self.range]}; {own}"


DEFAULT_JOINT_RULE = JointRule()
"""The rule of recipes without a table [joints]."""

"""The report of a check of a data set: its problems, and what was not tested."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The problems that a check of a data set found."""

    problems: tuple[str, ...]
    """Problems, each with the place and the fault; empty if there are none."""
    notes: tuple[str, ...] = ()
    """Parts that were not tested, with the reasons."""

    @property
    def ok(self) -> bool:
        """True if there are no problems."""
        return not self.problems

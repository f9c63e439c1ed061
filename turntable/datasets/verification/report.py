"""The report of a check: what is wrong, and what was not looked at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The problems that a check of a data set found."""

    problems: tuple[str, ...]
    """Each says where it is and what is wrong; empty where all is well."""
    notes: tuple[str, ...] = ()
    """What was not tested, and why."""

    @property
    def ok(self) -> bool:
        """Whether there is no problem at all."""
        return not self.problems

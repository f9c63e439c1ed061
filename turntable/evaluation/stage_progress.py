"""The progress of an evaluation or a study: a stage after the other, each with a number of items."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageProgress:
    """The progress of one stage of an evaluation or a study."""

    stage: str
    """Name of the stage, such as "features of the val split"."""
    done: int
    """Number of items done."""
    total: int
    """Number of all items of the stage."""
    unit: str
    """Name of the items, such as "views" or "epochs"."""


ProgressCallback = Callable[[StageProgress], None]
"""Function that is called whenever items of a stage are done, and when a stage begins."""


def ignore_progress(_: StageProgress) -> None:
    """Do nothing with a progress."""


class StageCounter:
    """A counter of the items of one stage, which reports its beginning and every change.

    Args:
        report: Function that is called with the progress.
        stage: Name of the stage.
        total: Number of all items.
        unit: Name of the items.
    """

    def __init__(self, report: ProgressCallback, stage: str, total: int, unit: str) -> None:
        self._report, self._stage, self._total, self._unit = report, stage, total, unit
        self._done = 0
        self._tell()

    @property
    def done(self) -> int:
        """Number of items done."""
        return self._done

    def add(self, count: int = 1) -> None:
        """Count further items as done."""
        self.move_to(self._done + count)

    def move_to(self, done: int) -> None:
        """Set the number of items done."""
        self._done = min(done, self._total)
        self._tell()

    def _tell(self) -> None:
        self._report(StageProgress(self._stage, self._done, self._total, self._unit))

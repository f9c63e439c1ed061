"""Counting of the epochs of all heads of an evaluation, so that the time left can be told."""

from collections.abc import Sequence

from turntable.evaluation.measurement import ProbeConfig
from turntable.evaluation.stage_progress import ProgressCallback, StageCounter
from turntable.evaluation.tasks import Task


class HeadCounter:
    """A counter of the epochs of heads, over all tasks and rows of an evaluation.

    A task counts as many epochs as its head is trained, and one for its scores. A task that does not report
    its epochs is counted when it ends.

    Args:
        report: Function that is called with the progress.
        tasks: The task of each head, as often as it is fitted.
    """

    def __init__(self, report: ProgressCallback, tasks: Sequence[Task]) -> None:
        self._counter = StageCounter(report, "heads", sum(map(_count_epochs, tasks)), "epochs")
        self._ended = 0

    def count_epoch(self) -> None:
        """Count an epoch of the head in training."""
        self._counter.add()

    def end_head(self, task: Task) -> None:
        """Count a head as done, whatever it has reported."""
        self._ended += _count_epochs(task)
        self._counter.move_to(self._ended)


def _count_epochs(task: Task) -> int:
    """Return the number of epochs of a task's head, and one for its scores."""
    probe = getattr(task, "probe", None)
    return 1 + (probe.epochs if isinstance(probe, ProbeConfig) else 0)

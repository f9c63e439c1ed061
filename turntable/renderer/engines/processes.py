"""Workers on this machine: processes that are watched, recycled, and replaced when they die."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from turntable.errors import InvalidInputError
from turntable.renderer.backends import Choice, choose
from turntable.renderer.engines.protocol import Watcher
from turntable.renderer.pool import Watch, run_tasks
from turntable.renderer.workers import ShardTask, ShardWorker, WorkerSetup, after_loss

SILENT_S = 900.0
"""A worker says a word with every object, so one that is silent for so long hangs: in a driver, as a rule."""
SHARDS_A_PROCESS = 64
MEMORY_SHARE = 0.8
"""All workers together may hold this share of the machine's memory."""


@dataclass(frozen=True, slots=True)
class Processes:
    """So many worker processes.

    Raises:
        InvalidInputError: There must be at least one.
    """

    workers: int = 1

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise InvalidInputError(f"--workers {self.workers}: there must be at least one")

    def drawing(self, backend: str, device: str) -> Choice:
        """Made out on this machine, before any worker starts."""
        return choose(backend, device)

    def make(self, tasks: Sequence[ShardTask], setup: WorkerSetup, watcher: Watcher) -> None:
        """Make them all, or as many as are begun before the watcher says stop."""
        count = min(self.workers, len(tasks))
        run_tasks(
            tasks,
            ShardWorker.open,
            [(number, setup) for number in range(count)],
            name=lambda task: task.name,
            on_done=watcher.made,
            on_progress=watcher.in_work,
            on_replaced=watcher.worker_replaced,
            again=after_loss,
            stop=watcher.stop,
            watch=Watch(SILENT_S, MEMORY_SHARE * _machine_bytes() / count, SHARDS_A_PROCESS),
        )


def _machine_bytes() -> float:
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError, AttributeError):
        return float("inf")

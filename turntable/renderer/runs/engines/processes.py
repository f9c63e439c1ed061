"""Workers on this machine: processes that are watched, recycled, and replaced when they die."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from turntable.datasets import Recipe
from turntable.errors import InvalidInputError
from turntable.processes import Watch, run_tasks
from turntable.renderer.backends import Choice, choose
from turntable.renderer.runs.engines.protocol import Watcher
from turntable.renderer.runs.workers import ShardTask, ShardWorker, WorkerSetup, after_loss

SILENT_S = 900.0
SILENT_S_A_MEGAPIXEL = 20.0
"""A worker says a word with every object. One that is silent for longer than this, and so long for each
million pixels of an object's views (ten times what drawing in software takes), hangs: in a driver, mostly."""
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

    def opener(self, backend: str, device: str) -> Choice:
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
            watch=Watch(
                longest_silence_s(setup.recipe), MEMORY_SHARE * _machine_bytes() / count, SHARDS_A_PROCESS
            ),
        )


def longest_silence_s(recipe: Recipe) -> float:
    """How long a worker may be silent that does nothing wrong."""
    return SILENT_S + SILENT_S_A_MEGAPIXEL * recipe.views * recipe.image_size_px**2 / 1e6


def _machine_bytes() -> float:
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError, AttributeError):
        return float("inf")

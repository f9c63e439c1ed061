"""The engine of one machine: worker processes that are watched, recycled, and replaced when they die."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from turntable.datasets import Recipe
from turntable.errors import InvalidInputError
from turntable.processes import WorkerLimits, run_tasks
from turntable.renderer.backends import BackendSelection, select_backend
from turntable.renderer.runs.engines.protocol import EngineCallbacks
from turntable.renderer.runs.shard_workers import ShardTask, ShardWorker, WorkerSetup, retry_after_death

MAX_SILENCE_S = 900.0
MAX_SILENCE_S_PER_MEGAPIXEL = 20.0
"""Largest time between two reports of a worker, which reports with every object.

The second number is for each million pixels of an object's views, and is ten times what software rendering
takes. A worker that is silent for longer hangs, mostly in a driver.
"""
SHARDS_PER_PROCESS = 64
"""Number of shards after which a worker process is replaced."""
MEMORY_SHARE = 0.8
"""Share of the machine's memory that all workers together may hold."""


@dataclass(frozen=True, slots=True)
class ProcessEngine:
    """A number of worker processes on this machine.

    Raises:
        InvalidInputError: The number is below 1.
    """

    num_workers: int = 1

    def __post_init__(self) -> None:
        if self.num_workers < 1:
            raise InvalidInputError(f"--workers {self.num_workers}: there must be at least one")

    def make_opener(self, backend: str, device: str) -> BackendSelection:
        """Select the backend and its devices on this machine, before any worker starts."""
        return select_backend(backend, device)

    def render_shards(
        self, tasks: Sequence[ShardTask], setup: WorkerSetup, callbacks: EngineCallbacks
    ) -> None:
        """Make all shards, or those that were begun before the callbacks asked to stop."""
        num_workers = min(self.num_workers, len(tasks))
        run_tasks(
            tasks,
            ShardWorker.open,
            [(number, setup) for number in range(num_workers)],
            format_task=lambda task: task.name,
            on_done=callbacks.on_shard_done,
            on_progress=callbacks.on_progress,
            on_replaced=callbacks.on_worker_replaced,
            choose_retry=retry_after_death,
            should_stop=callbacks.should_stop,
            limits=WorkerLimits(
                compute_max_silence_s(setup.recipe),
                MEMORY_SHARE * _get_memory_bytes() / num_workers,
                SHARDS_PER_PROCESS,
            ),
        )


def compute_max_silence_s(recipe: Recipe) -> float:
    """Return the longest time in seconds between two reports of a worker that works as it should."""
    return MAX_SILENCE_S + MAX_SILENCE_S_PER_MEGAPIXEL * recipe.views * recipe.image_size_px**2 / 1e6


def _get_memory_bytes() -> float:
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError, AttributeError):
        return float("inf")

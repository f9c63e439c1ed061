"""The protocol of engines, and of the callbacks through which they report to a run."""

from collections.abc import Sequence
from typing import Protocol

from turntable.renderer.backends import BackendOpener
from turntable.renderer.runs.progress import RenderCounts
from turntable.renderer.runs.shard_workers import ShardResult, ShardTask, WorkerSetup


class EngineCallbacks(Protocol):
    """The callbacks of an engine."""

    def on_shard_done(self, task: ShardTask, result: ShardResult) -> None:
        """Take the result of a finished shard."""
        ...

    def on_progress(self, counts: Sequence[RenderCounts]) -> None:
        """Take the counts of the shards in progress, a few times a second."""
        ...

    def on_worker_replaced(self, worker: int, cause: str) -> None:
        """Take the news that a worker ended, for this cause, and that another takes its place."""
        ...

    def should_stop(self) -> bool:
        """Return True if no further shard is to be begun."""
        ...


class RenderEngine(Protocol):
    """An engine of a render run: it makes shards in any order, with any number of workers."""

    def make_opener(self, backend: str, device: str) -> BackendOpener:
        """Return the selection of a backend that workers open.

        Raises:
            InvalidInputError: A name is unknown.
            DeviceError: There is no such device.
        """
        ...

    def render_shards(
        self, tasks: Sequence[ShardTask], setup: WorkerSetup, callbacks: EngineCallbacks
    ) -> None:
        """Make all shards, or those that were begun before the callbacks asked to stop.

        Raises:
            TurntableError: The run cannot go on; finished shards stay.
        """
        ...

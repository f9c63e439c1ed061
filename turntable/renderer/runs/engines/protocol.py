"""What an engine takes, and whom it tells."""

from collections.abc import Sequence
from typing import Protocol

from turntable.renderer.backends import BackendOpener
from turntable.renderer.runs.progress import Counts
from turntable.renderer.runs.workers import ShardResult, ShardTask, WorkerSetup


class Watcher(Protocol):
    """The run, as engines know it."""

    def made(self, task: ShardTask, made: ShardResult) -> None:
        """A shard is there."""
        ...

    def in_work(self, counts: Sequence[Counts]) -> None:
        """Told a few times a second what has been made of the shards in work."""
        ...

    def worker_replaced(self, number: int, how: str) -> None:
        """A worker ended, and another takes its place."""
        ...

    def stop(self) -> bool:
        """Whether no shard is to be begun any more."""
        ...


class RenderEngine(Protocol):
    """An engine of a render run: it makes shards, in any order, by any number of workers."""

    def opener(self, backend: str, device: str) -> BackendOpener:
        """Return what opens a backend in its workers.

        Raises:
            InvalidInputError: The names mean nothing.
            DeviceError: There is no such device.
        """
        ...

    def make(self, tasks: Sequence[ShardTask], setup: WorkerSetup, watcher: Watcher) -> None:
        """Make them all, or as many as are begun before the watcher says stop.

        Raises:
            TurntableError: The run cannot go on; what has been made stays made.
        """
        ...

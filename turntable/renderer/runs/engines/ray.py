"""Workers on the nodes of a Ray cluster: Ray finds a free place for each shard, and says when a node is gone.

Each Ray task makes one shard by a worker process of its own, with all that is watched and retried on one
machine. What Ray loses with a worker or a node is given again; the journal stays with the run that asked.
"""

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from turntable.errors import InvalidInputError, MissingExtraError, TurntableError
from turntable.renderer.backends import ChosenThere
from turntable.renderer.runs.engines.processes import Processes
from turntable.renderer.runs.engines.protocol import Watcher
from turntable.renderer.runs.progress import Counts
from turntable.renderer.runs.workers import ShardResult, ShardTask, WorkerSetup

LOSSES = 10
"""So many times may one shard be lost with a node or a Ray worker; more, and it is not by chance."""
POLL_S = 0.5
REACH_S = 10.0


@dataclass(frozen=True, slots=True)
class RayCluster:
    """A Ray cluster that runs already; every node has turntable and sees the meshes and the destination.

    Args:
        address: ``HOST:6379``, ``ray://HOST:10001``, or ``auto``.
        cpus: For each shard.
        gpus: For each shard; None shares the cluster's GPUs out among all of its CPUs.
    """

    address: str = "auto"
    cpus: float = 1.0
    gpus: float | None = None

    def opener(self, backend: str, device: str) -> ChosenThere:
        """Made out on each node."""
        return ChosenThere(backend, device)

    def make(self, tasks: Sequence[ShardTask], setup: WorkerSetup, watcher: Watcher) -> None:
        """Make them all, or as many as are begun before the watcher says stop."""
        ray = _ray()
        started_here = not ray.is_initialized()
        if started_here:
            try:
                _reach(self.address)
                ray.init(address=self.address, log_to_driver=False, logging_level="ERROR")
            except (OSError, RuntimeError, ValueError) as error:
                raise InvalidInputError(
                    f"--address {self.address}: no Ray cluster answers ({error}); start one: ray start --head"
                ) from None
        try:
            _Submitted(ray, self, list(tasks), ray.put(setup), watcher).run()
        finally:
            if started_here:
                ray.shutdown()


@dataclass(slots=True)
class _Submitted:
    """Tasks on their way through the cluster."""

    ray: Any
    cluster: RayCluster
    waiting: list[ShardTask]
    setup: Any
    watcher: Watcher
    in_work: dict[Any, ShardTask] = field(default_factory=dict)
    losses: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        make = self.ray.remote(max_retries=0, num_cpus=self.cluster.cpus, num_gpus=self._gpus())(_make)
        try:
            while self._submit(make) or self.in_work:
                ready, _ = self.ray.wait(list(self.in_work), num_returns=1, timeout=POLL_S)
                for reference in ready:
                    self._take(reference)
                self.watcher.in_work([])
        finally:
            for reference in self.in_work:
                self.ray.cancel(reference, force=True)

    def _submit(self, make: Any) -> bool:
        """Give as many as there are places for; whether any are still to be given."""
        if self.watcher.stop():
            return False
        while self.waiting and len(self.in_work) < self._places():
            task = self.waiting.pop(0)
            self.in_work[make.remote(self.setup, task)] = task
        if self.waiting and not self.in_work:
            time.sleep(POLL_S)  # the cluster has no place at all now: nodes may come back
        return bool(self.waiting)

    def _take(self, reference: Any) -> None:
        task = self.in_work.pop(reference)
        lost = self.ray.exceptions
        try:
            made: ShardResult = self.ray.get(reference)
        except (
            lost.WorkerCrashedError,
            lost.NodeDiedError,
            lost.OutOfMemoryError,
            lost.ObjectLostError,
        ) as error:
            self._lost(task, type(error).__name__)
        except lost.RayTaskError as error:
            cause = getattr(error, "cause", None)
            raise (cause if isinstance(cause, TurntableError) else error) from None
        else:
            self.watcher.made(task, made)

    def _lost(self, task: ShardTask, how: str) -> None:
        self.losses[task.name] = self.losses.get(task.name, 0) + 1
        if self.losses[task.name] == LOSSES:
            raise TurntableError(
                f"{task.name}: lost {LOSSES} times with a node or a Ray worker, the last time by {how}; look "
                "at the cluster's logs, and run the same command again: it resumes"
            )
        self.watcher.worker_replaced(
            self.losses[task.name], f"of the cluster was lost with {task.name} ({how})"
        )
        self.waiting.insert(0, task)

    def _places(self) -> int:
        """How many shards the cluster can make at a time, as it is now."""
        return int(self.ray.cluster_resources().get("CPU", 0) // self.cluster.cpus)

    def _gpus(self) -> float:
        if self.cluster.gpus is not None:
            return self.cluster.gpus
        found = self.ray.cluster_resources()
        return min(1.0, float(found.get("GPU", 0)) / max(1, self._places()))


def _make(setup: WorkerSetup, task: ShardTask) -> ShardResult:
    """A Ray task: one shard, by a process of its own that may die without harm to Ray's."""
    made: list[ShardResult] = []
    Processes(1).make([task], setup, _Collected(made))
    return made[0]


@dataclass(frozen=True, slots=True)
class _Collected:
    """Keeps what is made; Ray brings it to those who want to know."""

    result: list[ShardResult]

    def made(self, task: ShardTask, made: ShardResult) -> None:  # noqa: ARG002
        self.result.append(made)

    def in_work(self, counts: Sequence[Counts]) -> None:
        pass

    def worker_replaced(self, number: int, how: str) -> None:
        pass

    def stop(self) -> bool:
        return False


def _reach(address: str) -> None:
    """Find out whether anything listens there; Ray itself would try for many minutes.

    Raises:
        OSError: Nothing does.
        ValueError: It is no address.
    """
    place = address.removeprefix("ray://")
    if place in ("auto", "local"):
        return
    host, _, port = place.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), REACH_S).close()


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("ray", "cluster") from error
    return ray

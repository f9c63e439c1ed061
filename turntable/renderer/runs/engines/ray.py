"""The engine of a Ray cluster: Ray finds a free place for each shard, and reports lost nodes.

Each Ray task makes one shard in a worker process of its own, which is watched and retried as on one machine.
A shard that is lost with a Ray worker or a node is submitted again. The journal stays with the run that
submitted the tasks.
"""

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from turntable.errors import InvalidInputError, TurntableError
from turntable.extras import explain_import_errors
from turntable.renderer.backends import DeferredBackendSelection
from turntable.renderer.runs.engines.processes import ProcessEngine
from turntable.renderer.runs.engines.protocol import EngineCallbacks
from turntable.renderer.runs.progress import RenderCounts
from turntable.renderer.runs.shard_workers import ShardResult, ShardTask, WorkerSetup

MAX_LOSSES = 10
"""Number of times that one shard may be lost with a node or a Ray worker; after more, it is not by chance."""
POLL_S = 0.5
CONNECT_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class RayEngine:
    """A running Ray cluster. Every node has turntable installed and sees the meshes and the destination.

    Args:
        address: Address of the cluster: ``HOST:6379``, ``ray://HOST:10001``, or ``auto``.
        cpus: Number of CPUs for each shard.
        gpus: Number of GPUs for each shard; None divides the cluster's GPUs among all of its CPUs.
    """

    address: str = "auto"
    cpus: float = 1.0
    gpus: float | None = None

    def make_opener(self, backend: str, device: str) -> DeferredBackendSelection:
        """Return a selection that is made on each node: its devices are not known here."""
        return DeferredBackendSelection(backend, device)

    def render_shards(
        self, tasks: Sequence[ShardTask], setup: WorkerSetup, callbacks: EngineCallbacks
    ) -> None:
        """Make all shards, or those that were begun before the callbacks asked to stop."""
        ray = _import_ray()
        started_here = not ray.is_initialized()
        if started_here:
            try:
                _check_reachable(self.address)
                ray.init(address=self.address, log_to_driver=False, logging_level="ERROR")
            except (OSError, RuntimeError, ValueError) as error:
                raise InvalidInputError(
                    f"--address {self.address}: no Ray cluster answers ({error}); start one: ray start --head"
                ) from None
        try:
            _RayTasks(ray, self, list(tasks), ray.put(setup), callbacks).run()
        finally:
            if started_here:
                ray.shutdown()


@dataclass(slots=True)
class _RayTasks:
    """The tasks of a run on their way through the cluster."""

    ray: Any
    engine: RayEngine
    waiting: list[ShardTask]
    setup: Any
    callbacks: EngineCallbacks
    running: dict[Any, ShardTask] = field(default_factory=dict)
    num_losses: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        """Submit all tasks and collect their results; cancel the running ones on an error."""
        # max_retries=0: lost tasks are counted and submitted again here, not by Ray.
        remote_function = self.ray.remote(
            max_retries=0, num_cpus=self.engine.cpus, num_gpus=self._compute_gpus()
        )(_render_shard)
        try:
            while self._submit(remote_function) or self.running:
                ready, _ = self.ray.wait(list(self.running), num_returns=1, timeout=POLL_S)
                for reference in ready:
                    self._collect(reference)
                self.callbacks.on_progress([])
        finally:
            for reference in self.running:
                self.ray.cancel(reference, force=True)

    def _submit(self, remote_function: Any) -> bool:
        """Submit as many tasks as the cluster has places for; return True if some still wait."""
        if self.callbacks.should_stop():
            return False
        while self.waiting and len(self.running) < self._count_places():
            task = self.waiting.pop(0)
            self.running[remote_function.remote(self.setup, task)] = task
        if self.waiting and not self.running:
            time.sleep(POLL_S)  # the cluster has no place at all now; nodes may come back
        return bool(self.waiting)

    def _collect(self, reference: Any) -> None:
        task = self.running.pop(reference)
        errors = self.ray.exceptions
        try:
            result: ShardResult = self.ray.get(reference)
        except (
            errors.WorkerCrashedError,
            errors.NodeDiedError,
            errors.OutOfMemoryError,
            errors.ObjectLostError,
        ) as error:
            self._resubmit(task, type(error).__name__)
        except errors.RayTaskError as error:
            cause = getattr(error, "cause", None)
            raise (cause if isinstance(cause, TurntableError) else error) from None
        else:
            self.callbacks.on_shard_done(task, result)

    def _resubmit(self, task: ShardTask, cause: str) -> None:
        self.num_losses[task.name] = self.num_losses.get(task.name, 0) + 1
        if self.num_losses[task.name] == MAX_LOSSES:
            raise TurntableError(
                f"{task.name}: lost {MAX_LOSSES} times with a node or a Ray worker, the last time by "
                f"{cause}; look at the cluster's logs, and run the same command again: it resumes"
            )
        self.callbacks.on_worker_replaced(
            self.num_losses[task.name], f"of the cluster was lost with {task.name} ({cause})"
        )
        self.waiting.insert(0, task)

    def _count_places(self) -> int:
        """Return the number of shards that the cluster can make at a time, with the nodes it has now."""
        return int(self.ray.cluster_resources().get("CPU", 0) // self.engine.cpus)

    def _compute_gpus(self) -> float:
        """Return the number of GPUs, mostly a fraction, that each Ray task asks for."""
        if self.engine.gpus is not None:
            return self.engine.gpus
        num_gpus = float(self.ray.cluster_resources().get("GPU", 0))
        return min(1.0, num_gpus / max(1, self._count_places()))


def _render_shard(setup: WorkerSetup, task: ShardTask) -> ShardResult:
    """Make one shard in a process that may die without harm to Ray's worker; runs as a Ray task."""
    results: list[ShardResult] = []
    ProcessEngine(1).render_shards([task], setup, _ResultCollector(results))
    return results[0]


@dataclass(frozen=True, slots=True)
class _ResultCollector:
    """Callbacks that keep the results; the Ray task returns them to the run."""

    results: list[ShardResult]

    def on_shard_done(self, task: ShardTask, result: ShardResult) -> None:  # noqa: ARG002
        self.results.append(result)

    def on_progress(self, counts: Sequence[RenderCounts]) -> None:
        pass

    def on_worker_replaced(self, worker: int, cause: str) -> None:
        pass

    def should_stop(self) -> bool:
        return False


def _check_reachable(address: str) -> None:
    """Check that something listens at an address; Ray itself would try for many minutes.

    Raises:
        OSError: Nothing listens there.
        ValueError: It is not an address.
    """
    endpoint = address.removeprefix("ray://")
    if endpoint in ("auto", "local"):
        return
    host, _, port = endpoint.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), CONNECT_TIMEOUT_S).close()


def _import_ray() -> Any:
    with explain_import_errors("ray"):
        import ray
    return ray

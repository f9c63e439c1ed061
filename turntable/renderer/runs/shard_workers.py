"""Workers that make whole shards: each a process with a backend and a mesh loader."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from turntable.datasets import Recipe
from turntable.datasets.objects import QuarantineRecord, ShardPlan
from turntable.datasets.writing import Destination, ShardOutcome
from turntable.processes import WorkerDeath
from turntable.renderer.backends import Backend, BackendOpener
from turntable.renderer.meshes.sources import MeshSource
from turntable.renderer.runs.mesh_loader import LoadLimits, MeshLoader
from turntable.renderer.runs.progress import RenderCounts
from turntable.renderer.runs.shard_rendering import render_shard


@dataclass(frozen=True, slots=True)
class ShardTask:
    """The task to make one shard."""

    shard: ShardPlan
    quarantined: tuple[QuarantineRecord, ...] = ()
    """Objects that killed workers; they are no longer in the shard."""
    suspects: frozenset[str] = field(default=frozenset(), compare=False)
    """Objects that were in progress when a worker died on this shard; if there are any, one is drawn at a
    time."""

    @property
    def name(self) -> str:
        """Name in messages: the split and the shard's name."""
        return f"{self.shard.split}/{self.shard.name}"


@dataclass(frozen=True, slots=True)
class ShardResult:
    """The result of a shard's task: its outcome, and the counts of what was made."""

    outcome: ShardOutcome
    counts: RenderCounts


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """The arguments from which a worker is made."""

    recipe: Recipe
    source: MeshSource
    destination: Destination
    opener: BackendOpener | None
    """Opener of the backends; None if nothing is drawn."""
    limits: LoadLimits
    strict: tuple[str, ...] = ()
    """Kinds of warnings with which an object is left out."""


@dataclass(frozen=True, slots=True)
class ShardWorker:
    """The state that a worker process keeps from one shard to the next."""

    setup: WorkerSetup
    backend: Backend | None
    """Backend that draws; None if nothing is drawn."""
    loader: MeshLoader

    @classmethod
    def open(cls, worker: int, setup: WorkerSetup) -> "ShardWorker":
        """Open the backend and the mesh loader of a worker, by its number, in this process."""
        backend = None if setup.opener is None else setup.opener.open(worker)
        return cls(setup, backend, MeshLoader(setup.source, setup.limits))

    def __call__(self, task: ShardTask, report: Callable[[RenderCounts], None]) -> ShardResult:
        """Make a shard and deliver it to the destination."""
        last_counts = RenderCounts()

        def keep_and_report(counts: RenderCounts) -> None:
            nonlocal last_counts
            last_counts = counts
            report(counts)

        outcome = render_shard(
            self.backend,
            self.setup.recipe,
            self.loader.iter_loaded,
            task.shard,
            self.setup.destination.folder,
            keep_and_report,
            one_at_a_time=bool(task.suspects),
            strict=self.setup.strict,
        )
        if outcome.shard is not None:
            self.setup.destination.deliver_shard(outcome.shard)
        # Objects that killed earlier workers are no longer in the shard, but they count as quarantined.
        dropped = RenderCounts(len(task.quarantined), 0, len(task.quarantined))
        outcome = replace(outcome, quarantine=outcome.quarantine + task.quarantined)
        return ShardResult(outcome, last_counts + dropped)


def retry_after_death(death: WorkerDeath[ShardTask, RenderCounts]) -> ShardTask:
    """Return the task to try after a worker died.

    The first time, the objects in progress become suspects, and one object is drawn at a time. If a suspect
    then kills a second worker, it is dropped from the shard.
    """
    task, in_progress = death.task, frozenset(death.last_report.in_progress if death.last_report else ())
    if task.suspects and len(in_progress) == 1 and in_progress <= task.suspects:
        return _drop_object(task, next(iter(in_progress)), death.reason)
    return replace(task, suspects=in_progress or task.suspects)


def _drop_object(task: ShardTask, object_id: str, cause: str) -> ShardTask:
    objects = tuple(record for record in task.shard.objects if record.id != object_id)
    detail = f"{object_id}: each of two workers that drew it {cause}; leave it out"
    record = QuarantineRecord(object_id, "crashed the renderer", detail)
    return ShardTask(replace(task.shard, objects=objects), (*task.quarantined, record))

"""A worker: a renderer and a loader of meshes in a process of its own, which makes whole shards."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from turntable.datasets import Recipe
from turntable.datasets.making import Destination, Outcome
from turntable.datasets.objects import QuarantineRecord, ShardPlan
from turntable.processes import Loss
from turntable.renderer.backends import Backend, BackendOpener
from turntable.renderer.meshes.sources import MeshSource
from turntable.renderer.runs.loading import LoadLimits, MeshLoader
from turntable.renderer.runs.progress import Counts
from turntable.renderer.runs.shard import render_shard


@dataclass(frozen=True, slots=True)
class ShardTask:
    """A shard to be made."""

    shard: ShardPlan
    left_out: tuple[QuarantineRecord, ...] = ()
    """Objects that ended workers; they are in the shard no more."""
    blamed: frozenset[str] = field(default=frozenset(), compare=False)
    """Objects that were in hand when a worker died of this shard. From then on one is drawn at a time."""

    @property
    def name(self) -> str:
        """As users know it."""
        return f"{self.shard.split}/{self.shard.name}"


@dataclass(frozen=True, slots=True)
class ShardResult:
    """The result of a shard's task: how it ended, and what was counted on the way."""

    outcome: Outcome
    counts: Counts


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """All that a worker is made from."""

    recipe: Recipe
    source: MeshSource
    destination: Destination
    opener: BackendOpener
    limits: LoadLimits


@dataclass(frozen=True, slots=True)
class ShardWorker:
    """What a worker process keeps from one shard to the next."""

    setup: WorkerSetup
    backend: Backend
    loader: MeshLoader

    @classmethod
    def open(cls, number: int, setup: WorkerSetup) -> "ShardWorker":
        """Open the worker's device in this process."""
        return cls(setup, setup.opener.open(number), MeshLoader(setup.source, setup.limits))

    def __call__(self, task: ShardTask, report: Callable[[Counts], None]) -> ShardResult:
        """Make a shard and deliver it."""
        last = Counts()

        def say(counts: Counts) -> None:
            nonlocal last
            last = counts
            report(counts)

        outcome = render_shard(
            self.backend,
            self.setup.recipe,
            self.loader.loaded,
            task.shard,
            self.setup.destination.folder,
            say,
            one_at_a_time=bool(task.blamed),
        )
        if outcome.shard is not None:
            self.setup.destination.deliver(outcome.shard)
        lost = Counts(len(task.left_out), 0, len(task.left_out))
        whole = replace(outcome, quarantine=outcome.quarantine + task.left_out)
        return ShardResult(whole, last + lost)


def after_loss(loss: Loss[ShardTask, Counts]) -> ShardTask:
    """What to try when a worker died: one object at a time; without the one that did it twice."""
    task, in_hand = loss.task, frozenset(loss.report.in_hand if loss.report else ())
    if task.blamed and len(in_hand) == 1 and in_hand <= task.blamed:
        return _without(task, next(iter(in_hand)), loss.how)
    return replace(task, blamed=in_hand or task.blamed)


def _without(task: ShardTask, object_id: str, how: str) -> ShardTask:
    objects = tuple(record for record in task.shard.objects if record.id != object_id)
    detail = f"{object_id}: each of two workers that drew it {how}; leave it out"
    record = QuarantineRecord(object_id, "crashed the renderer", detail)
    return ShardTask(replace(task.shard, objects=objects), (*task.left_out, record))

"""A data set from a recipe and a source of meshes, or one job's share of it, by whichever engine."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from turntable.datasets import Manifest, Recipe
from turntable.datasets.making import Destination, Job, Outcome, as_destination
from turntable.datasets.objects import ShardPlan
from turntable.errors import StoppedError, TurntableError
from turntable.renderer.backends import BackendOpener
from turntable.renderer.meshes.sources import MeshSource
from turntable.renderer.runs.engines import Processes, RenderEngine
from turntable.renderer.runs.events import Tell, now_and_then, unheard
from turntable.renderer.runs.loading import LoadLimits
from turntable.renderer.runs.planning import ObjectSelection, plan
from turntable.renderer.runs.progress import Counts, Meter, Progress
from turntable.renderer.runs.run import RenderRun
from turntable.renderer.runs.workers import ShardResult, ShardTask, WorkerSetup

LEAST_BYTES_A_PIXEL = 0.03
"""Of a JPEG; views of 3DIEBench at quality 95 have three times as much."""
BYTES_A_MEMBER = 512
"""Its header in the archive."""


def _unheard(_: Any) -> None:
    """For those who do not listen."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told of a run."""

    progress: Callable[[Progress], None] = _unheard
    """After every object, and a few times a second."""
    warn: Callable[[str], None] = _unheard
    """What the user should know: of software that draws, of each worker that was replaced."""
    tell: Tell = unheard
    """Every event, for machines."""
    stop: Callable[[], bool] = _never
    """Asked again and again; once true, the shards in work are finished and no other is begun."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a run left in its place."""

    shards: int
    """Of its own, now there."""
    shards_in_all: int
    """Of the whole data set."""


def generate(
    recipe: Recipe,
    source: MeshSource,
    where: Path | Destination,
    *,
    objects: int | None = None,
    selection: ObjectSelection | None = None,
    workers: int = 1,
    engine: RenderEngine | None = None,
    backend: str = "auto",
    device: str = "auto",
    limits: LoadLimits | None = None,
    progress: Callable[[Progress], None] = _unheard,
    warn: Callable[[str], None] = _unheard,
    listener: Listener | None = None,
) -> Manifest:
    """Make a data set, or finish one that was begun.

    Args:
        recipe: What to make.
        source: Of the meshes.
        where: The folder, or another destination; it must be empty, or hold the same data set begun earlier.
        objects: At most so many of them, taken in turn from every category.
        selection: Which objects, and how they are divided, where that is more than ``objects``.
        workers: Processes; one a core is best in software, one a GPU otherwise. One that dies is replaced.
        engine: What spreads the work, in place of ``workers`` processes of this machine.
        backend: What draws, as :func:`~turntable.renderer.backends.choose` takes it.
        device: Where; several devices are shared out among the workers.
        limits: On loading each mesh.
        progress: Told how far the run is; ``listener`` is told more.
        warn: Told what the user should know.
        listener: Told everything, in place of these two.

    Raises:
        InvalidInputError: Arguments that cannot be right, or a place that holds something else.
        DeviceError: The backend finds no device it can use.
        StoppedError: The listener said stop; the same call goes on.
        TurntableError: The run could not go on (a full disk, a shard that killed worker after worker); the
            same call resumes it.
    """
    engine = engine or Processes(workers)
    opener = engine.opener(backend, device)
    chosen, heard = selection or ObjectSelection(objects), listener or Listener(progress, warn)
    most = limits or LoadLimits()
    return _Work(recipe, source, as_destination(where), chosen, engine, opener, most, heard).whole()


def generate_share(
    job: Job,
    recipe: Recipe,
    source: MeshSource,
    where: Path | Destination,
    *,
    selection: ObjectSelection | None = None,
    workers: int = 1,
    backend: str = "auto",
    device: str = "auto",
    limits: LoadLimits | None = None,
    listener: Listener | None = None,
) -> Share:
    """Make one job's shards of a data set; ``merge`` joins the jobs' shares when all are there.

    The arguments are those of ``generate``; all jobs must give the same, and their places may be one or many.
    """
    engine = Processes(workers)
    opener = engine.opener(backend, device)
    chosen, heard = selection or ObjectSelection(), listener or Listener()
    most = limits or LoadLimits()
    return _Work(recipe, source, as_destination(where), chosen, engine, opener, most, heard).share(job)


@dataclass(frozen=True, slots=True)
class _Work:
    """The arguments of ``generate``, made out."""

    recipe: Recipe
    source: MeshSource
    destination: Destination
    selection: ObjectSelection
    engine: RenderEngine
    opener: BackendOpener
    limits: LoadLimits
    listener: Listener

    def whole(self) -> Manifest:
        self.destination.check()
        run = RenderRun(plan(self.recipe, self.source, self.selection), self.destination)
        with self.destination.claim(None):
            watcher = self._run(run)
            # Done again where nothing was missing: it changes no byte, and mends what describes the shards.
            manifest = run.finish(watcher.outcomes)
        self.listener.tell(
            "end",
            fingerprint=manifest.fingerprint,
            quarantined=manifest.quarantined,
            **asdict(manifest.totals),
        )
        return manifest

    def share(self, job: Job) -> Share:
        self.destination.check()
        run = RenderRun(plan(self.recipe, self.source, self.selection), self.destination, job)
        with self.destination.claim(job):
            self._run(run)
        share = Share(len(run.shards), len(run.plan.shards))
        self.listener.tell("end", job=str(job), shards=share.shards)
        return share

    def _run(self, run: RenderRun) -> "_Watcher":
        """Make what is missing of a run's shards; an error is told as an event too."""
        try:
            return self._make_missing(run)
        except StoppedError:
            raise
        except TurntableError as error:
            self.listener.tell("failed", error=str(error))
            raise

    def _make_missing(self, run: RenderRun) -> "_Watcher":
        outcomes = run.begin()
        done = {outcome.place for outcome in outcomes}
        missing = [shard for shard in run.shards if shard.place not in done]
        self.destination.check(least_bytes(self.recipe, missing))
        watcher = _Watcher(run, self.listener, outcomes)
        watcher.begin(len(missing))
        if missing:
            for text in self.opener.warnings:
                self.listener.warn(text)
            setup = WorkerSetup(self.recipe, self.source, self.destination, self.opener, self.limits)
            self.engine.make([ShardTask(shard) for shard in missing], setup, watcher)
            watcher.end(len(missing))
        return watcher


def least_bytes(recipe: Recipe, shards: Sequence[ShardPlan]) -> int:
    """What shards will take at the very least: to be sure, before any work, that there is no room."""
    views = recipe.views * sum(len(shard.objects) for shard in shards)
    return int(views * (LEAST_BYTES_A_PIXEL * recipe.image_size_px**2 + BYTES_A_MEMBER))


@dataclass(slots=True)
class _Watcher:
    """Keeps a run's journal while an engine works, and tells who listens."""

    run: RenderRun
    listener: Listener
    outcomes: list[Outcome]
    made_here: int = 0
    meter: Meter = field(init=False)
    is_due: Callable[[], bool] = field(default_factory=now_and_then)

    def __post_init__(self) -> None:
        own = {shard.place: len(shard.objects) for shard in self.run.shards}
        before = [outcome for outcome in self.outcomes if outcome.place in own]
        done = Counts(
            objects=sum(own[outcome.place] for outcome in before),
            quarantined=sum(len(outcome.quarantine) for outcome in before),
        )
        self.meter = Meter(sum(own.values()), done)

    def begin(self, missing: int) -> None:
        self.listener.tell(
            "begin",
            where=self.run.destination.where,
            recipe=self.run.plan.recipe.name,
            job=None if self.run.job is None else str(self.run.job),
            objects=self.meter.total,
            shards=len(self.run.shards),
            shards_missing=missing,
        )

    def made(self, task: ShardTask, made: ShardResult) -> None:
        self.run.record(made.outcome)
        self.outcomes.append(made.outcome)
        self.meter.done += made.counts
        self.made_here += 1
        for item in made.outcome.quarantine:
            self.listener.tell("quarantine", **asdict(item))
        for item in made.outcome.warnings:
            self.listener.tell("warning", **asdict(item))
        shard = None if made.outcome.shard is None else asdict(made.outcome.shard)
        self.listener.tell("shard", split=task.shard.split, name=task.shard.name, shard=shard)

    def in_work(self, counts: Sequence[Counts]) -> None:
        now = self.meter.read(counts)
        self.listener.progress(now)
        if self.is_due():
            rate, left = now.views_per_second, now.seconds_left
            self.listener.tell("progress", **asdict(now), views_per_second=rate, seconds_left=left)

    def worker_replaced(self, number: int, how: str) -> None:
        self.listener.warn(f"worker {number} {how}; another makes it again")
        self.listener.tell("worker replaced", worker=number, how=how)

    def stop(self) -> bool:
        return self.listener.stop()

    def end(self, missing: int) -> None:
        """Say it where the run was stopped before all was made."""
        if self.made_here < missing:
            left = missing - self.made_here
            self.listener.tell("stopped", shards_made=self.made_here, shards_missing=left)
            raise StoppedError(
                f"{self.run.destination.where}: stopped as asked, between two shards: {self.made_here} made "
                f"now, {left} still missing; the same command goes on"
            )

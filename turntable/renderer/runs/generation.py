"""Generation of a data set, or of one job's share of it, from a recipe and a source of meshes."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from turntable.datasets import Manifest, Recipe
from turntable.datasets.objects import ShardPlan, WarningRecord
from turntable.datasets.writing import Destination, Job, ShardOutcome, as_destination
from turntable.errors import StoppedError, TurntableError
from turntable.renderer.backends import BackendOpener
from turntable.renderer.meshes import format_warning_examples, make_warning_records
from turntable.renderer.meshes.sources import MeshSource, find_folder_problems, with_twins
from turntable.renderer.runs.engines import ProcessEngine, RenderEngine
from turntable.renderer.runs.events import EventSink, ignore_event, make_rate_limiter
from turntable.renderer.runs.mesh_loader import LoadLimits
from turntable.renderer.runs.progress import Progress, ProgressMeter, RenderCounts
from turntable.renderer.runs.render_run import RenderRun
from turntable.renderer.runs.run_plan import ObjectSelection, RunPlan, plan_run
from turntable.renderer.runs.shard_workers import ShardResult, ShardTask, WorkerSetup
from turntable.renderer.runs.stored_plan import find_planned_rule
from turntable.renderer.runs.strict_kinds import check_folder_problems, check_strict_kinds

MIN_BYTES_PER_PIXEL = 0.03
"""Lower bound of a JPEG's size per pixel; views of 3DIEBench at quality 95 take three times as much."""
BYTES_PER_MEMBER = 512
"""Size of a member's header in the shard."""


def _ignore(_: Any) -> None:
    """Do nothing; the callback of those who do not listen."""


def _return_false() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class RunListener:
    """Callbacks of a run."""

    progress: Callable[[Progress], None] = _ignore
    """Callback that is called after every object, and a few times a second."""
    warn: Callable[[str], None] = _ignore
    """Callback for texts the user should know: software rendering, or a worker that was replaced."""
    emit: EventSink = ignore_event
    """Sink of every event, for machines."""
    should_stop: Callable[[], bool] = _return_false
    """Function that is called often. Once it is true, the shards in progress are finished and no other is
    begun."""


@dataclass(frozen=True, slots=True)
class JobShare:
    """The result of one job's run."""

    num_shards: int
    """Number of the job's shards, all of them finished."""
    num_total_shards: int
    """Number of shards of the whole data set."""
    warnings: tuple[WarningRecord, ...] = ()
    """Warnings about the objects of the job's shards."""


def generate(
    recipe: Recipe,
    source: MeshSource,
    destination: Path | Destination,
    *,
    num_objects: int | None = None,
    selection: ObjectSelection | None = None,
    num_workers: int = 1,
    engine: RenderEngine | None = None,
    backend: str = "auto",
    device: str = "auto",
    limits: LoadLimits | None = None,
    strict: Sequence[str] = (),
    progress: Callable[[Progress], None] = _ignore,
    warn: Callable[[str], None] = _ignore,
    listener: RunListener | None = None,
) -> Manifest:
    """Make a data set, or finish one that was begun.

    Args:
        recipe: Recipe of the data set.
        source: Source of the meshes.
        destination: Folder or other destination; empty, or with the same data set begun earlier.
        num_objects: Largest number of objects, taken in turn from every category; all of them if None.
        selection: Objects and the lists that split them, if ``num_objects`` does not say enough.
        num_workers: Number of processes. In software, one per core is best; else one per GPU. A worker that
            dies is replaced.
        engine: Engine that spreads the work, in place of ``num_workers`` processes on this machine.
        backend: Backend, in the notation of :func:`~turntable.renderer.backends.select_backend`.
        device: Device or devices, in the same notation; workers take several devices in turn.
        limits: Limits on loading each mesh.
        strict: Kinds of warnings with which an object is left out, with the kind as its reason;
            ``("all",)`` for all kinds. A problem of the folder of such a kind refuses the run.
        progress: Callback for the progress; ``listener`` has more callbacks.
        warn: Callback for texts the user should know.
        listener: All callbacks, in place of ``progress`` and ``warn``.

    Returns:
        The manifest of the finished data set.

    Raises:
        InvalidInputError: The arguments are wrong, or the destination holds something else.
        DeviceError: The backend finds no device it can use.
        StoppedError: The listener asked to stop; the same call resumes.
        TurntableError: The run could not go on (a full disk, a shard that killed worker after worker); the
            same call resumes it.
    """
    engine = engine or ProcessEngine(num_workers)
    opener = engine.make_opener(backend, device) if recipe.drawn_outputs else None
    return _Generation(
        recipe,
        source,
        as_destination(destination),
        selection or ObjectSelection(num_objects),
        engine,
        opener,
        limits or LoadLimits(),
        check_strict_kinds(strict),
        listener or RunListener(progress, warn),
    ).generate()


def generate_share(
    job: Job,
    recipe: Recipe,
    source: MeshSource,
    destination: Path | Destination,
    *,
    selection: ObjectSelection | None = None,
    num_workers: int = 1,
    backend: str = "auto",
    device: str = "auto",
    limits: LoadLimits | None = None,
    strict: Sequence[str] = (),
    listener: RunListener | None = None,
) -> JobShare:
    """Make one job's shards of a data set; :func:`merge` joins the shares when all jobs are done.

    The arguments and errors are those of :func:`generate`. All jobs must give the same arguments. They may
    work in one destination, or in one each.
    """
    engine = ProcessEngine(num_workers)
    opener = engine.make_opener(backend, device) if recipe.drawn_outputs else None
    return _Generation(
        recipe,
        source,
        as_destination(destination),
        selection or ObjectSelection(),
        engine,
        opener,
        limits or LoadLimits(),
        check_strict_kinds(strict),
        listener or RunListener(),
    ).generate_share(job)


@dataclass(frozen=True, slots=True)
class _Generation:
    """The arguments of :func:`generate`, with defaults filled in."""

    recipe: Recipe
    source: MeshSource
    destination: Destination
    selection: ObjectSelection
    engine: RenderEngine
    opener: BackendOpener | None
    """Opener of the backends; None if nothing is drawn."""
    limits: LoadLimits
    strict: tuple[str, ...]
    listener: RunListener

    def _plan(self) -> RunPlan:
        recipe, planned_rule = self.recipe, find_planned_rule(self.destination.read_plan() or "")
        if planned_rule == "each-category" != recipe.split_rule:
            recipe = recipe.replace(split_rule=planned_rule)
            self.listener.warn(
                f"{self.destination.path_or_url} was begun with the rule of splits of earlier versions "
                f'(split_rule = "{planned_rule}") and goes on with it; for the present rule, choose another '
                "--out"
            )
        plan = plan_run(recipe, self.source, self.selection, self.strict)
        for text in plan.warnings:
            self.listener.warn(text)
        return plan

    def generate(self) -> Manifest:
        self.destination.check_writable()
        run = RenderRun(self._plan(), self.destination)
        with self.destination.claim(None):
            callbacks = self._run_reporting_errors(run)
            # Write the manifest and its companions even if no shard was missing: on a finished data set this
            # changes no byte, and on one that was killed just before its end it writes what is missing.
            manifest = run.finish(callbacks.outcomes)
        self.listener.emit(
            "end",
            fingerprint=manifest.fingerprint,
            quarantined=manifest.quarantined,
            **asdict(manifest.totals),
        )
        return manifest

    def generate_share(self, job: Job) -> JobShare:
        self.destination.check_writable()
        run = RenderRun(self._plan(), self.destination, job)
        with self.destination.claim(job):
            callbacks = self._run_reporting_errors(run)
        share = JobShare(len(run.shards), len(run.plan.shards), callbacks.list_warnings())
        self.listener.emit("end", job=str(job), shards=share.num_shards)
        return share

    def _run_reporting_errors(self, run: RenderRun) -> "_RunCallbacks":
        """Make the missing shards of a run; emit an event for an error before it is raised."""
        try:
            return self._make_missing(run)
        except StoppedError:
            raise
        except TurntableError as error:
            self.listener.emit("failed", error=str(error))
            raise

    def _make_missing(self, run: RenderRun) -> "_RunCallbacks":
        # Before the destination is claimed for a plan: a run that is refused leaves nothing there.
        problems = find_folder_problems(self.source)
        check_folder_problems(problems, self.strict)
        outcomes = run.begin()
        done = {outcome.split_and_name for outcome in outcomes}
        missing = [shard for shard in run.shards if shard.split_and_name not in done]
        self.destination.check_writable(estimate_min_bytes(self.recipe, missing))
        folder_warnings = make_warning_records("", problems)
        callbacks = _RunCallbacks(run, self.listener, outcomes, folder_warnings)
        callbacks.begin(len(missing))
        if missing:
            for text in format_warning_examples(folder_warnings):
                self.listener.warn(text)
            for text in () if self.opener is None else self.opener.warnings:
                self.listener.warn(text)
            source = with_twins(self.source, mirrored=self.recipe.mirrored)
            setup = WorkerSetup(self.recipe, source, self.destination, self.opener, self.limits, self.strict)
            self.engine.render_shards([ShardTask(shard) for shard in missing], setup, callbacks)
            callbacks.end(len(missing))
        return callbacks


def estimate_min_bytes(recipe: Recipe, shards: Sequence[ShardPlan]) -> int:
    """Return the number of bytes that shards take at the very least.

    If less room is left, the run is refused before any work.
    """
    num_views = recipe.views * sum(len(shard.objects) for shard in shards)
    if not recipe.has_pictures:
        return 0
    return int(num_views * (MIN_BYTES_PER_PIXEL * recipe.image_size_px**2 + BYTES_PER_MEMBER))


@dataclass(slots=True)
class _RunCallbacks:
    """The run's end of an engine's callbacks: keeps the journal and calls the listener."""

    run: RenderRun
    listener: RunListener
    outcomes: list[ShardOutcome]
    folder_warnings: tuple[WarningRecord, ...] = ()
    """Warnings about the folder of the meshes. They stand in the outcome of the plan's first shard, so that
    of several jobs one records them."""
    num_made: int = 0
    meter: ProgressMeter = field(init=False)
    is_due: Callable[[], bool] = field(default_factory=make_rate_limiter)

    def __post_init__(self) -> None:
        # The outcomes found may include other jobs' shards; the progress is that of this job's share alone.
        sizes = {shard.split_and_name: len(shard.objects) for shard in self.run.shards}
        resumed = [outcome for outcome in self.outcomes if outcome.split_and_name in sizes]
        done = RenderCounts(
            num_objects=sum(sizes[outcome.split_and_name] for outcome in resumed),
            num_quarantined=sum(len(outcome.quarantine) for outcome in resumed),
        )
        self.meter = ProgressMeter(sum(sizes.values()), done)

    def begin(self, num_missing: int) -> None:
        """Emit the event that begins a run."""
        self.listener.emit(
            "begin",
            where=self.run.destination.path_or_url,
            recipe=self.run.plan.recipe.name,
            job=None if self.run.job is None else str(self.run.job),
            objects=self.meter.num_objects,
            shards=len(self.run.shards),
            shards_missing=num_missing,
        )

    def on_shard_done(self, task: ShardTask, result: ShardResult) -> None:
        outcome = result.outcome
        if outcome.split_and_name == self.run.plan.shards[0].split_and_name:
            outcome = replace(outcome, warnings=self.folder_warnings + outcome.warnings)
        self.run.record(outcome)
        self.outcomes.append(outcome)
        self.meter.done += result.counts
        self.num_made += 1
        for item in outcome.quarantine:
            self.listener.emit("quarantine", **asdict(item))
        for item in outcome.warnings:
            self.listener.emit("warning", **asdict(item))
        shard = None if outcome.shard is None else asdict(outcome.shard)
        self.listener.emit("shard", split=task.shard.split, name=task.shard.name, shard=shard)

    def list_warnings(self) -> tuple[WarningRecord, ...]:
        """List the warnings of this run's shards, whether this call has made them or an earlier one."""
        own = {shard.split_and_name for shard in self.run.shards}
        return tuple(item for each in self.outcomes if each.split_and_name in own for item in each.warnings)

    def on_progress(self, counts: Sequence[RenderCounts]) -> None:
        progress = self.meter.measure(counts)
        self.listener.progress(progress)
        if self.is_due():
            self.listener.emit(
                "progress",
                **asdict(progress),
                views_per_second=progress.views_per_second,
                seconds_left=progress.seconds_left,
            )

    def on_worker_replaced(self, worker: int, cause: str) -> None:
        self.listener.warn(f"worker {worker} {cause}; another worker makes the shard again")
        self.listener.emit("worker replaced", worker=worker, how=cause)

    def should_stop(self) -> bool:
        return self.listener.should_stop()

    def end(self, num_missing: int) -> None:
        """Raise if the run was stopped before all shards were made.

        Raises:
            StoppedError: Some shards are still missing.
        """
        if self.num_made < num_missing:
            num_left = num_missing - self.num_made
            self.listener.emit("stopped", shards_made=self.num_made, shards_missing=num_left)
            raise StoppedError(
                f"{self.run.destination.path_or_url}: stopped as asked, between two shards: {self.num_made} "
                f"made now, {num_left} still missing; the same command resumes the run"
            )

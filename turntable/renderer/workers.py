"""Worker processes for a run: each has its own renderer and makes whole shards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from turntable.datasets.manifest import Manifest
from turntable.datasets.objects import ShardPlan
from turntable.datasets.recipe import Recipe
from turntable.errors import InvalidInputError
from turntable.renderer.backends import Backend, Choice, choose
from turntable.renderer.generate import Outcome, Progress, Run, choose_objects, plan
from turntable.renderer.meshes.source import MeshSource
from turntable.renderer.pool import run_tasks
from turntable.renderer.shard import render_shard


@dataclass(frozen=True, slots=True)
class _Counts:
    """What has been made of a shard, or of several."""

    objects: int = 0
    views: int = 0
    quarantined: int = 0

    def __add__(self, other: "_Counts") -> "_Counts":
        return _Counts(
            self.objects + other.objects, self.views + other.views, self.quarantined + other.quarantined
        )


@dataclass(frozen=True, slots=True)
class _Made:
    """A shard, and what drew it."""

    outcome: Outcome
    counts: _Counts
    device: dict[str, object]


@dataclass(frozen=True, slots=True)
class _Worker:
    """What a worker process keeps from one shard to the next."""

    backend: Backend
    recipe: Recipe
    source: MeshSource
    folder: Path

    @classmethod
    def open(cls, number: int, choice: Choice, recipe: Recipe, source: MeshSource, folder: Path) -> "_Worker":
        return cls(choice.open(number), recipe, source, folder)

    def __call__(self, shard: ShardPlan, report: Callable[[_Counts], None]) -> _Made:
        counts = _Counts()

        def count(views: int) -> None:
            nonlocal counts
            counts += _Counts(1, views, int(views == 0))
            report(counts)

        outcome = render_shard(self.backend, self.recipe, self.source, shard, self.folder, count)
        return _Made(outcome, counts, self.backend.device.as_dict())


def _unheard(_: str) -> None:
    """For those who do not listen."""


def generate(
    recipe: Recipe,
    source: MeshSource,
    folder: Path,
    *,
    objects: int | None = None,
    workers: int = 1,
    backend: str = "auto",
    device: str = "auto",
    progress: Callable[[Progress], None] | None = None,
    warn: Callable[[str], None] = _unheard,
) -> Manifest:
    """Make a data set, or finish one that was begun.

    Args:
        recipe: What to make.
        source: Of the meshes.
        folder: Where; it must be empty, or hold the same data set begun earlier.
        objects: At most so many of them, taken in turn from every category.
        workers: Processes; one a core is best in software, one a GPU otherwise. One that dies is replaced.
        backend: What draws, as :func:`~turntable.renderer.backends.choose` takes it.
        device: Where; several devices are shared out among the workers.
        progress: Called after every object, and a few times a second.
        warn: Told what the user should know: of software that draws, of each worker that was replaced.

    Raises:
        InvalidInputError: Arguments that cannot be right, or a folder that holds something else.
        DeviceError: The backend finds no device it can use.
        TurntableError: The run could not go on (a full disk, a shard that killed worker after worker); the
            same call resumes it.
    """
    if workers < 1:
        raise InvalidInputError(f"--workers {workers}: there must be at least one")
    chosen = choose_objects(source.objects(), objects)
    run = Run(recipe, source, folder, plan(recipe, source, chosen))
    outcomes = run.begin()
    done = {(outcome.split, outcome.name) for outcome in outcomes}
    missing = [shard for shard in run.shards if (shard.split, shard.name) not in done]
    if missing:
        choice = choose(backend, device)
        for text in choice.warnings:
            warn(text)
        setups = [(n, choice, recipe, source, folder) for n in range(min(workers, len(missing)))]
        drawn_by = _render(run, missing, outcomes, setups, progress, warn)
    else:
        drawn_by = run.known_device() or _device(choose(backend, device))
    # Done again where nothing was missing: it changes no byte, and mends what describes the shards.
    return run.finish(outcomes, drawn_by)


def _render(
    run: Run,
    missing: Sequence[ShardPlan],
    outcomes: list[Outcome],
    setups: Sequence[tuple[int, Choice, Recipe, MeshSource, Path]],
    progress: Callable[[Progress], None] | None,
    warn: Callable[[str], None],
) -> dict[str, object]:
    """Make the missing shards, adding to ``outcomes``, with a worker a setup; what drew them."""
    total = sum(len(shard.objects) for shard in run.shards)
    done = _Counts(
        objects=total - sum(len(shard.objects) for shard in missing),
        quarantined=sum(len(outcome.quarantine) for outcome in outcomes),
    )
    device: dict[str, object] = {}

    def record(_: ShardPlan, made: _Made) -> None:
        nonlocal done, device
        run.record(made.outcome)
        outcomes.append(made.outcome)
        done, device = done + made.counts, made.device

    def report(in_work: Sequence[_Counts]) -> None:
        if progress is not None:
            now = sum(in_work, done)
            progress(Progress(now.objects, total, now.quarantined, now.views))

    def replaced(number: int, end: str) -> None:
        warn(f"worker {number} {end}; another makes it again")

    run_tasks(
        missing,
        _Worker.open,
        setups,
        name=lambda shard: f"{shard.split}/{shard.name}",
        on_done=record,
        on_progress=report,
        on_replaced=replaced,
    )
    return device


def _device(choice: Choice) -> dict[str, object]:
    with choice.open() as opened:
        return opened.device.as_dict()

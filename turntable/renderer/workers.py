"""Worker processes for a run: each has its own renderer and makes whole shards."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cached_property
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from turntable.datasets.manifest import Manifest
from turntable.datasets.objects import ShardPlan
from turntable.datasets.recipe import Recipe
from turntable.errors import TurntableError
from turntable.renderer.backends import Backend, open_backend
from turntable.renderer.generate import Outcome, Progress, Run, choose_objects, plan, render_shard
from turntable.renderer.meshes.source import MeshSource

POLL_S = 0.2


@dataclass  # no slots: the backend is cached
class _Worker:
    """What a worker process keeps from one shard to the next."""

    backend_name: str
    objects: "Synchronized[int]"
    views: "Synchronized[int]"
    quarantined: "Synchronized[int]"

    @cached_property
    def backend(self) -> Backend:
        """Opened at the first shard: an error raised while a pool starts its processes would be lost."""
        return open_backend(self.backend_name)

    def count(self, views: int) -> None:
        for counter, amount in ((self.objects, 1), (self.views, views), (self.quarantined, int(views == 0))):
            with counter.get_lock():
                counter.value += amount


_worker: _Worker | None = None


def _start(backend: str, counters: "tuple[Synchronized[int], Synchronized[int], Synchronized[int]]") -> None:
    global _worker  # a pool gives its processes no other place to keep things
    _worker = _Worker(backend, *counters)


def _make(
    recipe: Recipe, source: MeshSource, shard: ShardPlan, folder: Path
) -> tuple[Outcome, dict[str, object]]:
    assert _worker is not None
    outcome = render_shard(_worker.backend, recipe, source, shard, folder, _worker.count)
    return outcome, _worker.backend.device.as_dict()


def generate(
    recipe: Recipe,
    source: MeshSource,
    folder: Path,
    *,
    objects: int | None = None,
    workers: int = 1,
    backend: str = "moderngl",
    progress: Callable[[Progress], None] | None = None,
) -> Manifest:
    """Make a data set, or finish one that was begun.

    Args:
        recipe: What to make.
        source: Of the meshes.
        folder: Where; it must be empty, or hold the same data set begun earlier.
        objects: At most so many of them, taken in turn from every category.
        workers: Processes; one a core is best in software, one a GPU otherwise.
        backend: What draws.
        progress: Called a few times a second.

    Raises:
        InvalidInputError: Arguments that cannot be right, or a folder that holds something else.
        TurntableError: The run could not go on (a full disk, a killed worker); the same call resumes it.
    """
    chosen = choose_objects(source.objects(), objects)
    run = Run(recipe, source, folder, plan(recipe, source, chosen))
    outcomes = run.begin()
    done = {(outcome.split, outcome.name) for outcome in outcomes}
    missing = [shard for shard in run.shards if (shard.split, shard.name) not in done]
    if missing:
        device = _render(run, missing, outcomes, min(workers, len(missing)), backend, progress)
    else:
        device = run.known_device() or _device(backend)
    # Done again where nothing was missing: it changes no byte, and mends what describes the shards.
    return run.finish(outcomes, device)


def _render(
    run: Run,
    missing: Sequence[ShardPlan],
    outcomes: list[Outcome],
    workers: int,
    backend: str,
    progress: Callable[[Progress], None] | None,
) -> dict[str, object]:
    """Make the missing shards, adding to ``outcomes``; what drew them."""
    context = multiprocessing.get_context("spawn")  # a forked process would share the parent's driver state
    counters = (context.Value("q", 0), context.Value("q", 0), context.Value("q", 0))
    total = sum(len(shard.objects) for shard in run.shards)
    resumed = total - sum(len(shard.objects) for shard in missing)
    left_out = sum(len(outcome.quarantine) for outcome in outcomes)
    device: dict[str, object] = {}

    def report() -> None:
        made, views, bad = (counter.value for counter in counters)
        if progress is not None:
            progress(Progress(resumed + made, total, left_out + bad, views))

    with ProcessPoolExecutor(workers, context, _start, (backend, counters)) as pool:
        waiting = {pool.submit(_make, run.recipe, run.source, shard, run.folder) for shard in missing}
        while waiting:
            finished, waiting = wait(waiting, POLL_S, FIRST_COMPLETED)
            for future in finished:
                outcome, device = _result(future, waiting)
                run.record(outcome)
                outcomes.append(outcome)
            report()
    return device


def _result(
    future: "Future[tuple[Outcome, dict[str, object]]]",
    others: "set[Future[tuple[Outcome, dict[str, object]]]]",
) -> tuple[Outcome, dict[str, object]]:
    """A shard's outcome; on failure nothing else is begun."""
    try:
        return future.result()
    except BaseException as error:
        for other in others:
            other.cancel()
        if isinstance(error, BrokenProcessPool):
            raise TurntableError(
                "a worker process died (out of memory, or killed); run the same command again: it resumes"
            ) from error
        raise


def _device(backend: str) -> dict[str, object]:
    with open_backend(backend) as opened:
        return opened.device.as_dict()

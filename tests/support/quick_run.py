"""Runs in this very process: no workers to start, so that a hundred of them can be killed in a test."""

import hashlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from turntable.datasets.recipe import Recipe, load_recipe
from turntable.errors import MeshError
from turntable.renderer.backends import Choice, choose
from turntable.renderer.engines import Watcher
from turntable.renderer.generate import generate
from turntable.renderer.loading import Loaded
from turntable.renderer.meshes.source import MeshSource, load_mesh
from turntable.renderer.meshes.zoo_source import ZooSource
from turntable.renderer.shard import Load, render_shard
from turntable.renderer.workers import Made, ShardTask, WorkerSetup

TINY = load_recipe("zoo").replace(views=2, image_size_px=16, quality="fast", objects_per_shard=3)
OBJECTS = 12


def load_here(source: MeshSource) -> Load:
    """Meshes of a source, loaded without a child."""

    def load(object_ids: Sequence[str]) -> Iterator[Loaded | MeshError]:
        for object_id in object_ids:
            try:
                mesh = load_mesh(source, object_id)
                yield Loaded(mesh, source.digest(object_id, mesh), source.licence_of(object_id))
            except MeshError as error:
                yield error

    return load


@dataclass(frozen=True)
class InProcess:
    """An engine that makes one shard after the other, here."""

    def drawing(self, backend: str, device: str) -> Choice:
        return choose(backend, device)

    def make(self, tasks: Sequence[ShardTask], setup: WorkerSetup, watcher: Watcher) -> None:
        folder = setup.destination.folder
        with setup.drawing.open() as backend:
            for task in tasks:
                if watcher.stop():
                    return
                counts = []
                load = load_here(setup.source)
                outcome = render_shard(backend, setup.recipe, load, task.shard, folder, counts.append)
                if outcome.shard is not None:
                    setup.destination.deliver(outcome.shard)
                watcher.made(task, Made(outcome, counts[-1]))


def quick(folder: Path, recipe: Recipe = TINY, **how: object) -> None:
    """The tiny zoo, made here."""
    generate(recipe, ZooSource(OBJECTS), folder, engine=InProcess(), **how)


def contents(folder: Path) -> dict[str, str]:
    """sha256 of every file of a data set, the journal apart: its lines stand in the order of the run."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "journal.jsonl"
    }


def killed_after(seconds: float, folder: Path) -> bool:
    """Begin the run in a forked process and kill it after so long; whether it was killed before its end.

    The parent must not have opened a device.
    """
    pid = _begun(folder)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the run failed by itself"
    return os.WIFSIGNALED(status)


def _begun(folder: Path) -> int:
    """The run in a forked process."""
    pid = os.fork()
    if pid == 0:
        try:
            quick(folder)
            os._exit(0)
        except BaseException as error:
            print(f"the run failed: {error!r}", file=sys.stderr)  # noqa: T201
            os._exit(1)
    return pid


def main(folder: Path, kills: int, seed: int) -> None:
    """Kill runs at random moments, resuming each, until so many have been killed; print what was left."""
    import random

    moments = random.Random(seed)
    began = time.monotonic()
    assert os.waitpid(_begun(folder / "whole"), 0)[1] == 0
    length = time.monotonic() - began
    killed = number = 0
    while killed < kills:
        target = folder / f"set-{number}"
        killed += killed_after(moments.uniform(0, length), target)
        if (target / "manifest.json").exists():
            number += 1
    for index in range(number + 1):
        assert os.waitpid(_begun(folder / f"set-{index}"), 0)[1] == 0
    print(f"killed {killed} runs of {number + 1} sets, each at a moment of {length:.2f} s")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

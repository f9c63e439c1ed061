"""Runs in this very process: no workers to start."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from turntable.datasets import Recipe, load_recipe
from turntable.errors import MeshError
from turntable.renderer import generate
from turntable.renderer.backends import Choice, choose
from turntable.renderer.meshes.sources import MeshSource, ZooSource, load_mesh
from turntable.renderer.runs import Loaded
from turntable.renderer.runs.engines import Watcher
from turntable.renderer.runs.shard import Load, render_shard
from turntable.renderer.runs.workers import ShardResult, ShardTask, WorkerSetup

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

    def opener(self, backend: str, device: str) -> Choice:
        return choose(backend, device)

    def make(self, tasks: Sequence[ShardTask], setup: WorkerSetup, watcher: Watcher) -> None:
        folder = setup.destination.folder
        with setup.opener.open() as backend:
            for task in tasks:
                if watcher.stop():
                    return
                counts = []
                load = load_here(setup.source)
                outcome = render_shard(backend, setup.recipe, load, task.shard, folder, counts.append)
                if outcome.shard is not None:
                    setup.destination.deliver(outcome.shard)
                watcher.made(task, ShardResult(outcome, counts[-1]))


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

"""Runs in this very process: no workers to start."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from turntable.datasets import Recipe, load_recipe
from turntable.errors import MeshError, StoppedError
from turntable.renderer import generate
from turntable.renderer.backends import BackendSelection, select_backend
from turntable.renderer.meshes.sources import MeshSource, ZooSource
from turntable.renderer.runs import LoadedObject, RunListener
from turntable.renderer.runs.engines import EngineCallbacks
from turntable.renderer.runs.mesh_loader import open_mesh_loader
from turntable.renderer.runs.shard_rendering import LoadMeshes, render_shard
from turntable.renderer.runs.shard_workers import ShardResult, ShardTask, WorkerSetup

TINY = load_recipe("zoo").replace(views=2, image_size_px=16, quality="fast", objects_per_shard=3)
OBJECTS = 12


def load_here(source: MeshSource) -> LoadMeshes:
    """Meshes of a source, loaded without a child."""

    load_one = open_mesh_loader(source)

    def load(object_ids: Sequence[str]) -> Iterator[LoadedObject | MeshError]:
        for object_id in object_ids:
            try:
                yield load_one(object_id)
            except MeshError as error:
                yield error

    return load


@dataclass(frozen=True)
class InProcess:
    """An engine that makes one shard after the other, here."""

    def make_opener(self, backend: str, device: str) -> BackendSelection:
        return select_backend(backend, device)

    def render_shards(
        self, tasks: Sequence[ShardTask], setup: WorkerSetup, callbacks: EngineCallbacks
    ) -> None:
        folder = setup.destination.folder
        opened = nullcontext() if setup.opener is None else setup.opener.open()
        with opened as backend:
            for task in tasks:
                if callbacks.should_stop():
                    return
                counts = []
                load = load_here(setup.source)
                outcome = render_shard(
                    backend, setup.recipe, load, task.shard, folder, counts.append, strict=setup.strict
                )
                if outcome.shard is not None:
                    setup.destination.deliver_shard(outcome.shard)
                callbacks.on_shard_done(task, ShardResult(outcome, counts[-1]))


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


def check_workers_and_resume(make: Callable[..., object], folder: Path, tmp_path: Path) -> None:
    """Check that two workers, and a run that stops and goes on, make the bytes in the folder."""
    make(tmp_path / "two", num_workers=2)
    assert contents(tmp_path / "two") == contents(folder)
    told: list[str] = []
    listener = RunListener(emit=lambda event, **_: told.append(event), should_stop=lambda: "shard" in told)
    with pytest.raises(StoppedError):
        make(tmp_path / "stopped", engine=InProcess(), listener=listener)
    make(tmp_path / "stopped", engine=InProcess())
    assert contents(tmp_path / "stopped") == contents(folder)

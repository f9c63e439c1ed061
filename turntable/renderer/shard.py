"""One shard: objects loaded, drawn, encoded and written, each begun before the one before it is done."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.objects import ObjectRecord, ShardPlan
from turntable.datasets.quarantine import QuarantineRecord
from turntable.datasets.recipe import Recipe
from turntable.datasets.shard_writer import ShardWriter
from turntable.errors import MeshError
from turntable.renderer.backends import Backend
from turntable.renderer.generate import Outcome
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.source import MeshSource, load_mesh
from turntable.renderer.points import surface_points
from turntable.renderer.views import Views, begin_views, encode_extras, encode_views

_T = TypeVar("_T")
_R = TypeVar("_R")


def render_shard(
    backend: Backend,
    recipe: Recipe,
    source: MeshSource,
    shard: ShardPlan,
    folder: Path,
    count: Callable[[int], None] | None = None,
) -> Outcome:
    """Render and commit one shard.

    Args:
        backend: What draws.
        recipe: What to draw.
        source: Of the meshes.
        shard: The objects, in order.
        folder: Of the data set.
        count: Told after each object how many views it gave; 0 for one that was left out.
    """
    made = _Made(count)
    with ShardWriter(folder / shard.split, shard.name, recipe.schema, recipe.label_digest) as writer:
        for begun in _one_ahead(partial(_begin, backend, recipe, source), shard.objects):
            made.take(begun, recipe, writer)
        committed = writer.commit() if len(made.left_out) < len(shard.objects) else None
    return Outcome(shard.split, shard.name, committed, tuple(made.left_out), tuple(made.warned))


@dataclass(frozen=True, slots=True)
class _Begun:
    """An object on the device."""

    record: ObjectRecord
    warnings: tuple[str, ...]
    points: NDArray[np.float32] | None
    views: Callable[[], Views]
    """Waits for them."""


def _begin(
    backend: Backend, recipe: Recipe, source: MeshSource, record: ObjectRecord
) -> _Begun | QuarantineRecord:
    """Load an object and give it to the device; or say why it is left out."""
    try:
        mesh = load_mesh(source, record.id)
        known = replace(record, source_sha256=source.digest(record.id, mesh))
        points = _points(recipe, record.id, mesh)
        # Last: what is begun must be read, and everything else may yet fail.
        views = begin_views(backend, recipe, record.id, mesh, range(recipe.views))
        return _Begun(known, mesh.warnings, points, views)
    except MeshError as error:
        return QuarantineRecord(record.id, error.reason, str(error))


def _one_ahead(begin: Callable[[_T], _R], items: Iterable[_T]) -> Iterator[_R]:
    """What ``begin`` makes of each item, the next one begun before: the device draws it meanwhile."""
    begun: list[_R] = []
    for item in items:
        begun.append(begin(item))
        if len(begun) > 1:
            yield begun.pop(0)
    yield from begun


@dataclass(slots=True)
class _Made:
    """What becomes of a shard's objects, one after the other."""

    count: Callable[[int], None] | None
    left_out: list[QuarantineRecord] = field(default_factory=list)
    warned: list[QuarantineRecord] = field(default_factory=list)

    def take(self, begun: _Begun | QuarantineRecord, recipe: Recipe, writer: ShardWriter) -> None:
        """Encode and write an object, or note why it is left out."""
        if isinstance(begun, QuarantineRecord):
            self.left_out.append(begun)
        else:
            views = begun.views()
            self.warned += [QuarantineRecord(begun.record.id, "incomplete", text) for text in begun.warnings]
            jpegs = encode_views(recipe, views.rgb)
            writer.add(begun.record, views.labels, jpegs, encode_extras(views), begun.points)
        if self.count is not None:
            self.count(0 if isinstance(begun, QuarantineRecord) else recipe.views)


def _points(recipe: Recipe, object_id: str, mesh: Mesh) -> NDArray[np.float32] | None:
    return surface_points(mesh, recipe.points, recipe.label_digest, object_id) if recipe.points else None

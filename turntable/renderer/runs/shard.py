"""One shard: objects loaded, drawn, encoded and written, each begun before the one before it is done."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import ObjectRecord, Recipe
from turntable.datasets.making import Outcome
from turntable.datasets.objects import QuarantineRecord, ShardPlan
from turntable.datasets.shards import ShardWriter
from turntable.errors import MeshError
from turntable.renderer.backends import Backend
from turntable.renderer.meshes import Mesh
from turntable.renderer.points import surface_points
from turntable.renderer.runs.loading import Loaded
from turntable.renderer.runs.progress import Counts
from turntable.renderer.views import RenderedViews, begin_views, encode_extras, encode_views

Load: TypeAlias = Callable[[Sequence[str]], Iterator[Loaded | MeshError]]
"""Gives each object of a list in turn, or why it cannot be used."""


def render_shard(
    backend: Backend,
    recipe: Recipe,
    load: Load,
    shard: ShardPlan,
    folder: Path,
    report: Callable[[Counts], None] | None = None,
    *,
    one_at_a_time: bool = False,
) -> Outcome:
    """Render and commit one shard.

    Args:
        backend: What draws.
        recipe: What to draw.
        load: Gives the meshes.
        shard: The objects, in order.
        folder: Of the data set.
        report: Told before and after each object what has been made, and which objects are in hand.
        one_at_a_time: No object is begun before the one before it is done: slower, but whoever watches knows
            which one ends the process.
    """
    made = _Made(recipe, report)
    with ShardWriter(folder / shard.split, shard.name, recipe.schema, recipe.label_digest) as writer:
        loaded = zip(shard.objects, load([record.id for record in shard.objects]), strict=True)
        begun = (made.begin(backend, record, item) for record, item in loaded)
        for item in begun if one_at_a_time else _one_ahead(begun):
            made.take(item, writer)
        committed = writer.commit() if len(made.left_out) < len(shard.objects) else None
    device = backend.device.as_dict()
    return Outcome(shard.split, shard.name, committed, tuple(made.left_out), tuple(made.warned), device)


@dataclass(frozen=True, slots=True)
class _Begun:
    """An object on the device."""

    record: ObjectRecord
    warnings: tuple[str, ...]
    points: NDArray[np.float32] | None
    views: Callable[[], RenderedViews]
    """Waits for them."""


def _one_ahead(begun: Iterable["_Begun | QuarantineRecord"]) -> Iterator["_Begun | QuarantineRecord"]:
    """The same items, the next one begun before one is given: the device draws it meanwhile."""
    waiting: list[_Begun | QuarantineRecord] = []
    for item in begun:
        waiting.append(item)
        if len(waiting) > 1:
            yield waiting.pop(0)
    yield from waiting


@dataclass(slots=True)
class _Made:
    """What becomes of a shard's objects, one after the other."""

    recipe: Recipe
    report: Callable[[Counts], None] | None
    left_out: list[QuarantineRecord] = field(default_factory=list)
    warned: list[QuarantineRecord] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)

    def begin(
        self, backend: Backend, record: ObjectRecord, loaded: Loaded | MeshError
    ) -> _Begun | QuarantineRecord:
        """Give an object to the device; or say why it is left out."""
        self._say(Counts(), (*self.counts.in_hand, record.id))
        try:
            if isinstance(loaded, MeshError):
                raise loaded
            known = replace(record, source_sha256=loaded.digest, licence=loaded.licence)
            points = _points(self.recipe, record.id, loaded.mesh)
            # Last: what is begun must be read, and everything else may yet fail.
            views = range(self.recipe.views)
            begun = begin_views(backend, self.recipe, record.id, loaded.mesh, views, record.stream)
            return _Begun(known, loaded.mesh.warnings, points, begun)
        except MeshError as error:
            return QuarantineRecord(record.id, error.reason, str(error))

    def take(self, begun: _Begun | QuarantineRecord, writer: ShardWriter) -> None:
        """Encode and write an object, or note why it is left out."""
        if isinstance(begun, QuarantineRecord):
            self.left_out.append(begun)
            self._say(Counts(1, 0, 1), self.counts.in_hand[1:])
            return
        views = begun.views()
        self.warned += [QuarantineRecord(begun.record.id, "incomplete", text) for text in begun.warnings]
        jpegs = encode_views(self.recipe, views.rgb)
        writer.add(begun.record, views.labels, jpegs, encode_extras(views), begun.points)
        self._say(Counts(1, self.recipe.views), self.counts.in_hand[1:])

    def _say(self, more: Counts, in_hand: tuple[str, ...]) -> None:
        self.counts = replace(self.counts + more, in_hand=in_hand)
        if self.report is not None:
            self.report(self.counts)


def _points(recipe: Recipe, object_id: str, mesh: Mesh) -> NDArray[np.float32] | None:
    return surface_points(mesh, recipe.points, recipe.label_digest, object_id) if recipe.points else None

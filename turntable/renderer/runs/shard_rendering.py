"""Rendering of one shard: its objects are loaded, drawn, encoded and written.

Each object is begun on the device before the one before it is encoded.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import ObjectRecord, Recipe
from turntable.datasets.objects import QuarantineRecord, ShardPlan, WarningRecord
from turntable.datasets.shards import ObjectArrayName, ShardWriter
from turntable.datasets.writing import ShardOutcome
from turntable.errors import MeshError
from turntable.renderer.backends import Backend
from turntable.renderer.meshes import Mesh, make_warning_records
from turntable.renderer.point_clouds import sample_object_points
from turntable.renderer.runs.mesh_loader import LoadedObject
from turntable.renderer.runs.progress import RenderCounts
from turntable.renderer.runs.strict_kinds import raise_if_strict
from turntable.renderer.views import RenderedViews, begin_views, encode_extras, encode_views

LoadMeshes: TypeAlias = Callable[[Sequence[str]], Iterator[LoadedObject | MeshError]]
"""A function that yields each object of a list of ids in turn, or the error that makes it unusable."""


def render_shard(
    backend: Backend,
    recipe: Recipe,
    load: LoadMeshes,
    shard: ShardPlan,
    folder: Path,
    report: Callable[[RenderCounts], None] | None = None,
    *,
    one_at_a_time: bool = False,
    strict: Collection[str] = (),
) -> ShardOutcome:
    """Render and commit one shard.

    Args:
        backend: Backend that renders.
        recipe: Recipe of the data set.
        load: Function that yields the meshes.
        shard: Plan of the shard, with its objects in order.
        folder: Folder of the data set.
        report: Callback before and after each object; it receives the counts and the objects in progress.
        one_at_a_time: True to begin no object before the one before it is finished. That is slower, but if
            the process dies, the report tells which object killed it.
        strict: Kinds of warnings with which an object is left out, as ``check_strict_kinds`` returns them.

    Returns:
        The outcome. Its shard is None if every object was left out.
    """
    builder = _ShardBuilder(recipe, report, strict)
    with ShardWriter(folder / shard.split, shard.name, recipe.schema, recipe.label_digest) as writer:
        loaded = zip(shard.objects, load([record.id for record in shard.objects]), strict=True)
        pending = (builder.begin(backend, record, item) for record, item in loaded)
        for item in pending if one_at_a_time else _iter_one_ahead(pending):
            builder.finish(item, writer)
        committed = writer.commit() if len(builder.quarantined) < len(shard.objects) else None
    device = backend.device.to_dict()
    return ShardOutcome(
        shard.split, shard.name, committed, tuple(builder.quarantined), tuple(builder.warnings), device
    )


@dataclass(frozen=True, slots=True)
class _PendingObject:
    """An object whose views have been begun on the device."""

    record: ObjectRecord
    warnings: tuple[WarningRecord, ...]
    points: NDArray[np.float32] | None
    views: Callable[[], RenderedViews]
    """Function that waits for the views; to be called once."""


def _iter_one_ahead(
    items: Iterable["_PendingObject | QuarantineRecord"],
) -> Iterator["_PendingObject | QuarantineRecord"]:
    """Yield the same items, but take each next one first, so that the device draws it meanwhile."""
    waiting: list[_PendingObject | QuarantineRecord] = []
    for item in items:
        waiting.append(item)
        if len(waiting) > 1:
            yield waiting.pop(0)
    yield from waiting


@dataclass(slots=True)
class _ShardBuilder:
    """A builder of one shard that takes its objects one after the other."""

    recipe: Recipe
    report: Callable[[RenderCounts], None] | None
    strict: Collection[str]
    quarantined: list[QuarantineRecord] = field(default_factory=list)
    warnings: list[WarningRecord] = field(default_factory=list)
    counts: RenderCounts = field(default_factory=RenderCounts)

    def begin(
        self, backend: Backend, record: ObjectRecord, loaded: LoadedObject | MeshError
    ) -> _PendingObject | QuarantineRecord:
        """Begin to draw an object on the device, or return the reason why it is left out."""
        self._update_counts(RenderCounts(), (*self.counts.in_progress, record.id))
        try:
            if isinstance(loaded, MeshError):
                raise loaded
            raise_if_strict(record.id, loaded.mesh.warnings, self.strict)
            complete = _complete_record(record, loaded)
            points = _compute_points(self.recipe, record.id, loaded.mesh)
            # Begin the views last. Once begun they must be waited for, and everything above may still fail.
            views = range(self.recipe.views)
            pending = begin_views(
                backend, self.recipe, record.id, loaded.mesh, views, record.stream, record.category
            )
            warnings = make_warning_records(record.id, loaded.mesh.warnings)
            return _PendingObject(complete, warnings, points, pending)
        except MeshError as error:
            return QuarantineRecord(record.id, error.reason, str(error))

    def finish(self, item: _PendingObject | QuarantineRecord, writer: ShardWriter) -> None:
        """Wait for an object, encode it and write it; or note why it is left out."""
        if isinstance(item, QuarantineRecord):
            self.quarantined.append(item)
            self._update_counts(RenderCounts(1, 0, 1), self.counts.in_progress[1:])
            return
        views = item.views()
        self.warnings += item.warnings
        jpegs = encode_views(self.recipe, views.rgb)
        writer.add(item.record, views.labels, jpegs, encode_extras(views), _list_arrays(item, views))
        self._update_counts(RenderCounts(1, self.recipe.views), self.counts.in_progress[1:])

    def _update_counts(self, more: RenderCounts, in_progress: tuple[str, ...]) -> None:
        self.counts = replace(self.counts + more, in_progress=in_progress)
        if self.report is not None:
            self.report(self.counts)


def _list_arrays(item: _PendingObject, views: RenderedViews) -> dict[ObjectArrayName, NDArray[np.float32]]:
    """Return the arrays that a shard holds of an object besides its labels, by name."""
    arrays: dict[ObjectArrayName, NDArray[np.float32]] = {}
    if item.points is not None:
        arrays["points"] = item.points
    if views.parts is not None:
        arrays["part_pose"] = views.parts.part_pose
        if views.parts.joint_values.shape[1]:
            arrays["joint_values"] = views.parts.joint_values
    return arrays


def _complete_record(record: ObjectRecord, loaded: LoadedObject) -> ObjectRecord:
    """Return a record with what is known since its object was loaded."""
    complete = replace(record, source_sha256=loaded.digest, licence=loaded.license, parts=loaded.mesh.parts)
    if loaded.symmetry is None:
        return complete
    facts = loaded.symmetry
    return replace(
        complete,
        symmetry=facts.symmetry,
        mirror_residual=facts.mirror_residual,
        eigen_gap=facts.eigen_gap,
        hidden_symmetry=facts.hidden_symmetry,
    )


def _compute_points(recipe: Recipe, object_id: str, mesh: Mesh) -> NDArray[np.float32] | None:
    return sample_object_points(recipe, object_id, mesh) if recipe.points else None

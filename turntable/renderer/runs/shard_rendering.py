"""Rendering of one shard: its objects are loaded, drawn, encoded and written.

Each object is begun on the device before the one before it is encoded.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from numpy.typing import NDArray

from turntable.datasets import ObjectRecord, Recipe
from turntable.datasets.files import encode_npy
from turntable.datasets.labels import VIEW_ARRAYS, measure_arrays
from turntable.datasets.objects import QuarantineRecord, ShardPlan, WarningRecord
from turntable.datasets.shards import ShardWriter
from turntable.datasets.writing import ShardOutcome
from turntable.errors import MeshError
from turntable.renderer.backends import Backend
from turntable.renderer.dynamics import MotionsAhead
from turntable.renderer.meshes import make_warning_records
from turntable.renderer.object_arrays import ShownObject, compute_object_arrays, compute_view_arrays
from turntable.renderer.runs.mesh_loader import LoadedObject
from turntable.renderer.runs.progress import RenderCounts
from turntable.renderer.runs.strict_kinds import raise_if_strict
from turntable.renderer.views import (
    PosedViews,
    RenderedViews,
    begin_posed_views,
    encode_extras,
    encode_views,
    pose_views,
)

LoadMeshes: TypeAlias = Callable[[Sequence[str]], Iterator[LoadedObject | MeshError]]
"""A function that yields each object of a list of ids in turn, or the error that makes it unusable."""


def render_shard(
    backend: Backend | None,
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
        backend: Backend that renders; None if nothing is drawn.
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
    builder = _ShardBuilder(recipe, report, strict, MotionsAhead(recipe, [item.id for item in shard.objects]))
    with ShardWriter(folder / shard.split, shard.name, recipe.schema, recipe.label_digest) as writer:
        loaded = zip(shard.objects, load([record.id for record in shard.objects]), strict=True)
        pending = (builder.begin(backend, record, item) for record, item in loaded)
        for item in pending if one_at_a_time else _iter_one_ahead(pending):
            builder.finish(item, writer)
        committed = writer.commit() if len(builder.quarantined) < len(shard.objects) else None
    device = {} if backend is None else backend.device.to_dict()
    return ShardOutcome(
        shard.split, shard.name, committed, tuple(builder.quarantined), tuple(builder.warnings), device
    )


@dataclass(frozen=True, slots=True)
class _PendingObject:
    """An object whose views have been begun on the device."""

    record: ObjectRecord
    warnings: tuple[WarningRecord, ...]
    arrays: Mapping[str, NDArray[Any]]
    """Arrays of the object by name."""
    view_arrays: Mapping[str, Sequence[NDArray[Any]]]
    """Outputs that are arrays by name, one for each view."""
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
    motions: MotionsAhead
    quarantined: list[QuarantineRecord] = field(default_factory=list)
    warnings: list[WarningRecord] = field(default_factory=list)
    counts: RenderCounts = field(default_factory=RenderCounts)

    def begin(
        self, backend: Backend | None, record: ObjectRecord, loaded: LoadedObject | MeshError
    ) -> _PendingObject | QuarantineRecord:
        """Begin to draw an object on the device, or return the reason why it is left out."""
        self._update_counts(RenderCounts(), (*self.counts.in_progress, record.id))
        try:
            if isinstance(loaded, MeshError):
                raise loaded
            raise_if_strict(record.id, loaded.mesh.warnings, self.strict)
            self.motions.reach(record.id)
            views = range(self.recipe.views)
            posed = pose_views(self.recipe, record.id, loaded.mesh, views, record.stream, record.category)
            shown = _make_shown_object(self.recipe, record, loaded, posed)
            arrays, view_arrays = compute_object_arrays(shown), compute_view_arrays(shown)
            complete = replace(
                _complete_record(record, loaded), array_sizes=_measure_sizes(arrays, view_arrays)
            )
            # Begin the views last. Once begun they must be waited for, and everything above may still fail.
            pending = begin_posed_views(backend, self.recipe, loaded.mesh, posed)
            warnings = make_warning_records(record.id, loaded.mesh.warnings)
            return _PendingObject(complete, warnings, arrays, view_arrays, pending)
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
        jpegs = encode_views(self.recipe, views.rgb) if self.recipe.has_pictures else []
        writer.add(item.record, views.labels, jpegs, _encode_outputs(self.recipe, item, views), item.arrays)
        self._update_counts(RenderCounts(1, self.recipe.views), self.counts.in_progress[1:])

    def _update_counts(self, more: RenderCounts, in_progress: tuple[str, ...]) -> None:
        self.counts = replace(self.counts + more, in_progress=in_progress)
        if self.report is not None:
            self.report(self.counts)


def _make_shown_object(
    recipe: Recipe, record: ObjectRecord, loaded: LoadedObject, posed: PosedViews
) -> ShownObject:
    """Return an object and the views of it that a shard holds."""
    rows = slice(recipe.views)
    return ShownObject(
        recipe,
        record.id,
        record.category,
        loaded.mesh,
        posed.labels[rows],
        posed.scenes.object_to_world[rows],
        None if posed.parts is None else posed.parts[rows],
        loaded.arrays,
    )


def _measure_sizes(
    arrays: Mapping[str, NDArray[Any]], view_arrays: Mapping[str, Sequence[NDArray[Any]]]
) -> dict[str, int]:
    """Return the sizes of the named axes of an object's arrays; of those of views, the largest."""
    sizes = measure_arrays(arrays)
    for name, items in view_arrays.items():
        for item in items:
            for axis, size in VIEW_ARRAYS[name].measure_axes(item).items():
                sizes[axis] = max(size, sizes.get(axis, 0))
    return dict(sorted(sizes.items()))


def _encode_outputs(recipe: Recipe, item: _PendingObject, views: RenderedViews) -> dict[str, list[bytes]]:
    """Encode the outputs of an object's views besides the picture, in their order: files by name."""
    encoded = encode_extras(views) | {
        name: [encode_npy(array) for array in arrays] for name, arrays in item.view_arrays.items()
    }
    return {name: encoded[name] for name in recipe.outputs if name != "rgb"}


def _complete_record(record: ObjectRecord, loaded: LoadedObject) -> ObjectRecord:
    """Return a record with what is known since its object was loaded."""
    complete = replace(
        record,
        source_sha256=loaded.digest,
        licence=loaded.license,
        parts=loaded.mesh.parts,
        molecule=loaded.molecule,
    )
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

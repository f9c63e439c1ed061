"""Inspection of meshes before a run: they are loaded as a run would load them, and none is drawn."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from turntable.datasets.objects import QuarantineRecord, WarningRecord, count_by_kind, count_warned_objects
from turntable.errors import InvalidInputError, MeshError, escape_text, format_text
from turntable.renderer.meshes import (
    SymmetryFacts,
    center_vertices,
    format_warning_sums,
    make_warning_records,
)
from turntable.renderer.meshes.sources import MeshSource, find_folder_problems
from turntable.renderer.runs.mesh_loader import LoadedObject, LoadLimits, MeshLoader

MAX_OBJECTS = 1_000
"""Largest number of objects that are loaded if no number is given."""
MAX_REASONS = 20
"""Largest number of reasons that are listed."""
MAX_NAMES, MAX_EXAMPLES = 5, 3
"""Largest numbers of objects named with a reason, and of warnings shown of a kind."""


@dataclass(frozen=True, slots=True)
class MeshInspection:
    """The findings of loading the objects of a source."""

    num_objects: int
    """Number of the source's objects."""
    loaded_ids: tuple[str, ...]
    """Ids of the objects that were loaded, or that a run would leave out."""
    left_out: tuple[QuarantineRecord, ...]
    """Objects that a run would leave out."""
    warnings: tuple[WarningRecord, ...]
    """Warnings about the objects that a run would keep."""
    folder_warnings: tuple[WarningRecord, ...]
    """Warnings about the folder of the meshes."""
    symmetry: dict[str, SymmetryFacts] = field(default_factory=dict)
    """Symmetry facts of the meshes by the object's id, if the source asks for them."""


def inspect_meshes(
    source: MeshSource,
    num_objects: int | None = None,
    *,
    limits: LoadLimits | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> MeshInspection:
    """Load objects of a source, and tell what a run would leave out or show otherwise than the files say.

    Args:
        source: Source of the meshes; a ``SymmetrySource`` to measure their symmetry too.
        num_objects: Number of objects to load, an even sample of the list if the source has more; None for
            ``MAX_OBJECTS``.
        limits: Limits on loading each mesh.
        progress: Function called after each object with the number of objects done and of all that are
            loaded.

    Raises:
        InvalidInputError: The source has no objects, or the number is negative.
    """
    if num_objects is not None and num_objects < 0:
        raise InvalidInputError(f"--objects {num_objects}: give a number of objects, 0 for none")
    known = [item.id for item in source.list_objects()]
    chosen = select_even_sample(known, MAX_OBJECTS if num_objects is None else num_objects)
    left_out: list[QuarantineRecord] = []
    warnings: list[WarningRecord] = []
    symmetry: dict[str, SymmetryFacts] = {}
    with MeshLoader(source, limits) as loader, closing(loader.iter_loaded(chosen)) as loaded:
        for number, (object_id, item) in enumerate(zip(chosen, loaded, strict=True), start=1):
            try:
                usable = _check_loaded(item)
            except MeshError as error:
                left_out.append(QuarantineRecord(object_id, error.reason, str(error)))
            else:
                warnings += make_warning_records(object_id, usable.mesh.warnings)
                if usable.symmetry is not None:
                    symmetry[object_id] = usable.symmetry
            if progress is not None:
                progress(number, len(chosen))
    problems = make_warning_records("", find_folder_problems(source))
    return MeshInspection(len(known), tuple(chosen), tuple(left_out), tuple(warnings), problems, symmetry)


def select_even_sample(ids: Sequence[str], num_objects: int) -> list[str]:
    """Return ``num_objects`` ids at even distances in the list; all of them if there are fewer."""
    if num_objects >= len(ids):
        return list(ids)
    return [ids[index * len(ids) // num_objects] for index in range(num_objects)]


def _check_loaded(item: LoadedObject | MeshError) -> LoadedObject:
    """Return an object that can be drawn.

    Raises:
        MeshError: It cannot be loaded, or not be placed before the camera.
    """
    if isinstance(item, MeshError):
        raise item
    center_vertices(item.mesh)
    return item


def format_inspection(inspection: MeshInspection) -> tuple[str, ...]:
    """Format the findings as lines of text."""
    num_loaded = len(inspection.loaded_ids)
    if num_loaded == inspection.num_objects:
        loaded = f"loaded: all {num_loaded:,} objects"
    else:
        sample = ", at even distances in the list" if num_loaded else ""
        loaded = f"loaded: {num_loaded:,} of {inspection.num_objects:,} objects{sample} (--objects N loads N)"
    num_warned = count_warned_objects(inspection.warnings)
    return (
        loaded,
        *([f"would be left out: {len(inspection.left_out):,}"] if num_loaded else []),
        *_format_reasons(inspection.left_out),
        *([f"would be shown otherwise than their files say: {num_warned:,}"] if num_loaded else []),
        *_format_kinds(inspection.warnings),
        *format_folder_warnings(inspection.folder_warnings),
    )


def format_folder_warnings(warnings: Sequence[WarningRecord]) -> tuple[str, ...]:
    """Format warnings about the folder of the meshes as lines of text, by kind; no line if there are none."""
    return ("about the folder:", *_format_kinds(warnings)) if warnings else ()


def _format_reasons(left_out: Iterable[QuarantineRecord]) -> list[str]:
    """Return for each reason a line with the first objects' names, and a line with the first message."""
    items = sorted(left_out, key=lambda item: item.object)
    rows: list[str] = []
    counts = Counter(item.reason for item in items).most_common()
    for reason, count in counts[:MAX_REASONS]:
        of_reason = [item for item in items if item.reason == reason]
        names = ", ".join(format_text(item.object) for item in of_reason[:MAX_NAMES])
        more = f" and {count - MAX_NAMES:,} more" if count > MAX_NAMES else ""
        rows += [
            f"  {format_text(reason)}: {count:,}: {names}{more}",
            f"    {format_text(of_reason[0].detail, 400)}",
        ]
    return rows


def _format_kinds(warnings: Sequence[WarningRecord]) -> list[str]:
    """Return a line for each kind with its counts and meaning, and below it its first warnings."""
    rows: list[str] = []
    sums = format_warning_sums(warnings)
    for line, count in zip(sums, count_by_kind(warnings), strict=True):
        of_kind = [record for record in warnings if record.kind == count.kind]
        rows += [f"  {line}", *(f"    {escape_text(str(record))}" for record in of_kind[:MAX_EXAMPLES])]
    return rows

"""Warnings about meshes as records of a data set, and their sums by kind as lines of text."""

from collections.abc import Iterable

from turntable.datasets.objects import KindCount, WarningRecord, count_by_kind
from turntable.errors import escape_text
from turntable.renderer.meshes.mesh_warnings import WARNING_KINDS, MeshWarning


def make_warning_records(object_id: str, warnings: Iterable[MeshWarning]) -> tuple[WarningRecord, ...]:
    """Return the records of an object's warnings.

    Args:
        object_id: Id of the object; empty for warnings about the folder of the meshes.
        warnings: Its warnings.
    """
    return tuple(
        WarningRecord(object_id, warning.kind, warning.file, warning.detail, warning.shown)
        for warning in warnings
    )


def format_warning_sums(records: Iterable[WarningRecord]) -> tuple[str, ...]:
    """Return a line for each kind of warning: its counts and its meaning. No line is indented."""
    return tuple(map(_format_count, count_by_kind(records)))


def format_warning_examples(records: Iterable[WarningRecord]) -> tuple[str, ...]:
    """Return a line for each kind of warning: its counts, its meaning, and the first of its warnings."""
    return tuple(
        f"{_format_count(count)}; the first: {escape_text(str(count.first))}"
        for count in count_by_kind(records)
    )


def _format_count(count: KindCount) -> str:
    """Format the counts of a kind, and its meaning if this version knows it."""
    warnings = f"{count.num_warnings:,} warning{'s' * (count.num_warnings != 1)}"
    objects = f" of {count.num_objects:,} object{'s' * (count.num_objects != 1)}" * bool(count.num_objects)
    meanings: dict[str, str] = {**WARNING_KINDS}
    meaning = meanings.get(count.kind)
    return f"{escape_text(count.kind)}: {warnings}{objects}" + (f": {meaning}" if meaning else "")

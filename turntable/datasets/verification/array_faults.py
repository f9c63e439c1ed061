"""Checks of the arrays of an object against each other, its record and its labels, for every modality."""

from collections.abc import Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from turntable.datasets.labels import OBJECT_ARRAYS, LabelArray, measure_arrays
from turntable.datasets.manifest import Manifest
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.verification.graph_arrays import find_graph_faults
from turntable.datasets.verification.part_arrays import PART_ARRAYS, find_part_faults, find_point_fault
from turntable.datasets.verification.scan_arrays import find_sensor_fault
from turntable.datasets.verification.track_arrays import find_track_faults

_Arrays = Mapping[str, NDArray[Any] | None]


def find_array_faults(
    manifest: Manifest, record: ObjectRecord, labels: LabelArray, arrays: _Arrays
) -> Iterator[str]:
    """Yield what is wrong with the arrays of an object.

    Args:
        manifest: Manifest of the data set.
        record: Record of the object.
        labels: Labels [V, L] of the object.
        arrays: Arrays of the object by name; None for one that cannot be decoded.
    """
    yield from find_part_faults(manifest, record, labels, *(arrays.get(name) for name in PART_ARRAYS))
    if fault := _find_size_fault(record, arrays):
        # What arrays say of each other is checked where their sizes agree.
        yield fault
        return
    yield from filter(None, (find_point_fault(record, arrays.get("point_parts")),))
    yield from filter(None, (find_sensor_fault(arrays.get("boxes"), arrays.get("ego_pose")),))
    yield from find_graph_faults(record, arrays)
    yield from find_track_faults(manifest, labels, arrays)


def _find_size_fault(record: ObjectRecord, arrays: _Arrays) -> str:
    """Return where an object's description does not agree with the sizes of its arrays; "" if it does."""
    known = {name: array for name, array in arrays.items() if name in OBJECT_ARRAYS and array is not None}
    try:
        sizes = measure_arrays(known)
    except ValueError as error:
        return f"its arrays do not fit each other: {error}"
    if any(size != record.array_sizes.get(axis) for axis, size in sizes.items()):
        return f"it says {dict(record.array_sizes)}, and its arrays have {sizes}"
    return ""

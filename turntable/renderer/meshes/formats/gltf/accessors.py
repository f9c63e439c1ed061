"""The numbers of a glTF file: its accessors as numpy arrays."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError, format_text
from turntable.renderer.meshes.formats.gltf.file import GltfFile, JsonObject
from turntable.renderer.meshes.limits import TOO_LARGE, raise_mesh_error

COMPONENT_TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
"""Numpy types by the number that a glTF file gives in ``componentType``."""
TYPE_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
"""Numbers of columns by the ``type`` of an accessor. Smaller matrices are not needed for meshes."""

Numbers = NDArray[np.generic]
"""Values of an accessor [count, width], in the type of the file."""


def count_elements(file: GltfFile, index: object) -> int:
    """Return the number of elements of an accessor.

    Raises:
        MeshError: The buffer has fewer elements, or there is no buffer (the elements are zeros) and the
            accessor claims more elements than the files have bytes.
    """
    accessor = file.get_item("accessors", index)
    return (
        len(_read_stored_values(file, accessor))
        if "bufferView" in accessor
        else _count_zero_elements(file, accessor)
    )


def _count_zero_elements(file: GltfFile, accessor: JsonObject) -> int:
    """Return the number of elements of an accessor without a buffer, whose values are zeros."""
    count, num_bytes = file.get_int(accessor, "count"), file.object_files.bytes_read
    if count > num_bytes:
        raise_mesh_error(
            f"{file.path}: an accessor without a buffer claims {count:,} elements in {num_bytes:,} bytes",
            TOO_LARGE,
        )
    return count


def is_sparse(file: GltfFile, index: object) -> bool:
    """Return True if there is such an accessor and some of its values are replaced one by one."""
    try:
        return "sparse" in file.get_item("accessors", index)
    except MeshError:
        return False


def is_normalized(file: GltfFile, index: object) -> bool:
    """Return True if the integers of an accessor stand for fractions."""
    return file.get_item("accessors", index).get("normalized") is True


def read_floats(
    file: GltfFile, index: object, width: int, rows: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Read an accessor as floats. Normalized integers become fractions.

    Args:
        file: File to read from.
        index: Index of the accessor.
        width: Number of columns to return; further columns are dropped.
        rows: [K] elements to read; None reads all.

    Returns:
        [count, width], or [K, width] for given ``rows``.

    Raises:
        MeshError: The accessor has fewer columns than ``width``, or cannot be read.
    """
    accessor = file.get_item("accessors", index)
    values = _read_values(file, accessor)
    if values.shape[1] < width:
        file.raise_unreadable(f"an accessor of {values.shape[1]} columns, where {width} are needed")
    chosen = values[slice(None) if rows is None else rows, :width]
    return to_floats(chosen, normalized=accessor.get("normalized") is True)


def to_floats(values: Numbers, *, normalized: bool) -> NDArray[np.float64]:
    """Convert values to floats. Normalized integers become fractions of their type's largest number."""
    numbers = values.astype(np.float64)
    if normalized and values.dtype.kind in "iu":
        return np.maximum(numbers / np.iinfo(cast("np.dtype[np.integer]", values.dtype)).max, -1)
    return numbers


def read_indices(file: GltfFile, index: object) -> tuple[NDArray[np.int64], int]:
    """Read an accessor of vertex indices.

    Returns:
        [count] indices, and the largest number of their type, which ends a strip or fan.

    Raises:
        MeshError: The values are not unsigned integers.
    """
    values = _read_values(file, file.get_item("accessors", index))
    if values.shape[1] != 1 or values.dtype.kind != "u":
        file.raise_unreadable("indices that are not unsigned integers")
    limit = np.iinfo(cast("np.dtype[np.integer]", values.dtype)).max
    return values[:, 0].astype(np.int64), int(limit)


def _read_values(file: GltfFile, accessor: JsonObject) -> Numbers:
    """Read all values of an accessor [count, width], sparse replacements included."""
    if "bufferView" in accessor:
        values = _read_stored_values(file, accessor)
    else:
        values = np.zeros(
            (_count_zero_elements(file, accessor), _get_width(file, accessor)),
            dtype=_get_dtype(file, accessor),
        )
    return _apply_sparse(file, accessor, values) if "sparse" in accessor else values


def _read_stored_values(file: GltfFile, accessor: JsonObject) -> Numbers:
    """Return the values [count, width] as a view of the buffer, without sparse replacements or a copy."""
    start, count = file.get_int(accessor, "byteOffset", 0), file.get_int(accessor, "count")
    file.object_files.limits.check(
        "vertices", count // 3, str(file.path), "elements in an accessor, by three"
    )
    dtype = _get_dtype(file, accessor)
    return _read_strided(file, accessor["bufferView"], start, count, _get_width(file, accessor), dtype)


def _get_width(file: GltfFile, accessor: JsonObject) -> int:
    """Return the number of columns of an accessor."""
    width = TYPE_WIDTHS.get(str(accessor.get("type")), 0)
    if not width:
        file.raise_unreadable(f"an accessor of type {format_text(str(accessor.get('type')), 20)}")
    return width


def _get_dtype(file: GltfFile, accessor: JsonObject) -> "np.dtype[Any]":
    """Return the numpy type of an accessor."""
    component = accessor.get("componentType")
    if component not in list(COMPONENT_TYPES):  # a list, since the JSON may hold a value that has no hash
        file.raise_unreadable(f"an accessor with componentType {format_text(str(component), 20)}")
    return np.dtype(COMPONENT_TYPES[cast("int", component)])


def _read_strided(
    file: GltfFile, view: object, start: int, count: int, width: int, dtype: "np.dtype[Any]"
) -> Numbers:
    """Return a view [count, width] of a buffer view, after checking that the elements fit into it."""
    data, stride = file.get_buffer_view(view)
    element = width * dtype.itemsize
    stride = stride or element
    # The last element need not be followed by padding up to the stride.
    if stride < element or start + stride * (count - 1) + element > len(data) + (element if not count else 0):
        file.raise_unreadable(f"{count:,} elements do not fit their buffer view of {len(data):,} bytes")
    if not count:
        return np.empty((0, width), dtype=dtype)
    return np.ndarray((count, width), dtype, buffer=data, offset=start, strides=(stride, dtype.itemsize))


def _apply_sparse(file: GltfFile, accessor: JsonObject, values: Numbers) -> Numbers:
    """Return a copy of the values [count, width] in which the sparse entries are replaced."""
    sparse = file.get_dict(accessor, "sparse")
    count = file.get_int(sparse, "count")
    index_table, value_table = file.get_dict(sparse, "indices"), file.get_dict(sparse, "values")
    start, dtype = file.get_int(index_table, "byteOffset", 0), _get_dtype(file, index_table)
    stored = _read_strided(file, index_table.get("bufferView"), start, count, 1, dtype)
    if stored.dtype.kind == "f":
        file.raise_unreadable("a sparse accessor whose indices are not integers")
    indices = stored[:, 0].astype(np.int64)
    start, width = file.get_int(value_table, "byteOffset", 0), values.shape[1]
    entries = _read_strided(file, value_table.get("bufferView"), start, count, width, values.dtype)
    exists = (indices >= 0) & (indices < len(values))
    if not exists.all():
        detail = f"a sparse accessor replaces {np.sum(~exists):,} elements that do not exist"
        file.log.add("reference-skipped", detail, "they are left out")
    replaced = values.copy()
    replaced[indices[exists]] = entries[exists]
    return replaced

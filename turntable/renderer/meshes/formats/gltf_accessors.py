"""The numbers of a glTF file: its accessors as numpy arrays."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.errors import format_text
from turntable.renderer.meshes.formats.gltf_file import GltfFile, JsonObject
from turntable.renderer.meshes.limits import TOO_LARGE, raise_mesh_error

COMPONENT_TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
"""Numpy types by the number that a glTF file gives in ``componentType``."""
TYPE_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
"""Numbers of columns by the ``type`` of an accessor. Matrices are not needed for meshes."""

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
    """Return True if some values of an accessor are replaced one by one."""
    return "sparse" in file.get_item("accessors", index)


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
    numbers = values[slice(None) if rows is None else rows, :width].astype(np.float64)
    if accessor.get("normalized") is True and values.dtype.kind in "iu":
        return np.maximum(numbers / np.iinfo(cast("np.dtype[np.integer]", values.dtype)).max, -1)
    return numbers


def read_indices(file: GltfFile, index: object, num_vertices: int) -> NDArray[np.int64]:
    """Read an accessor of vertex indices.

    Args:
        file: File to read from.
        index: Index of the accessor.
        num_vertices: Number of vertices that the indices refer to.

    Returns:
        [count] indices, each below ``num_vertices``.

    Raises:
        MeshError: The values are not unsigned integers, or one is not below ``num_vertices``.
    """
    values = _read_values(file, file.get_item("accessors", index))
    if values.shape[1] != 1 or values.dtype.kind != "u":
        file.raise_unreadable("indices that are not unsigned integers")
    numbers = values[:, 0].astype(np.int64)
    _check_range(file, numbers, num_vertices)
    return numbers


def _check_range(file: GltfFile, numbers: NDArray[np.int64], num_vertices: int) -> None:
    """Raise if a number is not below ``num_vertices``."""
    if len(numbers) and numbers.max() >= num_vertices:
        raise_mesh_error(
            f"{file.path}: a face names vertex {numbers.max()} of {num_vertices}; the file is cut off",
            "cut off",
        )


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
        raise_mesh_error(
            f"{file.path}: {count:,} elements do not fit their buffer view; the file is cut off", "cut off"
        )
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
    indices = stored[:, 0].astype(np.int64)
    _check_range(file, indices, len(values))
    if (indices < 0).any():
        file.raise_unreadable("a sparse accessor has negative indices")
    start, width = file.get_int(value_table, "byteOffset", 0), values.shape[1]
    replaced = values.copy()
    replaced[indices] = _read_strided(file, value_table.get("bufferView"), start, count, width, values.dtype)
    return replaced

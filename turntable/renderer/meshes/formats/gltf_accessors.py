"""The numbers of a glTF file: accessors as arrays."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.errors import shown
from turntable.renderer.meshes.formats.gltf_file import GltfFile, JsonObject
from turntable.renderer.meshes.limits import TOO_LARGE, refuse

TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}

Numbers = NDArray[np.generic]


def count_of(file: GltfFile, index: object) -> int:
    """Return how many elements an accessor has.

    Raises:
        MeshError: Its buffer has fewer; or it has none, and so stands for zeros, and claims more of them than
            the files have bytes.
    """
    accessor = file.item("accessors", index)
    return len(_stored(file, accessor)) if "bufferView" in accessor else _num_zeros(file, accessor)


def _num_zeros(file: GltfFile, accessor: JsonObject) -> int:
    count, num_bytes = file.number(accessor, "count"), file.files.bytes_read
    if count > num_bytes:
        refuse(
            f"{file.path}: an accessor of {count:,} elements without a buffer, in {num_bytes:,} bytes",
            TOO_LARGE,
        )
    return count


def is_sparse(file: GltfFile, index: object) -> bool:
    """Return whether some values of an accessor are given one by one."""
    return "sparse" in file.item("accessors", index)


def floats(
    file: GltfFile, index: object, width: int, rows: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Read numbers [count, width]; integers that stand for fractions become those.

    Args:
        file: Where they are.
        index: Of the accessor.
        width: Columns; further ones are dropped.
        rows: [K] elements to read; None reads all.
    """
    accessor = file.item("accessors", index)
    values = _values(file, accessor)
    if values.shape[1] < width:
        file.broken(f"an accessor of {values.shape[1]} columns, where {width} are needed")
    numbers = values[slice(None) if rows is None else rows, :width].astype(np.float64)
    if accessor.get("normalized") is True and values.dtype.kind in "iu":
        return np.maximum(numbers / np.iinfo(cast("np.dtype[np.integer]", values.dtype)).max, -1)
    return numbers


def indices(file: GltfFile, index: object, vertices: int) -> NDArray[np.int64]:
    """[count] numbers of vertices.

    Raises:
        MeshError: One of them is not there.
    """
    values = _values(file, file.item("accessors", index))
    if values.shape[1] != 1 or values.dtype.kind != "u":
        file.broken("indices that are no whole numbers")
    numbers = values[:, 0].astype(np.int64)
    _check_range(file, numbers, vertices)
    return numbers


def _check_range(file: GltfFile, numbers: NDArray[np.int64], vertices: int) -> None:
    if len(numbers) and numbers.max() >= vertices:
        refuse(
            f"{file.path}: a face names vertex {numbers.max()} of {vertices}; the file is cut off", "cut off"
        )


def _values(file: GltfFile, accessor: JsonObject) -> Numbers:
    """[count, width], with what is sparse in its place."""
    if "bufferView" in accessor:
        values = _stored(file, accessor)
    else:
        values = np.zeros((_num_zeros(file, accessor), _width(file, accessor)), dtype=_kind(file, accessor))
    return _with_sparse(file, accessor, values) if "sparse" in accessor else values


def _stored(file: GltfFile, accessor: JsonObject) -> Numbers:
    """[count, width] as they lie in the buffer; nothing is copied."""
    start, count = file.number(accessor, "byteOffset", 0), file.number(accessor, "count")
    file.files.limits.check("vertices", count // 3, str(file.path), "elements in an accessor, by three")
    kind = _kind(file, accessor)
    return _strided(file, accessor["bufferView"], start, count, _width(file, accessor), kind)


def _width(file: GltfFile, accessor: JsonObject) -> int:
    width = WIDTHS.get(str(accessor.get("type")), 0)
    if not width:
        file.broken(f"an accessor of type {shown(str(accessor.get('type')), 20)}")
    return width


def _kind(file: GltfFile, accessor: JsonObject) -> "np.dtype[Any]":
    component = accessor.get("componentType")
    if component not in list(TYPES):  # as any value: a list has no hash
        file.broken(f"an accessor with componentType {shown(str(component), 20)}")
    return np.dtype(TYPES[cast("int", component)])


def _strided(
    file: GltfFile, view: object, start: int, count: int, width: int, kind: "np.dtype[Any]"
) -> Numbers:
    data, stride = file.view(view)
    element = width * kind.itemsize
    stride = stride or element
    if stride < element or start + stride * (count - 1) + element > len(data) + (element if not count else 0):
        refuse(
            f"{file.path}: {count:,} elements do not fit their buffer view; the file is cut off", "cut off"
        )
    if not count:
        return np.empty((0, width), dtype=kind)
    return np.ndarray((count, width), kind, buffer=data, offset=start, strides=(stride, kind.itemsize))


def _with_sparse(file: GltfFile, accessor: JsonObject, values: Numbers) -> Numbers:
    """The values with some of them replaced."""
    sparse = file.table(accessor, "sparse")
    count = file.number(sparse, "count")
    where, what = file.table(sparse, "indices"), file.table(sparse, "values")
    start = file.number(where, "byteOffset", 0)
    places = _strided(file, where.get("bufferView"), start, count, 1, _kind(file, where))[:, 0].astype(
        np.int64
    )
    _check_range(file, places, len(values))
    if (places < 0).any():
        file.broken("a sparse accessor with negative places")
    start = file.number(what, "byteOffset", 0)
    changed = values.copy()
    changed[places] = _strided(file, what.get("bufferView"), start, count, values.shape[1], values.dtype)
    return changed

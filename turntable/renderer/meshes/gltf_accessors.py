"""The numbers of a glTF file: accessors as arrays."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.gltf_file import GltfFile, Table
from turntable.renderer.meshes.limits import refuse

TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}

Numbers = NDArray[np.generic]


def count_of(file: GltfFile, index: object) -> int:
    """How many elements an accessor has, by its own word."""
    return file.number(file.item("accessors", index), "count")


def floats(file: GltfFile, index: object, width: int) -> NDArray[np.float64]:
    """[count, width] numbers; integers that stand for fractions become those. Further columns are dropped."""
    accessor = file.item("accessors", index)
    values = _values(file, accessor)
    if values.shape[1] < width:
        file.broken(f"an accessor of {values.shape[1]} columns, where {width} are needed")
    numbers = values[:, :width].astype(np.float64)
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


def _values(file: GltfFile, accessor: Table) -> Numbers:
    """[count, width] as stored."""
    count = file.number(accessor, "count")
    file.files.limits.check("vertices", count // 3, str(file.path), "elements in an accessor, by three")
    width = WIDTHS.get(str(accessor.get("type")), 0)
    if not width:
        file.broken(f"an accessor of type {str(accessor.get('type'))[:20]}")
    kind = _kind(file, accessor)
    if "bufferView" in accessor:
        start = file.number(accessor, "byteOffset", 0)
        values = _strided(file, accessor["bufferView"], start, count, width, kind)
    else:
        values = np.zeros((count, width), dtype=kind)
    return _with_sparse(file, accessor, values) if "sparse" in accessor else values


def _kind(file: GltfFile, accessor: Table) -> "np.dtype[Any]":
    component = accessor.get("componentType")
    if component not in TYPES:
        file.broken(f"an accessor with componentType {str(component)[:20]}")
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


def _with_sparse(file: GltfFile, accessor: Table, values: Numbers) -> Numbers:
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

"""PLY files made by tests: elements become bytes of any form, and meshes of them are measured."""

import struct
from dataclasses import dataclass

import numpy as np

from turntable.renderer.meshes.formats import load_mesh_file

CODES = {
    "char": "b",
    "int8": "b",
    "uchar": "B",
    "uint8": "B",
    "short": "h",
    "int16": "h",
    "ushort": "H",
    "uint16": "H",
    "int": "i",
    "int32": "i",
    "uint": "I",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float": "f",
    "float32": "f",
    "double": "d",
    "float64": "d",
}
INTEGERS = [name for name, code in CODES.items() if code not in "fd"]
FLOATS = ["float", "float32", "double", "float64"]
ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}


@dataclass(frozen=True)
class Column:
    """A property of an element: its name, the type of its numbers, that of its length, and its values."""

    name: str
    kind: str
    rows: list
    count_kind: str = ""


def line_of(column):
    return f"property {f'list {column.count_kind} ' * bool(column.count_kind)}{column.kind} {column.name}"


def ply(form, elements, end="\n", comments=()):
    """The bytes of a PLY file with these elements: name, and columns of equally many rows."""
    lines = ["ply", f"format {form} 1.0", *comments]
    for name, columns in elements:
        lines += [f"element {name} {len(columns[0].rows)}", *map(line_of, columns)]
    head = end.join([*lines, "end_header", ""]).encode()
    parts = []
    for _, columns in elements:
        for row in range(len(columns[0].rows)):
            words = []
            for column in columns:
                value = column.rows[row]
                if column.count_kind:
                    words.append((column.count_kind, len(value)))
                words += [(column.kind, item) for item in (value if column.count_kind else [value])]
            if form == "ascii":
                texts = [repr(float(x)) if CODES[kind] in "fd" else str(x) for kind, x in words]
                parts.append((" ".join(texts) + end).encode())
            else:
                parts += [struct.pack(ORDERS[form] + CODES[kind], x) for kind, x in words]
    return head + b"".join(parts)


def corners_of(count):
    """Points of a circle: polygons of them in order are convex."""
    angle = np.arange(count) * 2 * np.pi / count
    return np.stack([np.cos(angle), np.sin(angle), 0.25 * np.ones(count)], axis=1).astype(np.float32)


def area_of(points, faces):
    """The shoelace formula."""
    x, y = points[:, 0].astype(float), points[:, 1].astype(float)
    return sum(abs(x[f] @ np.roll(y[f], -1) - y[f] @ np.roll(x[f], -1)) / 2 for f in map(list, faces))


def mesh_area(mesh):
    a, b, c = (mesh.positions[mesh.triangles[:, k]].astype(float) for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


def load(folder, data, name="a.ply", **more):
    (folder / name).write_bytes(data)
    return load_mesh_file(folder / name, **more)


SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=float)


def square(vertex=(), face=(), faces=((0, 1, 2), (0, 2, 3)), comments=(), others=(), form="ascii"):
    """Two triangles, with further columns of vertices and faces."""
    columns = [Column(axis, "float", SQUARE[:, k].tolist()) for k, axis in enumerate("xyz")]
    indices = Column("vertex_indices", "int", [list(item) for item in faces], "uchar")
    return ply(
        form, [("vertex", [*columns, *vertex]), ("face", [indices, *face]), *others], comments=comments
    )

"""Wavefront OBJ files as the original generator's importer understood them.

Kept from that importer, since pictures depend on it: axes (x, y, z) become (x, -z, y); faces that repeat
the same corners in any order are dropped; with ``vn`` shading is smooth, without it every face is flat;
winding is what the file says.
"""

import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes.mesh import Material, Mesh, face_normals, unit, y_up_to_z_up
from turntable.renderer.meshes.mtl import load_materials

ABSENT = np.iinfo(np.int64).min
"""A corner without a texture coordinate or normal."""

CUT_OFF = "the file seems to be cut off; get it again from its source"


@dataclass(slots=True)
class _Statements:
    """The lines of a file, sorted by what they say; faces remember the material in force."""

    positions: list[bytes] = field(default_factory=list)
    normals: list[bytes] = field(default_factory=list)
    texcoords: list[bytes] = field(default_factory=list)
    faces: list[bytes] = field(default_factory=list)
    face_material: list[int] = field(default_factory=list)
    material_names: dict[str, int] = field(default_factory=dict)
    libraries: list[str] = field(default_factory=list)


def load_obj(path: Path, root: Path | None = None) -> Mesh:
    """Read an OBJ file with its materials and textures.

    Args:
        path: The file.
        root: The folder no texture or material path may leave; the file's own folder by default.

    Raises:
        MeshError: The file is missing, cut off, has no faces, or holds numbers that are not finite.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MeshError(
            f"{path}: cannot be read ({error.strerror}); check the path and its permissions",
            reason="file missing",
        ) from error
    statements = _sort_lines(data)
    positions = _numbers(statements.positions, 3, path, "v")
    if not statements.faces:
        raise MeshError(f"{path}: no faces; {CUT_OFF}, or leave this object out", reason="no faces")
    corners, face_of_triangle = _triangles(statements.faces, path)
    normals = _numbers(statements.normals, 3, path, "vn")
    texcoords = _numbers(statements.texcoords, 2, path, "vt")
    corners = _resolve(corners, (len(positions), len(texcoords), len(normals)), path)
    materials, notes = load_materials(
        path, statements.libraries, statements.material_names, root or path.parent
    )
    material_index = np.asarray(statements.face_material, dtype=np.int32)[face_of_triangle]
    keep = _first_of_each(corners[..., 0])
    return _assemble(
        positions, texcoords, normals, corners[keep], material_index[keep], materials, notes, path
    )


def _sort_lines(data: bytes) -> _Statements:
    statements, current = _Statements(), 0
    if b"\\\n" in data or b"\\\r\n" in data:
        data = re.sub(rb"\\\r?\n", b" ", data)
    buckets = {
        b"v": statements.positions,
        b"vn": statements.normals,
        b"vt": statements.texcoords,
    }
    for line in data.split(b"\n"):
        word, _, rest = line.strip().partition(b" ")
        if word == b"f":
            statements.faces.append(rest)
            statements.face_material.append(current)
        elif word in buckets:
            buckets[word].append(rest)
        elif word == b"usemtl":
            name = rest.strip().decode("utf-8", "replace")
            current = statements.material_names.setdefault(name, len(statements.material_names) + 1)
        elif word == b"mtllib":
            statements.libraries.append(rest.strip().decode("utf-8", "replace"))
    return statements


def _numbers(lines: list[bytes], width: int, path: Path, keyword: str) -> NDArray[np.float64]:
    """[N, width]; further numbers on a line (vertex colours, w) are ignored."""
    if not lines:
        return np.empty((0, width))
    columns = len(lines[0].split())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            values = np.fromstring(b" ".join(lines).decode("ascii"), dtype=np.float64, sep=" ")
        table = values.reshape(len(lines), columns)[:, :width]
    except (ValueError, DeprecationWarning):
        table = _numbers_by_line(lines, width, path, keyword)
    if table.shape[1] < width:
        table = _numbers_by_line(lines, width, path, keyword)
    bad = np.flatnonzero(~np.isfinite(table).all(axis=1))
    if len(bad):
        raise MeshError(
            f"{path}: {len(bad)} '{keyword}' lines hold NaN or infinity (the first is number {bad[0] + 1}); "
            "export the mesh again or leave this object out",
            reason="not finite",
        )
    return table


def _numbers_by_line(lines: list[bytes], width: int, path: Path, keyword: str) -> NDArray[np.float64]:
    """The slow way, for lines of different lengths; it knows which line is at fault."""
    rows = np.zeros((len(lines), width))
    for number, line in enumerate(lines):
        words = line.split()
        try:
            found = [float(word) for word in words[:width]]
        except ValueError:
            found = []
        # A texture coordinate may leave v out.
        if len(found) < width and not (keyword == "vt" and len(found) == 1):
            raise MeshError(
                f"{path}: '{keyword} {line.decode(errors='replace')}' (number {number + 1}): {CUT_OFF}",
                reason="cut off",
            )
        rows[number, : len(found)] = found
    return rows


def _triangles(faces: list[bytes], path: Path) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Corners [T, 3, 3] as written (position, texcoord, normal; from 1, 0 where absent); the face of each."""
    sizes = np.array([len(face.split()) for face in faces], dtype=np.intp)
    if (sizes < 3).any():
        number = int(np.argmax(sizes < 3))
        raise MeshError(
            f"{path}: face {number + 1} has fewer than 3 corners; {CUT_OFF}",
            reason="cut off",
        )
    table = np.array(
        [_corner(word, path) for face in faces for word in face.split()], dtype=np.int64
    ).reshape(-1, 3)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
    uneven = ((table != 0) != np.repeat(table[starts] != 0, sizes, axis=0)).any(axis=1)
    if uneven.any():
        number = int(np.searchsorted(starts, np.argmax(uneven), side="right"))
        raise MeshError(f"{path}: the corners of face {number} are not alike; {CUT_OFF}", reason="cut off")
    # Polygons become fans around their first corner.
    face_of_triangle = np.repeat(np.arange(len(faces)), sizes - 2)
    first_triangle = np.repeat(np.cumsum(sizes - 2) - (sizes - 2), sizes - 2)
    step = np.arange(len(face_of_triangle)) - first_triangle
    start = starts[face_of_triangle]
    return table[np.stack([start, start + step + 1, start + step + 2], axis=-1)], face_of_triangle


def _corner(word: bytes, path: Path) -> tuple[int, int, int]:
    parts = word.split(b"/")
    try:
        position = int(parts[0])
        texcoord = int(parts[1]) if len(parts) > 1 and parts[1] else 0
        normal = int(parts[2]) if len(parts) > 2 and parts[2] else 0
    except ValueError as error:
        raise MeshError(
            f"{path}: '{word.decode(errors='replace')}' is no corner of a face; {CUT_OFF}", reason="cut off"
        ) from error
    return position, texcoord, normal


def _resolve(corners: NDArray[np.int64], counts: tuple[int, int, int], path: Path) -> NDArray[np.int64]:
    """0-based corners; negative references count from the end, absent ones become ``ABSENT``."""
    resolved = np.where(corners > 0, corners - 1, corners + np.array(counts))
    resolved[..., 1:][corners[..., 1:] == 0] = ABSENT
    for axis, kind in enumerate(("v", "vt", "vn")):
        column = resolved[..., axis]
        # A face may name texture coordinates the file never defines; only positions are indispensable.
        wrong = (column >= counts[axis]) | ((column < 0) & (column != ABSENT))
        if axis and counts[axis] == 0:
            column[...] = ABSENT
        elif wrong.any():
            raise MeshError(
                f"{path}: a face names {kind} {int(column[wrong][0]) + 1} of {counts[axis]}; {CUT_OFF}",
                reason="cut off",
            )
    return resolved


def _first_of_each(position_corners: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which triangles to keep: the first of those with the same corners, and none that repeats a corner."""
    ordered = np.sort(position_corners, axis=1)
    degenerate = (ordered[:, 0] == ordered[:, 1]) | (ordered[:, 1] == ordered[:, 2])
    _, first = np.unique(ordered, axis=0, return_index=True)
    keep = np.zeros(len(ordered), dtype=np.bool_)
    keep[first] = True
    return keep & ~degenerate


def _assemble(
    positions: NDArray[np.float64],
    texcoords: NDArray[np.float64],
    normals: NDArray[np.float64],
    corners: NDArray[np.int64],
    material_index: NDArray[np.int32],
    materials: tuple[Material, ...],
    notes: tuple[str, ...],
    path: Path,
) -> Mesh:
    if not len(corners):
        raise MeshError(f"{path}: every face is degenerate; leave this object out", reason="no faces")
    smooth = bool(len(normals)) and bool((corners[..., 2] != ABSENT).all())
    if not smooth:
        corners = corners.copy()
        corners[..., 2] = np.arange(len(corners))[:, None]
        normals = face_normals(positions, corners[..., 0].astype(np.int32))
    unique, vertex = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
    uv = np.zeros((len(unique), 2))
    textured = unique[:, 1] != ABSENT
    uv[textured] = texcoords[unique[textured, 1]]
    return y_up_to_z_up(
        Mesh(
            positions=positions[unique[:, 0]].astype(np.float32),
            triangles=vertex.reshape(-1, 3).astype(np.int32),
            normals=unit(normals[unique[:, 2]]).astype(np.float32),
            texcoords=uv.astype(np.float32),
            material_index=material_index,
            materials=materials,
            has_normals=smooth,
            warnings=notes,
        )
    )

"""Wavefront OBJ files as the original generator's importer understood them.

Kept from that importer, since pictures depend on it: axes (x, y, z) become (x, -z, y); faces that repeat
the same corners in any order are dropped; with ``vn`` shading is smooth, without it every face is flat;
winding is what the file says.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes.formats.confined import Confined
from turntable.renderer.meshes.formats.mtl import load_materials
from turntable.renderer.meshes.formats.obj_bulk import read_bulk
from turntable.renderer.meshes.formats.obj_lines import CUT_OFF, read_lines
from turntable.renderer.meshes.formats.obj_text import ObjText
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Material, Mesh, face_normals, unit, y_up_to_z_up
from turntable.renderer.meshes.rows import unique_rows

MOST = float(np.finfo(np.float32).max)
ABSENT = -1
"""A corner without a texture coordinate or normal."""


def load_obj(
    path: Path, root: Path | None = None, limits: Limits = LIMITS, beside: tuple[Path, ...] = ()
) -> Mesh:
    """Read an OBJ file with its materials and textures.

    Args:
        path: The file.
        root: The folder no texture or material path may leave; the file's own folder by default.
        limits: What the object's files may ask for.
        beside: Folders below the root where textures are looked for that are not where the file says.

    Raises:
        MeshError: The file is missing, cut off, too large, without faces, or its numbers are not finite.
    """
    files = Confined(root or path.parent, limits, beside)
    data = files.mesh_file(path)
    text = read_bulk(data) or read_lines(data, path)
    return _mesh(text, path, files)


def _mesh(text: ObjText, path: Path, files: Confined) -> Mesh:
    for keyword, table in (("v", text.positions), ("vn", text.normals), ("vt", text.texcoords)):
        _check_finite(table, keyword, path)
    if not len(text.sizes):
        raise MeshError(f"{path}: no faces; {CUT_OFF}, or leave this object out", reason="no faces")
    files.limits.check("vertices", len(text.positions), str(path), "vertices")
    files.limits.check("triangles", int((text.sizes - 2).sum()), str(path), "triangles")
    _check_alike(text, path)
    resolved = _resolved(text, path)
    corners, face_of_triangle = _triangles(text.sizes)
    materials, notes = load_materials(path, text.libraries, text.material_names, files)
    keep = _first_of_each(resolved[0][corners])
    material_index = text.face_material[face_of_triangle[keep]]
    mesh = _assembled(text, resolved[:, corners[:, keep].T.ravel()], material_index, materials, path)
    return replace(mesh, warnings=notes, files=tuple(files.files))


def _check_finite(table: NDArray[np.float64], keyword: str, path: Path) -> None:
    # In float32, as they are drawn: what is beyond it is infinite there.
    finite = np.abs(table) <= MOST
    if finite.all():
        return
    bad = np.flatnonzero(~finite.all(axis=1))
    raise MeshError(
        f"{path}: {len(bad)} '{keyword}' lines hold NaN or infinity (the first is number {bad[0] + 1}); "
        "export the mesh again or leave this object out",
        reason="not finite",
    )


def _check_alike(text: ObjText, path: Path) -> None:
    starts = np.cumsum(text.sizes) - text.sizes
    position, texcoord, normal = text.corners != 0
    given = position + 2 * texcoord.view(np.uint8) + 4 * normal.view(np.uint8)
    if (given == given[0]).all():
        return
    uneven = given != np.repeat(given[starts], text.sizes)
    if uneven.any():
        number = int(np.searchsorted(starts, np.argmax(uneven), side="right"))
        raise MeshError(f"{path}: the corners of face {number} are not alike; {CUT_OFF}", reason="cut off")


def _triangles(sizes: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Corners of triangles [3, T], polygons as fans around their first corner; the face of each [T]."""
    starts = np.cumsum(sizes) - sizes
    if (sizes == 3).all():
        return np.stack([starts, starts + 1, starts + 2]), np.arange(len(sizes))
    face_of_triangle = np.repeat(np.arange(len(sizes)), sizes - 2)
    first_triangle = np.repeat(np.cumsum(sizes - 2) - (sizes - 2), sizes - 2)
    step = np.arange(len(face_of_triangle)) - first_triangle
    start = starts[face_of_triangle]
    return np.stack([start, start + step + 1, start + step + 2]), face_of_triangle


def _resolved(text: ObjText, path: Path) -> NDArray[np.int64]:
    """0-based corners [3, C]; negative references count back from their face, absent ones are ``ABSENT``."""
    resolved = text.corners - 1
    if (text.corners < 0).any():
        before = text.corners + np.repeat(text.defined, text.sizes, axis=1)
        resolved = np.where(text.corners < 0, before, resolved)
    tables = (("v", text.positions), ("vt", text.texcoords), ("vn", text.normals))
    for axis, (kind, table) in enumerate(tables):
        column, absent = resolved[axis], np.bool_(False)
        if axis:
            # A face may name texture coordinates the file never defines; only positions are indispensable.
            absent = (text.corners[axis] == 0) | (len(table) == 0)
        wrong = ((column >= len(table)) | (column < 0)) & ~absent
        if wrong.any():
            named = int(text.corners[axis][wrong][0])
            raise MeshError(
                f"{path}: a face names {kind} {named} of {len(table)}; {CUT_OFF}", reason="cut off"
            )
        column[np.broadcast_to(absent, column.shape)] = ABSENT
    return resolved


def _first_of_each(corners: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which triangles [3, T] to keep: the first of those with the same corners, and none that repeats one."""
    least, most = corners.min(axis=0), corners.max(axis=0)
    ordered = np.stack([least, corners.sum(axis=0) - least - most, most])
    keep = np.zeros(corners.shape[1], dtype=np.bool_)
    keep[unique_rows(ordered)[0]] = True
    return keep & (ordered[0] != ordered[1]) & (ordered[1] != ordered[2])


def _assembled(
    text: ObjText,
    corners: NDArray[np.int64],
    material_index: NDArray[np.int32],
    materials: tuple[Material, ...],
    path: Path,
) -> Mesh:
    """The mesh of corners [3, 3 T], three a triangle."""
    if not corners.size:
        raise MeshError(f"{path}: every face is degenerate; leave this object out", reason="no faces")
    normals = text.normals
    smooth = bool(len(normals)) and bool((corners[2] != ABSENT).all())
    if not smooth:
        normals = face_normals(text.positions, corners[0].reshape(-1, 3).astype(np.int32))
        corners = np.stack([*corners[:2], np.repeat(np.arange(len(normals)), 3)])
    first, vertex = unique_rows(corners)
    position, texcoord, normal = corners[:, first]
    uv = np.zeros((len(first), 2))
    textured = texcoord != ABSENT
    uv[textured] = text.texcoords[texcoord[textured]]
    return y_up_to_z_up(
        Mesh(
            positions=text.positions[position].astype(np.float32),
            triangles=vertex.reshape(-1, 3).astype(np.int32),
            normals=unit(normals[normal]).astype(np.float32),
            texcoords=uv.astype(np.float32),
            material_index=material_index,
            materials=materials,
            has_normals=smooth,
        )
    )

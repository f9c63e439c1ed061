"""Loading of Wavefront OBJ files, with the conventions of the importer that the original generator used.

Images depend on these conventions: axes (x, y, z) become (x, -z, y). Of faces with the same corners in any
order, only the first is kept. With ``vn`` shading is smooth; without it every face is flat. The winding
is that of the file.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes.formats.mtl import load_materials
from turntable.renderer.meshes.formats.obj_fast_parser import parse_obj_fast
from turntable.renderer.meshes.formats.obj_line_parser import CUT_OFF, parse_obj_lines
from turntable.renderer.meshes.formats.obj_statements import ObjStatements
from turntable.renderer.meshes.formats.object_files import ObjectFiles
from turntable.renderer.meshes.formats.polygons import triangulate_polygons
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import (
    Material,
    Mesh,
    compute_face_normals,
    normalize_vectors,
    y_up_to_z_up,
)
from turntable.renderer.meshes.unique_rows import find_unique_rows

MAX_FLOAT32 = float(np.finfo(np.float32).max)
"""Largest finite float32."""
ABSENT = -1
"""Resolved reference of a corner without a texture coordinate or normal."""


def load_obj(
    path: Path, root: Path | None = None, limits: Limits = LIMITS, texture_folders: tuple[Path, ...] = ()
) -> Mesh:
    """Load an OBJ file with its materials and textures.

    Args:
        path: Path of the file.
        root: Folder that no texture or material file may lie outside; the file's own folder by default.
        limits: Limits on what the object's files may ask for.
        texture_folders: Folders below the root that are searched for textures missing where the file says.

    Raises:
        MeshError: The file is missing, cut off, too large, without faces, or its numbers are not finite.
    """
    files = ObjectFiles(root or path.parent, limits, texture_folders)
    data = files.read_mesh_file(path)
    statements = parse_obj_fast(data) or parse_obj_lines(data, path)
    return _build_mesh(statements, path, files)


def _build_mesh(statements: ObjStatements, path: Path, object_files: ObjectFiles) -> Mesh:
    """Build the mesh of a parsed file."""
    for keyword, table in (
        ("v", statements.positions),
        ("vn", statements.normals),
        ("vt", statements.texcoords),
    ):
        _check_finite(table, keyword, path)
    if not len(statements.face_sizes):
        raise MeshError(f"{path}: no faces; {CUT_OFF}, or leave this object out", reason="no faces")
    object_files.limits.check("vertices", len(statements.positions), str(path), "vertices")
    object_files.limits.check("triangles", int((statements.face_sizes - 2).sum()), str(path), "triangles")
    _check_uniform_corners(statements, path)
    resolved = _resolve_corners(statements, path)
    points = statements.positions[resolved[0]]
    split = triangulate_polygons(points, statements.face_sizes)
    corners, face_of_triangle = split.corners, split.polygon
    materials = load_materials(path, statements.libraries, statements.material_names, object_files)
    keep = _find_distinct_triangles(resolved[0][corners])
    material_index = statements.face_material[face_of_triangle[keep]]
    mesh = _assemble_mesh(
        statements, resolved[:, corners[:, keep].T.ravel()], material_index, materials, path
    )
    return replace(mesh, warnings=object_files.log.warnings, files=tuple(object_files.paths_read))


def _check_finite(table: NDArray[np.float64], keyword: str, path: Path) -> None:
    """Raise if a number of a table is not finite in float32."""
    # The renderer uses float32, where larger numbers become infinite. NaN fails the comparison too.
    finite = np.abs(table) <= MAX_FLOAT32
    if finite.all():
        return
    bad = np.flatnonzero(~finite.all(axis=1))
    raise MeshError(
        f"{path}: {len(bad)} '{keyword}' lines hold NaN or infinity (the first is number {bad[0] + 1}); "
        "export the mesh again or leave this object out",
        reason="not finite",
    )


def _check_uniform_corners(statements: ObjStatements, path: Path) -> None:
    """Raise if some corners of a face have a texture coordinate or normal and others have none."""
    starts = np.cumsum(statements.face_sizes) - statements.face_sizes
    position, texcoord, normal = statements.corners != 0
    # Three bits for each corner: the references that it has.
    given = position + 2 * texcoord.view(np.uint8) + 4 * normal.view(np.uint8)
    if (given == given[0]).all():
        return
    differs = given != np.repeat(given[starts], statements.face_sizes)
    if differs.any():
        number = int(np.searchsorted(starts, np.argmax(differs), side="right"))
        raise MeshError(
            f"{path}: some corners of face {number} have a texture coordinate or normal and others have "
            f"none; {CUT_OFF}",
            reason="cut off",
        )


def _resolve_corners(statements: ObjStatements, path: Path) -> NDArray[np.int64]:
    """Resolve references to 0-based indices [3, C].

    Negative references count back from their face. Absent references become ``ABSENT``.
    """
    resolved = statements.corners - 1
    if (statements.corners < 0).any():
        before = statements.corners + np.repeat(statements.num_defined, statements.face_sizes, axis=1)
        resolved = np.where(statements.corners < 0, before, resolved)
    tables = (("v", statements.positions), ("vt", statements.texcoords), ("vn", statements.normals))
    for axis, (keyword, table) in enumerate(tables):
        column, absent = resolved[axis], np.bool_(False)
        if axis:
            # Only positions are indispensable: a face may refer to texture coordinates or normals in a file
            # that defines none.
            absent = (statements.corners[axis] == 0) | (len(table) == 0)
        invalid = ((column >= len(table)) | (column < 0)) & ~absent
        if invalid.any():
            reference = int(statements.corners[axis][invalid][0])
            raise MeshError(
                f"{path}: a face names {keyword} {reference} of {len(table)}; {CUT_OFF}", reason="cut off"
            )
        column[np.broadcast_to(absent, column.shape)] = ABSENT
    return resolved


def _find_distinct_triangles(corners: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Find the triangles to keep: the first of those with the same corners, and none with a repeated corner.

    Args:
        corners: [3, T] positions of the corners.

    Returns:
        [T] mask.
    """
    # Three values are sorted faster by their minimum, maximum and sum than by np.sort along a short axis.
    low, high = corners.min(axis=0), corners.max(axis=0)
    ordered = np.stack([low, corners.sum(axis=0) - low - high, high])

    keep = np.zeros(corners.shape[1], dtype=np.bool_)
    keep[find_unique_rows(ordered)[0]] = True
    return keep & (ordered[0] != ordered[1]) & (ordered[1] != ordered[2])


def _assemble_mesh(
    statements: ObjStatements,
    corners: NDArray[np.int64],
    material_index: NDArray[np.int32],
    materials: tuple[Material, ...],
    path: Path,
) -> Mesh:
    """Assemble the mesh from the corners [3, 3 T], three for each triangle, with equal corners merged."""
    if not corners.size:
        raise MeshError(f"{path}: every face is degenerate; leave this object out", reason="no faces")
    normals = statements.normals
    smooth = bool(len(normals)) and bool((corners[2] != ABSENT).all())
    if not smooth:
        normals = compute_face_normals(statements.positions, corners[0].reshape(-1, 3).astype(np.int32))
        corners = np.stack([*corners[:2], np.repeat(np.arange(len(normals)), 3)])
    first, vertex = find_unique_rows(corners)
    position, texcoord, normal = corners[:, first]
    uv = np.zeros((len(first), 2))
    textured = texcoord != ABSENT
    uv[textured] = statements.texcoords[texcoord[textured]]
    return y_up_to_z_up(
        Mesh(
            positions=statements.positions[position].astype(np.float32),
            triangles=vertex.reshape(-1, 3).astype(np.int32),
            normals=normalize_vectors(normals[normal]).astype(np.float32),
            texcoords=uv.astype(np.float32),
            material_index=material_index,
            materials=materials,
            has_normals=smooth,
        )
    )

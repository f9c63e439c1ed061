"""Meshes from polygons with attributes of vertices, faces and corners, for PLY, STL and OFF files."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes.formats.files import ObjectFiles
from turntable.renderer.meshes.formats.images import clamp_textures
from turntable.renderer.meshes.formats.polygons import find_polygons, triangulate_polygons
from turntable.renderer.meshes.mesh import (
    MAX_FLOAT32,
    IntArray,
    Material,
    Mesh,
    average_face_normals,
    check_mesh,
    normalize_vectors,
    split_vertices,
    to_float32_positions,
    with_flat_normals,
)
from turntable.renderer.meshes.mesh_warnings import WarningKind

UNIT_TOLERANCE = 1e-4
"""Deviation from length 1 below which a normal is taken as it is in the file."""
LEFT_OUT = "they are left out"
"""End of warnings about faces that cannot be drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class PolygonTable:
    """Polygons as a file gives them, not checked yet."""

    positions: NDArray[np.floating]
    """[N, 3] positions of the vertices."""
    corners: NDArray[np.integer]
    """[C] vertices of the corners of all polygons, one polygon after the other."""
    sizes: NDArray[np.intp]
    """[F] number of corners of each polygon."""
    normals: NDArray[np.floating] | None = None
    """[N, 3] normals of the vertices, of any length."""
    texcoords: NDArray[np.floating] | None = None
    """[N, 2] texture coordinates of the vertices, v upward."""
    corner_texcoords: NDArray[np.floating] | None = None
    """[C, 2] texture coordinates of the corners, in place of those of the vertices."""
    colors: NDArray[np.float32] | None = None
    """[N, 4] sRGB colors and opacities of the vertices."""
    face_colors: NDArray[np.float32] | None = None
    """[F, 4] sRGB colors and opacities of the polygons, in place of those of the vertices."""
    materials: tuple[Material, ...] = (Material(),)
    """Materials of the polygons."""
    face_material: IntArray | None = None
    """[F] index of each polygon's material; all have the first if None."""


def build_polygon_mesh(table: PolygonTable, path: Path, object_files: ObjectFiles) -> Mesh:
    """Build a mesh. Polygons that cannot be drawn are left out with a warning.

    Args:
        table: Polygons of the file.
        path: Path of the file, for messages.
        object_files: Access to the files of the object, with its limits and its warnings.

    Raises:
        MeshError: No polygon can be drawn, or there are too many.
    """
    limits = object_files.limits
    limits.check("vertices", len(table.positions), str(path), "vertices")
    num_triangles = int(np.maximum(table.sizes - 2, 0).sum())
    limits.check("triangles", num_triangles, str(path), "triangles")
    table = _drop_faces(table, path, object_files)
    corners, face = _split_polygons(table, object_files)
    triangles = table.corners[corners].astype(np.int32)
    mesh = _build_vertices(table, triangles, object_files)
    mesh = replace(mesh, material_index=_select_materials(table, face))
    mesh = _apply_split_attributes(mesh, table, corners.ravel(), face, object_files)
    files = tuple(object_files.paths_read)
    mesh = clamp_textures(check_mesh(mesh, str(path)))
    return replace(mesh, warnings=object_files.log.warnings, files=files)


def _drop_faces(table: PolygonTable, path: Path, object_files: ObjectFiles) -> PolygonTable:
    """Drop the faces that cannot be drawn, with warnings.

    Raises:
        MeshError: No face is left.
    """
    if not len(table.sizes):
        raise MeshError(f"{path}: no faces; leave this object out", reason="no faces")
    few = table.sizes < 3
    absent = (table.corners < 0) | (table.corners >= len(table.positions))
    with np.errstate(invalid="ignore"):
        finite: NDArray[np.bool_] = np.all(np.abs(table.positions) <= MAX_FLOAT32, axis=1)
    broken = np.zeros(1, dtype=np.bool_)
    if not finite.all():
        broken = ~absent & ~finite[np.where(absent, 0, table.corners)]
    if not (few.any() or absent.any() or broken.any()):
        return table
    outside, infinite = find_polygons(absent, table.sizes), find_polygons(broken, table.sizes)
    faults: tuple[tuple[WarningKind, NDArray[np.bool_], str], ...] = (
        ("face-skipped", few, "have fewer than three corners"),
        ("face-skipped", outside, f"have a corner that is none of the {len(table.positions):,} vertices"),
        ("number-repaired", infinite, "have a corner whose coordinates are NaN or infinite"),
    )
    keep = ~(few | outside | infinite)
    texts = [f"{np.count_nonzero(mask):,} of {len(keep):,} faces {text}" for _, mask, text in faults]
    found = [number for number, (_, mask, _) in enumerate(faults) if mask.any()]
    if not keep.any():
        raise MeshError(
            f"{path}: {' and '.join(texts[number] for number in found)}, so none can be drawn; leave this "
            "object out, or export it again",
            reason="not finite" if infinite.all() else "no faces",
        )
    for number in found:
        object_files.log.add(faults[number][0], texts[number], LEFT_OUT)
    return _select_faces(table, keep)


def _select_faces(table: PolygonTable, keep: NDArray[np.bool_]) -> PolygonTable:
    """Select some of the faces, and their corners."""
    corners = np.repeat(keep, table.sizes)
    uv, colors, material = table.corner_texcoords, table.face_colors, table.face_material
    return replace(
        table,
        corners=table.corners[corners],
        sizes=table.sizes[keep],
        corner_texcoords=None if uv is None else uv[corners],
        face_colors=None if colors is None else colors[keep],
        face_material=None if material is None else material[keep],
    )


def _split_polygons(
    table: PolygonTable, object_files: ObjectFiles
) -> tuple[NDArray[np.intp], NDArray[np.intp] | slice]:
    """Split the polygons into triangles.

    Returns:
        The corners of the triangles [T, 3], counted over all corners, and the face of each triangle [T].
    """
    if (table.sizes == 3).all():
        return np.arange(len(table.corners)).reshape(-1, 3), slice(None)
    split = triangulate_polygons(table.positions.astype(np.float64)[table.corners], table.sizes)
    if split.num_approximated:
        object_files.log.add(
            "polygon-approximated",
            f"{split.num_approximated:,} of {len(table.sizes):,} polygons cross themselves, or are not flat",
            "their triangles are a guess",
        )
    return np.ascontiguousarray(split.corners.T), split.polygon


def _select_materials(table: PolygonTable, face: NDArray[np.intp] | slice) -> IntArray:
    """Return the index of each triangle's material [T]."""
    index = table.face_material
    return (np.zeros(len(table.sizes), dtype=np.int32) if index is None else index)[face]


def _build_vertices(table: PolygonTable, triangles: IntArray, object_files: ObjectFiles) -> Mesh:
    """Build the mesh with what its vertices have."""
    positions, num_vertices = table.positions.astype(np.float64), len(table.positions)
    normals = None if table.normals is None else _repair_normals(table, triangles, object_files)
    mesh = Mesh(
        positions=to_float32_positions(positions, triangles),
        triangles=triangles,
        normals=np.zeros((num_vertices, 3), dtype=np.float32) if normals is None else normals,
        texcoords=_repair_texcoords(table.texcoords, num_vertices, object_files),
        material_index=np.zeros(len(triangles), dtype=np.int32),
        materials=table.materials,
        colors=table.colors,
        has_encoded_colors=table.colors is not None or table.face_colors is not None,
    )
    return with_flat_normals(mesh) if normals is None else _drop_infinite_vertices(mesh)


def _repair_normals(
    table: PolygonTable, triangles: IntArray, object_files: ObjectFiles
) -> NDArray[np.float32] | None:
    """Return unit normals [N, 3], or None if the file has none in truth.

    A normal that is zero or not finite becomes the average of the normals of its faces.
    """
    assert table.normals is not None
    normals = table.normals.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        length = np.linalg.norm(normals, axis=1)
    good = np.isfinite(length) & (length > 0)
    if not good.any():
        return None
    used = np.zeros(len(good), dtype=np.bool_)
    used[triangles.ravel()] = True
    wrong = used & ~good
    if wrong.any():
        normals[wrong] = average_face_normals(table.positions, triangles, wrong)
        object_files.log.add(
            "number-repaired",
            f"{np.count_nonzero(wrong):,} of {len(good):,} normals are zero, NaN or infinite",
            "the average of their faces' normals is used",
        )
    normals[~good & ~used] = (0.0, 0.0, 1.0)
    is_unit = np.abs(length[good] - 1).max() < UNIT_TOLERANCE
    return (normals if is_unit else normalize_vectors(normals)).astype(np.float32)


def _repair_texcoords(
    texcoords: NDArray[np.floating] | None, count: int, object_files: ObjectFiles
) -> NDArray[np.float32]:
    """Return texture coordinates [N, 2]; zeros where there are none, or none that is finite."""
    if texcoords is None:
        return np.zeros((count, 2), dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        values = texcoords.astype(np.float32)
    finite = np.isfinite(values)
    if not finite.all():
        wrong = np.count_nonzero(~finite.all(axis=1))
        detail = f"{wrong:,} of {len(values):,} texture coordinates are NaN or infinite"
        object_files.log.add("number-repaired", detail, "zeros stand in for them")
        values = np.where(finite, values, np.float32(0))
    return values


def _drop_infinite_vertices(mesh: Mesh) -> Mesh:
    """Drop vertices that are not finite. No triangle uses them."""
    finite = np.isfinite(mesh.positions).all(axis=1)
    if finite.all():
        return mesh
    number = np.cumsum(finite) - 1
    return replace(
        mesh,
        positions=mesh.positions[finite],
        normals=mesh.normals[finite],
        texcoords=mesh.texcoords[finite],
        colors=None if mesh.colors is None else mesh.colors[finite],
        triangles=number[mesh.triangles].astype(np.int32),
    )


def _apply_split_attributes(
    mesh: Mesh,
    table: PolygonTable,
    corners: NDArray[np.intp],
    face: NDArray[np.intp] | slice,
    object_files: ObjectFiles,
) -> Mesh:
    """Apply the attributes of faces and corners. Each triangle then has three vertices of its own."""
    if table.face_colors is None and table.corner_texcoords is None:
        return mesh
    if mesh.has_normals:
        mesh = split_vertices(mesh)
    if table.face_colors is not None:
        mesh = replace(mesh, colors=np.repeat(table.face_colors[face], 3, axis=0))
    if table.corner_texcoords is not None:
        uv = _repair_texcoords(table.corner_texcoords, len(corners), object_files)
        mesh = replace(mesh, texcoords=uv[corners])
    return mesh

"""Loading of PLY files: polygons, strips and range grids, with normals, colors and textures.

Where a file has a texture and colors of vertices or faces, the texture alone is drawn: scanners write both,
and each describes the whole surface. Colors of vertices go before those of faces.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.formats.colors import MATTE_WHITE
from turntable.renderer.meshes.formats.files import ObjectFiles
from turntable.renderer.meshes.formats.polygon_files.ply_attributes import (
    CornerTexcoords,
    load_ply_textures,
    read_ply_colors,
    read_ply_columns,
    read_ply_corner_texcoords,
    read_ply_normals,
    read_ply_texcoords,
)
from turntable.renderer.meshes.formats.polygon_files.ply_body import PlyBody, PlyTable, read_ply_body
from turntable.renderer.meshes.formats.polygon_files.ply_faces import FACE_ELEMENTS, PlyFaces, read_ply_faces
from turntable.renderer.meshes.formats.polygon_files.ply_header import PlyHeader, parse_ply_header
from turntable.renderer.meshes.formats.polygon_files.polygon_mesh import PolygonTable, build_polygon_mesh
from turntable.renderer.meshes.limits import LIMITS, Limits, raise_mesh_error
from turntable.renderer.meshes.mesh import IntArray, Material, Mesh
from turntable.renderer.meshes.root_folder import RootFolder

_VERTEX_ELEMENTS = ("vertex", "vertices")
"""Names of the element of vertices."""
_COORDINATES = ("x", "y", "z")
"""Names of the coordinates of a vertex."""


def load_ply(
    path: Path,
    root: Path | RootFolder | None = None,
    limits: Limits = LIMITS,
    object_folder: Path | None = None,
) -> Mesh:
    """Load a PLY file of text or of bytes.

    Args:
        path: Path of the file.
        root: Folder that no texture may lie outside; the file's own folder by default.
        limits: Limits on what the object's files may ask for.
        object_folder: Folder of the object, if it has one: no file outside it stands in for a missing one.

    Raises:
        MeshError: The file cannot be read, or has no faces that can be drawn.
    """
    files = ObjectFiles(root or path.parent, limits, object_folder=object_folder)
    data = files.read_mesh_file(path)
    header = parse_ply_header(data, str(path))
    for element in header.elements:
        name = "vertices" if element.name in _VERTEX_ELEMENTS else "triangles"
        if name == "vertices" or element.name in FACE_ELEMENTS:
            limits.check(name, element.count, str(path), f"of {element.name}")
    body = read_ply_body(data, header, str(path))
    _check_rest(body, files)
    vertices = _find_vertices(body, path)
    faces = read_ply_faces(body.tables, header.facts, limits, str(path))
    return build_polygon_mesh(_read_polygons(header, body, vertices, faces, path, files), path, files)


def _find_vertices(body: PlyBody, path: Path) -> PlyTable:
    """Return the table of vertices."""
    table = next((body.tables[name] for name in _VERTEX_ELEMENTS if name in body.tables), None)
    if table is None or not set(_COORDINATES) <= table.names.keys():
        raise_mesh_error(f"{path}: it has no vertices with x, y and z", "unreadable")
    if any(table.get_property(name).is_list for name in _COORDINATES):
        raise_mesh_error(f"{path}: its coordinates are lists", "unreadable")
    return table


def _check_rest(body: PlyBody, files: ObjectFiles) -> None:
    """Warn about data behind the last record."""
    rest = bytes(body.rest)
    if rest.strip(b"\0 \t\r\n\x1a"):
        detail = "more data follows the last record that the header names"
        files.log.add("statement-skipped", detail, "it is not read")


def _read_polygons(
    header: PlyHeader, body: PlyBody, vertices: PlyTable, faces: PlyFaces, path: Path, files: ObjectFiles
) -> PolygonTable:
    """Read the polygons with all of their attributes."""
    texcoords, corner_texcoords = read_ply_texcoords(vertices), read_ply_corner_texcoords(faces, files)
    textured = _load_textures(header, faces, texcoords, corner_texcoords, path, files)
    colors, face_colors = _read_colors(vertices, faces, textured is not None, files)
    if "material" in body.tables and faces.table is not None and "material_index" in faces.table.names:
        files.log.add("color-approximated", "it has materials of faces", "they are not drawn")
    plain = Material() if colors is None and face_colors is None else MATTE_WHITE
    materials, face_material = textured or ((plain,), None)
    return PolygonTable(
        positions=read_ply_columns(vertices, _COORDINATES),
        corners=faces.corners,
        sizes=faces.sizes,
        normals=read_ply_normals(vertices),
        texcoords=texcoords,
        corner_texcoords=None if corner_texcoords is None else corner_texcoords.values,
        colors=colors,
        face_colors=face_colors,
        materials=materials,
        face_material=face_material,
    )


def _load_textures(
    header: PlyHeader,
    faces: PlyFaces,
    texcoords: NDArray[np.float64] | None,
    corner_texcoords: CornerTexcoords | None,
    path: Path,
    files: ObjectFiles,
) -> tuple[tuple[Material, ...], IntArray] | None:
    """Load the textures that the file names, if it has texture coordinates."""
    if not header.texture_names:
        return None
    if texcoords is None and corner_texcoords is None:
        detail = "it names a texture and has no texture coordinates"
        files.log.add("texcoords-approximated", detail, "the texture is not drawn")
        return None
    untextured = None if corner_texcoords is None else corner_texcoords.absent
    return load_ply_textures(header.texture_names, faces, untextured, path, files)


def _read_colors(
    vertices: PlyTable, faces: PlyFaces, is_textured: bool, files: ObjectFiles
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
    """Read the colors of the vertices [N, 4], or else of the faces [F, 4], unless a texture is drawn."""
    colors = read_ply_colors(vertices, files)
    face_colors = None if faces.table is None else read_ply_colors(faces.table, files)
    unused = [part for part in (colors, face_colors) if part is not None][0 if is_textured else 1 :]
    if any((part < 1).any() for part in unused):
        shown = "the texture alone is drawn" if is_textured else "those of vertices are drawn"
        files.log.add("color-approximated", "it has colors of several kinds", shown)
    if is_textured:
        return None, None
    return colors, None if colors is not None else face_colors

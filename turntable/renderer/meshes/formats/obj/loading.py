"""Loading of Wavefront OBJ files, with the conventions of the importer that the original generator used.

Images depend on these conventions: axes (x, y, z) become (x, -z, y). Of faces with the same corners in any
order, only the first is kept. With ``vn`` shading is smooth; without it, or where it is zero, a face is flat.
The winding is that of the file.

Colors of vertices are sRGB. They show on faces without a material, which are matte as in MeshLab, and on
those whose material is plain: white, or the default gray of Blender. Any other ``Kd`` and any texture is
shown in their place, as Blender does: files with both say the same twice, for programs that read one of them.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError, format_text
from turntable.renderer.meshes.formats.files import ObjectFiles
from turntable.renderer.meshes.formats.images import clamp_textures
from turntable.renderer.meshes.formats.mtl import LoadedMaterials, load_materials
from turntable.renderer.meshes.formats.obj.corners import ObjCorners, make_corners, move_texcoords
from turntable.renderer.meshes.formats.obj.faces import resolve_faces
from turntable.renderer.meshes.formats.obj.fast_parser import parse_obj_fast
from turntable.renderer.meshes.formats.obj.file_end import CUT_OFF, check_end
from turntable.renderer.meshes.formats.obj.line_parser import parse_obj_lines
from turntable.renderer.meshes.formats.obj.statements import ObjStatements, OtherStatements
from turntable.renderer.meshes.formats.obj.vertex_colors import Colors, convert_colors, read_vertex_colors
from turntable.renderer.meshes.formats.polygons import triangulate_polygons
from turntable.renderer.meshes.formats.wavefront_text import normalize_text, rewrite_statements
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import (
    Material,
    Mesh,
    normalize_vectors,
    to_float32_positions,
    y_up_to_z_up,
)
from turntable.renderer.meshes.mesh_warnings import WarningLog
from turntable.renderer.meshes.root_folder import RootFolder
from turntable.renderer.meshes.unique_rows import find_unique_rows

PLAIN_COLORS = ((1.0, 1.0, 1.0), Material().base_color)
"""Colors of materials that leave the color to the vertices: white, and what Blender writes by default."""
COLOR_ROUNDING = 0.5 / 255
"""Difference of a channel from which two colors are not the same."""


def load_obj(
    path: Path,
    root: Path | RootFolder | None = None,
    limits: Limits = LIMITS,
    texture_folders: tuple[Path, ...] = (),
    object_folder: Path | None = None,
) -> Mesh:
    """Load an OBJ file with its materials and textures.

    Args:
        path: Path of the file.
        root: Folder that no texture or material file may lie outside; the file's own folder by default.
        limits: Limits on what the object's files may ask for.
        texture_folders: Folders below the root that are searched for textures missing where the file says.
        object_folder: Folder of the object, if it has one: no file outside it stands in for a missing one.

    Raises:
        MeshError: The file is missing, cut off, too large, or no face of it can be drawn.
    """
    files = ObjectFiles(root or path.parent, limits, texture_folders, object_folder=object_folder)
    data = normalize_text(files.read_mesh_file(path))
    check_end(data, path)
    statements = parse_obj(data)
    if not len(statements.face_sizes):
        cause = "leave this object out" if data.endswith(b"\n") else CUT_OFF
        raise MeshError(f"{path}: no faces; {cause}", reason="no faces")
    return _build_mesh(statements, path, files)


def parse_obj(data: bytes) -> ObjStatements:
    """Parse the statements of an OBJ file, fast if it is written in the usual way or nearly so.

    Args:
        data: Content of the file as ``normalize_text`` returns it.
    """
    statements = parse_obj_fast(data)
    if statements is None:
        data = rewrite_statements(data)
        statements = parse_obj_fast(data) or parse_obj_lines(data)
    return statements


def _build_mesh(statements: ObjStatements, path: Path, object_files: ObjectFiles) -> Mesh:
    """Build the mesh of a parsed file that has faces."""
    limits, log = object_files.limits, object_files.log
    limits.check("vertices", len(statements.positions), str(path), "vertices")
    faces = resolve_faces(statements, path, log)
    limits.check("triangles", int((faces.sizes - 2).sum()), str(path), "triangles")
    _report_others(statements.others, log)
    has_polygons = faces.sizes.max() > 3  # else no position is asked for
    points = statements.positions[faces.corners[0] if has_polygons else faces.corners[0, :0]]
    split = triangulate_polygons(points, faces.sizes)
    if split.num_approximated:
        detail = f"{split.num_approximated:,} faces cross themselves"
        log.add("polygon-approximated", detail, "their triangles are a guess")
    loaded = load_materials(path, statements.libraries, statements.material_names, object_files)
    keep = _find_distinct_triangles(faces.corners[0][split.corners])
    if not keep.any():
        raise MeshError(f"{path}: every face is degenerate; leave this object out", reason="no faces")
    material_index = faces.material[split.polygon[keep]]
    corners = make_corners(statements, faces.corners[:, split.corners[:, keep].T.ravel()], log)
    if loaded.moves:
        corners = move_texcoords(corners, material_index, loaded.moves)
    mesh = _assemble_mesh(statements, corners, material_index, loaded, log)
    return replace(clamp_textures(mesh), warnings=log.warnings, files=tuple(object_files.paths_read))


def _report_others(others: OtherStatements, log: WarningLog) -> None:
    """Report the statements that are not read."""
    if others.num_points:
        log.add("points-skipped", f"{others.num_points:,} points and lines (p, l)", "without them")
    if others.num_curves:
        detail = f"{others.num_curves:,} curves and surfaces (curv, curv2, surf)"
        log.add("statement-skipped", detail, "without them")
    if others.num_calls:
        detail = f"{others.num_calls:,} statements would read other files or run programs (call, csh)"
        log.add("statement-skipped", detail, "none of it is done")
    if others.num_unknown:
        detail = f"{others.num_unknown:,} lines with unknown keywords"
        detail += f" (the first is {format_text(others.first_unknown, 20)})"
        log.add("statement-skipped", detail, "without them")


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
    corners: ObjCorners,
    material_index: NDArray[np.int32],
    loaded: LoadedMaterials,
    log: WarningLog,
) -> Mesh:
    """Assemble the mesh, with equal corners merged."""
    colors = read_vertex_colors(statements, log)
    is_colored = None if colors is None else _find_colored(colors, corners, material_index, loaded, log)
    numbers, materials = corners.numbers, loaded.materials
    if is_colored is not None:
        numbers = np.concatenate([numbers, np.repeat(is_colored, 3)[None].astype(np.int64)])
        material_index, materials = _replace_plain_materials(material_index, is_colored, loaded)
    first, vertex = find_unique_rows(numbers)
    position, texcoord, normal = numbers[:3, first]
    triangles = vertex.reshape(-1, 3).astype(np.int32)
    mesh = Mesh(
        # All vertices are used, so none is given here that is not.
        positions=to_float32_positions(statements.positions[position], triangles[:0]),
        triangles=triangles,
        normals=normalize_vectors(corners.normals[normal]).astype(np.float32),
        texcoords=_take_texcoords(corners, texcoord),
        material_index=material_index,
        materials=materials,
        has_normals=corners.is_smooth,
    )
    if colors is not None and is_colored is not None:
        is_shown = numbers[3, first, None] > 0
        shown = np.where(is_shown, convert_colors(colors)[position], np.float32(1))
        mesh = replace(mesh, colors=shown, has_encoded_colors=True)
    return y_up_to_z_up(mesh)


def _take_texcoords(corners: ObjCorners, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the texture coordinates [N, 2] of these numbers [N]; zeros where a corner has none."""
    texcoords = np.zeros((len(numbers), 2), dtype=np.float32)
    is_given = numbers >= 0
    texcoords[is_given] = corners.texcoords[numbers[is_given]]
    return texcoords


def _find_colored(
    colors: Colors,
    corners: ObjCorners,
    material_index: NDArray[np.int32],
    loaded: LoadedMaterials,
    log: WarningLog,
) -> NDArray[np.bool_] | None:
    """Find the triangles [T] that show colors of vertices. None if none does."""
    has_color: NDArray[np.bool_] = ~np.isnan(colors.sum(axis=1))
    given = has_color[corners.numbers[0]].reshape(-1, 3)
    is_plain = np.array([_is_plain(index, loaded) for index in range(len(loaded.materials))])[material_index]
    hidden = given.any(axis=1) & ~is_plain
    if _has_hidden_colors(colors, corners, material_index, loaded, hidden):
        detail = f"{hidden.sum():,} triangles have colors of vertices and a material with a color or texture"
        log.add("color-approximated", detail, "the material alone is shown")
    colored = given.any(axis=1) & is_plain
    partly = colored & ~given.all(axis=1)
    if partly.any():
        detail = f"{partly.sum():,} triangles have corners with a color and without one"
        log.add("color-approximated", detail, "the latter are white")
    return colored if colored.any() else None


def _is_plain(index: int, loaded: LoadedMaterials) -> bool:
    """Return True if a material leaves the color to vertices: no file defines it, or its color is plain."""
    material = loaded.materials[index]
    if index == 0 or index in loaded.undefined:
        return True
    return material.texture is None and material.base_color in PLAIN_COLORS


def _has_hidden_colors(
    colors: Colors,
    corners: ObjCorners,
    material_index: NDArray[np.int32],
    loaded: LoadedMaterials,
    hidden: NDArray[np.bool_],
) -> bool:
    """Return True if vertices of ``hidden`` triangles [T] have a color that their material does not show."""
    if not hidden.any():
        return False
    # White says nothing beside a texture.
    shown = np.array([m.base_color if m.texture is None else (1.0, 1.0, 1.0) for m in loaded.materials])
    difference = colors[corners.numbers[0].reshape(-1, 3)[hidden]] - shown[material_index[hidden], None]
    return bool((np.abs(difference) > COLOR_ROUNDING).any())  # NaN, of vertices without a color, is not


def _replace_plain_materials(
    material_index: NDArray[np.int32], is_colored: NDArray[np.bool_], loaded: LoadedMaterials
) -> tuple[NDArray[np.int32], tuple[Material, ...]]:
    """Give colored triangles white materials, matte ones where no file defines them: their colors are all.

    Returns:
        The material index [T] and the materials.
    """
    materials, material_index = list(loaded.materials), material_index.copy()
    for index in np.unique(material_index[is_colored]).tolist():
        material_index[is_colored & (material_index == index)] = len(materials)
        white = replace(materials[index], base_color=(1.0, 1.0, 1.0))
        is_defined = index != 0 and index not in loaded.undefined
        materials.append(white if is_defined else replace(white, specular=0.0, roughness=1.0))
    return material_index, tuple(materials)

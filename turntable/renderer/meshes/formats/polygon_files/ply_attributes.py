"""Colors, normals, texture coordinates and textures of a PLY file, under the names that programs write."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.formats.colors import MATTE, make_encoded_colors, to_unit_range
from turntable.renderer.meshes.formats.files import ObjectFiles
from turntable.renderer.meshes.formats.images import TextureLoader
from turntable.renderer.meshes.formats.polygon_files.ply_body import PlyTable
from turntable.renderer.meshes.formats.polygon_files.ply_faces import PlyFaces
from turntable.renderer.meshes.mesh import IntArray, Material

_COLOR_NAMES = tuple(
    tuple(prefix + name for name in names)
    for prefix, names in (
        ("", ("red", "green", "blue", "alpha")),
        ("", ("r", "g", "b", "a")),
        ("diffuse_", ("red", "green", "blue", "alpha")),
        ("", ("diffuse_r", "diffuse_g", "diffuse_b", "diffuse_a")),
        ("", ("color_r", "color_g", "color_b", "color_a")),
    )
)
"""Names of the channels of a color. The last, opacity, may be absent. Of several sets, the first is used."""
_NORMAL_NAMES = (("nx", "ny", "nz"), ("normal_x", "normal_y", "normal_z"))
"""Names of the coordinates of a normal."""
_TEXCOORD_NAMES = (
    ("s", "t"),
    ("u", "v"),
    ("texture_u", "texture_v"),
    ("texture_s", "texture_t"),
    ("texcoord_u", "texcoord_v"),
    ("texcoord_s", "texcoord_t"),
    ("texcoord_x", "texcoord_y"),
    ("texcoord0_u", "texcoord0_v"),
    ("tu", "tv"),
)
"""Names of the texture coordinates of a vertex."""
_FACE_TEXCOORD_NAMES = ("texcoord", "texcoords", "tex_coord", "texture_coordinates", "uv")
"""Names of the list of texture coordinates of a face."""
_TEXTURE_NUMBER_NAMES = ("texnumber", "texture_number", "tex_number")
"""Names of the number of a face's texture."""


@dataclass(frozen=True, slots=True, eq=False)
class CornerTexcoords:
    """The texture coordinates of the corners of all faces."""

    values: NDArray[np.float64]
    """[C, 2] texture coordinates; zeros for a face without any."""
    absent: NDArray[np.bool_] | None
    """[F] mask of the faces without any; None if all have some."""


def read_ply_columns(table: PlyTable, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Read properties as a table [N, C] of 64-bit numbers."""
    columns = np.empty((table.element.count, len(names)))
    for column, name in zip(columns.T, names, strict=True):
        column[:] = table.read_numbers(name)
    return columns


def read_ply_normals(vertices: PlyTable) -> NDArray[np.float64] | None:
    """Read the normals [N, 3] of the vertices, or return None if they have none."""
    names = _choose_names(vertices, _NORMAL_NAMES)
    return None if names is None else read_ply_columns(vertices, names)


def read_ply_texcoords(vertices: PlyTable) -> NDArray[np.float64] | None:
    """Read the texture coordinates [N, 2] of the vertices, or return None if they have none."""
    names = _choose_names(vertices, _TEXCOORD_NAMES)
    return None if names is None else read_ply_columns(vertices, names)


def read_ply_colors(table: PlyTable, object_files: ObjectFiles) -> NDArray[np.float32] | None:
    """Read the sRGB colors [N, 4] of vertices or faces, or return None if they have none."""
    names = _choose_names(table, tuple(group[:3] for group in _COLOR_NAMES))
    if names is None or not table.element.count:
        return None
    number_type = table.get_property(names[0]).type
    channels = to_unit_range(read_ply_columns(table, names), number_type)
    alpha_name = next(group[3] for group in _COLOR_NAMES if group[0] == names[0])
    if _has_numbers(table, alpha_name):
        alpha = to_unit_range(read_ply_columns(table, (alpha_name,)), table.get_property(alpha_name).type)
        if alpha.any():
            channels = np.hstack([channels, alpha])
        else:
            detail = f"the opacity of every {table.element.name} is 0"
            object_files.log.add("color-approximated", detail, "they are opaque")
    return make_encoded_colors(channels)


def read_ply_corner_texcoords(faces: PlyFaces, object_files: ObjectFiles) -> CornerTexcoords | None:
    """Read the texture coordinates of the corners, or return None if the faces have none."""
    table = faces.table
    name = (
        None if table is None else next((name for name in _FACE_TEXCOORD_NAMES if name in table.names), None)
    )
    if table is None or name is None or not table.get_property(name).is_list:
        return None
    lists = table.read_lists(name)
    fitting = lists.sizes == 2 * faces.sizes
    if fitting.all():
        return CornerTexcoords(lists.values.astype(np.float64).reshape(-1, 2), None)
    wrong = np.count_nonzero(~fitting & (lists.sizes > 0))
    if wrong:
        object_files.log.add(
            "reference-skipped",
            f"{wrong:,} of {len(fitting):,} faces have other than two texture coordinates a corner",
            "they have no texture",
        )
    values = np.zeros((len(faces.corners), 2))
    values[np.repeat(fitting, faces.sizes)] = lists.values[np.repeat(fitting, lists.sizes)].reshape(-1, 2)
    return CornerTexcoords(values, ~fitting)


def load_ply_textures(
    names: tuple[str, ...],
    faces: PlyFaces,
    untextured: NDArray[np.bool_] | None,
    path: Path,
    files: ObjectFiles,
) -> tuple[tuple[Material, ...], IntArray] | None:
    """Load the textures, and find the material of each face [F].

    Args:
        names: Names of the images.
        faces: Faces of the file.
        untextured: Mask [F] of the faces without texture coordinates, if there are any.
        path: Path of the mesh file.
        files: Access to the files of the object.

    Returns:
        The materials, the last of which has no texture. None if no texture can be used.
    """
    loader = TextureLoader(files)
    textures = [loader.load_file(path.parent, name) for name in names]
    if all(texture is None for texture in textures):
        return None
    number = _read_texture_numbers(faces)
    if number.max(initial=0) >= len(names):
        detail = (
            f"{np.count_nonzero(number >= len(names)):,} faces name a texture that is none of {len(names)}"
        )
        files.log.add("reference-skipped", detail, "they have no texture")
    number = np.where((number < 0) | (number >= len(names)), len(names), number)
    if untextured is not None:
        number[untextured] = len(names)
    materials = [
        replace(MATTE, name=name[:80], texture=texture) for name, texture in zip(names, textures, strict=True)
    ]
    return (*materials, MATTE), number.astype(np.int32)


def _read_texture_numbers(faces: PlyFaces) -> NDArray[np.int64]:
    """Read the number of each face's texture [F]; 0 if the file gives none."""
    table = faces.table
    name = next(
        (name for name in _TEXTURE_NUMBER_NAMES if table is not None and _has_numbers(table, name)), None
    )
    if table is None or name is None:
        return np.zeros(len(faces.sizes), dtype=np.int64)
    values = table.read_numbers(name)
    return np.nan_to_num(np.clip(values.astype(np.float64), -1, 2.0**31), nan=-1).astype(np.int64)


def _choose_names(table: PlyTable, groups: tuple[tuple[str, ...], ...]) -> tuple[str, ...] | None:
    """Choose the first group of names of which the table has all."""
    return next((group for group in groups if all(_has_numbers(table, name) for name in group)), None)


def _has_numbers(table: PlyTable, name: str) -> bool:
    """Return True if a table has a property of this name that is no list."""
    return name in table.names and not table.get_property(name).is_list

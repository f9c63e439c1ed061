"""Loading of OFF files: polygons with normals, and with colors of vertices or faces."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.errors import format_text
from turntable.renderer.meshes.formats.colors import (
    MATTE_WHITE,
    linear_to_srgb,
    make_encoded_colors,
    to_unit_range,
)
from turntable.renderer.meshes.formats.files import ObjectFiles
from turntable.renderer.meshes.formats.polygon_files.number_text import NumberTable, parse_number_table
from turntable.renderer.meshes.formats.polygon_files.polygon_mesh import PolygonTable, build_polygon_mesh
from turntable.renderer.meshes.limits import LIMITS, Limits, raise_mesh_error
from turntable.renderer.meshes.mesh import Material, Mesh
from turntable.renderer.meshes.root_folder import RootFolder

_KEYWORD = re.compile(rb"\s*((?:ST|C|N|4|n)*OFF|off|coff)(\s+BINARY\b)?")
"""The first word: OFF behind letters for what each vertex has."""
_OOGL = re.compile(rb"\s*(\{|appearance\b|transform\b|define\b|geom\b|LIST\b|INST\b)")
"""The beginning of a file of Geomview's language OOGL, in which OFF data may be a part."""
_COMMENT = re.compile(rb"#[^\n]*")
"""A comment, to the end of its line."""


@dataclass(frozen=True, slots=True)
class _OffHeader:
    """The header of an OFF file."""

    word: str
    """First word of the file."""
    num_vertices: int
    """Number of vertices."""
    num_faces: int
    """Number of faces."""
    has_normals: bool
    """True if a normal follows each position."""
    has_colors: bool
    """True if a color follows each position, or normal."""
    has_texcoords: bool
    """True if texture coordinates follow each vertex."""

    @property
    def min_width(self) -> int:
        """Smallest number of numbers of a vertex, without its color."""
        return 3 + 3 * self.has_normals + 2 * self.has_texcoords


def load_off(path: Path, root: Path | RootFolder | None = None, limits: Limits = LIMITS) -> Mesh:
    """Load an OFF file.

    Args:
        path: Path of the file.
        root: Folder that the file may not lie outside, by a link; the file's own folder by default.
        limits: Limits on what the file may ask for.

    Raises:
        MeshError: The file cannot be read, or has no faces that can be drawn.
    """
    files, location = ObjectFiles(root or path.parent, limits), str(path)
    data = files.read_mesh_file(path).removeprefix(b"\xef\xbb\xbf")
    start = _COMMENT.sub(b"", data[: 2**16].replace(b"\r", b"\n"))
    _check_keyword(_KEYWORD.match(start), location)
    if oogl := _OOGL.match(start):
        word = oogl[1].decode()
        raise_mesh_error(
            f"{location}: it begins with {word!r}, so is a file of Geomview's language OOGL, of which plain "
            "OFF data alone is read; take out what stands around the OFF data",
            "unsupported",
        )
    text = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"#" in text:
        text = _COMMENT.sub(b"", text)
    match = _KEYWORD.match(text)
    word = match[1] if match else b"OFF"
    try:
        table = parse_number_table(text[match.end() if match else 0 :])
    except ValueError as error:
        bad = format_text(str(error))
        reason = f"it has no header of an OFF file, or {bad!r} stands where a number belongs"
        raise_mesh_error(f"{location}: {reason}", "unreadable")
    header, table = _read_counts(word, table, files, location)
    return build_polygon_mesh(_read_polygons(header, table, files, location), path, files)


def _check_keyword(keyword: re.Match[bytes] | None, location: str) -> None:
    """Refuse kinds of OFF files that are not read, by name."""
    if keyword is None:
        return
    word = keyword[1].decode()
    if keyword[2]:
        raise_mesh_error(
            f"{location}: it is a binary OFF file, which is not read; save it as text", "unsupported"
        )
    if "4" in word or "n" in word:
        raise_mesh_error(
            f"{location}: it is a {word} file, whose vertices have other than three coordinates",
            "unsupported",
        )


def _read_counts(
    word: bytes, table: NumberTable, files: ObjectFiles, location: str
) -> tuple[_OffHeader, NumberTable]:
    """Read the counts, and return them with the table of what follows."""
    first = table.count_of_first_row
    width = first if first in (2, 3) else 3
    counts = table.values[:width]
    if len(counts) < 2 or not (np.isfinite(counts).all() and (counts >= 0).all() and (counts % 1 == 0).all()):
        raise_mesh_error(
            f"{location}: it has no counts of vertices and faces, so is no OFF file", "unreadable"
        )
    num_vertices, num_faces = (int(min(value, 2.0**62)) for value in counts[:2])
    files.limits.check("vertices", num_vertices, location, "vertices")
    files.limits.check("triangles", num_faces, location, "faces")
    header = _OffHeader(
        word.decode(), num_vertices, num_faces, b"N" in word, b"C" in word.upper(), b"ST" in word
    )
    rest = table.drop(width)
    if num_vertices * header.min_width + num_faces > len(rest.values):
        raise_mesh_error(
            f"{location}: {num_vertices:,} vertices and {num_faces:,} faces, and only {len(rest.values):,} "
            "numbers follow; the file is cut off",
            "cut off",
        )
    return header, rest


def _read_polygons(header: _OffHeader, table: NumberTable, files: ObjectFiles, location: str) -> PolygonTable:
    """Read vertices and faces with their attributes."""
    width = _find_width(header, table)
    if header.num_vertices * width > len(table.values):
        raise_mesh_error(f"{location}: it ends within its vertices; the file is cut off", "cut off")
    vertices = table.values[: header.num_vertices * width].reshape(-1, width)
    num_colors = width - header.min_width
    if num_colors not in (0, 3, 4):
        detail = f"each vertex has {num_colors} numbers more than a {header.word} file says"
        files.log.add("statement-skipped", detail, "they are not read")
    end_of_normals = 3 + 3 * header.has_normals
    colors = None
    if num_colors in (3, 4):
        place = slice(end_of_normals, end_of_normals + num_colors)
        has_point = table.has_point[: vertices.size].reshape(-1, width)[:, place]
        colors = _to_colors(vertices[:, place], has_point)
    faces = _read_faces(header, table.drop(vertices.size), files, location)
    if colors is not None and faces.colors is not None:
        files.log.add(
            "color-approximated", "it has colors of vertices and of faces", "those of vertices are drawn"
        )
    face_colors = faces.colors if colors is None else None
    is_colored = colors is not None or face_colors is not None
    return PolygonTable(
        positions=vertices[:, :3],
        corners=faces.corners,
        sizes=faces.sizes,
        normals=vertices[:, 3:6] if header.has_normals else None,
        texcoords=vertices[:, -2:] if header.has_texcoords else None,
        colors=colors,
        face_colors=face_colors,
        materials=(MATTE_WHITE if is_colored else Material(),),
    )


def _find_width(header: _OffHeader, table: NumberTable) -> int:
    """Find the number of numbers of a vertex: that of each line, or what the header says."""
    rows = table.row_sizes[: header.num_vertices]
    if 0 < len(rows) == header.num_vertices and (rows == rows[0]).all() and rows[0] >= header.min_width:
        return int(rows[0])
    return header.min_width + 4 * header.has_colors


@dataclass(frozen=True, slots=True, eq=False)
class _OffFaces:
    """The faces of an OFF file."""

    corners: NDArray[np.int64]
    """[C] vertices of the corners."""
    sizes: NDArray[np.intp]
    """[F] number of corners of each face."""
    colors: NDArray[np.float32] | None
    """[F, 4] sRGB colors and opacities, if the file has any."""


def _read_faces(header: _OffHeader, table: NumberTable, files: ObjectFiles, location: str) -> _OffFaces:
    """Read the faces: a line for each, or one after the other without colors."""
    values, count = table.values, header.num_faces
    starts = table.row_starts[:count]
    rows = table.row_sizes[:count]
    sizes = values[starts]
    if len(starts) < count or not _are_sizes(sizes, rows):
        starts = _find_faces(values, count, location)
        sizes = values[starts]
        rows = sizes.astype(np.intp) + 1
    elif len(table.row_starts) > count:
        files.log.add("statement-skipped", "more lines follow its last face", "they are not read")
    sizes = sizes.astype(np.intp)
    begins = np.repeat(starts + 1, sizes)
    steps = np.arange(len(begins)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    corners = values[begins + steps]
    corners = np.where((np.abs(corners) < 2.0**53) & (corners % 1 == 0), corners, -1)
    return _OffFaces(
        corners.astype(np.int64), sizes, _read_face_colors(table, starts, sizes, rows - 1 - sizes, files)
    )


def _are_sizes(sizes: NDArray[np.float64], rows: NDArray[np.intp]) -> bool:
    """Return True if the first number of each line is a number of corners, and the line has them all."""
    with np.errstate(invalid="ignore"):
        return bool(((sizes >= 0) & (sizes % 1 == 0) & (sizes < rows)).all())


def _find_faces(values: NDArray[np.float64], count: int, location: str) -> NDArray[np.intp]:
    """Find where each face begins, in a file whose lines are not its faces."""
    starts, place, numbers = np.empty(count, dtype=np.intp), 0, np.ascontiguousarray(values).data
    for face in range(count):
        size = numbers[place] if place < len(values) else 0.0
        if not 0 <= size < np.inf or size % 1:
            raise_mesh_error(f"{location}: face {face + 1} has {size:g} corners", "unreadable")
        starts[face] = place
        place += 1 + int(size)
        if place > len(values):
            raise_mesh_error(
                f"{location}: it ends within face {face + 1:,} of {count:,}; the file is cut off", "cut off"
            )
    return starts


def _read_face_colors(
    table: NumberTable,
    starts: NDArray[np.intp],
    sizes: NDArray[np.intp],
    extra: NDArray[np.intp],
    files: ObjectFiles,
) -> NDArray[np.float32] | None:
    """Read the colors behind the faces; the plain gray for a face without one."""
    strange = np.count_nonzero((extra == 1) | (extra == 2) | (extra > 4))
    if strange:
        detail = (
            f"{strange:,} of {len(extra):,} faces have a color that is an index, or other than 3 or 4 numbers"
        )
        files.log.add("color-approximated", detail, "they are gray")
    has_color = (extra == 3) | (extra == 4)
    if not has_color.any():
        return None
    begins = (starts + 1 + sizes)[has_color]
    has_alpha = extra[has_color] == 4
    # Without an opacity, its place is taken by a channel, which changes no maximum.
    places = begins[:, None] + np.stack([*np.broadcast_arrays(0, 1, 2, np.where(has_alpha, 3, 2))], axis=1)
    encoded = _to_colors(table.values[places], table.has_point[places])
    encoded[~has_alpha, 3] = 1.0
    colors = np.ones((len(extra), 4), dtype=np.float32)
    colors[:, :3] = linear_to_srgb(np.array(Material().base_color))
    colors[has_color] = encoded
    return colors


def _to_colors(values: NDArray[np.float64], has_point: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return sRGB colors [N, 4]. Numbers with a point run to 1, others to 255, unless none is above 1."""
    is_integer = not has_point.any() and np.nanmax(values, initial=0) > 1
    return make_encoded_colors(to_unit_range(values, "u1" if is_integer else "f4"))

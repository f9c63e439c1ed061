"""The faces of a PLY file: polygons, triangle strips, and the grids of range scans."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes.formats.polygon_files.ply_body import PlyList, PlyTable
from turntable.renderer.meshes.limits import Limits, raise_mesh_error

FACE_ELEMENTS = ("face", "faces")
"""Names of the element of polygons."""
INDEX_NAMES = ("vertex_indices", "vertex_index", "vertex_indexes", "vertexindices", "indices")
"""Names of the list of a polygon's or strip's vertices."""
_STRIP_ELEMENTS = ("tristrips", "tristrip", "triangle_strips")
"""Names of the element of triangle strips."""
RESTART = -1
"""Index that ends a strip within a list."""


@dataclass(frozen=True, slots=True, eq=False)
class PlyFaces:
    """The corners of all faces of a file."""

    corners: NDArray[np.int64]
    """[C] vertices of the corners."""
    sizes: NDArray[np.intp]
    """[F] number of corners of each face."""
    table: PlyTable | None = None
    """The table with further properties of the faces, one row for each; None for faces without any."""


def read_ply_faces(
    tables: dict[str, PlyTable], facts: dict[str, str], limits: Limits, location: str
) -> PlyFaces:
    """Read the faces of a file.

    Args:
        tables: Tables by name.
        facts: Facts of the header's ``obj_info`` lines.
        limits: Limits on the number of triangles.
        location: File, for messages.

    Raises:
        MeshError: The file has no faces, or too many, or a grid that does not fit its scan.
    """
    faces = next((tables[name] for name in FACE_ELEMENTS if name in tables), None)
    if faces is not None and faces.element.count:
        lists = _read_indices(faces, location)
        return PlyFaces(_to_indices(lists), lists.sizes, faces)
    strips = next((tables[name] for name in _STRIP_ELEMENTS if name in tables), None)
    if strips is not None and strips.element.count:
        return _to_faces(_split_strips(_read_indices(strips, location), limits, location))
    grid = tables.get("range_grid")
    if grid is not None and grid.element.count:
        return _to_faces(_join_grid(_read_indices(grid, location), facts, location))
    raise MeshError(
        f"{location}: no faces: it is a cloud of points, or a header alone; leave this object out, or make a "
        "surface of its points first",
        reason="no faces",
    )


def _to_faces(triangles: NDArray[np.int64]) -> PlyFaces:
    """Return triangles [T, 3] as faces."""
    return PlyFaces(triangles.reshape(-1), np.full(len(triangles), 3, dtype=np.intp))


def _read_indices(table: PlyTable, location: str) -> PlyList:
    """Read the lists of vertices of faces, strips or a grid."""
    lists = [item for item in table.element.properties if item.is_list]
    named = [item.name for name in INDEX_NAMES for item in lists if item.name == name]
    # Another name is taken for it if no other list can be meant.
    other = [item.name for item in lists if not item.type.startswith("f")]
    if not named and len(other) != 1:
        raise_mesh_error(
            f"{location}: its element {table.element.name} has no list {INDEX_NAMES[0]}", "unreadable"
        )
    return table.read_lists((named or other)[0])


def _to_indices(lists: PlyList) -> NDArray[np.int64]:
    """Return the indices of lists. A number that is no index becomes one that no vertex has."""
    values = lists.values
    if values.dtype.kind == "f":
        whole = np.abs(values) < 2.0**53
        values = np.where(whole & (values == np.round(values)), values, -2)
    elif values.dtype == np.uint64:
        values = np.minimum(values, np.uint64(2**62))
    return values.astype(np.int64)


def _split_strips(lists: PlyList, limits: Limits, location: str) -> NDArray[np.int64]:
    """Split strips into triangles [T, 3] with one winding. The index -1 ends a strip and begins another."""
    limits.check("triangles", len(lists.values), location, "corners of strips")
    index = _to_indices(lists)
    restart = index == RESTART
    begins = np.zeros(len(index) + 1, dtype=np.bool_)
    begins[np.cumsum(lists.sizes)] = True
    begins = begins[:-1]
    begins[1:] |= restart[:-1]
    begins[:1] = True
    strip = np.cumsum(begins)
    place = np.arange(len(index)) - np.flatnonzero(begins)[strip - 1]
    first = np.flatnonzero((strip[:-2] == strip[2:]) & ~restart[:-2] & ~restart[1:-1] & ~restart[2:])
    odd = place[first] % 2
    triangles = np.stack([index[first], index[first + 1 + odd], index[first + 2 - odd]], axis=1)
    # Strips are joined by triangles that have a corner twice.
    a, b, c = triangles.T
    return triangles[(a != b) & (b != c) & (c != a)]


def _join_grid(lists: PlyList, facts: dict[str, str], location: str) -> NDArray[np.int64]:
    """Join neighbors in the grid of a range scan to triangles [T, 3].

    A cell of four points has two triangles, a cell of three has one.
    """
    count = len(lists.sizes)
    rows, columns = (
        int(text) if (text := facts.get(name, "")).isdigit() else 0 for name in ("num_rows", "num_cols")
    )
    if not rows and columns:
        rows = count // columns
    if rows * columns != count or not count or lists.sizes.max() > 1:
        raise_mesh_error(
            f"{location}: its range_grid has {count:,} cells, and its obj_info lines name "
            f"{columns:,} columns and {rows:,} rows",
            "unreadable",
        )
    grid = np.full(count, RESTART, dtype=np.int64)
    grid[lists.sizes == 1] = _to_indices(lists)
    grid = grid.reshape(rows, columns)
    a, b, c, d = (part.ravel() for part in (grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]))
    # With a missing corner, the triangle of the other three is one of these four; with none, the first two.
    has = [part >= 0 for part in (a, b, c, d)]
    halves = (
        (a, b, c, has[0] & has[1] & has[2]),
        (a, c, d, has[0] & has[2] & has[3]),
        (a, b, d, has[0] & has[1] & has[3] & ~has[2]),
        (b, c, d, has[1] & has[2] & has[3] & ~has[0]),
    )
    return np.concatenate([np.stack([p[mask], q[mask], r[mask]], axis=1) for p, q, r, mask in halves])

"""The surface of a mesh as vertices that triangles share, without what a graph must not have.

A mesh splits its vertices wherever an attribute differs; a graph has one vertex at each place.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes import (
    Mesh,
    compute_center,
    find_absent_faces,
    get_part_of_vertices,
)

_RESOLUTION = 1e-6
"""Side, in diagonals, of the cells in which places are one."""

Places = NDArray[np.float64]
"""Places of vertices [n, 3] in the object's frame."""
Faces = NDArray[np.int64]
"""Triangles [F, 3] as indices of vertices, counter-clockwise from the side that normals point to."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A triangulated surface, all of whose vertices belong to a face."""

    vertices: Places
    faces: Faces
    part: NDArray[np.int64]
    """Part [n] of each vertex; 0 for an object of one piece. A face has vertices of one part."""

    def select_faces(self, selected: NDArray[Any] | slice) -> "Surface":
        """Return the surface of some faces, with the vertices that they use."""
        used, corners = np.unique(self.faces[selected], return_inverse=True)
        return Surface(self.vertices[used], corners.reshape(-1, 3), self.part[used])


def weld_surface(mesh: Mesh) -> Surface:
    """Return the surface of a mesh with vertices of one part in one place merged.

    Places within a millionth of the diagonal are one. Faces that cannot be seen, have two corners in one
    place, or lie where another face lies are left out. Faces turn their outside to the side of the mesh's
    shading normals.
    """
    places = mesh.positions.astype(np.float64) - compute_center(mesh)
    part = get_part_of_vertices(mesh).astype(np.int64)
    faces = _orient_triangles(mesh)[~find_absent_faces(mesh)]
    number = _number_places(places, part)
    _, first = np.unique(number, return_index=True)
    surface = Surface(places[first], number[faces], part[first])
    return surface.select_faces(find_first_faces(surface.faces))


def _number_places(places: Places, part: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a number [n] of each vertex, from 0, which those of one part in one place share.

    Vertices are in one place if they lie in one cell of a grid, or of one that is shifted by half a cell:
    two that rounding parts are not parted by both.
    """
    if not len(places):
        return np.zeros(0, np.int64)
    cells = (places - places.min(axis=0)) / (_RESOLUTION * max(np.linalg.norm(np.ptp(places, axis=0)), 1e-30))
    grids = [np.column_stack([np.floor(cells + shift), part]) for shift in (0, 0.5)]
    one, other = (np.unique(grid, axis=0, return_inverse=True)[1].reshape(-1) for grid in grids)
    number = one
    while not np.array_equal(joined := _take_least(_take_least(number, other), one), number):
        number = joined
    return np.unique(number, return_inverse=True)[1].astype(np.int64)


def _take_least(numbers: NDArray[np.int64], group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each element the least number of its group."""
    least = np.full_like(numbers, np.iinfo(np.int64).max)
    np.minimum.at(least, group, numbers)
    return least[group]


def find_first_faces(faces: Faces) -> NDArray[np.intp]:
    """Return the indices, ascending, of faces with three different corners, each triple of corners once."""
    corners = np.sort(faces, axis=1)
    proper = np.flatnonzero((np.diff(corners, axis=1) > 0).all(axis=1))
    _, first = np.unique(corners[proper], axis=0, return_index=True)
    return proper[np.sort(first)]


def _orient_triangles(mesh: Mesh) -> Faces:
    """Return the triangles, those wound against the sum of their shading normals turned round."""
    triangles = mesh.triangles.astype(np.int64)
    a, b, c = (mesh.positions.astype(np.float64)[triangles[:, corner]] for corner in range(3))
    shading = mesh.normals.astype(np.float64)[triangles].sum(axis=1)
    against = (np.cross(b - a, c - a) * shading).sum(axis=1) < 0
    triangles[against] = triangles[against][:, [0, 2, 1]]
    return triangles

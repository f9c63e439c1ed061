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

    def select_faces(self, selected: NDArray[Any]) -> "Surface":
        """Return the surface of some faces, a mask or indices, with the vertices that they use."""
        used, corners = np.unique(self.faces[selected], return_inverse=True)
        return Surface(self.vertices[used], corners.reshape(-1, 3), self.part[used])


def weld_surface(mesh: Mesh) -> Surface:
    """Return the surface of a mesh with vertices of one part in one place merged.

    Faces that cannot be seen, have an edge of length 0, or lie where another face lies are left out. Faces
    turn their outside to the side of the mesh's shading normals.
    """
    places = mesh.positions.astype(np.float64) - compute_center(mesh)
    keys = np.column_stack([places + 0.0, get_part_of_vertices(mesh)])  # + 0.0 makes 0 of -0.0
    distinct, number = np.unique(keys, axis=0, return_inverse=True)
    faces = number.reshape(-1)[_orient_triangles(mesh)[~find_absent_faces(mesh)]]
    surface = Surface(distinct[:, :3], faces, distinct[:, 3].astype(np.int64))
    return surface.select_faces(find_first_faces(faces))


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

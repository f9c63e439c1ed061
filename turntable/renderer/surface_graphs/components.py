"""The components of a surface: pieces that share no vertex."""

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.surface_graphs.welding import Surface

_LEAST_VERTICES = 8
"""Number of vertices that a component should keep at least: those of a box."""


def select_components(surface: Surface, num_vertices: int) -> Surface:
    """Return the components for which a number of vertices is enough, with the others left out.

    The largest component of each part comes first, then the others by area; each takes 8 vertices, or as many
    as it has if they are fewer. The first one is never left out.
    """
    component = find_components(surface)
    needed = np.minimum(np.bincount(component), _LEAST_VERTICES)
    order = _rank_components(surface, component)
    enough = np.cumsum(needed[order]) <= num_vertices
    enough[0] = True
    return surface.select_faces(np.isin(component[surface.faces[:, 0]], order[enough]))


def leave_out_smallest(surface: Surface, num_vertices: int) -> Surface:
    """Return a surface of at most so many vertices, with the last components left out, but for the first."""
    component = find_components(surface)
    order = _rank_components(surface, component)
    enough = np.cumsum(np.bincount(component)[order]) <= num_vertices
    enough[0] = True
    return surface.select_faces(np.isin(component[surface.faces[:, 0]], order[enough]))


def find_components(surface: Surface) -> NDArray[np.intp]:
    """Return the component [n] of each vertex, numbered by their first vertices."""
    number = np.arange(len(surface.vertices))
    faces = surface.faces
    while True:
        least = number.copy()
        for corner in range(3):
            np.minimum.at(least, faces[:, corner], number[faces].min(axis=1))
        least = least[least]  # the number of the vertex that a vertex has as its number
        if np.array_equal(least, number):
            return np.unique(number, return_inverse=True)[1]
        number = least


def compute_face_areas(surface: Surface) -> NDArray[np.float64]:
    """Return the area [F] of each face."""
    a, b, c = (surface.vertices[surface.faces[:, corner]] for corner in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def _rank_components(surface: Surface, component: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the components in order: the largest of each part, then the others, by area."""
    area = np.bincount(component[surface.faces[:, 0]], compute_face_areas(surface))
    _, first = np.unique(component, return_index=True)
    order = np.argsort(-area, kind="stable")
    _, largest = np.unique(surface.part[first][order], return_index=True)
    is_largest = np.isin(np.arange(len(order)), largest)
    return order[np.argsort(~is_largest, kind="stable")]

"""More vertices on a surface that has few, in the middle of its longest edges."""

import numpy as np

from turntable.renderer.surface_graphs.welding import Faces, Surface


def split_edges(surface: Surface, num_vertices: int) -> Surface:
    """Return the same surface with at least so many vertices: the longest edge is split again and again.

    A new vertex lies in the middle of an edge, and divides each face of the edge in two.
    """
    vertices, part, faces = surface.vertices.tolist(), surface.part.tolist(), surface.faces
    while len(vertices) < num_vertices:
        start, end = _find_longest_edge(np.array(vertices), faces)
        faces = _divide_faces(faces, start, end, len(vertices))
        middle = [(one + other) / 2 for one, other in zip(vertices[start], vertices[end], strict=True)]
        vertices.append(middle)
        part.append(part[start])
    return Surface(np.array(vertices), faces, np.array(part))


def _find_longest_edge(vertices: np.ndarray, faces: Faces) -> tuple[int, int]:
    """Return the ends of the longest edge; of several, of the one with the least ends."""
    edges = np.unique(np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0)
    length = ((vertices[edges[:, 0]] - vertices[edges[:, 1]]) ** 2).sum(axis=1)
    start, end = edges[length.argmax()].tolist()
    return start, end


def _divide_faces(faces: Faces, start: int, end: int, middle: int) -> Faces:
    """Return the faces, each of which has an edge replaced by two with its middle in place of an end."""
    has_edge = (faces == start).any(axis=1) & (faces == end).any(axis=1)
    divided = faces[has_edge]
    halves = [np.where(divided == corner, middle, divided) for corner in (end, start)]
    return np.concatenate([faces[~has_edge], *halves])

"""Fewer vertices on a large surface at once, by merging those that lie in one cell of a grid."""

import numpy as np

from turntable.renderer.surface_graphs.welding import Places, Surface, find_first_faces

MAX_VERTICES = 10_000
"""Number of vertices up to which a surface is left as it is."""
_CELLS = 96
"""Number of cells along the diagonal of the bounding box."""


def cluster_vertices(surface: Surface) -> Surface:
    """Return a surface, if it is large, with the vertices of one part in one cell of a grid merged.

    The vertex nearest to the mean of those in its cell stays, so vertices of the surface are left. Faces with
    two corners in one cell vanish; a surface of which all would is left as it is.
    """
    if len(surface.vertices) <= MAX_VERTICES:
        return surface
    low, high = surface.vertices.min(axis=0), surface.vertices.max(axis=0)
    cells = np.floor((surface.vertices - low) / (np.linalg.norm(high - low) / _CELLS))
    _, cell = np.unique(np.column_stack([cells, surface.part]), axis=0, return_inverse=True)
    nearest = _find_nearest_to_means(surface.vertices, cell.reshape(-1))
    faces = nearest[cell.reshape(-1)][surface.faces]
    kept = find_first_faces(faces)
    return Surface(surface.vertices, faces, surface.part).select_faces(kept) if len(kept) else surface


def _find_nearest_to_means(vertices: Places, cell: np.ndarray) -> np.ndarray:
    """Return for each cell the vertex that is nearest to the mean of the cell's vertices."""
    sums = np.stack([np.bincount(cell, vertices[:, axis]) for axis in range(3)], axis=1)
    means = sums / np.bincount(cell)[:, None]
    distance = ((vertices - means[cell]) ** 2).sum(axis=1)
    order = np.lexsort((distance, cell))
    return order[np.searchsorted(cell[order], np.arange(len(means)))]

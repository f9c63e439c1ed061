"""Vertex normals that are smooth over round parts and sharp over edges."""

import numpy as np

from turntable.renderer.meshes.zoo.solid import Array, Indices, cross


def crease_normals(positions: Array, triangles: Indices, parts: Indices, creases: Array) -> Array:
    """Unit normals of every corner of every triangle, [T, 3, 3].

    A corner's normal is the area-weighted mean over those faces of its part that touch the same point and
    make less than the crease angle with its own face. Each therefore agrees with the winding.

    Args:
        positions: [N, 3].
        triangles: [T, 3].
        parts: [N] number of the part of a vertex; parts are never smoothed into each other.
        creases: [T] degrees.
    """
    a, b, c = positions[triangles].transpose(1, 0, 2)
    weighted = cross(b - a, c - a)
    unit = weighted / np.linalg.norm(weighted, axis=1, keepdims=True)
    corner, other = _touching_faces(_weld(positions, parts)[triangles])
    cosine = np.cos(np.radians(creases))
    smooth = np.einsum("ij,ij->i", unit[corner // 3], unit[other]) >= cosine[corner // 3]
    corner, other = corner[smooth], other[smooth]
    sums = np.stack([np.bincount(corner, weighted[other, axis], triangles.size) for axis in range(3)], axis=1)
    return (sums / np.linalg.norm(sums, axis=1, keepdims=True)).reshape(-1, 3, 3)


def _weld(positions: Array, parts: Indices) -> Indices:
    """[N] one number for all vertices of a part at one point (to 1e-5 of the object's size)."""
    low = positions.min(axis=0)
    extent = float(np.max(positions.max(axis=0) - low))
    cell = np.rint((positions - low) / extent * 1e5).astype(np.int64)
    key = ((parts * 100_003 + cell[:, 0]) * 100_003 + cell[:, 1]) * 100_003 + cell[:, 2]
    return np.unique(key, return_inverse=True)[1]


def _touching_faces(points: Indices) -> tuple[Indices, Indices]:
    """Pairs (corner, face) over all faces at the corner's point; its own face is among them.

    Args:
        points: [T, 3] the point at every corner.
    """
    flat = points.reshape(-1)
    order = np.argsort(flat, kind="stable")
    count = np.bincount(flat)
    first = np.cumsum(count) - count
    fan = count[flat]
    corner = np.repeat(np.arange(len(flat)), fan)
    step = np.arange(len(corner)) - np.repeat(np.cumsum(fan) - fan, fan)
    return corner, order[first[flat[corner]] + step] // 3

"""Vertex normals that are smooth over round parts and sharp at edges."""

import numpy as np

from turntable.renderer.meshes.zoo.solid import Array, Indices, cross


def compute_crease_normals(positions: Array, triangles: Indices, parts: Indices, creases: Array) -> Array:
    """Compute unit normals for every corner of every triangle, [T, 3, 3].

    A corner's normal is the area-weighted mean over the faces of its part that touch the same point at less
    than the crease angle to its own face. All normals therefore agree with the winding.

    Args:
        positions: [N, 3] positions.
        triangles: [T, 3] indices into the positions.
        parts: [N] number of each vertex's part. Parts are never smoothed into each other.
        creases: [T] crease angles in degrees.
    """
    a, b, c = positions[triangles].transpose(1, 0, 2)
    weighted = cross(b - a, c - a)
    unit = weighted / np.linalg.norm(weighted, axis=1, keepdims=True)
    corner, other = _find_touching_faces(_weld_vertices(positions, parts)[triangles])
    cosine = np.cos(np.radians(creases))
    smooth = np.einsum("ij,ij->i", unit[corner // 3], unit[other]) >= cosine[corner // 3]
    corner, other = corner[smooth], other[smooth]
    sums = np.stack([np.bincount(corner, weighted[other, axis], triangles.size) for axis in range(3)], axis=1)
    return (sums / np.linalg.norm(sums, axis=1, keepdims=True)).reshape(-1, 3, 3)


def _weld_vertices(positions: Array, parts: Indices) -> Indices:
    """Give all vertices of a part at one point the same number, [N].

    Points closer than 1e-5 of the object's size count as one.
    """
    low = positions.min(axis=0)
    extent = float(np.max(positions.max(axis=0) - low))
    cell = np.rint((positions - low) / extent * 1e5).astype(np.int64)
    # Each coordinate of a cell is from 0 to 100,000, so 100,003 keeps the digits of the key apart.
    key = ((parts * 100_003 + cell[:, 0]) * 100_003 + cell[:, 1]) * 100_003 + cell[:, 2]
    return np.unique(key, return_inverse=True)[1]


def _find_touching_faces(points: Indices) -> tuple[Indices, Indices]:
    """Find pairs (corner, face) of every corner with every face at its point, including its own face.

    Args:
        points: [T, 3] number of the point at every corner.

    Returns:
        Corners and faces of the pairs, [P] each.
    """
    # The corners are sorted by point, so those at one point are neighbors in ``order``. Each corner is then
    # repeated once for every corner at its point, and ``step`` counts through these.
    flat = points.reshape(-1)
    order = np.argsort(flat, kind="stable")
    count = np.bincount(flat)
    first = np.cumsum(count) - count
    num_touching = count[flat]
    corner = np.repeat(np.arange(len(flat)), num_touching)
    step = np.arange(len(corner)) - np.repeat(np.cumsum(num_touching) - num_touching, num_touching)
    return corner, order[first[flat[corner]] + step] // 3

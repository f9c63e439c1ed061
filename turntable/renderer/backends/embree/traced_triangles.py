"""The triangles that rays are traced against, and those that share their place with one of them.

Two triangles in exactly the same place would flicker under rays. So one of them is traced, and every second
sample sees the other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes import FloatArray, IntArray, Mesh, group_coincident_faces

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class TracedTriangles:
    """T triangles to trace, each alone in its place, then S that lie on one of them and are seen in turn."""

    indices: Indices
    """[T + S] indices of the triangles in the mesh."""
    triangles: IntArray
    """[T + S, 3] corners; those of the last S are in the order of the triangles they lie on."""
    alternates: Indices
    """[T] rows that every second sample sees; a triangle's own row if no other lies on it."""

    @classmethod
    def from_mesh(cls, mesh: Mesh, positions: FloatArray) -> "TracedTriangles":
        """Return the triangles of a mesh with centered positions [N, 3]."""
        # Triangles in the same place form a group; the first of each group is traced.
        _, first, group = np.unique(
            group_coincident_faces(positions, mesh.triangles), return_index=True, return_inverse=True
        )
        traced = np.sort(first)
        # Materials of coincident faces have a turn of 1 or 2. The first triangle of turn 2 in each group is
        # the one that every second sample sees.
        turn = np.array([material.turn for material in mesh.materials])[mesh.material_index]
        second = np.flatnonzero(turn == 2)
        groups, at = np.unique(group[second], return_index=True)
        second = second[at]
        alternates = np.arange(len(traced))
        alternates[np.searchsorted(traced, first[groups])] = len(traced) + np.arange(len(groups))
        # A hit's weights belong to the corners of the traced triangle: the other one needs the same order.
        reordered = _match_corner_order(mesh.triangles[second], mesh.triangles[first[groups]], positions)
        return cls(
            np.concatenate([traced, second]),
            np.concatenate([mesh.triangles[traced], reordered]).astype(np.int32),
            alternates,
        )


def _match_corner_order(triangles: IntArray, others: IntArray, positions: FloatArray) -> IntArray:
    """Return triangles [S, 3] with corners in the order of others [S, 3] that lie in the same places."""
    same = (positions[others][:, :, None] == positions[triangles][:, None]).all(axis=-1)
    return np.take_along_axis(triangles, same.argmax(axis=2), axis=1)

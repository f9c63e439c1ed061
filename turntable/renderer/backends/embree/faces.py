"""Which triangles rays meet, and which others are seen where several lie in one place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes import FloatArray, IntArray, Mesh, place_numbers

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """T triangles to trace, each in its own place, then S that lie on one of them and are seen in turn."""

    numbers: Indices
    """[T + S] of the mesh's triangles."""
    triangles: IntArray
    """[T + S, 3]: their corners; of the latter in the order of those they lie on."""
    other: Indices
    """[T]: the row that every second sample sees; its own where nothing else lies there."""

    @classmethod
    def of(cls, mesh: Mesh, positions: FloatArray) -> "Faces":
        """Those of a mesh, its vertices [N, 3] centred."""
        _, first, place = np.unique(
            place_numbers(positions, mesh.triangles), return_index=True, return_inverse=True
        )
        traced = np.sort(first)
        turn = np.array([material.turn for material in mesh.materials])[mesh.material_index]
        second = np.flatnonzero(turn == 2)
        places, at = np.unique(place[second], return_index=True)
        below = np.searchsorted(traced, first[places])
        other = np.arange(len(traced))
        other[below] = len(traced) + np.arange(len(places))
        lying = _in_order_of(mesh.triangles[second[at]], mesh.triangles[first[places]], positions)
        return cls(
            np.concatenate([traced, second[at]]),
            np.concatenate([mesh.triangles[traced], lying]).astype(np.int32),
            other,
        )


def _in_order_of(triangles: IntArray, others: IntArray, positions: FloatArray) -> IntArray:
    """Triangles [S, 3] with their corners in the order of others [S, 3] that lie in the same places."""
    same = (positions[others][:, :, None] == positions[triangles][:, None]).all(axis=-1)
    return np.take_along_axis(triangles, same.argmax(axis=2), axis=1)

"""Faces that lie exactly where another face lies, shaded as Cycles renders them.

In Cycles (3.1 and later), a ray that leaves a face ignores that one face, so that rounding cannot make the
face shadow itself. For two faces with the same corners this has two effects. Rounding decides which of the
two a ray meets first, so each is seen at about half of the points. And a ray that leaves one face meets the
other at once about half of the time, so half of all light is lost. Exporters of two-sided models write such
faces, with separate vertices for each. (Where a face repeats the vertices of another face, the OBJ importer
drops it.)
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.mesh import FloatArray, IntArray, Material, Mesh
from turntable.renderer.meshes.opacity import find_opaque_faces
from turntable.renderer.meshes.unique_rows import find_unique_rows, number_rows

COINCIDENT_LIGHT_SHARE = 0.5
"""Share of light that reaches a face with another face in the same place."""


def mark_coincident_faces(mesh: Mesh) -> Mesh:
    """Return the mesh with separate materials for coincident faces, which receive half of the light.

    Transparent faces stay as they are, because light passes through both. Faces with a cutoff are opaque
    where they are present.
    """
    turn = _assign_turns(group_coincident_faces(mesh.positions, mesh.triangles))
    turn[_find_degenerate_faces(mesh)] = 0
    turn[~find_opaque_faces(mesh)] = 0
    if not turn.any():
        return mesh
    first, index = find_unique_rows(np.stack([mesh.material_index, turn]))
    material_turns = zip(mesh.material_index[first], turn[first], strict=True)
    return replace(
        mesh,
        materials=tuple(_halve_light(mesh.materials[number], int(turn)) for number, turn in material_turns),
        material_index=index.astype(np.int32),
    )


def group_coincident_faces(positions: FloatArray, triangles: IntArray) -> NDArray[np.intp]:
    """Assign numbers to the triangles so that those with the same three corners, in any order, share one.

    Args:
        positions: [N, 3] vertices.
        triangles: [T, 3] indices into the vertices.

    Returns:
        [T] group numbers.
    """
    # Positions are compared by their bits. Adding 0 turns -0.0 into 0.0, whose bits differ though the two are
    # equal.
    without_minus_zero = positions + np.float32(0)
    corners = np.sort(number_rows(without_minus_zero.view(np.int32).T)[triangles], axis=1)
    return number_rows(corners.T)


def _assign_turns(group: NDArray[np.intp]) -> IntArray:
    """Return [T]: 0 for a face alone in its place, else 1 and 2 alternately, in the order of the file."""
    order = np.argsort(group, kind="stable")
    count = np.bincount(group)
    # Rank of each face within its group: its place in the sorted order minus the place where the group
    # begins.
    rank = np.empty(len(group), dtype=np.int32)
    rank[order] = np.arange(len(group)) - np.repeat(np.cumsum(count) - count, count)
    return np.where(count[group] > 1, 1 + rank % 2, 0).astype(np.int32)


def _find_degenerate_faces(mesh: Mesh) -> NDArray[np.bool_]:
    """Return a mask [T], true for faces with two equal corners. They have no area and are never seen."""
    a, b, c = (mesh.positions[mesh.triangles[:, k]] for k in range(3))
    return (a == b).all(axis=1) | (b == c).all(axis=1) | (c == a).all(axis=1)


def _halve_light(material: Material, turn: int) -> Material:
    """Return the material of a coincident face, lit by half of the light. A ``turn`` of 0 changes nothing."""
    return replace(material, lit=COINCIDENT_LIGHT_SHARE, turn=turn) if turn else material

"""Faces that lie exactly where another face lies, and what the original's rays make of them.

Cycles (3.1 and later) lets a ray that leaves a face pass through that one face, whatever its rounding. Of two
faces with the same corners either may be met first, as rounding has it, so each is seen at about half of the
points; and a ray from one meets the other at once about half of the time, so that half of all light is lost.
Exporters of two-sided models write such faces, with vertices of their own (where a face repeats the vertices
of another one, the importer drops it).
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.mesh import FloatArray, IntArray, Material, Mesh
from turntable.renderer.meshes.rows import row_numbers, unique_rows

LIT = 0.5
"""The share of light that reaches a face with another one in its place."""


def settled(mesh: Mesh) -> Mesh:
    """The mesh with materials of their own for faces that lie where another one does.

    Faces that one can see through are left as they are: light passes both.
    """
    turn = _turns(place_numbers(mesh.positions, mesh.triangles))
    turn[_flat(mesh)] = 0
    turn[~np.array([_solid(material) for material in mesh.materials])[mesh.material_index]] = 0
    if not turn.any():
        return mesh
    first, index = unique_rows(np.stack([mesh.material_index, turn]))
    kinds = zip(mesh.material_index[first], turn[first], strict=True)
    return replace(
        mesh,
        materials=tuple(_halved(mesh.materials[number], int(turn)) for number, turn in kinds),
        material_index=index.astype(np.int32),
    )


def place_numbers(positions: FloatArray, triangles: IntArray) -> NDArray[np.intp]:
    """[T]: the same number for triangles [T, 3] with the same three corners, in any order."""
    # Minus zero is zero, though its bits differ.
    whole = positions + np.float32(0)
    corners = np.sort(row_numbers(whole.view(np.int32).T)[triangles], axis=1)
    return row_numbers(corners.T)


def _turns(number: NDArray[np.intp]) -> IntArray:
    """[T]: 0 for a face alone in its place, else 1 and 2 in turn, in the order of the file."""
    order = np.argsort(number, kind="stable")
    count = np.bincount(number)
    rank = np.empty(len(number), dtype=np.int32)
    rank[order] = np.arange(len(number)) - np.repeat(np.cumsum(count) - count, count)
    return np.where(count[number] > 1, 1 + rank % 2, 0).astype(np.int32)


def _flat(mesh: Mesh) -> NDArray[np.bool_]:
    """[T]: whether two corners are one, so that nothing is seen of a face."""
    a, b, c = (mesh.positions[mesh.triangles[:, k]] for k in range(3))
    return (a == b).all(axis=1) | (b == c).all(axis=1) | (c == a).all(axis=1)


def _solid(material: Material) -> bool:
    return material.alpha >= 1 and (material.texture is None or material.texture.pixels.shape[2] == 3)


def _halved(material: Material, turn: int) -> Material:
    return replace(material, lit=LIT, turn=turn) if turn else material

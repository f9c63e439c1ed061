"""Rotation and scaling of meshes to the conventions of the scene."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes.mesh import MAX_FLOAT32, Mesh, compute_center, compute_diagonal
from turntable.renderer.meshes.mesh_parts import place_parts

PART_DIGITS = 9
"""Decimals of the places and ranges of parts, in diagonals and radians."""


def scale_to_unit(mesh: Mesh, path: Path) -> Mesh:
    """Return the mesh scaled to a bounding-box diagonal of 1, an assembly also centered at its box at rest.

    Args:
        mesh: Mesh to scale.
        path: Path of its file, for messages.

    Raises:
        MeshError: The diagonal is 0 or not finite in float32.
    """
    length = compute_diagonal(mesh)
    if not length <= MAX_FLOAT32:
        raise MeshError(f"{path}: its size is not finite; leave this object out", reason="not finite")
    if length <= 0:
        raise MeshError(f"{path}: all vertices lie in one point; leave this object out", reason="no extent")
    scaled = replace(mesh, positions=(mesh.positions / length).astype(np.float32))
    return _center_assembly(scaled, 1 / length) if mesh.parts else scaled


def _center_assembly(mesh: Mesh, scale: float) -> Mesh:
    """Return an assembly, whose positions are scaled already, centered as a mesh of one piece is drawn."""
    center = compute_center(replace(mesh, parts=()))
    parts = place_parts(mesh.parts, np.eye(3), scale, -center, PART_DIGITS)
    return replace(mesh, positions=(mesh.positions - center).astype(np.float32), parts=tuple(parts))


def rotate_mesh(mesh: Mesh, rotation: NDArray[np.floating]) -> Mesh:
    """Return the mesh with its positions and normals rotated by a matrix [3, 3]."""
    matrix = rotation.T.astype(np.float32)
    return replace(mesh, positions=mesh.positions @ matrix, normals=mesh.normals @ matrix)


def compute_upright_rotation(up: NDArray[np.floating], front: NDArray[np.floating]) -> NDArray[np.float64]:
    """Compute the rotation [3, 3] that turns ``up`` to +z and the level part of ``front`` to +y.

    ShapeNet's objects face +y in the world. If ``front`` has no level part, the turn about +z is arbitrary.
    """
    z = np.asarray(up, dtype=np.float64) / np.linalg.norm(up)
    # The world's axes stand in for a front along the up axis; at least one of them is far enough from it.
    for candidate in (front, [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]):
        y = np.asarray(candidate, dtype=np.float64)
        y = y - z * (y @ z)
        if np.linalg.norm(y) > 1e-3:
            break
    y /= np.linalg.norm(y)
    return np.stack([np.cross(y, z), y, z])

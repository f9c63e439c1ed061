"""A mesh turned and scaled as its source asks for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes.mesh import Mesh, diagonal

MOST = float(np.finfo(np.float32).max)


def scaled_to_unit(mesh: Mesh, path: Path) -> Mesh:
    """The mesh with a bounding-box diagonal of 1.

    Raises:
        MeshError: It has none, or none that is a number.
    """
    length = diagonal(mesh)
    if not length <= MOST:
        raise MeshError(f"{path}: its size is beyond all numbers; leave this object out", reason="not finite")
    if length <= 0:
        raise MeshError(f"{path}: all vertices lie in one point; leave this object out", reason="no extent")
    return replace(mesh, positions=(mesh.positions / length).astype(np.float32))


def turned(mesh: Mesh, rotation: NDArray[np.floating]) -> Mesh:
    """The mesh with a rotation [3, 3] applied to its points."""
    matrix = rotation.T.astype(np.float32)
    return replace(mesh, positions=mesh.positions @ matrix, normals=mesh.normals @ matrix)


def upright(up: NDArray[np.floating], front: NDArray[np.floating]) -> NDArray[np.float64]:
    """[3, 3]: turns ``up`` to +z and ``front``, as far as it is level, to +y: ShapeNet's front in the world.

    A front that is not given, or not level at all, leaves any turn about +z.
    """
    z = np.asarray(up, dtype=np.float64) / np.linalg.norm(up)
    for candidate in (front, [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]):
        y = np.asarray(candidate, dtype=np.float64)
        y = y - z * (y @ z)
        if np.linalg.norm(y) > 1e-3:
            break
    y /= np.linalg.norm(y)
    return np.stack([np.cross(y, z), y, z])

"""Mirror images of meshes: x to -x in the object's frame."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.mesh import Mesh

_FACTORS = np.array([-1, 1, 1], dtype=np.float32)
_PLACES = frozenset({"atom_positions"})
"""Names of the arrays [N, 3] of places that a source may have of an object."""


def mirror_mesh(mesh: Mesh) -> Mesh:
    """Return the mirror image of a mesh; twice gives the mesh again.

    Positions and normals are reflected, and the winding is turned round, so that it is counter-clockwise
    from outside where it was. Texture coordinates and colors stay with their vertices. Parts and joints of an
    assembly are reflected too: equal values of the joints give mirrored motions.
    """
    return replace(
        mesh,
        positions=mesh.positions * _FACTORS,
        normals=mesh.normals * _FACTORS,
        triangles=np.ascontiguousarray(mesh.triangles[:, [0, 2, 1]]),
        parts=tuple(part.mirror() for part in mesh.parts),
    )


def mirror_arrays(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the arrays that a source has of an object as those of its mirror image: places are reflected."""
    return {name: array * _FACTORS if name in _PLACES else array for name, array in arrays.items()}


def mirror_points(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mirror image of a point cloud [N, 6] of positions and normals."""
    return points * np.concatenate([_FACTORS, _FACTORS])

"""Point clouds: places spread evenly over a mesh's surface, drawn by a counter-based generator."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes import Mesh, centre, unit


def surface_points(mesh: Mesh, count: int, label_digest: str, object_id: str) -> NDArray[np.float32]:
    """Points on a mesh; they depend on the arguments alone.

    A triangle gets points in proportion to its area, and each point lies anywhere in it with the same
    probability (Osada et al. 2002). Faces that cannot be seen at all (alpha 0) get none.

    Args:
        mesh: In the world's orientation.
        count: Of points.
        label_digest: Of the recipe: the seed takes part in it.
        object_id: Its id in the data set.

    Returns:
        float32 [count, 6]: place in the object's own frame, its bounding box centred, and the unit shading
        normal there.

    Raises:
        MeshError: The mesh has no area.
    """
    random = np.random.Generator(np.random.Philox(key=_key(label_digest, object_id)))
    corners = (mesh.positions.astype(np.float64) - centre(mesh))[mesh.triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=-1)
    alpha = np.array([material.alpha for material in mesh.materials])
    area *= alpha[mesh.material_index] > 0
    total = area.sum()
    if total <= 0:
        raise MeshError(f"{object_id}: its faces have no area; leave this object out", reason="no area")
    # One point a stratum of the surface: as even as chance allows, and no triangle far from its share.
    place = (np.arange(count) + random.random(count)) / count * total
    triangle = np.minimum(np.searchsorted(np.cumsum(area), place, side="right"), len(area) - 1)
    root, along = np.sqrt(random.random(count)), random.random(count)
    weights = np.stack([1 - root, root * (1 - along), root * along], axis=-1)
    normals = mesh.normals.astype(np.float64)[mesh.triangles[triangle]]
    points = np.concatenate(
        [
            np.einsum("pk,pkx->px", weights, corners[triangle]),
            unit(np.einsum("pk,pkx->px", weights, normals)),
        ],
        axis=-1,
    )
    return points[random.permutation(count)].astype(np.float32)


def _key(label_digest: str, object_id: str) -> int:
    """Another stream than that of the views' labels."""
    digest = hashlib.sha256(f"points\0{label_digest}\0{object_id}".encode()).digest()
    return int.from_bytes(digest[:16], "little")

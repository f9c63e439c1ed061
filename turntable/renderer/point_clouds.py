"""Point clouds: points spread evenly over the surface of a mesh, drawn by a counter-based generator."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Recipe
from turntable.datasets.draws import get_drawn_id
from turntable.errors import MeshError
from turntable.renderer.meshes import (
    Mesh,
    compute_center,
    find_absent_faces,
    mirror_mesh,
    mirror_points,
    normalize_vectors,
    sample_surface,
)


@dataclass(frozen=True, slots=True, eq=False)
class SurfacePoints:
    """Points on the surface of a mesh."""

    points: NDArray[np.float32]
    """[P, 6] position in the object's frame at rest, whose origin is the center of the bounding box, and the
    unit shading normal there."""
    parts: NDArray[np.uint8]
    """[P] part of the assembly on which each point lies; 0 for a mesh of one piece."""


def sample_object_points(recipe: Recipe, object_id: str, mesh: Mesh) -> SurfacePoints:
    """Sample the point cloud of an object as a recipe asks for it.

    The cloud of a mirrored twin is the mirror image of its object's, point by point.

    Raises:
        MeshError: The mesh has no area.
    """
    drawn_id = get_drawn_id(recipe, object_id)
    if drawn_id == object_id:
        return sample_surface_points(mesh, recipe.points, recipe.label_digest, object_id)
    own = sample_surface_points(mirror_mesh(mesh), recipe.points, recipe.label_digest, drawn_id)
    return SurfacePoints(mirror_points(own.points), own.parts)


def sample_surface_points(mesh: Mesh, num_points: int, label_digest: str, object_id: str) -> SurfacePoints:
    """Sample points on the surface of a mesh. They depend on the arguments alone.

    Points are spread evenly (``sample_surface``). Faces that cannot be seen (alpha 0 or below a cutoff, also
    at the corners) get none.

    Args:
        mesh: Mesh in world orientation, an assembly at rest.
        num_points: Number of points P.
        label_digest: Digest of the recipe, which includes its seed.
        object_id: Id of the object in the data set.

    Raises:
        MeshError: The mesh has no area.
    """
    corners = (mesh.positions.astype(np.float64) - compute_center(mesh))[mesh.triangles]
    area = compute_visible_areas(mesh, corners, object_id)
    random = np.random.Generator(np.random.Philox(key=_make_stream_key(label_digest, object_id)))
    sample = sample_surface(area, num_points, random)
    normals = sample.interpolate(mesh.normals.astype(np.float64)[mesh.triangles[sample.triangles]])
    positions = sample.interpolate(corners[sample.triangles])
    points = np.concatenate([positions, normalize_vectors(normals)], axis=-1).astype(np.float32)
    parts = np.zeros(num_points) if mesh.part_index is None else mesh.part_index[sample.triangles]
    return SurfacePoints(points, parts.astype(np.uint8))


def compute_visible_areas(mesh: Mesh, corners: NDArray[np.float64], object_id: str) -> NDArray[np.float64]:
    """Compute twice the area [T] of each face with these corners [T, 3, 3]; 0 for faces that cannot be seen.

    Raises:
        MeshError: No face that can be seen has an area.
    """
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=-1)
    area *= ~find_absent_faces(mesh)
    if area.sum() <= 0:
        raise MeshError(f"{object_id}: its faces have no area; leave this object out", reason="no area")
    return area


def _make_stream_key(label_digest: str, object_id: str) -> int:
    """Return the key of the object's random stream. It differs from the stream of the views' labels."""
    digest = hashlib.sha256(f"points\0{label_digest}\0{object_id}".encode()).digest()
    return int.from_bytes(digest[:16], "little")

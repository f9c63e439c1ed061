"""Point clouds: points spread evenly over the surface of a mesh, drawn by a counter-based generator."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes import Mesh, compute_center, find_absent_faces, normalize_vectors


def sample_surface_points(
    mesh: Mesh, num_points: int, label_digest: str, object_id: str
) -> NDArray[np.float32]:
    """Sample points on the surface of a mesh. They depend on the arguments alone.

    A triangle gets points in proportion to its area, and each point is uniform in its triangle
    (Osada et al. 2002). Faces that cannot be seen (alpha 0 or below a cutoff, also at the corners) get none.

    Args:
        mesh: Mesh in world orientation.
        num_points: Number of points.
        label_digest: Digest of the recipe, which includes its seed.
        object_id: Id of the object in the data set.

    Returns:
        float32 [num_points, 6]: position in the object's frame, whose origin is the center of the bounding
        box, and the unit shading normal there.

    Raises:
        MeshError: The mesh has no area.
    """
    random = np.random.Generator(np.random.Philox(key=_make_stream_key(label_digest, object_id)))
    corners = (mesh.positions.astype(np.float64) - compute_center(mesh))[mesh.triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=-1)
    area *= ~find_absent_faces(mesh)
    total = area.sum()
    if total <= 0:
        raise MeshError(f"{object_id}: its faces have no area; leave this object out", reason="no area")
    # Stratified sampling: the faces are laid out end to end along a line as long as their total area, the
    # line is cut into num_points equal pieces, and one point is drawn in each. Every triangle then gets
    # nearly its exact share of points.
    area_position = (np.arange(num_points) + random.random(num_points)) / num_points * total
    # Rounding can put a position at the very end of the line, past the last face.
    triangle = np.minimum(np.searchsorted(np.cumsum(area), area_position, side="right"), len(area) - 1)
    # The square root makes the barycentric weights uniform over the triangle.
    root, along = np.sqrt(random.random(num_points)), random.random(num_points)
    weights = np.stack([1 - root, root * (1 - along), root * along], axis=-1)
    normals = mesh.normals.astype(np.float64)[mesh.triangles[triangle]]
    points = np.concatenate(
        [
            np.einsum("pk,pkx->px", weights, corners[triangle]),
            normalize_vectors(np.einsum("pk,pkx->px", weights, normals)),
        ],
        axis=-1,
    )
    # Shuffled, so that the first points of a cloud are spread over the whole surface too.
    return points[random.permutation(num_points)].astype(np.float32)


def _make_stream_key(label_digest: str, object_id: str) -> int:
    """Return the key of the object's random stream. It differs from the stream of the views' labels."""
    digest = hashlib.sha256(f"points\0{label_digest}\0{object_id}".encode()).digest()
    return int.from_bytes(digest[:16], "little")

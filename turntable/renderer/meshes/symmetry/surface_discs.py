"""A mesh's surface as small discs at seeded points, and the distance of points from it.

Points sampled on a surface lie about a hundredth of its size apart, so the distance from one sample to the
next says little. A disc in the tangent plane of each sample stands for the surface around it. On flat and
gently curved surfaces that leaves an error far below the spacing.
"""

import hashlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes.mesh import Mesh, compute_center, compute_diagonal
from turntable.renderer.meshes.surface_sampling import sample_surface

FloatArray64 = NDArray[np.float64]

NUM_DISCS = 1536
NUM_PROBES = 512
"""Points that are moved and compared with the discs; with the discs 2,048 points."""
DISC_RADIUS = 2.0
"""Radius of a disc, in radii of a circle of an equal share of the area. Four discs then cover each point."""


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceDiscs:
    """A surface about its centroid, in units of the diagonal of the bounding box."""

    discs: FloatArray64
    """[NUM_DISCS, 3] centers of the discs."""
    normals: FloatArray64
    """[NUM_DISCS, 3] unit normals of the discs, of either sign."""
    radius: float
    """Radius of the discs."""
    probes: FloatArray64
    """[NUM_PROBES, 3] further points of the surface."""
    center: FloatArray64
    """[3] centroid of the area, from the center of the bounding box."""
    covariance: FloatArray64
    """[3, 3] covariance of a point spread evenly over the surface, integrated exactly over the triangles."""
    floor: FloatArray64 = field(init=False)
    """[NUM_PROBES] squared distances of the probes as they are from the discs."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "floor", np.square(self.compute_distances(self.probes)))

    def compute_distances(self, points: FloatArray64) -> FloatArray64:
        """Return the distance [P] of points [P, 3] from the nearest disc."""
        squared = compute_squared_distances(points.astype(np.float32), self.discs.astype(np.float32))
        # A disc is at most its radius nearer than its center, so the few discs whose centers are not too far
        # are the only ones that can be nearest.
        reach = np.sqrt(np.maximum(squared.min(axis=1), 0)) + np.float32(self.radius * 1.001)
        point, disc = np.nonzero(squared <= (reach * reach)[:, None])
        offsets = points[point] - self.discs[disc]
        along = np.einsum("nx,nx->n", offsets, self.normals[disc])
        beside = np.sqrt(np.maximum(np.einsum("nx,nx->n", offsets, offsets) - along**2, 0)) - self.radius
        distances = along**2 + np.maximum(beside, 0) ** 2
        starts = np.searchsorted(point, np.arange(len(points)))
        return np.sqrt(np.minimum.reduceat(distances, starts))

    def compute_residual(self, motion: FloatArray64, num_probes: int = NUM_PROBES) -> float:
        """Return the root mean square distance of the surface from itself after a motion.

        What the discs leave without any motion is subtracted, as squares.

        Args:
            motion: Orthogonal matrix [3, 3].
            num_probes: Number of points to move.
        """
        moved = np.square(self.compute_distances(self.probes[:num_probes] @ motion.T))
        return float(np.sqrt(max((moved - self.floor[:num_probes]).mean(), 0.0)))


def compute_squared_distances(
    queries: NDArray[np.float32], points: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the squared distances [Q, P] between two lists of points."""
    squared = queries @ (-2 * points.T)
    squared += np.square(queries).sum(axis=1)[:, None]
    squared += np.square(points).sum(axis=1)
    return squared


def sample_surface_discs(mesh: Mesh) -> SurfaceDiscs:
    """Sample discs and probes on a mesh. They depend on its positions and triangles alone.

    Faces of a fully transparent material do not count.

    Raises:
        MeshError: The mesh has no area.
    """
    diagonal = compute_diagonal(mesh)
    if diagonal <= 0:
        raise MeshError("the mesh has no extent; leave this object out", reason="no extent")
    corners = ((mesh.positions.astype(np.float64) - compute_center(mesh)) / diagonal)[mesh.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normals, axis=-1) / 2
    alpha = np.array([material.alpha for material in mesh.materials])
    area *= alpha[mesh.material_index] > 0
    total = float(area.sum())
    if total <= 0:
        raise MeshError("the mesh's faces have no area; leave this object out", reason="no area")
    center, covariance = _integrate(corners, area / total)
    random = np.random.Generator(np.random.Philox(key=_make_key(mesh)))
    sample = sample_surface(area, NUM_DISCS + NUM_PROBES, random)
    points = sample.interpolate(corners[sample.triangles]) - center
    unit = normals[sample.triangles]
    unit /= np.maximum(np.linalg.norm(unit, axis=-1, keepdims=True), 1e-300)
    radius = DISC_RADIUS * float(np.sqrt(total / (np.pi * NUM_DISCS)))
    return SurfaceDiscs(points[:NUM_DISCS], unit[:NUM_DISCS], radius, points[NUM_DISCS:], center, covariance)


def _integrate(corners: FloatArray64, share: FloatArray64) -> tuple[FloatArray64, FloatArray64]:
    """Return the centroid [3] and covariance [3, 3] of triangles [T, 3, 3] with shares [T] of the area."""
    sums = corners.sum(axis=1)
    center = share @ sums / 3
    # The mean of x xT over a triangle is that of its corners' and of their sum's outer products.
    weighted = corners * share[:, None, None]
    second = np.einsum("tkx,tky->xy", weighted, corners) + np.einsum("t,tx,ty->xy", share, sums, sums)
    return center, second / 12 - np.outer(center, center)


def _make_key(mesh: Mesh) -> int:
    """Return the key of the mesh's random stream."""
    digest = hashlib.sha256(b"symmetry\0")
    digest.update(np.ascontiguousarray(mesh.positions).tobytes())
    digest.update(np.ascontiguousarray(mesh.triangles).tobytes())
    return int.from_bytes(digest.digest()[:16], "little")

"""The parts of an object as rays see them: each with a tree of its own, in its own frame, built once.

Rays are turned into the frame of each part, so that a scene whose parts move needs no new tree. Only the rays
that pass the sphere around a part are traced against it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.objects import get_rest_poses
from turntable.renderer.backends.embree import TracedMesh
from turntable.renderer.meshes import Mesh, compute_center

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_SLACK = 1.001
"""Factor of the radius of the sphere around a part, against rounding."""
_LEAST_OPACITY = 0.5
"""Opacity from which a surface returns a ray, as in masks and depths."""


@dataclass(frozen=True, slots=True, eq=False)
class PartHits:
    """H hits of rays on the surface of one part."""

    ray: Indices
    """[H] indices of the rays."""
    distance: Array
    """[H] distances in units of the world."""
    cosine: Array
    """[H] absolute cosine of the angle between the ray and the face's normal."""


@dataclass(frozen=True, slots=True, eq=False)
class TracedPart:
    """A part of an object on Embree."""

    mesh: TracedMesh
    center: Array
    """[3] center of its bounding box in the part's own frame."""

    def trace(self, directions: Array, part_to_sensor: Array, reach: float) -> PartHits:
        """Return the first hits of rays from the sensor.

        Args:
            directions: Unit directions [R, 3] in the sensor's frame.
            part_to_sensor: Pose [4, 4] of the part in the sensor's frame, in units of the world.
            reach: Largest distance.
        """
        near = self._select_near(directions, part_to_sensor, reach)
        to_part = geometry.invert_pose(part_to_sensor)
        turned = (directions[near] @ to_part[:3, :3].T).astype(np.float32)
        origin = (to_part[:3, 3] - self.center).astype(np.float32)
        origins = np.broadcast_to(origin, turned.shape)
        found = [PartHits(np.zeros(0, np.intp), np.zeros(0), np.zeros(0))]
        is_open = np.ones(len(near), dtype=np.bool_)
        for hits in self.mesh.iter_layers(origins, turned, np.full(len(near), reach, np.float32)):
            hits = hits[(self.mesh.compute_alpha(hits) >= _LEAST_OPACITY) & is_open[hits.ray]]
            is_open[hits.ray] = False
            cosine = np.einsum("hi,hi->h", self.mesh.get_face_normals(hits), turned[hits.ray])
            found.append(PartHits(near[hits.ray], hits.distance.astype(np.float64), np.abs(cosine)))
        return _join_hits(found)

    def _select_near(self, directions: Array, part_to_sensor: Array, reach: float) -> Indices:
        """Return the rays that pass the sphere around the part, if it is within reach."""
        center = part_to_sensor[:3, :3] @ self.center + part_to_sensor[:3, 3]
        away, radius = float(np.linalg.norm(center)), _SLACK * self.mesh.radius
        if away <= radius:
            return np.arange(len(directions))
        if away - radius > reach:
            return np.zeros(0, np.intp)
        return np.flatnonzero(directions @ center >= np.sqrt(away**2 - radius**2))


class TracedParts:
    """The parts of an object, each on Embree.

    Args:
        mesh: Mesh of the object, at rest if it has parts.

    Raises:
        MeshError: A part has no extent.
        MissingExtraError: embreex is not installed.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._parts = tuple(_trace_part(part) for part in _iter_own_meshes(mesh))

    def __len__(self) -> int:
        return len(self._parts)

    def iter_hits(self, directions: Array, parts_to_sensor: Array, reach: float) -> Iterator[PartHits]:
        """Yield the first hits of rays on each part by itself, in order.

        Args:
            directions: Unit directions [R, 3] in the sensor's frame.
            parts_to_sensor: Poses [K, 4, 4] of the parts in the sensor's frame, in units of the world.
            reach: Largest distance in these units.
        """
        for part, pose in zip(self._parts, parts_to_sensor, strict=True):
            yield part.trace(directions, pose, reach)


def _join_hits(hits: Sequence[PartHits]) -> PartHits:
    return PartHits(
        np.concatenate([item.ray for item in hits]),
        np.concatenate([item.distance for item in hits]),
        np.concatenate([item.cosine for item in hits]).astype(np.float64),
    )


def _trace_part(mesh: Mesh) -> TracedPart:
    return TracedPart(TracedMesh(mesh), compute_center(mesh))


def _iter_own_meshes(mesh: Mesh) -> Iterator[Mesh]:
    """Yield the mesh of each part in its own frame; of an object of one piece, its mesh about its center."""
    if mesh.part_index is None:
        yield replace(mesh, positions=(mesh.positions - compute_center(mesh)).astype(np.float32))
        return
    for part, rest in enumerate(get_rest_poses(mesh.parts)):
        yield _cut_part(mesh, part, geometry.invert_pose(rest))


def _cut_part(mesh: Mesh, part: int, to_own: Array) -> Mesh:
    """Return one part of an assembly as a mesh by itself, moved from rest to its own frame."""
    assert mesh.part_index is not None
    chosen = mesh.part_index == part
    used, triangles = np.unique(mesh.triangles[chosen], return_inverse=True)
    positions = mesh.positions[used] @ to_own[:3, :3].T + to_own[:3, 3]
    return replace(
        mesh,
        positions=positions.astype(np.float32),
        triangles=triangles.reshape(-1, 3).astype(np.int32),
        normals=(mesh.normals[used] @ to_own[:3, :3].T).astype(np.float32),
        texcoords=mesh.texcoords[used],
        colors=None if mesh.colors is None else mesh.colors[used],
        material_index=mesh.material_index[chosen],
        part_index=None,
        parts=(),
    )

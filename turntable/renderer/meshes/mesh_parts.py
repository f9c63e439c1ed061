"""Meshes of several rigid parts: how they are joined, moved, and how far they reach."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.objects import ObjectPart, check_parts, get_rest_poses
from turntable.renderer.meshes.mesh import IntArray, Mesh, join_meshes

Array = NDArray[np.float64]


def join_parts(meshes: Sequence[Mesh], parts: Sequence[ObjectPart], location: str) -> Mesh:
    """Join the meshes of parts, each in the part's own frame, into an assembly that stands at rest.

    Args:
        meshes: Mesh of each part. Its positions are used as they are: its bounding box is not centered.
        parts: Parts, whose ``rest_pose`` places the meshes.
        location: Object, for messages.

    Raises:
        InvalidInputError: The parts cannot be one object.
    """
    check_parts(parts, location)
    placed = [
        _move_vertices(mesh, pose[None], np.zeros(len(mesh.positions), dtype=np.intp))
        for mesh, pose in zip(meshes, get_rest_poses(parts), strict=True)
    ]
    counts = [len(mesh.triangles) for mesh in meshes]
    index = np.repeat(np.arange(len(meshes), dtype=np.int32), counts)
    return replace(join_meshes(placed), part_index=index, parts=tuple(parts))


def move_parts(mesh: Mesh, motions: Array) -> Mesh:
    """Return an assembly with each part moved from rest, as one mesh that keeps its parts.

    Args:
        mesh: Assembly at rest.
        motions: Motion [K, 4, 4] of each part, in the object's frame.
    """
    return _move_vertices(mesh, motions, get_part_of_vertices(mesh))


def get_part_of_vertices(mesh: Mesh) -> IntArray:
    """Return the part [N] of each vertex; 0 for unused vertices, and for a mesh of one piece."""
    part = np.zeros(len(mesh.positions), dtype=np.int32)
    if mesh.part_index is not None:
        part[mesh.triangles.ravel()] = np.repeat(mesh.part_index, 3)
    return part


def compute_part_boxes(mesh: Mesh) -> Array:
    """Return the bounding box [K, 2, 3] of each part of an assembly at rest: lowest and highest corner."""
    assert mesh.part_index is not None
    boxes = np.zeros((len(mesh.parts), 2, 3))
    for part in range(len(mesh.parts)):
        used = mesh.positions[mesh.triangles[mesh.part_index == part].ravel()]
        if len(used):
            boxes[part] = used.min(axis=0), used.max(axis=0)
    return boxes


def _move_vertices(mesh: Mesh, motions: Array, part: NDArray[np.integer]) -> Mesh:
    motion = motions[part]
    positions = np.einsum("nij,nj->ni", motion[:, :3, :3], mesh.positions) + motion[:, :3, 3]
    normals = np.einsum("nij,nj->ni", motion[:, :3, :3], mesh.normals)
    return replace(mesh, positions=positions.astype(np.float32), normals=normals.astype(np.float32))

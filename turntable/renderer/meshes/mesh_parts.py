"""Meshes of several rigid parts: how they are joined, moved, and how far they reach."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.objects import Joint, ObjectPart, check_parts, get_rest_poses, to_pose_rows
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


def separate_parts(mesh: Mesh, part_index: IntArray, parts: Sequence[ObjectPart]) -> Mesh:
    """Return a mesh as an assembly that looks the same, with a vertex of its own for each part that uses one.

    Args:
        mesh: Mesh of one piece.
        part_index: Part [T] of each triangle.
        parts: The parts.
    """
    vertex, part = mesh.triangles.ravel().astype(np.int64), np.repeat(part_index, 3)
    pairs, corner = np.unique(vertex * len(parts) + part, return_inverse=True)
    kept = replace(mesh, part_index=part_index, parts=tuple(parts))
    if len(pairs) == len(np.unique(vertex)):
        return kept
    rows = pairs // len(parts)
    return replace(
        kept,
        positions=mesh.positions[rows],
        normals=mesh.normals[rows],
        texcoords=mesh.texcoords[rows],
        triangles=corner.reshape(-1, 3).astype(np.int32),
        colors=None if mesh.colors is None else mesh.colors[rows],
    )


def place_parts(
    parts: Sequence[ObjectPart], matrix: Array, scale: float, shift: Array, digits: int | None = None
) -> list[ObjectPart]:
    """Return the parts of an object whose points p move to ``scale * matrix @ p + shift``.

    Args:
        parts: Parts whose own frames have the axes of the object at rest.
        matrix: Rotation [3, 3].
        scale: Factor of all lengths.
        shift: Shift [3].
        digits: Number of decimals to round to, so that numbers are the same on every processor; None for all.
    """
    placed: list[ObjectPart] = []
    for part, pose in zip(parts, get_rest_poses(parts), strict=True):
        pose[:3, 3] = _round(scale * (matrix @ pose[:3, 3]) + shift, digits)
        joint = None if part.joint is None else _place_joint(part.joint, matrix, scale, shift, digits)
        placed.append(replace(part, joint=joint, rest_pose=to_pose_rows(pose)))
    return placed


def _place_joint(joint: Joint, matrix: Array, scale: float, shift: Array, digits: int | None) -> Joint:
    a, b, c = _round(matrix @ np.array(joint.axis), digits).tolist()
    x, y, z = _round(scale * (matrix @ np.array(joint.origin)) + shift, digits).tolist()
    size = scale if joint.kind == "slide" else 1.0
    low, high = _round(size * np.array([joint.low, joint.high]), digits).tolist()
    return Joint(joint.kind, (a, b, c), (x, y, z), low, high)


def _round(values: Array, digits: int | None) -> Array:
    """Round values, without negative zeros."""
    return (values if digits is None else np.round(values, digits)) + 0.0


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

"""The surface that pixel centers see, from the depth and the triangle number at each of them."""

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.pyrender.mesh_parts import TriangleCorners
from turntable.renderer.backends.surface_outputs import (
    VisibleSurface,
    compute_lens_offsets,
    compute_pixel_directions,
)
from turntable.renderer.meshes import normalize_vectors
from turntable.renderer.scene import Scenes

FloatArray = NDArray[np.float64]


def compute_visible_surface(
    numbers: NDArray[np.uint8],
    depth: NDArray[np.float32],
    corners: TriangleCorners,
    scenes: Scenes,
    view: int,
) -> VisibleSurface:
    """Compute points from depths, and normals from the corners of the triangles.

    Args:
        numbers: [S, S, 3] bytes of triangle numbers, the lowest byte first: 0 off the object, else from 1.
        depth: [S, S] depth along the camera's forward axis.
        corners: Corners of the numbered triangles.
        scenes: Scenes that were drawn.
        view: Row of the view in the scenes.
    """
    size = len(numbers)
    triangle = numbers.astype(np.int64) @ [1, 256, 65536] - 1
    mask = triangle >= 0
    camera, object_to_world = scenes.camera_position[view], scenes.object_to_world[view]
    seen = compute_pixel_directions(size)[mask] - compute_lens_offsets(scenes[view : view + 1], size)
    rays = seen @ scenes.world_to_camera[view, :3, :3]
    rotation, position = object_to_world[:3, :3], object_to_world[:3, 3]
    points = (rays * depth[mask][:, None] + camera - position) @ rotation
    weights = _compute_barycentric(points, corners.positions[triangle[mask]])
    normals = np.einsum("nk,nkc->nc", weights, corners.normals[triangle[mask]]) @ rotation.T
    normals = normalize_vectors(normals)
    away = (rays * normals).sum(axis=-1) > 0
    normals[away] *= -1
    full_normals, coordinates = (np.zeros((size, size, 3), dtype=np.float32) for _ in range(2))
    full_normals[mask], coordinates[mask] = normals, points
    return VisibleSurface(mask, depth, full_normals, coordinates, np.where(mask, corners.parts[triangle], 0))


def _compute_barycentric(points: FloatArray, triangles: FloatArray) -> FloatArray:
    """Return the weights [N, 3] of triangles' corners [N, 3, 3] that give points [N, 3] in their planes."""
    a, b, c = (triangles[:, k] for k in range(3))
    normal = np.cross(b - a, c - a)
    # A triangle without area would divide by zero; the tiny bound makes its weights finite.
    squared_norm = np.maximum((normal**2).sum(axis=-1), np.finfo(np.float64).tiny)
    weight_b = (np.cross(points - a, c - a) * normal).sum(axis=-1) / squared_norm
    weight_c = (np.cross(b - a, points - a) * normal).sum(axis=-1) / squared_norm
    return np.stack([1 - weight_b - weight_c, weight_b, weight_c], axis=-1)

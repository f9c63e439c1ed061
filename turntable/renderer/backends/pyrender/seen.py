"""What pixel centres see, from the depth and the number of the triangle at each of them."""

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.pyrender.parts import Corners
from turntable.renderer.backends.surface import Seen, pixel_directions
from turntable.renderer.meshes import unit
from turntable.renderer.scene import Scenes

FloatArray = NDArray[np.float64]


def seen(
    numbers: NDArray[np.uint8], depth: NDArray[np.float32], corners: Corners, scenes: Scenes, view: int
) -> Seen:
    """Places from depths, normals from the corners of the triangles.

    Args:
        numbers: [S, S, 3] bytes, the lowest first: 0 off the object, else a triangle's number + 1.
        depth: [S, S].
        corners: Of the numbered triangles.
        scenes: What was drawn.
        view: Its row there.
    """
    size = len(numbers)
    number = numbers.astype(np.int64) @ [1, 256, 65536] - 1
    here = number >= 0
    camera, object_to_world = scenes.camera_position[view], scenes.object_to_world[view]
    rays = pixel_directions(size)[here] @ scenes.world_to_camera[view, :3, :3]
    points = rays * depth[here][:, None] + camera
    rotation, place = object_to_world[:3, :3], object_to_world[:3, 3]
    inside = (points - place) @ rotation
    weights = _barycentric(inside, corners.positions[number[here]])
    normals = np.einsum("nk,nkc->nc", weights, corners.normals[number[here]]) @ rotation.T
    normals = unit(normals)
    away = (rays * normals).sum(axis=-1) > 0
    normals[away] *= -1
    full = [np.zeros((size, size, 3), dtype=np.float32) for _ in range(2)]
    full[0][here], full[1][here] = normals, inside
    return Seen(here, depth, *full)


def _barycentric(points: FloatArray, triangles: FloatArray) -> FloatArray:
    """Weights [N, 3] of each triangle's corners [N, 3, 3] that give points [N, 3] of its plane."""
    a, b, c = (triangles[:, k] for k in range(3))
    across = np.cross(b - a, c - a)
    area = np.maximum((across**2).sum(axis=-1), np.finfo(np.float64).tiny)
    of_b = (np.cross(points - a, c - a) * across).sum(axis=-1) / area
    of_c = (np.cross(b - a, points - a) * across).sum(axis=-1) / area
    return np.stack([1 - of_b - of_c, of_b, of_c], axis=-1)

"""The numbers of a batch of views as rows of texels for the shaders (see ``shaders/common.glsl``)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.renderer import lighting
from turntable.renderer.backends.protocol import Quality
from turntable.renderer.scene import CAMERA, SPOT_RADIUS, Scenes

Array = NDArray[np.float64]

SUN_ROW = 8
SUN_SAMPLES = 400
FILTER_RADIUS_PX = 1.5
MAX_FILTER_TAPS = 12
"""The length of the array in ``shaders/resolve.frag.glsl``."""


@dataclass(frozen=True, slots=True, eq=False)
class Extent:
    """Where a mesh lies in its own frame, once its bounding box is centred."""

    corners: Array
    """[8, 3] of the box."""
    radius: float
    """Of the sphere around the origin."""


def view_table(
    scenes: Scenes, extent: Extent, image_size_px: int, directions: Array, taps: int
) -> NDArray[np.float32]:
    """[V, 8 + taps, 4]: one row a view."""
    table = np.zeros((len(scenes), SUN_ROW + taps, 4), dtype=np.float32)
    table[:, 0:3] = scenes.object_to_world[:, :3]
    table[:, 3, :3] = scenes.floor_albedo
    table[:, 4, :3] = scenes.light_position
    table[:, 5, :3] = scenes.light_color
    table[:, 6] = _bounds(scenes, extent, image_size_px)
    table[:, 7, :3] = scenes.object_to_world[:, :3, 3]
    table[:, 7, 3] = extent.radius
    table[:, SUN_ROW:] = sun_taps(scenes.object_to_world[:, :3, :3], directions, taps)
    return table


def _bounds(scenes: Scenes, extent: Extent, size: int) -> Array:
    """[V, 4] x0, y0, x1, y1 in whole pixels: the box, and the reach of the pixel filter."""
    matrix = scenes.object_to_world
    corners = np.einsum("vij,cj->vci", matrix[:, :3, :3], extent.corners) + matrix[:, None, :3, 3]
    pixels = CAMERA.project(corners, size)
    low = np.floor(pixels.min(axis=1) - FILTER_RADIUS_PX)
    high = np.ceil(pixels.max(axis=1) + FILTER_RADIUS_PX)
    return np.clip(np.concatenate([low, high], axis=1), 0, size)


def sun_taps(rotation: Array, directions: Array, taps: int) -> Array:
    """The sun of each view, shared out among the directions a mesh has depth maps for.

    Each sample of the sun goes to the direction nearest to it; a direction's tap is the mean of its samples
    times their share.

    Args:
        rotation: [V, 3, 3] object to world.
        directions: [M, 3] in the object's frame.
        taps: How many directions a view may use; the weakest beyond are left out and the rest scaled up.

    Returns:
        [V, taps, 4]: direction in the world times weight, and the direction's number; zeros where unused.
    """
    samples = lighting.sun_samples(SUN_SAMPLES)
    table = np.zeros((len(rotation), taps, 4))
    for view, matrix in enumerate(rotation):
        nearest = np.argmax(samples @ matrix @ directions.T, axis=1)
        count = np.bincount(nearest, minlength=len(directions))
        chosen = np.argsort(-count, kind="stable")[:taps]
        chosen = chosen[count[chosen] > 0]
        total = np.zeros((len(directions), 3))
        np.add.at(total, nearest, samples)
        mean = total[chosen] / np.linalg.norm(total[chosen], axis=1, keepdims=True)
        table[view, : len(chosen), :3] = mean * (count[chosen] / count[chosen].sum())[:, None]
        table[view, : len(chosen), 3] = chosen
    return table


def sun_frames(directions: Array) -> NDArray[np.float32]:
    """[M, 3, 4]: two axes of each depth map and the direction towards the light."""
    table = np.zeros((len(directions), 3, 4), dtype=np.float32)
    table[:, 0, :3], table[:, 1, :3] = lighting.frame(directions)
    table[:, 2, :3] = directions
    return table


def spot_table(scenes: Scenes, extent: Extent, quality: Quality) -> NDArray[np.float32]:
    """[V * samples, 4, 4]: the projections from points on the emitter (see ``shaders/spot.glsl``)."""
    centre = scenes.object_to_world[:, None, :3, 3]
    light = scenes.light_position[:, None]
    facing = (centre - light) / np.linalg.norm(centre - light, axis=-1, keepdims=True)
    u, v = lighting.frame(facing)
    offsets = SPOT_RADIUS * (
        lighting.disk_samples(quality.spot_samples) if quality.spot_samples > 1 else np.zeros((1, 2))
    )
    place = light + offsets[None, :, :1] * u + offsets[None, :, 1:] * v
    towards = centre - place
    distance = np.linalg.norm(towards, axis=-1, keepdims=True)
    forward = towards / distance
    u, v = lighting.frame(forward)
    # The sphere may come close to the light where a recipe moves the object far.
    radius = np.minimum(extent.radius, 0.9 * distance)
    table = np.zeros((*place.shape[:2], 4, 4), dtype=np.float32)
    table[..., 0, :3], table[..., 0, 3:] = place, np.sqrt(distance**2 - radius**2) / radius
    table[..., 1, :3], table[..., 1, 3:] = u, distance - radius
    table[..., 2, :3], table[..., 2, 3:] = v, distance + radius
    table[..., 3, :3] = forward
    return table.reshape(-1, 4, 4)


def direction_spread(count: int) -> float:
    """Tangent of the half-angle of the cone that one of ``count`` directions over the sphere stands for."""
    cosine = 1 - 2 / count
    return float(np.sqrt(1 - cosine**2) / cosine)


def filter_weights(supersampling: int) -> NDArray[np.float32]:
    """Weights along one axis of the samples within 1.5 pixels: Blackman-Harris, as Cycles filters."""
    reach = int(FILTER_RADIUS_PX * supersampling)
    taps = 2 * reach if supersampling % 2 == 0 else 2 * reach + 1
    offset = (np.arange(taps) - (taps - 1) / 2) / supersampling
    x = 2 * np.pi * (offset / (2 * FILTER_RADIUS_PX) + 0.5)
    weights = 0.35875 - 0.48829 * np.cos(x) + 0.14128 * np.cos(2 * x) - 0.01168 * np.cos(3 * x)
    return (weights / weights.sum()).astype(np.float32)

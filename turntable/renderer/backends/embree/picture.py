"""Rays of one picture: samples through the pixel filter, and one through each pixel's centre."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.embree.light import Lights, unit
from turntable.renderer.backends.embree.samples import kinds, odd
from turntable.renderer.backends.embree.traced import TracedMesh, dot
from turntable.renderer.backends.embree.view import View
from turntable.renderer.backends.surface import Seen
from turntable.renderer.scene import CAMERA, NEAR, WORLD_RADIANCE, display_from_linear, filter_weights

FloatArray = NDArray[np.floating]

BORDER_PX = 2
"""Around the picture, for the pixel filter."""
TOGETHER = 2**16
"""Samples that are shaded at once: their arrays stay in the processor's cache."""
HORIZON_SAMPLES = 32
"""Rows of samples a pixel along the floor's end."""
LEAST_LEFT = 0.004
"""Of light behind clear surfaces: with less, nobody sees what comes next."""
CURVE_END = 4.0
"""Square root of the largest linear value of the tone curve's table."""
CURVE = display_from_linear(np.linspace(0, CURVE_END, 8192) ** 2)


def background(view: View, floor: FloatArray, image_px: int) -> FloatArray:
    """[S, S, 3] what is seen beside the object: radiance [S, S, 3] of the floor, and the world beyond it."""
    # The camera stands level, so a row of samples sees the floor, or none of it does.
    side = (image_px + 2 * BORDER_PX) * HORIZON_SAMPLES
    places = (np.arange(side) + 0.5) / HORIZON_SAMPLES - BORDER_PX
    middle = np.full_like(places, image_px / 2)
    rays = CAMERA.directions(np.stack([middle, places], axis=-1), image_px)
    below = (view.downwards(rays) > 0).astype(np.float32)
    share = _filtered_rows(below, image_px, HORIZON_SAMPLES)[:, None, None]
    return share * floor + (1 - share) * np.float32(WORLD_RADIANCE)


def object_light(
    mesh: TracedMesh, view: View, lights: Lights, image_px: int, supersampling: int
) -> FloatArray:
    """[S, S, 4] radiance times coverage, and coverage, of the object."""
    side = (image_px + 2 * BORDER_PX) * supersampling
    rays = _sample_rays(image_px, supersampling)
    near = _near(mesh, view, rays)
    samples = np.zeros((side * side, 4), dtype=np.float32)
    spread = 1 / (CAMERA.intrinsics(image_px)[0, 0] * supersampling)
    for chosen in _portions(near):
        kind = kinds(*np.divmod(chosen, side))
        samples[chosen] = _traced(mesh, view, lights, rays[chosen], kind, spread)
    return _filtered(samples.reshape(side, side, 4), image_px, supersampling)


def display(linear: FloatArray) -> NDArray[np.uint8]:
    """8-bit display values of scene-linear light."""
    grid = np.linspace(0, CURVE_END, len(CURVE))
    return np.rint(255 * np.interp(np.sqrt(np.maximum(linear, 0)), grid, CURVE)).astype(np.uint8)


def seen(mesh: TracedMesh, view: View, image_px: int) -> Seen:
    """What one ray through each pixel's centre meets; it goes through anything rather clear."""
    rays = CAMERA.directions(_grid(image_px, 1, 0), image_px).reshape(-1, 3)  # of unit depth
    directions = view.directions(rays)
    origins = np.broadcast_to(view.camera, directions.shape)
    met = np.zeros(len(rays), dtype=np.bool_)
    depth = np.zeros(len(rays), dtype=np.float32)
    normals, places = (np.zeros((len(rays), 3), dtype=np.float32) for _ in range(2))
    for hits in mesh.layers(origins, directions, view.reach(rays), NEAR / rays[:, 2]):
        hits = hits[(mesh.alpha(hits) >= 0.5) & ~met[hits.ray]]
        met[hits.ray] = True
        depth[hits.ray] = hits.distance
        places[hits.ray] = origins[hits.ray] + hits.distance[:, None] * directions[hits.ray]
        normal = mesh.normal(hits, directions)
        away = dot(normal, directions[hits.ray]) > 0
        normals[hits.ray] = np.where(away[:, None], -normal, normal) @ view.rotation.T
    flat = (image_px, image_px)
    return Seen(met.reshape(flat), depth.reshape(flat), normals.reshape(*flat, 3), places.reshape(*flat, 3))


def _traced(
    mesh: TracedMesh, view: View, lights: Lights, rays: FloatArray, kind: NDArray[np.intp], spread: float
) -> FloatArray:
    """[N, 4] radiance times alpha, and alpha, along unit rays [N, 3] in the camera's axes."""
    directions = view.directions(rays)
    origins = np.broadcast_to(view.camera, directions.shape)
    light = np.zeros((len(rays), 4), dtype=np.float32)
    for hits in mesh.layers(origins, directions, view.reach(rays), NEAR / rays[:, 2]):
        hits = mesh.in_turn(hits[light[hits.ray, 3] < 1 - LEAST_LEFT], odd(kind))
        surface = mesh.surface(hits, origins, directions, spread)
        share = mesh.alpha(hits) * (1 - light[hits.ray, 3])
        shaded = lights.on_object(mesh, view, surface, kind[hits.ray])
        light[hits.ray, :3] += share[:, None] * shaded
        light[hits.ray, 3] += share
    return light


def _near(mesh: TracedMesh, view: View, rays: FloatArray) -> NDArray[np.intp]:
    """The rays from the camera that pass the sphere around the object."""
    centre = (view.camera_axes @ (view.place - view.camera_in_world)).astype(np.float32)
    along = rays @ centre
    aside = float(centre @ centre) - along**2
    return np.flatnonzero((aside < (1.001 * mesh.radius) ** 2) & (along > -mesh.radius))


def _portions(chosen: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    for first in range(0, len(chosen), TOGETHER):
        yield chosen[first : first + TOGETHER]


@lru_cache(maxsize=1)
def _sample_rays(image_px: int, supersampling: int) -> FloatArray:
    """[N * N, 3] unit directions in the camera's axes of all samples, row by row."""
    rays = CAMERA.directions(_grid(image_px, supersampling, BORDER_PX), image_px).reshape(-1, 3)
    return unit(rays.astype(np.float32))


def _grid(image_px: int, supersampling: int, border_px: int) -> NDArray[np.float64]:
    """[N, N, 2] places of samples in the picture, in pixels."""
    places = (np.arange((image_px + 2 * border_px) * supersampling) + 0.5) / supersampling - border_px
    return np.stack(np.meshgrid(places, places), axis=-1)


def _filtered(samples: FloatArray, image_px: int, supersampling: int) -> FloatArray:
    """Samples [N, N, C], borders included, to pixels [S, S, C]."""
    for axis in (0, 1):
        samples = np.moveaxis(_filtered_rows(np.moveaxis(samples, axis, 0), image_px, supersampling), 0, axis)
    return samples


def _filtered_rows(samples: FloatArray, image_px: int, supersampling: int) -> FloatArray:
    places, weights = filter_weights(supersampling)
    # The first pixel's centre, in samples, where sample 0 has its own centre.
    first = (BORDER_PX + 0.5) * supersampling - 0.5
    rows = np.zeros((image_px, *samples.shape[1:]), dtype=np.float32)
    for place, weight in zip(places, weights, strict=True):
        begin = round(first + place)
        rows += np.float32(weight) * samples[begin : begin + supersampling * image_px : supersampling]
    return rows

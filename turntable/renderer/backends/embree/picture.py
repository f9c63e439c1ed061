"""The rays of one picture: through samples for the pixel filter, and one through each pixel's center."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.embree.light import LightingModel, normalize
from turntable.renderer.backends.embree.light_samples import get_sample_kinds, is_odd
from turntable.renderer.backends.embree.object_frame_scene import ObjectFrameScene
from turntable.renderer.backends.embree.traced_mesh import TracedMesh, dot
from turntable.renderer.backends.surface_outputs import VisibleSurface
from turntable.renderer.scene import (
    DEFAULT_CAMERA,
    NEAR,
    WORLD_RADIANCE,
    compute_filter_weights,
    display_from_linear,
)

FloatArray = NDArray[np.floating]

BORDER_PX = 2
"""Width of the border around the picture whose samples the pixel filter reads."""
CHUNK_SAMPLES = 2**16
"""Number of samples that are shaded at once: their arrays stay in the CPU's cache."""
HORIZON_SAMPLES = 32
"""Number of rows of samples per pixel with which the horizon is filtered."""
MIN_TRANSMITTANCE = 0.004
"""Share of light through transparent surfaces below which nothing behind them is visible."""
TONE_END = 4.0
"""Square root of the largest linear value in the tone curve's table."""
TONE_CURVE = display_from_linear(np.linspace(0, TONE_END, 8192) ** 2)
"""Display values at evenly spaced square roots of linear values: finer steps in the dark."""


def render_background(view: ObjectFrameScene, floor: FloatArray, image_px: int) -> FloatArray:
    """Return the radiance [S, S, 3] beside the object: floor [S, S, 3], and the world beyond the horizon."""
    is_level = view.camera_axes[0, 2] == 0
    compute_share = _compute_level_floor_share if is_level else _compute_tilted_floor_share
    share = compute_share(view, image_px)[..., None]
    return share * floor + (1 - share) * np.float32(WORLD_RADIANCE)


def _compute_level_floor_share(view: ObjectFrameScene, image_px: int) -> FloatArray:
    """Return the share [S, 1] of each row's pixels that lies below the horizon of a level camera."""
    # All samples of a row see the floor or none does: one column is enough.
    side = (image_px + 2 * BORDER_PX) * HORIZON_SAMPLES
    rows = (np.arange(side) + 0.5) / HORIZON_SAMPLES - BORDER_PX
    middle = np.full_like(rows, image_px / 2)
    rays = view.compute_directions(np.stack([middle, rows], axis=-1), image_px)
    below = (view.compute_descent(rays) > 0).astype(np.float32)
    return _filter_rows(below, image_px, HORIZON_SAMPLES)[:, None]


def _compute_tilted_floor_share(view: ObjectFrameScene, image_px: int) -> FloatArray:
    """Return the share [S, S] of each pixel that lies below the horizon of a camera that is not level."""
    # The descent changes evenly across the picture, so the filter's samples lie around each pixel's own
    # descent at the same differences: sorted once, they tell how much weight lies above zero.
    descent = view.compute_descent(view.compute_directions(_make_grid(image_px, 1, 0), image_px))
    across, down = descent[0, 1] - descent[0, 0], descent[1, 0] - descent[0, 0]
    positions, weights = compute_filter_weights(HORIZON_SAMPLES)
    offsets = np.add.outer(down * positions, across * positions).ravel() / HORIZON_SAMPLES
    order = np.argsort(offsets)
    total = np.append(0.0, np.cumsum(np.outer(weights, weights).ravel()[order]))
    return (1 - total[np.searchsorted(offsets[order], -descent, side="right")]).astype(np.float32)


def render_object(
    mesh: TracedMesh, view: ObjectFrameScene, lights: LightingModel, image_px: int, supersampling: int
) -> FloatArray:
    """Return the radiance times coverage, and the coverage, of the object in each pixel [S, S, 4]."""
    side = (image_px + 2 * BORDER_PX) * supersampling
    rays = _compute_sample_rays(image_px, supersampling, *view.principal_shift_px.tolist())
    near = _select_near(mesh, view, rays)
    samples = np.zeros((side * side, 4), dtype=np.float32)
    shift_x, shift_y = view.whole_shift_px * supersampling
    spread = 1 / (DEFAULT_CAMERA.compute_intrinsics(image_px)[0, 0] * supersampling)
    for chosen in _iter_portions(near):
        rows, columns = np.divmod(chosen, side)
        kind = get_sample_kinds(rows - shift_y, columns - shift_x)
        samples[chosen] = _trace(mesh, view, lights, rays[chosen], kind, spread)
    return _filter_samples(samples.reshape(side, side, 4), image_px, supersampling)


def to_display_bytes(linear: FloatArray) -> NDArray[np.uint8]:
    """Convert scene-linear light to 8-bit display values."""
    grid = np.linspace(0, TONE_END, len(TONE_CURVE))
    return np.rint(255 * np.interp(np.sqrt(np.maximum(linear, 0)), grid, TONE_CURVE)).astype(np.uint8)


def trace_visible_surface(mesh: TracedMesh, view: ObjectFrameScene, image_px: int) -> VisibleSurface:
    """Trace one ray through each pixel's center to the first surface with an alpha of 0.5 or more."""
    # Rays of depth 1, not of length 1: the distance to a hit, in lengths of the ray, is then its depth.
    rays = view.compute_directions(_make_grid(image_px, 1, 0), image_px).reshape(-1, 3)
    directions = view.camera_to_object(rays)
    origins = np.broadcast_to(view.camera, directions.shape)
    mask = np.zeros(len(rays), dtype=np.bool_)
    depth = np.zeros(len(rays), dtype=np.float32)
    parts = np.zeros(len(rays), dtype=np.int32)
    normals, points = (np.zeros((len(rays), 3), dtype=np.float32) for _ in range(2))
    for hits in mesh.iter_layers(origins, directions, view.compute_reach(rays), NEAR / rays[:, 2]):
        hits = hits[(mesh.compute_alpha(hits) >= 0.5) & ~mask[hits.ray]]
        mask[hits.ray] = True
        depth[hits.ray] = hits.distance
        parts[hits.ray] = mesh.get_parts(hits)
        points[hits.ray] = origins[hits.ray] + hits.distance[:, None] * directions[hits.ray]
        normal = mesh.compute_normals(hits, directions)
        away = dot(normal, directions[hits.ray]) > 0
        normals[hits.ray] = np.where(away[:, None], -normal, normal) @ view.rotation.T
    shape = (image_px, image_px)
    return VisibleSurface(
        mask.reshape(shape),
        depth.reshape(shape),
        normals.reshape(*shape, 3),
        points.reshape(*shape, 3),
        parts.reshape(shape),
    )


def _trace(
    mesh: TracedMesh,
    view: ObjectFrameScene,
    lights: LightingModel,
    rays: FloatArray,
    kind: NDArray[np.intp],
    spread: float,
) -> FloatArray:
    """Return radiance times alpha, and alpha, [N, 4] along unit rays [N, 3] in the camera's axes.

    Layers behind each other are composited from front to back.
    """
    directions = view.camera_to_object(rays)
    origins = np.broadcast_to(view.camera, directions.shape)
    light = np.zeros((len(rays), 4), dtype=np.float32)
    for hits in mesh.iter_layers(origins, directions, view.compute_reach(rays), NEAR / rays[:, 2]):
        # A ray that is nearly opaque by now is not shaded again.
        hits = mesh.resolve_coincident(hits[light[hits.ray, 3] < 1 - MIN_TRANSMITTANCE], is_odd(kind))
        surface = mesh.compute_surface(hits, origins, directions, spread)
        share = mesh.compute_alpha(hits) * (1 - light[hits.ray, 3])
        shaded = lights.shade_object(mesh, view, surface, kind[hits.ray])
        light[hits.ray, :3] += share[:, None] * shaded
        light[hits.ray, 3] += share
    return light


def _select_near(mesh: TracedMesh, view: ObjectFrameScene, rays: FloatArray) -> NDArray[np.intp]:
    """Return the indices of the rays from the camera that pass the sphere around the object."""
    center = (view.camera_axes @ (view.position - view.camera_in_world)).astype(np.float32)
    along = rays @ center
    aside_squared = float(center @ center) - along**2
    return np.flatnonzero((aside_squared < (1.001 * mesh.radius) ** 2) & (along > -mesh.radius))


def _iter_portions(chosen: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    for first in range(0, len(chosen), CHUNK_SAMPLES):
        yield chosen[first : first + CHUNK_SAMPLES]


@lru_cache(maxsize=1)
def _compute_sample_rays(image_px: int, supersampling: int, shift_x: float, shift_y: float) -> FloatArray:
    """Return unit directions [N * N, 3] of all samples in the camera's axes, row by row."""
    grid = _make_grid(image_px, supersampling, BORDER_PX) - (shift_x, shift_y)
    return normalize(DEFAULT_CAMERA.compute_directions(grid, image_px).reshape(-1, 3).astype(np.float32))


def _make_grid(image_px: int, supersampling: int, border_px: int) -> NDArray[np.float64]:
    """Return pixel coordinates [N, N, 2] of all samples, those of the border included."""
    position = (np.arange((image_px + 2 * border_px) * supersampling) + 0.5) / supersampling - border_px
    return np.stack(np.meshgrid(position, position), axis=-1)


def _filter_samples(samples: FloatArray, image_px: int, supersampling: int) -> FloatArray:
    """Filter samples [N, N, C], border included, to pixels [S, S, C], along one axis after the other."""
    for axis in (0, 1):
        samples = np.moveaxis(_filter_rows(np.moveaxis(samples, axis, 0), image_px, supersampling), 0, axis)
    return samples


def _filter_rows(samples: FloatArray, image_px: int, supersampling: int) -> FloatArray:
    """Filter samples [N, ...], border included, to pixels [S, ...] along their first axis."""
    positions, weights = compute_filter_weights(supersampling)
    # The center of the first pixel as an index of samples: sample i has its center at i.
    first = (BORDER_PX + 0.5) * supersampling - 0.5
    rows = np.zeros((image_px, *samples.shape[1:]), dtype=np.float32)
    for position, weight in zip(positions, weights, strict=True):
        begin = round(first + position)
        rows += np.float32(weight) * samples[begin : begin + supersampling * image_px : supersampling]
    return rows

"""Light on the object and on the floor, every part of it looked for along rays.

Surfaces reflect by Disney's diffuse term under a GGX coat (Burley 2012).
"""

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.embree.traced import Surface, TracedMesh, dot
from turntable.renderer.backends.embree.view import View
from turntable.renderer.scene import (
    CAMERA,
    FLOOR_Z,
    POOL_DEPTH,
    POOL_RADIUS,
    WORLD_RADIANCE,
    spot_table,
    sun_irradiance_table,
)

FloatArray = NDArray[np.floating]
Array = NDArray[np.float64]

TABLE = 1024
POOL_TABLE = (512, 256)
LEAST_DOWN = 1e-4
"""Of rays that meet the floor, a unit of depth: no pixel is as narrow."""


class Lights:
    """Light arithmetic and its tables, the same for every mesh."""

    def __init__(self) -> None:
        self._sun = sun_irradiance_table(TABLE)
        self._pool = spot_table(*POOL_TABLE)

    def on_object(self, mesh: TracedMesh, view: View, surface: Surface, kind: NDArray[np.intp]) -> FloatArray:
        """Radiance [H, 3] towards the rays that see a surface, by samples of kinds [H]."""
        z = dot(surface.normal, view.up)[:, None]
        ambient = WORLD_RADIANCE * (0.5 + 0.5 * z)
        unlit_floor = WORLD_RADIANCE + view.sun_gain * float(self._sun[-1]) / np.pi
        bounce = unlit_floor * (0.5 - 0.5 * z) * view.floor_albedo
        light = surface.color * (ambient + bounce)
        light += self._sun_on_object(mesh, view, surface, kind)
        light += self._spot_on_object(mesh, view, surface, kind)
        return (light * surface.lit[:, None] + surface.emission).astype(np.float32)

    def on_floor(self, mesh: TracedMesh, view: View, image_px: int, step_px: int) -> FloatArray:
        """Radiance [S, S, 3] of the floor, which goes on beyond the horizon as it is far away.

        Shadows are looked for every few pixels, the sun's less often.
        """
        points = floor_points(view, image_px, 1)
        towards = view.light_in_world - points
        distance = np.linalg.norm(towards, axis=-1)
        spot = self.spot_power(points, view.light_in_world) * np.maximum(towards[..., 2] / distance, 0)
        free_spot = _spread(_free_of_spot(mesh, view, floor_points(view, image_px, step_px), self), image_px)
        free_sun = _spread(_free_of_sun(mesh, view, floor_points(view, image_px, 2 * step_px)), image_px)
        white = view.sun_gain * self._sun[-1] * free_sun / np.pi + WORLD_RADIANCE
        light = (spot * free_spot / np.pi)[..., None] * view.light_color + white[..., None]
        return (view.floor_albedo * light).astype(np.float32)

    def spot_power(self, points: Array, light: Array) -> FloatArray:
        """Irradiance [...] over the light colour of world points [..., 3] that face the spot, unshadowed.

        At the original's strength. Beyond the table's depths the pool only widens.
        """
        axis = -light / np.linalg.norm(light)
        offset = points - light
        depth = offset @ axis
        aside = np.sqrt(np.maximum(dot(offset, offset) - depth**2, 0))
        rows, columns = self._pool.shape
        near, far = POOL_DEPTH
        nearer = far / np.maximum(depth, far)
        depth, aside = nearer * depth, nearer * aside
        y = np.clip((depth - near) / (far - near), 0, 1) * (rows - 1)
        x = np.clip(aside / POOL_RADIUS, 0, 1) * (columns - 1)
        top, left = np.minimum(y.astype(np.intp), rows - 2), np.minimum(x.astype(np.intp), columns - 2)
        down, right = y - top, x - left
        upper = self._pool[top, left] * (1 - right) + self._pool[top, left + 1] * right
        lower = self._pool[top + 1, left] * (1 - right) + self._pool[top + 1, left + 1] * right
        inside = (depth >= near) & (aside <= POOL_RADIUS)
        return np.where(inside, nearer**2 * (upper * (1 - down) + lower * down), 0).astype(np.float32)

    def _sun_on_object(
        self, mesh: TracedMesh, view: View, surface: Surface, kind: NDArray[np.intp]
    ) -> FloatArray:
        seen = np.zeros_like(surface.color)
        plain = np.full(len(kind), 1e-6, dtype=np.float32)
        for k in range(view.sun.shape[1]):
            towards = view.sun[kind, k]
            cosine = np.maximum(dot(surface.normal, towards), 0)
            plain += cosine
            facing = np.flatnonzero(cosine)
            free = mesh.free(surface.lifted[facing], towards[facing])
            lit = facing[free > 0]
            weight = cosine[lit] * free[free > 0]
            seen[lit] += weight[:, None] * reflected(surface[lit], towards[lit], cosine[lit])
        z = dot(surface.normal, view.up)
        irradiance = np.interp(z, np.linspace(-1, 1, TABLE), self._sun)
        return (view.sun_gain * irradiance / plain)[:, None] * seen

    def _spot_on_object(
        self, mesh: TracedMesh, view: View, surface: Surface, kind: NDArray[np.intp]
    ) -> FloatArray:
        towards = unit(view.light - surface.point)
        cosine = dot(surface.normal, towards)
        light = np.zeros_like(surface.color)
        power = self.spot_power(view.in_world(surface.point), view.light_in_world)
        lit = np.flatnonzero((cosine > 0) & (power > 0))
        free = np.zeros(len(lit), dtype=np.float32)
        for k in range(view.spot.shape[1]):
            free += mesh.free(surface.lifted[lit], unit(view.spot[kind[lit], k] - surface.lifted[lit]))
        weight = power[lit] * cosine[lit] * free / view.spot.shape[1]
        light[lit] = weight[:, None] * view.light_color * reflected(surface[lit], towards[lit], cosine[lit])
        return light


def floor_points(view: View, image_px: int, step_px: int) -> Array:
    """[G, G, 3] points of the floor in the middle of every so many pixels; far ones beyond the horizon."""
    grid = (np.arange(-(-image_px // step_px)) + 0.5) * step_px
    rays = CAMERA.directions(np.stack(np.meshgrid(grid, grid), axis=-1), image_px)
    along = view.height / np.maximum(view.downwards(rays), LEAST_DOWN)
    points = view.camera_in_world + along[..., None] * (rays @ view.camera_axes)
    points[..., 2] = FLOOR_Z
    return points


def unit(vectors: FloatArray) -> FloatArray:
    """Of length 1 each [..., 3]."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _free_of_sun(mesh: TracedMesh, view: View, points: Array) -> FloatArray:
    """[G, G] the share of the sun's light that reaches points [G, G, 3] of the floor."""
    here = view.points(points.reshape(-1, 3))
    hidden, whole = np.zeros(len(here)), 0.0
    for towards in view.sun.reshape(-1, 3):
        weight = float(towards @ view.up)
        whole += weight
        hidden += weight * _hidden(mesh, here, np.broadcast_to(towards, here.shape))
    return (1 - hidden / whole).reshape(points.shape[:2]).astype(np.float32)


def _free_of_spot(mesh: TracedMesh, view: View, points: Array, lights: Lights) -> FloatArray:
    """[G, G] the share of the spot's light that reaches points [G, G, 3] of the floor."""
    free = np.ones(points.shape[:2], dtype=np.float32)
    lit = lights.spot_power(points, view.light_in_world) > 0
    here, emitter = view.points(points[lit]), view.spot.reshape(-1, 3)
    if len(here):
        hidden = sum(_hidden(mesh, here, unit(place - here)) for place in emitter)
        free[lit] = 1 - hidden / len(emitter)
    return free


def _hidden(mesh: TracedMesh, points: FloatArray, towards: FloatArray) -> FloatArray:
    """[N] the share of light that the mesh keeps from points along unit directions."""
    along = -dot(points, towards)
    near = np.flatnonzero((dot(points, points) - along**2 < mesh.radius**2) & (along > -mesh.radius))
    hidden = np.zeros(len(points), dtype=np.float32)
    hidden[near] = 1 - mesh.free(points[near], np.ascontiguousarray(towards[near]))
    return hidden


def _spread(coarse: FloatArray, image_px: int) -> FloatArray:
    """A grid [G, G] over the picture, interpolated at every pixel [S, S]."""
    step = -(-image_px // len(coarse))
    place = np.clip((np.arange(image_px) + 0.5) / step - 0.5, 0, len(coarse) - 1)
    share = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(len(coarse))))
    return (share @ coarse @ share.T).astype(np.float32)


FloatArray = NDArray[np.floating]


def reflected(surface: Surface, light: FloatArray, cosine: FloatArray) -> FloatArray:
    """The share [H, 3] of light from unit directions [H, 3] that is seen, without its cosine [H]."""
    nl = np.maximum(cosine, 1e-4)
    nv = np.maximum(dot(surface.normal, surface.towards), 1e-4)
    half = light + surface.towards
    half /= np.maximum(np.linalg.norm(half, axis=-1, keepdims=True), np.float32(1e-20))
    lh, nh = np.maximum(dot(light, half), 0), np.maximum(dot(surface.normal, half), 0)
    retro = 0.5 + 2 * surface.roughness * lh * lh
    diffuse = (1 + (retro - 1) * _fifth(1 - nl)) * (1 + (retro - 1) * _fifth(1 - nv)) / np.pi
    return surface.color * diffuse[:, None] + _gloss(surface, nl, nv, nh, lh)[:, None]


def _gloss(surface: Surface, nl: FloatArray, nv: FloatArray, nh: FloatArray, lh: FloatArray) -> FloatArray:
    a2 = np.maximum(surface.roughness**4, 1e-4)
    lobe = a2 / (np.pi * (nh * nh * (a2 - 1) + 1) ** 2)
    alpha = np.sqrt(a2)
    hidden = 0.5 / (2 * nl * nv * (1 - alpha) + (nl + nv) * alpha)
    f0 = 0.08 * surface.specular
    fresnel = f0 + (1 - f0) * _fifth(1 - lh)
    return np.where(surface.specular > 1e-6, lobe * hidden * fresnel, 0)


def _fifth(x: FloatArray) -> FloatArray:
    square = x * x
    return square * square * x

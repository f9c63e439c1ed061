"""Light on the object and on the floor; rays find which light arrives.

Surfaces reflect with Disney's diffuse term under a GGX coat (Burley 2012).
"""

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.embree.floor_grid import FloorGrid
from turntable.renderer.backends.embree.object_frame_scene import ObjectFrameScene
from turntable.renderer.backends.embree.traced_mesh import HitSurface, TracedMesh, dot
from turntable.renderer.scene import (
    POOL_DEPTH,
    POOL_RADIUS,
    WORLD_RADIANCE,
    build_spot_table,
    build_sun_irradiance_table,
)

FloatArray = NDArray[np.floating]
Array = NDArray[np.float64]

SUN_TABLE_SIZE = 1024
SPOT_TABLE_SIZE = (512, 256)


class LightingModel:
    """The light computations and their tables, the same for every mesh."""

    def __init__(self) -> None:
        self._sun = build_sun_irradiance_table(SUN_TABLE_SIZE)
        self._pool = build_spot_table(*SPOT_TABLE_SIZE)

    def shade_object(
        self, mesh: TracedMesh, view: ObjectFrameScene, surface: HitSurface, kind: NDArray[np.intp]
    ) -> FloatArray:
        """Return the radiance [H, 3] from a surface towards the rays that hit it.

        Args:
            mesh: Mesh that may cast shadows.
            view: Scene of the view.
            surface: Surface at the H hits.
            kind: Kinds [H] of the rays' samples, which select the points of the lights.
        """
        z = dot(surface.normal, view.up)[:, None]
        ambient = WORLD_RADIANCE * (0.5 + 0.5 * z)
        unlit_floor = WORLD_RADIANCE + view.sun_gain * float(self._sun[-1]) / np.pi
        bounce = unlit_floor * (0.5 - 0.5 * z) * view.floor_albedo
        light = surface.color * (ambient + bounce)
        light += self._shade_by_sun(mesh, view, surface, kind)
        light += self._shade_by_spot(mesh, view, surface, kind)
        return (light * surface.lit[:, None] + surface.emission).astype(np.float32)

    def shade_floor(
        self, mesh: TracedMesh, view: ObjectFrameScene, image_px: int, step_px: int
    ) -> FloatArray:
        """Return the radiance [S, S, 3] of the floor; beyond the horizon, that of a floor which is far away.

        Shadows on the floor are soft, so visibility is traced on coarse grids and interpolated: every
        ``step_px`` pixels for the spot, and at half that resolution for the sun.
        """
        fine, coarse, coarsest = (
            FloorGrid.from_view(view, image_px, step) for step in (1, step_px, 2 * step_px)
        )
        points = fine.compute_points(view, image_px)
        towards = view.light_in_world - points
        distance = np.linalg.norm(towards, axis=-1)
        spot = self.compute_spot_irradiance(points, view.light_in_world) * np.maximum(
            towards[..., 2] / distance, 0
        )
        free_spot = coarse.upsample(
            _compute_spot_visibility(mesh, view, coarse.compute_points(view, image_px), self), image_px
        )
        free_sun = coarsest.upsample(
            _compute_sun_visibility(mesh, view, coarsest.compute_points(view, image_px)), image_px
        )
        white = view.sun_gain * self._sun[-1] * free_sun / np.pi + WORLD_RADIANCE
        light = (spot * free_spot / np.pi)[..., None] * view.light_color + white[..., None]
        return (view.floor_albedo * light).astype(np.float32)

    def compute_spot_irradiance(self, points: Array, light: Array) -> FloatArray:
        """Return the irradiance [...] of world points [..., 3] that face the spot, per unit of light color.

        There are no shadows, and the spot has the original's power. Beyond the table's depths the pool only
        widens: the irradiance there is that of the last depth on the same line from the spot, scaled by the
        square of the ratio of the depths.
        """
        axis = -light / np.linalg.norm(light)
        offset = points - light
        depth = offset @ axis
        aside = np.sqrt(np.maximum(dot(offset, offset) - depth**2, 0))
        rows, columns = self._pool.shape
        near, far = POOL_DEPTH
        shrink = far / np.maximum(depth, far)  # below 1 only beyond the table
        depth, aside = shrink * depth, shrink * aside
        y = np.clip((depth - near) / (far - near), 0, 1) * (rows - 1)
        x = np.clip(aside / POOL_RADIUS, 0, 1) * (columns - 1)
        top, left = np.minimum(y.astype(np.intp), rows - 2), np.minimum(x.astype(np.intp), columns - 2)
        down, right = y - top, x - left
        upper = self._pool[top, left] * (1 - right) + self._pool[top, left + 1] * right
        lower = self._pool[top + 1, left] * (1 - right) + self._pool[top + 1, left + 1] * right
        inside = (depth >= near) & (aside <= POOL_RADIUS)
        return np.where(inside, shrink**2 * (upper * (1 - down) + lower * down), 0).astype(np.float32)

    def _shade_by_sun(
        self, mesh: TracedMesh, view: ObjectFrameScene, surface: HitSurface, kind: NDArray[np.intp]
    ) -> FloatArray:
        # Few directions would make the unshadowed light noisy. So they only decide which share of it arrives
        # and is reflected: that share, reflected / unshadowed, scales the exact irradiance from the table.
        reflected = np.zeros_like(surface.color)
        unshadowed = np.full(len(kind), 1e-6, dtype=np.float32)
        for k in range(view.sun_directions.shape[1]):
            towards = view.sun_directions[kind, k]
            cosine = np.maximum(dot(surface.normal, towards), 0)
            unshadowed += cosine
            facing = np.flatnonzero(cosine)
            free = mesh.compute_transmittance(surface.lifted_point[facing], towards[facing])
            lit = facing[free > 0]
            weight = cosine[lit] * free[free > 0]
            reflected[lit] += weight[:, None] * compute_brdf(surface[lit], towards[lit], cosine[lit])
        z = dot(surface.normal, view.up)
        irradiance = np.interp(z, np.linspace(-1, 1, SUN_TABLE_SIZE), self._sun)
        return (view.sun_gain * irradiance / unshadowed)[:, None] * reflected

    def _shade_by_spot(
        self, mesh: TracedMesh, view: ObjectFrameScene, surface: HitSurface, kind: NDArray[np.intp]
    ) -> FloatArray:
        towards = normalize(view.light - surface.point)
        cosine = dot(surface.normal, towards)
        light = np.zeros_like(surface.color)
        power = self.compute_spot_irradiance(view.object_to_world(surface.point), view.light_in_world)
        lit = np.flatnonzero((cosine > 0) & (power > 0))
        free = np.zeros(len(lit), dtype=np.float32)
        for k in range(view.spot_points.shape[1]):
            free += mesh.compute_transmittance(
                surface.lifted_point[lit],
                normalize(view.spot_points[kind[lit], k] - surface.lifted_point[lit]),
            )
        weight = power[lit] * cosine[lit] * free / view.spot_points.shape[1]
        light[lit] = (
            weight[:, None] * view.light_color * compute_brdf(surface[lit], towards[lit], cosine[lit])
        )
        return light


def normalize(vectors: FloatArray) -> FloatArray:
    """Scale vectors [..., 3] to length 1."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _compute_sun_visibility(mesh: TracedMesh, view: ObjectFrameScene, points: Array) -> FloatArray:
    """Return the share [G, G] of the sun's light that reaches points [G, G, 3] of the floor."""
    local = view.world_to_object(points.reshape(-1, 3))
    hidden, total_weight = np.zeros(len(local)), 0.0
    for towards in view.sun_directions.reshape(-1, 3):
        weight = float(towards @ view.up)
        total_weight += weight
        hidden += weight * _compute_occlusion(mesh, local, np.broadcast_to(towards, local.shape))
    return (1 - hidden / total_weight).reshape(points.shape[:2]).astype(np.float32)


def _compute_spot_visibility(
    mesh: TracedMesh, view: ObjectFrameScene, points: Array, lights: LightingModel
) -> FloatArray:
    """Return the share [G, G] of the spot's light that reaches points [G, G, 3] of the floor."""
    free = np.ones(points.shape[:2], dtype=np.float32)
    lit = lights.compute_spot_irradiance(points, view.light_in_world) > 0
    local, emitter = view.world_to_object(points[lit]), view.spot_points.reshape(-1, 3)
    if len(local):
        hidden = sum(_compute_occlusion(mesh, local, normalize(point - local)) for point in emitter)
        free[lit] = 1 - hidden / len(emitter)
    return free


def _compute_occlusion(mesh: TracedMesh, points: FloatArray, towards: FloatArray) -> FloatArray:
    """Return the share [N] of light that the mesh keeps from points [N, 3] along unit directions [N, 3]."""
    # Most of the floor's rays miss the object: trace only those that pass its sphere.
    along = -dot(points, towards)
    near = np.flatnonzero((dot(points, points) - along**2 < mesh.radius**2) & (along > -mesh.radius))
    hidden = np.zeros(len(points), dtype=np.float32)
    hidden[near] = 1 - mesh.compute_transmittance(points[near], np.ascontiguousarray(towards[near]))
    return hidden


def compute_brdf(surface: HitSurface, light: FloatArray, cosine: FloatArray) -> FloatArray:
    """Return the BRDF [H, 3], without the cosine, for light from unit directions [H, 3] at cosines [H]."""
    nl = np.maximum(cosine, 1e-4)
    nv = np.maximum(dot(surface.normal, surface.to_viewer), 1e-4)
    half = light + surface.to_viewer
    half /= np.maximum(np.linalg.norm(half, axis=-1, keepdims=True), np.float32(1e-20))
    lh, nh = np.maximum(dot(light, half), 0), np.maximum(dot(surface.normal, half), 0)
    retro = 0.5 + 2 * surface.roughness * lh * lh
    diffuse = (
        (1 + (retro - 1) * _compute_fifth_power(1 - nl))
        * (1 + (retro - 1) * _compute_fifth_power(1 - nv))
        / np.pi
    )
    return surface.color * diffuse[:, None] + _compute_specular(surface, nl, nv, nh, lh)[:, None]


def _compute_specular(
    surface: HitSurface, nl: FloatArray, nv: FloatArray, nh: FloatArray, lh: FloatArray
) -> FloatArray:
    a2 = np.maximum(surface.roughness**4, 1e-4)
    lobe = a2 / (np.pi * (nh * nh * (a2 - 1) + 1) ** 2)
    alpha = np.sqrt(a2)
    hidden = 0.5 / (2 * nl * nv * (1 - alpha) + (nl + nv) * alpha)
    f0 = 0.08 * surface.specular
    fresnel = f0 + (1 - f0) * _compute_fifth_power(1 - lh)
    return np.where(surface.specular > 1e-6, lobe * hidden * fresnel, 0)


def _compute_fifth_power(x: FloatArray) -> FloatArray:
    square = x * x
    return square * square * x

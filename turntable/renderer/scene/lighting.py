"""Light arithmetic that does not depend on a mesh: samples of the sun, the spot's pool, sets of directions.

All of it is computed once in float64 and handed to a backend as small tables.
"""

import math

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.scene.scene import (
    SPOT_BLEND,
    SPOT_DISTANCE,
    SPOT_HALF_ANGLE_RAD,
    SPOT_POWER_W,
    SPOT_RADIUS,
    SUN_STRENGTH,
)

Array = NDArray[np.float64]

GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))


def disk_samples(count: int) -> Array:
    """[count, 2] points spread evenly over the unit disk (Vogel's spiral)."""
    index = np.arange(count) + 0.5
    radius, angle = np.sqrt(index / count), index * GOLDEN_ANGLE
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)


def sphere_directions(count: int) -> Array:
    """[count, 3] unit vectors spread evenly over the sphere (Fibonacci lattice)."""
    index = np.arange(count) + 0.5
    z = 1 - 2 * index / count
    radius, angle = np.sqrt(1 - z * z), index * GOLDEN_ANGLE
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=-1)


def sun_samples(count: int) -> Array:
    """[count, 3] unit vectors towards the sun, of equal weight."""
    return sun_directions(disk_samples(count))


def sun_directions(disk: Array) -> Array:
    """Unit vectors [..., 3] towards the sun from points [..., 2] of the unit disk.

    Cycles spreads a sun of pi/2 evenly over a unit disk at distance 1: directions fill a cone of 45 degrees
    around +z, denser towards its rim than a uniform cone.
    """
    vectors = np.concatenate([disk, np.ones((*disk.shape[:-1], 1))], axis=-1)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def sun_irradiance_table(
    size: int, samples: int = 4096, strength: float = SUN_STRENGTH
) -> NDArray[np.float32]:
    """[size] irradiance of an unshadowed surface, by its normal's z from -1 to 1."""
    towards = sun_samples(samples)
    # The cone is round, so any normal of that z will do: take those in the plane of x and z.
    z = np.linspace(-1, 1, size)
    normals = np.stack([np.sqrt(1 - z * z), np.zeros(size), z], axis=-1)
    return (strength * np.maximum(normals @ towards.T, 0).mean(axis=1)).astype(np.float32)


def axes_across(axis: Array) -> tuple[Array, Array]:
    """Two unit vectors [..., 3] that complete unit ``axis`` [..., 3] to a right-handed frame."""
    helper = np.where(np.abs(axis[..., 2:]) < 0.9, [0.0, 0.0, 1.0], [1.0, 0.0, 0.0])
    u: Array = np.cross(helper, axis)
    u /= np.linalg.norm(u, axis=-1, keepdims=True)
    v: Array = np.cross(axis, u)
    return u, v


def spot_intensity(points: Array, light: Array, samples: int = 256, power_w: float = SPOT_POWER_W) -> Array:
    """Irradiance [...] per unit of light colour of points [..., 3] that face the spot, without shadow.

    The mean over the emitter's disk, which faces the point; each sample has its own distance and place in
    the cone. The factor ``c`` beside the smooth step is Blender 3.x's.
    """
    axis = -light / np.linalg.norm(light)
    towards = points - light
    u, v = axes_across(towards / np.linalg.norm(towards, axis=-1, keepdims=True))
    total = np.zeros(points.shape[:-1])
    for a, b in SPOT_RADIUS * disk_samples(samples):
        ray = towards - a * u - b * v
        distance_squared = (ray**2).sum(axis=-1)
        total += _cone(ray @ axis / np.sqrt(distance_squared)) / distance_squared
    return power_w / (4 * math.pi) * total / samples


def _cone(cosine: Array) -> Array:
    edge = math.cos(SPOT_HALF_ANGLE_RAD)
    t = np.clip((cosine - edge) / ((1 - edge) * SPOT_BLEND), 0, 1)
    return np.maximum(cosine, 0) * t * t * (3 - 2 * t)


POOL_RADIUS = 2.0
POOL_DEPTH = (1.0, 9.0)
"""What the table below covers: distances from the axis up to the radius, depths along it."""


def spot_table(width: int, height: int) -> NDArray[np.float32]:
    """[height, width] of :func:`spot_intensity` by depth along the axis (rows) and distance from it."""
    radius = np.linspace(0, POOL_RADIUS, width)
    depth = np.linspace(*POOL_DEPTH, height)
    x, z = np.meshgrid(radius, SPOT_DISTANCE - depth)
    points = np.stack([x, np.zeros_like(x), z], axis=-1)
    return spot_intensity(points, np.array([0.0, 0.0, SPOT_DISTANCE])).astype(np.float32)

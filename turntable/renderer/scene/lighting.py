"""Light computations that need no mesh: sample points of the lights, and tables of unshadowed irradiance.

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
"""Angle in radians between consecutive points of a spiral that covers a disk or a sphere evenly."""


def compute_disk_points(num_points: int) -> Array:
    """Return points [num_points, 2] spread evenly over the unit disk (Vogel's spiral)."""
    index = np.arange(num_points) + 0.5
    radius, angle = np.sqrt(index / num_points), index * GOLDEN_ANGLE
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)


def compute_sphere_directions(num_directions: int) -> Array:
    """Return unit vectors [num_directions, 3] spread evenly over the sphere (Fibonacci lattice)."""
    index = np.arange(num_directions) + 0.5
    z = 1 - 2 * index / num_directions
    radius, angle = np.sqrt(1 - z * z), index * GOLDEN_ANGLE
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=-1)


def compute_sun_samples(num_samples: int) -> Array:
    """Return unit vectors [num_samples, 3] towards the sun, of equal weight."""
    return sun_directions_from_disk(compute_disk_points(num_samples))


def sun_directions_from_disk(disk: Array) -> Array:
    """Return unit vectors [..., 3] towards the sun from points [..., 2] of the unit disk.

    Cycles spreads a sun whose angle is pi/2 evenly over a unit disk at distance 1. The directions fill a cone
    of 45 degrees around +z; they are denser towards its rim than those of a uniform cone.
    """
    vectors = np.concatenate([disk, np.ones((*disk.shape[:-1], 1))], axis=-1)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def build_sun_irradiance_table(
    size: int, samples: int = 4096, strength: float = SUN_STRENGTH
) -> NDArray[np.float32]:
    """Return the irradiance [size] of an unshadowed surface, for z of its normal from -1 to 1."""
    towards = compute_sun_samples(samples)
    # The cone of the sun is symmetric around z, so all normals with the same z receive the same light. Take
    # those in the plane of x and z.
    z = np.linspace(-1, 1, size)
    normals = np.stack([np.sqrt(1 - z * z), np.zeros(size), z], axis=-1)
    return (strength * np.maximum(normals @ towards.T, 0).mean(axis=1)).astype(np.float32)


def compute_perpendicular_axes(axis: Array) -> tuple[Array, Array]:
    """Return two unit vectors [..., 3] that complete unit ``axis`` [..., 3] to a right-handed frame."""
    # Start from the world's z, or from x if the axis is nearly parallel to z and the cross product vanishes.
    helper = np.where(np.abs(axis[..., 2:]) < 0.9, [0.0, 0.0, 1.0], [1.0, 0.0, 0.0])
    u: Array = np.cross(helper, axis)
    u /= np.linalg.norm(u, axis=-1, keepdims=True)
    v: Array = np.cross(axis, u)
    return u, v


def compute_spot_intensity(
    points: Array, light: Array, num_samples: int = 256, power_w: float = SPOT_POWER_W
) -> Array:
    """Return the irradiance [...] from the spot, per unit of light color, of points [..., 3] that face it.

    Nothing casts a shadow. The result is the mean over points of the emitter's disk, which faces the point
    that is lit; each point of the emitter has a distance and an angle in the cone of its own. The cosine
    beside the smooth step in the cone's falloff is that of Blender 3.x.

    Args:
        points: World points [..., 3].
        light: Position [3] of the spot, which is aimed at the origin.
        num_samples: Number of points on the emitter.
        power_w: Power of the spot in watts.
    """
    axis = -light / np.linalg.norm(light)
    towards = points - light
    u, v = compute_perpendicular_axes(towards / np.linalg.norm(towards, axis=-1, keepdims=True))
    total = np.zeros(points.shape[:-1])
    for a, b in SPOT_RADIUS * compute_disk_points(num_samples):
        ray = towards - a * u - b * v
        distance_squared = (ray**2).sum(axis=-1)
        total += _compute_cone_falloff(ray @ axis / np.sqrt(distance_squared)) / distance_squared
    return power_w / (4 * math.pi) * total / num_samples


def _compute_cone_falloff(cosine: Array) -> Array:
    """Return the spot's falloff [...] at cosines [...] of the angle to its axis: 0 outside the cone."""
    edge = math.cos(SPOT_HALF_ANGLE_RAD)
    t = np.clip((cosine - edge) / ((1 - edge) * SPOT_BLEND), 0, 1)
    return np.maximum(cosine, 0) * t * t * (3 - 2 * t)


POOL_RADIUS = 2.0
POOL_DEPTH = (1.0, 9.0)
"""Range of the table below: depths along the spot's axis, and distances from it up to ``POOL_RADIUS``."""


def build_spot_table(width: int, height: int) -> NDArray[np.float32]:
    """Return :func:`compute_spot_intensity` as a table [height, width].

    Rows are depths along the axis over ``POOL_DEPTH``; columns are distances from it, 0 to ``POOL_RADIUS``.
    """
    radius = np.linspace(0, POOL_RADIUS, width)
    depth = np.linspace(*POOL_DEPTH, height)
    x, z = np.meshgrid(radius, SPOT_DISTANCE - depth)
    points = np.stack([x, np.zeros_like(x), z], axis=-1)
    return compute_spot_intensity(points, np.array([0.0, 0.0, SPOT_DISTANCE])).astype(np.float32)

"""Solids that follow a path: rods, tubes, rings, and outlines swept along a curve."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from turntable.renderer.meshes.zoo.outlines import Points, spline, superellipse
from turntable.renderer.meshes.zoo.primitives import lathe, loft
from turntable.renderer.meshes.zoo.solid import Array, Solid, cross


def tube(
    path: Points, radius: float | Sequence[float] | Array, num_points: int = 10, *, loop: bool = False
) -> Solid:
    """Build a round rod along a path [K, 3], with one radius or a radius for each point."""
    return sweep(superellipse(num_points), path, radius, loop=loop, crease=65.0)


def sweep(
    section: Array,
    path: Points,
    size: float | Sequence[float] | Array = 1.0,
    *,
    loop: bool = False,
    crease: float = 50.0,
    up: Sequence[float] | None = None,
) -> Solid:
    """Sweep a star-shaped outline [M, 2] along a path [K, 3].

    The texture's u runs along the path, as wood grain does.

    Args:
        section: Outline, with its x axis across the path and its y axis toward ``up``.
        path: Points of the center line.
        size: Factor on the section: one for all points, one for each ([K]), or two for each ([K, 2], across
            and up).
        loop: True if the path is closed.
        crease: Crease angle in degrees, see ``Solid``.
        up: Direction that the section's y axis keeps to as far as the path allows. Without it, the section
            turns as little as possible.
    """
    points = np.asarray(path, dtype=np.float64)
    tangent = _compute_tangents(points, loop=loop)
    above = (
        _compute_upright_normals(tangent, np.asarray(up, dtype=np.float64))
        if up is not None
        else _transport_normals(tangent)
    )
    across = cross(above, tangent)
    factor = np.asarray(size, dtype=np.float64)
    factor = np.broadcast_to(factor[:, None] if factor.ndim == 1 else factor, (len(points), 2))
    rings = (
        points[:, None]
        + across[:, None] * (section[None, :, :1] * factor[:, None, :1])
        + above[:, None] * (section[None, :, 1:] * factor[:, None, 1:])
    )
    solid = loft(rings, caps=not loop, loop=loop, crease=crease)
    return replace(solid, texcoords=solid.texcoords[:, ::-1])


def rod(start: Sequence[float], end: Sequence[float], radius: float, num_points: int = 8) -> Solid:
    """Build a straight round rod between two points."""
    return tube([start, end], radius, num_points)


def torus(radius: float, thickness: float, num_points: int = 28, num_section_points: int = 8) -> Solid:
    """Build a torus about z with a center line of ``radius`` and a round section of radius ``thickness``."""
    return lathe(
        superellipse(num_section_points) * thickness + (radius, 0.0), num_points, loop=True, crease=75.0
    )


def arc(
    radius: float,
    thickness: float,
    start: float,
    end: float,
    num_points: int = 14,
    num_section_points: int = 8,
) -> Solid:
    """Build a part of a torus about z, from ``start`` to ``end`` in degrees (from +x toward +y)."""
    angle = np.radians(np.linspace(start, end, num_points))
    path = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.zeros(num_points)], axis=1)
    return tube(path, thickness, num_section_points)


def bent_tube(
    points: Points, radius: float | Sequence[float] | Array, num_samples: int = 16, num_points: int = 10
) -> Solid:
    """Build a round rod along a smooth curve through points [M, 3], with one radius or one for each."""
    path = spline(points, num_samples)
    radii = np.asarray(radius, dtype=np.float64)
    if radii.ndim:
        radii = spline(radii[:, None], num_samples)[:, 0]
    return tube(path, radii, num_points)


def _compute_tangents(points: Array, *, loop: bool) -> Array:
    """Compute the unit tangents [K, 3] of a path."""
    # The end points of an open path have one neighbor only, which np.gradient handles.
    around = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    along = around if loop else np.gradient(points, axis=0)
    return along / np.linalg.norm(along, axis=1, keepdims=True)


def _compute_upright_normals(tangent: Array, up: Array) -> Array:
    """Compute unit vectors across a path, as close to ``up`` as each tangent allows."""
    above = up - np.sum(tangent * up, axis=1, keepdims=True) * tangent
    return above / np.linalg.norm(above, axis=1, keepdims=True)


def _transport_normals(tangent: Array) -> Array:
    """Compute unit vectors across a path that turn as little as possible.

    Each is the one before, made orthogonal to its tangent.
    """
    # Starting from the coordinate axis that is farthest from the first tangent is always safe.
    start = np.eye(3)[int(np.argmin(np.abs(tangent[0])))]
    above = [_compute_upright_normals(tangent[:1], start)[0]]
    for direction in tangent[1:]:
        above.append(_compute_upright_normals(direction[None], above[-1])[0])
    return np.stack(above)

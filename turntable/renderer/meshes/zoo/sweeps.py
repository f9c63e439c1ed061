"""Solids that follow a path: rods, tubes, rings, outlines carried along a curve."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from turntable.renderer.meshes.zoo.outlines import Points, curve, superellipse
from turntable.renderer.meshes.zoo.primitives import lathe, loft
from turntable.renderer.meshes.zoo.solid import Array, Solid, cross


def tube(
    path: Points, radius: float | Sequence[float] | Array, count: int = 10, *, loop: bool = False
) -> Solid:
    """A round rod along a path [K, 3], of one radius or one a point."""
    return sweep(superellipse(count), path, radius, loop=loop, crease=65.0)


def sweep(
    section: Array,
    path: Points,
    size: float | Sequence[float] | Array = 1.0,
    *,
    loop: bool = False,
    crease: float = 50.0,
    up: Sequence[float] | None = None,
) -> Solid:
    """Carry a star-shaped outline [M, 2] along a path [K, 3].

    Args:
        section: its x axis lies across the path, its y axis towards ``up``.
        path: points of the centre line.
        size: factor on the section, one for all or one a point ([K], or [K, 2] for across and up).
        loop: the path is closed.
        crease: degrees, see ``Solid``.
        up: held as upright as the path allows; without it the frame turns as little as it can.

    The texture's u runs along the path, as grain does.
    """
    points = np.asarray(path, dtype=np.float64)
    tangent = _tangents(points, loop=loop)
    above = _upright(tangent, np.asarray(up, dtype=np.float64)) if up is not None else _transported(tangent)
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


def rod(start: Sequence[float], end: Sequence[float], radius: float, count: int = 8) -> Solid:
    """A straight round rod between two points."""
    return tube([start, end], radius, count)


def ring(radius: float, thickness: float, count: int = 28, section: int = 8) -> Solid:
    """A torus about z: centre line of ``radius``, round section of radius ``thickness``."""
    return lathe(superellipse(section) * thickness + (radius, 0.0), count, loop=True, crease=75.0)


def arc(
    radius: float, thickness: float, start: float, end: float, count: int = 14, section: int = 8
) -> Solid:
    """A part of a torus about z, from ``start`` to ``end`` degrees (from +x towards +y)."""
    angle = np.radians(np.linspace(start, end, count))
    path = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.zeros(count)], axis=1)
    return tube(path, thickness, section)


def bent_tube(
    points: Points, radius: float | Sequence[float] | Array, samples: int = 16, count: int = 10
) -> Solid:
    """A round rod along a smooth curve through points [M, 3]; radii, if several, go with the points."""
    path = curve(points, samples)
    radii = np.asarray(radius, dtype=np.float64)
    if radii.ndim:
        radii = curve(radii[:, None], samples)[:, 0]
    return tube(path, radii, count)


def _tangents(points: Array, *, loop: bool) -> Array:
    """Unit directions [K, 3] along a path."""
    # Ends have one neighbour, points within two.
    around = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    along = around if loop else np.gradient(points, axis=0)
    return along / np.linalg.norm(along, axis=1, keepdims=True)


def _upright(tangent: Array, up: Array) -> Array:
    """Unit vectors across a path, as near to ``up`` as each tangent allows."""
    above = up - np.sum(tangent * up, axis=1, keepdims=True) * tangent
    return above / np.linalg.norm(above, axis=1, keepdims=True)


def _transported(tangent: Array) -> Array:
    """Unit vectors across a path that turn as little as they can: each is the last, made orthogonal again."""
    start = np.eye(3)[int(np.argmin(np.abs(tangent[0])))]
    above = [_upright(tangent[:1], start)[0]]
    for direction in tangent[1:]:
        above.append(_upright(direction[None], above[-1])[0])
    return np.stack(above)

"""Closed solids from few numbers: boxes, lofts, lathes, extrusions, ellipsoids."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from turntable.renderer.meshes.zoo.outlines import Points, counter_clockwise, inset, superellipse, triangulate
from turntable.renderer.meshes.zoo.solid import Array, Indices, Solid, cross, join


def box(x: float, y: float, z: float) -> Solid:
    """A box about the origin with edges x, y, z."""
    return _box(np.array((x, y, z)), 0.0, 0)


def rounded_box(x: float, y: float, z: float, radius: float, segments: int = 1) -> Solid:
    """A box about the origin with rounded edges and corners; a radius too large is shortened."""
    return _box(np.array((x, y, z)), min(radius, 0.49 * min(x, y, z)), segments)


def _box(size: Array, radius: float, segments: int) -> Solid:
    corner, unit, triangles = _box_template(segments)
    positions = corner * (size / 2 - radius) + unit * radius
    texcoords = np.concatenate(
        [face[:, _face_axes(size, number // 2)] for number, face in enumerate(positions)]
    )
    # A wide crease: the large flat faces outweigh the narrow rounding in the shared normals.
    return Solid(positions.reshape(-1, 3), triangles, texcoords, crease=60.0)


def _face_axes(size: Array, axis: int) -> list[int]:
    """The edges of a face, the longer one first: grain runs along a board."""
    first, second = (edge for edge in range(3) if edge != axis)
    return [first, second] if size[first] >= size[second] else [second, first]


@cache
def _box_template(segments: int) -> tuple[Array, Array, Indices]:
    """Of the six faces: corners of the core, unit directions of the rounding, both [6, P, 3]; triangles."""
    faces = [_face_template(segments, axis, sign) for axis in range(3) for sign in (-1.0, 1.0)]
    corner, unit = (np.stack([face[part] for face in faces]) for part in range(2))
    cells = _grid_triangles(2 * segments + 2, 2 * segments + 2)
    triangles = [(cells if number % 2 else cells[:, ::-1]) + number * corner.shape[1] for number in range(6)]
    return corner, unit, np.concatenate(triangles)


def _face_template(segments: int, axis: int, sign: float) -> tuple[Array, Array]:
    """One face with its half of the rounding: signs of the core's corners, unit directions."""
    quarter = np.tan(np.linspace(0.0, np.pi / 4, segments + 1)) if segments else np.zeros(1)
    slopes = np.concatenate([-quarter[::-1], quarter])
    sides = np.repeat([-1.0, 1.0], len(quarter))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    direction = np.zeros((len(slopes), len(slopes), 3))
    direction[..., i], direction[..., j], direction[..., axis] = slopes[:, None], slopes[None], sign
    corner = np.zeros_like(direction)
    corner[..., i], corner[..., j], corner[..., axis] = sides[:, None], sides[None], sign
    unit = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    return corner.reshape(-1, 3), unit.reshape(-1, 3)


def loft(rings: Array, *, caps: bool = True, loop: bool = False, crease: float = 50.0) -> Solid:
    """Skin over closed rings of equally many points.

    Args:
        rings: [K, M, 3]; a ring may be a single point repeated.
        caps: close both ends by fans about the rings' centres (the rings must be star-shaped).
        loop: join the last ring to the first, as in a torus.
        crease: degrees, see ``Solid``.
    """
    if loop:
        rings = np.concatenate([rings, rings[:1]])
    elif caps:
        rings = np.concatenate([_centre(rings[0]), rings, _centre(rings[-1])])
    grid = np.concatenate([rings, rings[:, :1]], axis=1)
    u = _lengths(grid, axis=1).mean(axis=0)
    v = _lengths(grid, axis=0).mean(axis=1)
    texcoords = np.stack(np.broadcast_arrays(u[None], v[:, None]), axis=-1).reshape(-1, 2)
    positions = grid.reshape(-1, 3)
    triangles = _outward(positions, _grid_triangles(*grid.shape[:2]))
    return Solid(positions, triangles, texcoords, crease)


def lathe(
    profile: Points, count: int = 28, *, power: float = 2.0, loop: bool = False, crease: float = 40.0
) -> Solid:
    """Revolve a profile [K, 2] of (radius, z) about z; flat ends are closed.

    Args:
        profile: along the surface, from one end to the other; through the inside too for a vessel.
        count: points around.
        power: of the superellipse that stands for the circle.
        loop: the profile is a closed figure off the axis.
        crease: degrees, see ``Solid``.
    """
    points = np.asarray(profile, dtype=np.float64)
    outline = superellipse(count, power)
    rings = np.empty((len(points), count, 3))
    rings[..., :2] = points[:, None, :1] * outline
    rings[..., 2] = points[:, 1:]
    return loft(rings, caps=not loop, loop=loop, crease=crease)


def cylinder(radius: float, height: float, count: int = 24, *, bevel: float = 0.0) -> Solid:
    """A cylinder about z, centred on the origin."""
    return frustum(radius, radius, height, count, bevel=bevel)


def frustum(bottom: float, top: float, height: float, count: int = 24, *, bevel: float = 0.0) -> Solid:
    """A cone frustum about z, centred on the origin, its rims cut by ``bevel``."""
    z = height / 2
    if bevel <= 0:
        return lathe([(bottom, -z), (top, z)], count)
    profile = [(bottom - bevel, -z), (bottom, bevel - z), (top, z - bevel), (top - bevel, z)]
    return lathe(profile, count)


def ellipsoid(x: float, y: float, z: float, count: int = 20, rings: int = 11) -> Solid:
    """An ellipsoid about the origin with half-axes x, y, z."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, rings)[1:-1]
    profile = [(0.0, -1.0), *zip(np.cos(angle), np.sin(angle), strict=True), (0.0, 1.0)]
    return lathe(profile, count, crease=75.0).scale(x, y, z)


def hull(
    stations: Points, power: float | Sequence[float] = 2.5, count: int = 24, crease: float = 45.0
) -> Solid:
    """Cross-sections strung along y: bodies of cars, ships, aircraft and animals.

    Args:
        stations: [K, 4] of (y, bottom z, top z, width).
        power: of the superellipse of all sections, or one a section.
        count: points of a section.
        crease: degrees, see ``Solid``.
    """
    table = np.asarray(stations, dtype=np.float64)
    powers = np.broadcast_to(np.asarray(power, dtype=np.float64), len(table))
    rings = np.empty((len(table), count, 3))
    for ring, (y, bottom, top, width), p in zip(rings, table, powers, strict=True):
        outline = superellipse(count, float(p))
        ring[:, 0] = outline[:, 0] * width / 2
        ring[:, 1] = y
        ring[:, 2] = (bottom + top) / 2 + outline[:, 1] * (top - bottom) / 2
    return loft(rings, crease=crease)


def extrude(outline: Points, depth: float, along: str = "z", bevel: float = 0.0) -> Solid:
    """Give a simple polygon a thickness, centred on its plane.

    Args:
        outline: [M, 2] in (x, y) for along "z", (x, z) for "y", (y, z) for "x"; either winding.
        depth: the thickness.
        along: axis of the thickness.
        bevel: cut of the rims, inwards and down.
    """
    polygon = counter_clockwise(np.asarray(outline, dtype=np.float64))
    half = depth / 2
    face = inset(polygon, bevel) if bevel > 0 else polygon
    layers = [(face, -half), (polygon, bevel - half), (polygon, half - bevel), (face, half)]
    if bevel <= 0:
        layers = [(polygon, -half), (polygon, half)]
    rings = np.stack([_lifted(points, z) for points, z in layers])
    triangles = triangulate(face)
    bottom = Solid(rings[0], triangles[:, ::-1], face)
    top = Solid(rings[-1], triangles, face)
    solid = replace(join(loft(rings, caps=False), bottom, top), crease=35.0)
    order = {"z": (0, 1, 2), "x": (2, 0, 1), "y": (0, 2, 1)}[along]
    solid = replace(solid, positions=solid.positions[:, order])
    # Exchanging two axes is a reflection.
    return replace(solid, triangles=solid.triangles[:, ::-1]) if along == "y" else solid


def _lifted(outline: Array, z: float) -> Array:
    return np.column_stack([outline, np.full(len(outline), z)])


def _centre(points: Array) -> Array:
    """The ring's centre repeated as a ring, [1, M, 3]."""
    return np.broadcast_to(points.mean(axis=0), points.shape)[None]


def _lengths(grid: Array, axis: int) -> Array:
    """Distance travelled along one axis of a grid of points, [K, M]."""
    steps = np.linalg.norm(np.diff(grid, axis=axis), axis=-1)
    return np.concatenate([np.zeros_like(steps.take([0], axis=axis)), steps.cumsum(axis=axis)], axis=axis)


@cache
def _grid_triangles(rows: int, columns: int) -> Indices:
    """Two triangles a cell of a grid of vertices, row-major."""
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1)
    right, below = corner + 1, corner + columns
    lower = np.stack([corner, below, below + 1], axis=1)
    upper = np.stack([corner, below + 1, right], axis=1)
    return np.concatenate([lower, upper])


def _outward(positions: Array, triangles: Indices) -> Indices:
    """Leave out triangles that a repeated point has made empty; wind the others outwards."""
    a, b, c = positions[triangles].transpose(1, 0, 2)
    normal = cross(b - a, c - a)
    triangles = triangles[np.einsum("ij,ij->i", normal, normal) > 1e-24]
    # Six times the signed volume (for an open side, of the cone from the origin).
    return triangles if np.einsum("ij,ij->", a - positions.mean(axis=0), normal) > 0 else triangles[:, ::-1]

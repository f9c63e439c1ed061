"""Primitives: closed solids from few numbers, such as boxes, lofts, lathed solids and extrusions."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from turntable.renderer.meshes.zoo.outlines import (
    Points,
    inset,
    make_counter_clockwise,
    superellipse,
    triangulate,
)
from turntable.renderer.meshes.zoo.solid import Array, Indices, Solid, cross, join_solids


def box(x: float, y: float, z: float) -> Solid:
    """Build a box centered on the origin with edges x, y, z."""
    return _build_box(np.array((x, y, z)), 0.0, 0)


def rounded_box(x: float, y: float, z: float, radius: float, num_segments: int = 1) -> Solid:
    """Build a box centered on the origin with rounded edges and corners.

    Args:
        x: Length along x.
        y: Length along y.
        z: Length along z.
        radius: Radius of the rounding, shortened if the box is too small for it.
        num_segments: Number of segments of an eighth turn.
    """
    return _build_box(np.array((x, y, z)), min(radius, 0.49 * min(x, y, z)), num_segments)


def _build_box(size: Array, radius: float, segments: int) -> Solid:
    """Build a box from a template: the corners of its core, and unit directions times the radius."""
    corner, unit, triangles = _build_box_template(segments)
    positions = corner * (size / 2 - radius) + unit * radius
    texcoords = np.concatenate(
        [face[:, _order_face_axes(size, number // 2)] for number, face in enumerate(positions)]
    )
    # With a wide crease angle, faces and rounding share normals. These are weighted by area, so the large
    # flat faces stay flat.
    return Solid(positions.reshape(-1, 3), triangles, texcoords, crease=60.0)


def _order_face_axes(size: Array, axis: int) -> list[int]:
    """Return the axes of a face, that of the longer edge first, so that wood grain runs along a board."""
    first, second = (edge for edge in range(3) if edge != axis)
    return [first, second] if size[first] >= size[second] else [second, first]


@cache
def _build_box_template(segments: int) -> tuple[Array, Array, Indices]:
    """Build the parts of a box that do not depend on its size.

    Returns:
        Signs of the core's corners [6, P, 3], unit directions of the rounding [6, P, 3], and triangles [T,
        3], over the P points of each of the six faces.
    """
    faces = [_build_face_template(segments, axis, sign) for axis in range(3) for sign in (-1.0, 1.0)]
    corner, unit = (np.stack([face[part] for face in faces]) for part in range(2))
    cells = _build_grid_triangles(2 * segments + 2, 2 * segments + 2)
    triangles = [(cells if number % 2 else cells[:, ::-1]) + number * corner.shape[1] for number in range(6)]
    return corner, unit, np.concatenate(triangles)


def _build_face_template(segments: int, axis: int, sign: float) -> tuple[Array, Array]:
    """Build one face with its half of the rounding: signs of the core's corners, and unit directions."""
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
    """Build the surface through closed rings of points.

    Args:
        rings: [K, M, 3] points of K rings. A ring may be a single point repeated.
        caps: True to close both ends by fans around the centers of the end rings, which must be star-shaped.
        loop: True to join the last ring to the first, as in a torus.
        crease: Crease angle in degrees, see ``Solid``.
    """
    if loop:
        rings = np.concatenate([rings, rings[:1]])
    elif caps:
        rings = np.concatenate([_repeat_center(rings[0]), rings, _repeat_center(rings[-1])])
    grid = np.concatenate([rings, rings[:, :1]], axis=1)
    u = _compute_lengths(grid, axis=1).mean(axis=0)
    v = _compute_lengths(grid, axis=0).mean(axis=1)
    texcoords = np.stack(np.broadcast_arrays(u[None], v[:, None]), axis=-1).reshape(-1, 2)
    positions = grid.reshape(-1, 3)
    triangles = _turn_triangles_outward(positions, _build_grid_triangles(*grid.shape[:2]))
    return Solid(positions, triangles, texcoords, crease)


def lathe(
    profile: Points, num_points: int = 28, *, power: float = 2.0, loop: bool = False, crease: float = 40.0
) -> Solid:
    """Build a solid of revolution about z from a profile [K, 2] of (radius, z). Flat ends are closed.

    Args:
        profile: Points along the surface from one end to the other; for a vessel, through its inside too.
        num_points: Number of points around the axis.
        power: Power of the superellipse that replaces the circle; 2 is the circle itself.
        loop: True if the profile is a closed curve that does not touch the axis.
        crease: Crease angle in degrees, see ``Solid``.
    """
    points = np.asarray(profile, dtype=np.float64)
    outline = superellipse(num_points, power)
    rings = np.empty((len(points), num_points, 3))
    rings[..., :2] = points[:, None, :1] * outline
    rings[..., 2] = points[:, 1:]
    return loft(rings, caps=not loop, loop=loop, crease=crease)


def cylinder(radius: float, height: float, num_points: int = 24, *, bevel: float = 0.0) -> Solid:
    """Build a cylinder about z, centered on the origin, with its rims cut by ``bevel``."""
    return frustum(radius, radius, height, num_points, bevel=bevel)


def frustum(bottom: float, top: float, height: float, num_points: int = 24, *, bevel: float = 0.0) -> Solid:
    """Build a truncated cone about z, centered on the origin, with its rims cut by ``bevel``."""
    z = height / 2
    if bevel <= 0:
        return lathe([(bottom, -z), (top, z)], num_points)
    profile = [(bottom - bevel, -z), (bottom, bevel - z), (top, z - bevel), (top - bevel, z)]
    return lathe(profile, num_points)


def ellipsoid(x: float, y: float, z: float, num_points: int = 20, num_rings: int = 11) -> Solid:
    """Build an ellipsoid centered on the origin with half-axes x, y, z."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, num_rings)[1:-1]
    profile = [(0.0, -1.0), *zip(np.cos(angle), np.sin(angle), strict=True), (0.0, 1.0)]
    return lathe(profile, num_points, crease=75.0).scale(x, y, z)


def loft_sections(
    stations: Points, power: float | Sequence[float] = 2.5, num_points: int = 24, crease: float = 45.0
) -> Solid:
    """Build a body from cross-sections along y: cars, ships, aircraft and animals.

    Args:
        stations: [K, 4] of (y, bottom z, top z, width).
        power: Power of the superellipse of all sections, or a power for each.
        num_points: Number of points of a section.
        crease: Crease angle in degrees, see ``Solid``.
    """
    table = np.asarray(stations, dtype=np.float64)
    powers = np.broadcast_to(np.asarray(power, dtype=np.float64), len(table))
    rings = np.empty((len(table), num_points, 3))
    for ring, (y, bottom, top, width), p in zip(rings, table, powers, strict=True):
        outline = superellipse(num_points, float(p))
        ring[:, 0] = outline[:, 0] * width / 2
        ring[:, 1] = y
        ring[:, 2] = (bottom + top) / 2 + outline[:, 1] * (top - bottom) / 2
    return loft(rings, crease=crease)


def extrude(outline: Points, depth: float, along: str = "z", bevel: float = 0.0) -> Solid:
    """Extrude a simple polygon to a solid, centered on the polygon's plane.

    Args:
        outline: [M, 2] in (x, y) for along "z", (x, z) for "y", (y, z) for "x"; either winding.
        depth: Thickness.
        along: Axis of the thickness.
        bevel: Size of the cut of the rims, inward and down.
    """
    polygon = make_counter_clockwise(np.asarray(outline, dtype=np.float64))
    half = depth / 2
    face = inset(polygon, bevel) if bevel > 0 else polygon
    layers = [(face, -half), (polygon, bevel - half), (polygon, half - bevel), (face, half)]
    if bevel <= 0:
        layers = [(polygon, -half), (polygon, half)]
    rings = np.stack([_lift_outline(points, z) for points, z in layers])
    triangles = triangulate(face)
    bottom = Solid(rings[0], triangles[:, ::-1], face)
    top = Solid(rings[-1], triangles, face)
    solid = replace(join_solids(loft(rings, caps=False), bottom, top), crease=35.0)
    order = {"z": (0, 1, 2), "x": (2, 0, 1), "y": (0, 2, 1)}[along]
    solid = replace(solid, positions=solid.positions[:, order])
    # For "y", two axes are exchanged. That is a reflection, so the triangles are rewound.
    return replace(solid, triangles=solid.triangles[:, ::-1]) if along == "y" else solid


def _lift_outline(outline: Array, z: float) -> Array:
    """Convert an outline [M, 2] to points [M, 3] at height z."""
    return np.column_stack([outline, np.full(len(outline), z)])


def _repeat_center(points: Array) -> Array:
    """Repeat the center of a ring as a ring [1, M, 3]."""
    return np.broadcast_to(points.mean(axis=0), points.shape)[None]


def _compute_lengths(grid: Array, axis: int) -> Array:
    """Compute the distance along one axis of a grid of points [K, M, 3] from its start, [K, M]."""
    steps = np.linalg.norm(np.diff(grid, axis=axis), axis=-1)
    return np.concatenate([np.zeros_like(steps.take([0], axis=axis)), steps.cumsum(axis=axis)], axis=axis)


@cache
def _build_grid_triangles(rows: int, columns: int) -> Indices:
    """Build two triangles for each cell of a grid of vertices in row-major order."""
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1)
    right, below = corner + 1, corner + columns
    lower = np.stack([corner, below, below + 1], axis=1)
    upper = np.stack([corner, below + 1, right], axis=1)
    return np.concatenate([lower, upper])


def _turn_triangles_outward(positions: Array, triangles: Indices) -> Indices:
    """Drop the triangles without area that repeated points cause, and wind the others outward."""
    a, b, c = positions[triangles].transpose(1, 0, 2)
    normal = cross(b - a, c - a)
    triangles = triangles[np.einsum("ij,ij->i", normal, normal) > 1e-24]
    # The sum is six times the signed volume; for an open surface, that of the cone over it. It is positive if
    # the normals point outward.
    return triangles if np.einsum("ij,ij->", a - positions.mean(axis=0), normal) > 0 else triangles[:, ::-1]

"""Plane outlines and curves, from which solids are lofted, swept and extruded."""

from collections.abc import Sequence

import numpy as np

from turntable.renderer.meshes.zoo.solid import Array, Indices

Points = Sequence[Sequence[float]] | Array
"""A sequence of points [M, D]."""


def superellipse(num_points: int, power: float = 2.0) -> Array:
    """Make the outline [num_points, 2] of |x|^p + |y|^p = 1, counter-clockwise. A power of 2 is a circle.

    With a power of 8 it is nearly a square.
    """
    angle = (np.arange(num_points) + 0.5) * (2 * np.pi / num_points)
    directions = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.sign(directions) * np.abs(directions) ** (2.0 / power)


def rectangle(width: float, height: float, radius: float = 0.0, num_segments: int = 3) -> Array:
    """Make the outline of a rectangle centered on the origin with rounded corners, counter-clockwise."""
    x, y = width / 2, height / 2
    return fillet([(-x, -y), (x, -y), (x, y), (-x, y)], radius, num_segments)


def fillet(corners: Points, radius: float | Sequence[float], num_segments: int = 3) -> Array:
    """Round the corners of a closed polygon.

    Args:
        corners: [M, 2] corners.
        radius: Radius of all corners, or a radius for each. It is shortened if an edge has no room for it.
        num_segments: Number of segments of each arc.
    """
    points = np.asarray(corners, dtype=np.float64)
    radii = np.broadcast_to(np.asarray(radius, dtype=np.float64), len(points))
    arcs = [
        _round_corner(points[i - 1], points[i], points[(i + 1) % len(points)], float(radii[i]), num_segments)
        for i in range(len(points))
    ]
    return np.concatenate(arcs)


def _round_corner(before: Array, corner: Array, after: Array, radius: float, num_segments: int) -> Array:
    """Return a curve across one corner [segments + 1, 2], or the corner itself if the radius is 0."""
    if radius <= 0:
        return corner[None]
    to_before, to_after = before - corner, after - corner
    cut_before = min(radius, 0.45 * float(np.linalg.norm(to_before)))
    cut_after = min(radius, 0.45 * float(np.linalg.norm(to_after)))
    start = corner + to_before / np.linalg.norm(to_before) * cut_before
    end = corner + to_after / np.linalg.norm(to_after) * cut_after
    t = np.linspace(0.0, 1.0, num_segments + 1)[:, None]
    # A rational quadratic curve whose weight of 0.7 makes it nearly a circular arc at a right angle. The
    # unweighted curve would be a parabola.
    weights = (1 - t) ** 2, 1.4 * t * (1 - t), t**2
    return (weights[0] * start + weights[1] * corner + weights[2] * end) / sum(weights)


def spline(points: Points, num_points: int, *, closed: bool = False) -> Array:
    """Sample a Catmull-Rom spline through points [M, D] evenly in its parameter: [num_points, D]."""
    control = np.asarray(points, dtype=np.float64)
    size = len(control)
    if closed:
        padded = np.concatenate([control[-1:], control, control[:2]])
        t = np.arange(num_points) * (size / num_points)
    else:
        ends = 2 * control[0] - control[1], 2 * control[-1] - control[-2]
        padded = np.concatenate([ends[0][None], control, ends[1][None]])
        t = np.linspace(0.0, size - 1.0, num_points)
    span = np.minimum(t.astype(np.int64), size - 1 if closed else size - 2)
    s = (t - span)[:, None]
    p0, p1, p2, p3 = (padded[span + k] for k in range(4))
    return 0.5 * (
        2 * p1 + (p2 - p0) * s + (2 * p0 - 5 * p1 + 4 * p2 - p3) * s**2 + (3 * p1 - p0 - 3 * p2 + p3) * s**3
    )


def make_counter_clockwise(outline: Array) -> Array:
    """Make a closed polygon [M, 2] counter-clockwise, reversing its points if needed."""
    return outline if _compute_signed_area(outline) > 0 else outline[::-1]


def inset(outline: Array, distance: float) -> Array:
    """Move every edge of a counter-clockwise polygon [M, 2] inward, with mitered corners."""
    edge = np.roll(outline, -1, axis=0) - outline
    normal = np.stack([-edge[:, 1], edge[:, 0]], axis=1) / np.linalg.norm(edge, axis=1, keepdims=True)
    previous = np.roll(normal, 1, axis=0)
    bisector = normal + previous
    # Bounded, so that very sharp corners do not move far.
    miter = np.maximum(np.sum(bisector * normal, axis=1, keepdims=True), 0.5)
    return outline + bisector / miter * distance


def triangulate(outline: Array) -> Indices:
    """Triangulate a simple counter-clockwise polygon [M, 2] by clipping ears: triangles [M - 2, 3].

    Source: G. H. Meisters, "Polygons have ears", American Mathematical Monthly 82 (1975).
    """
    remaining = list(range(len(outline)))
    triangles: list[tuple[int, int, int]] = []
    while len(remaining) > 3:
        ear = _find_best_ear(outline, remaining)
        triangles.append((remaining[ear - 1], remaining[ear], remaining[(ear + 1) % len(remaining)]))
        del remaining[ear]
    triangles.append((remaining[0], remaining[1], remaining[2]))
    return np.array(triangles, dtype=np.int64)


def _find_best_ear(outline: Array, remaining: list[int]) -> int:
    """Find the ear with the largest ratio of area to squared edge length, so that slivers come last.

    Returns:
        Index into ``remaining``.
    """
    points = outline[remaining]
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    area = _compute_cross_2d(points - before, after - points)
    longest = np.maximum(np.sum((after - before) ** 2, axis=1), np.sum((after - points) ** 2, axis=1))
    order = np.argsort(-area / np.maximum(longest, 1e-30), kind="stable")
    for index in order:
        if area[index] <= 0:
            break
        if not _has_other_point(before[index], points[index], after[index], points):
            return int(index)
    return int(order[0])


def _has_other_point(a: Array, b: Array, c: Array, points: Array) -> bool:
    """Return True if a point other than the corners lies in the triangle or on its edges."""
    inside = (
        (_compute_cross_2d(b - a, points - a) >= -1e-12)
        & (_compute_cross_2d(c - b, points - b) >= -1e-12)
        & (_compute_cross_2d(a - c, points - c) >= -1e-12)
    )
    return int(inside.sum()) > 3


def _compute_signed_area(outline: Array) -> float:
    """Compute the area of a polygon [M, 2], positive if it is counter-clockwise."""
    return 0.5 * float(np.sum(_compute_cross_2d(outline, np.roll(outline, -1, axis=0))))


def _compute_cross_2d(a: Array, b: Array) -> Array:
    """Return the z component of the cross products of plane vectors [..., 2]."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]

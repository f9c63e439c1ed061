"""Plane figures and curves: what solids are lofted, swept and extruded from."""

from collections.abc import Sequence

import numpy as np

from turntable.renderer.meshes.zoo.solid import Array, Indices

Points = Sequence[Sequence[float]] | Array


def superellipse(count: int, power: float = 2.0) -> Array:
    """Outline [count, 2] of |x|^p + |y|^p = 1, counter-clockwise: 2 is a circle, 8 nearly a square."""
    angle = (np.arange(count) + 0.5) * (2 * np.pi / count)
    directions = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.sign(directions) * np.abs(directions) ** (2.0 / power)


def rectangle(width: float, height: float, radius: float = 0.0, segments: int = 3) -> Array:
    """Outline of a rectangle about the origin, its corners rounded, counter-clockwise."""
    x, y = width / 2, height / 2
    return fillet([(-x, -y), (x, -y), (x, y), (-x, y)], radius, segments)


def fillet(corners: Points, radius: float | Sequence[float], segments: int = 3) -> Array:
    """Round the corners of a closed polygon.

    Args:
        corners: [M, 2].
        radius: of all corners, or one a corner; shortened where an edge has no room for it.
        segments: of every arc.
    """
    points = np.asarray(corners, dtype=np.float64)
    radii = np.broadcast_to(np.asarray(radius, dtype=np.float64), len(points))
    arcs = [
        _arc(points[i - 1], points[i], points[(i + 1) % len(points)], float(radii[i]), segments)
        for i in range(len(points))
    ]
    return np.concatenate(arcs)


def _arc(before: Array, corner: Array, after: Array, radius: float, segments: int) -> Array:
    """A quadratic curve across one corner, [segments + 1, 2]; the corner itself for no radius."""
    if radius <= 0:
        return corner[None]
    to_before, to_after = before - corner, after - corner
    cut_before = min(radius, 0.45 * float(np.linalg.norm(to_before)))
    cut_after = min(radius, 0.45 * float(np.linalg.norm(to_after)))
    start = corner + to_before / np.linalg.norm(to_before) * cut_before
    end = corner + to_after / np.linalg.norm(to_after) * cut_after
    t = np.linspace(0.0, 1.0, segments + 1)[:, None]
    # A conic with the circle's weight at a right angle: rounder than the plain parabola.
    weights = (1 - t) ** 2, 1.4 * t * (1 - t), t**2
    return (weights[0] * start + weights[1] * corner + weights[2] * end) / sum(weights)


def curve(points: Points, count: int, *, closed: bool = False) -> Array:
    """Centripetal-like Catmull-Rom spline through points [M, D], sampled evenly in parameter: [count, D]."""
    control = np.asarray(points, dtype=np.float64)
    size = len(control)
    if closed:
        padded = np.concatenate([control[-1:], control, control[:2]])
        t = np.arange(count) * (size / count)
    else:
        ends = 2 * control[0] - control[1], 2 * control[-1] - control[-2]
        padded = np.concatenate([ends[0][None], control, ends[1][None]])
        t = np.linspace(0.0, size - 1.0, count)
    span = np.minimum(t.astype(np.int64), size - 1 if closed else size - 2)
    s = (t - span)[:, None]
    p0, p1, p2, p3 = (padded[span + k] for k in range(4))
    return 0.5 * (
        2 * p1 + (p2 - p0) * s + (2 * p0 - 5 * p1 + 4 * p2 - p3) * s**2 + (3 * p1 - p0 - 3 * p2 + p3) * s**3
    )


def counter_clockwise(outline: Array) -> Array:
    """The same closed polygon [M, 2], wound counter-clockwise."""
    return outline if _signed_area(outline) > 0 else outline[::-1]


def inset(outline: Array, distance: float) -> Array:
    """Move every edge of a counter-clockwise polygon [M, 2] inwards, corners mitred."""
    edge = np.roll(outline, -1, axis=0) - outline
    normal = np.stack([-edge[:, 1], edge[:, 0]], axis=1) / np.linalg.norm(edge, axis=1, keepdims=True)
    previous = np.roll(normal, 1, axis=0)
    bisector = normal + previous
    mitre = np.maximum(np.sum(bisector * normal, axis=1, keepdims=True), 0.5)
    return outline + bisector / mitre * distance


def triangulate(outline: Array) -> Indices:
    """Triangles [M - 2, 3] of a simple counter-clockwise polygon [M, 2], by clipping ears.

    Source: G. H. Meisters, "Polygons have ears", American Mathematical Monthly 82 (1975).
    """
    remaining = list(range(len(outline)))
    triangles: list[tuple[int, int, int]] = []
    while len(remaining) > 3:
        ear = _best_ear(outline, remaining)
        triangles.append((remaining[ear - 1], remaining[ear], remaining[(ear + 1) % len(remaining)]))
        del remaining[ear]
    triangles.append((remaining[0], remaining[1], remaining[2]))
    return np.array(triangles, dtype=np.int64)


def _best_ear(outline: Array, remaining: list[int]) -> int:
    """Index into ``remaining`` of the ear with the widest smallest edge ratio: slivers come last."""
    points = outline[remaining]
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    area = _cross(points - before, after - points)
    longest = np.maximum(np.sum((after - before) ** 2, axis=1), np.sum((after - points) ** 2, axis=1))
    order = np.argsort(-area / np.maximum(longest, 1e-30), kind="stable")
    for index in order:
        if area[index] <= 0:
            break
        if not _holds_another(before[index], points[index], after[index], points):
            return int(index)
    return int(order[0])


def _holds_another(a: Array, b: Array, c: Array, points: Array) -> bool:
    """Whether a point other than the corners lies in the triangle (its edges count)."""
    inside = (
        (_cross(b - a, points - a) >= -1e-12)
        & (_cross(c - b, points - b) >= -1e-12)
        & (_cross(a - c, points - c) >= -1e-12)
    )
    return int(inside.sum()) > 3


def _signed_area(outline: Array) -> float:
    return 0.5 * float(np.sum(_cross(outline, np.roll(outline, -1, axis=0))))


def _cross(a: Array, b: Array) -> Array:
    """The z component of the cross product of plane vectors [..., 2]."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]

"""Triangles of polygons, for every format whose faces may have more than three corners.

A polygon becomes a fan around its first corner wherever that fan is right, as it is for every convex polygon.
The others are seen along their normal: a quad is cut along its other diagonal, larger polygons are cut by ear
clipping.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.extras import explain_import_errors
from turntable.renderer.meshes.mesh import normalize_vectors

TOLERANCE = 1e-5
"""Share of a polygon's area by which its triangles may overlap or miss it, which rounding makes them do."""
ROUNDING = 1e-13
"""Relative error of differences of coordinates: corners nearer to a line than this lie on it."""
BLOCK_SIZE = 2**14
"""Number of corners examined at once, few enough for all arrays to stay in the processor's cache."""
MAX_CLIPPING_COST = 10**9
"""Most steps that ear clipping may take for all polygons together, at the square of their corners each.

Real polygons take far fewer. The bound keeps a file made on purpose from taking minutes.
"""

Points = NDArray[np.float64]
"""Positions [N, 3]."""
Indices = NDArray[np.intp]
"""Indices of corners, polygons or triangles."""
Mask = NDArray[np.bool_]
"""A choice of polygons, triangles or corners."""


@dataclass(frozen=True, slots=True, eq=False)
class Triangulation:
    """The triangles of polygons."""

    corners: Indices
    """[3, T] corners of the triangles, counted over the corners of all polygons."""
    polygon: Indices
    """[T] polygon of each triangle."""
    num_approximated: int = 0
    """Number of polygons whose triangles are a guess, because they cross themselves."""


def triangulate_polygons(points: Points, sizes: Indices) -> Triangulation:
    """Split polygons into triangles. Their winding is kept.

    Args:
        points: [C, 3] positions of the corners of all polygons, one polygon after the other.
        sizes: [F] number of corners of each polygon, at least 3.

    Returns:
        At most two triangles fewer than corners for each polygon, in the order of the polygons.

    Raises:
        MissingExtraError: A polygon needs ear clipping, and its library is not installed.
    """
    starts = np.cumsum(sizes) - sizes
    if (sizes == 3).all():
        return Triangulation(np.stack([starts, starts + 1, starts + 2]), np.arange(len(sizes)))
    fans = _make_fans(starts, sizes)
    wrong, normals = _find_wrong_fans(points, fans)
    return fans if not len(wrong) else _replace_fans(points, starts, sizes, fans, wrong, normals)


def find_polygons(corner_mask: Mask, sizes: Indices) -> Mask:
    """Find the polygons [F] that have a corner in a mask [C].

    Args:
        corner_mask: Mask [C] of the corners of all polygons, one polygon after the other.
        sizes: [F] number of corners of each polygon.
    """
    found: Mask = np.zeros(len(sizes), dtype=np.bool_)
    if corner_mask.any():
        found[np.repeat(np.arange(len(sizes)), sizes)[corner_mask]] = True
    return found


def _make_fans(starts: Indices, sizes: Indices) -> Triangulation:
    """Split each polygon into a fan around its first corner."""
    polygon = np.repeat(np.arange(len(sizes)), sizes - 2)
    first_triangle = np.repeat(np.cumsum(sizes - 2) - (sizes - 2), sizes - 2)
    step = np.arange(len(polygon)) - first_triangle
    start = starts[polygon]
    return Triangulation(np.stack([start, start + step + 1, start + step + 2]), polygon)


def _find_wrong_fans(points: Points, fans: Triangulation) -> tuple[Indices, Points]:
    """Find the polygons whose fan does not cover them exactly.

    Returns:
        The polygons [W], and the normal [W, 3] of each, as long as twice its area.
    """
    # Blocks end where a polygon ends.
    first = np.flatnonzero(np.diff(fans.polygon, prepend=-1))
    cuts = np.unique(np.searchsorted(first, np.arange(0, first[-1] + 1, BLOCK_SIZE)))
    found: list[Indices] = []
    normals: list[Points] = []
    for begin, end in zip(cuts, [*cuts[1:], len(first)], strict=True):
        stop = first[end] if end < len(first) else len(fans.polygon)
        block = slice(first[begin], stop)
        wrong, normal = _judge_fans(points, fans.corners[:, block], first[begin:end] - first[begin])
        found.append(begin + np.flatnonzero(wrong))
        normals.append(normal[wrong])
    return np.concatenate(found), np.concatenate(normals)


def _judge_fans(points: Points, corners: Indices, first: Indices) -> tuple[Mask, Points]:
    """Compare the fans of polygons with the polygons.

    Args:
        points: [C, 3] positions of the corners.
        corners: [3, T] corners of the triangles of the fans.
        first: [P] first triangle of each fan.

    Returns:
        A mask [P] of the polygons that their fan does not cover exactly, and the normal [P, 3] of each
        polygon after Newell, as long as twice its area.
    """
    # Rows of coordinates, because numpy is fast along the last axis. Seen from the first corner, so that
    # nothing is lost far from the origin.
    origin = points[corners[0]].T
    one, other = points[corners[1]].T - origin, points[corners[2]].T - origin
    with np.errstate(all="ignore"):  # numbers that are not finite compare as false, and their fan stays
        cross = np.stack([one[k - 2] * other[k - 1] - one[k - 1] * other[k - 2] for k in range(3)])
        normal = np.add.reduceat(cross, first, axis=1)
        sizes = np.diff(first, append=corners.shape[1])
        # Seen along the polygon's normal: the area of each triangle, negative if it lies outside.
        area = (cross * np.repeat(normal, sizes, axis=1)).sum(axis=0)
        square = (normal**2).sum(axis=0)
        outside = np.add.reduceat(np.maximum(-area, 0), first)
        # The lobes of a figure of eight cancel each other, and leave no normal.
        crossing = square <= TOLERANCE**2 * np.add.reduceat((cross**2).sum(axis=0), first)
        wrong = crossing | (outside > TOLERANCE * square)
        if wrong.any():
            wrong &= _find_areas(points, corners, first, cross)
    return wrong, normal.T


def _find_areas(points: Points, corners: Indices, first: Indices, cross: Points) -> Mask:
    """Find the fans [P] that have an area: rounding alone does not explain it."""
    covered = np.maximum.reduceat(np.abs(cross).max(axis=0), first)
    apart = np.abs(points[corners[1:]] - points[corners[0]]).max(axis=(0, 2))
    extent = np.maximum.reduceat(apart, first)
    size = np.maximum.reduceat(np.abs(points[corners[0]]).max(axis=1), first) + extent
    return covered > ROUNDING * size * extent


def _replace_fans(
    points: Points, starts: Indices, sizes: Indices, fans: Triangulation, wrong: Indices, normals: Points
) -> Triangulation:
    """Replace the fans of these polygons by triangles that cover them."""
    is_quad = sizes[wrong] == 4
    quads, num_crossing = _cut_quads(points, starts, wrong[is_quad])
    clipped = _clip_ears(points, starts, sizes, wrong[~is_quad], normals[~is_quad])
    kept = np.ones(len(sizes), dtype=np.bool_)
    kept[wrong] = False
    kept = kept[fans.polygon]
    corners = np.concatenate([fans.corners[:, kept], quads.corners, clipped.corners], axis=1)
    polygon = np.concatenate([fans.polygon[kept], quads.polygon, clipped.polygon])
    order = np.argsort(polygon, kind="stable")
    return Triangulation(corners[:, order], polygon[order], num_crossing + clipped.num_approximated)


def _cut_quads(points: Points, starts: Indices, quads: Indices) -> tuple[Triangulation, int]:
    """Cut quads along their other diagonal, and count those that cross themselves, which keep their fan."""
    if not len(quads):
        return Triangulation(np.empty((3, 0), dtype=np.intp), np.empty(0, dtype=np.intp)), 0
    other = np.array([[1, 1], [2, 3], [3, 0]])
    corners = (starts[quads] + other[..., None]).transpose(0, 2, 1).reshape(3, -1)
    crossing, _ = _judge_fans(points, corners, np.arange(0, 2 * len(quads), 2))
    fan = np.array([[0, 0], [1, 2], [2, 3]])
    chosen = np.where(crossing[:, None, None], fan, other)
    corners = (starts[quads, None, None] + chosen).transpose(1, 0, 2).reshape(3, -1)
    return Triangulation(corners, np.repeat(quads, 2)), int(crossing.sum())


def _clip_ears(
    points: Points, starts: Indices, sizes: Indices, polygons: Indices, normals: Points
) -> Triangulation:
    """Split polygons by ear clipping, one by one."""
    corners = [np.empty((3, 0), dtype=np.intp)]
    numbers = [np.empty(0, dtype=np.intp)]
    cost = num_approximated = 0
    for polygon, normal in zip(polygons.tolist(), normals, strict=True):
        start, size = int(starts[polygon]), int(sizes[polygon])
        cost += size**2
        triangles, exact = _make_fan(size), False
        if cost <= MAX_CLIPPING_COST:
            flat = _project(points[start : start + size] - points[start], normal)
            triangles, exact = _clip_polygon(flat, triangles)
        num_approximated += not exact
        corners.append(start + triangles)
        numbers.append(np.full(triangles.shape[1], polygon))
    return Triangulation(np.concatenate(corners, axis=1), np.concatenate(numbers), num_approximated)


def _make_fan(size: int) -> Indices:
    """Split one polygon into a fan around its first corner [3, T]."""
    step = np.arange(size - 2)
    return np.stack([0 * step, step + 1, step + 2])


def _project(points: Points, normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Project points on the plane of a normal, seen so that the polygon runs counter-clockwise [N, 2]."""
    normal = normalize_vectors(normal)
    helper = np.zeros(3)
    helper[np.argmin(np.abs(normal))] = 1
    across = normalize_vectors(np.cross(normal, helper))
    scale = float(np.abs(points).max()) or 1.0  # so that areas stay finite
    axes: NDArray[np.float64] = np.stack([across, np.cross(normal, across)], axis=1)
    return np.ascontiguousarray((points / scale) @ axes)


def _clip_polygon(flat: NDArray[np.float64], fan: Indices) -> tuple[Indices, bool]:
    """Split a polygon [N, 2] by ear clipping.

    Returns:
        The triangles [3, T], and True if they cover the polygon exactly. Of a polygon that crosses itself,
        the fan if ear clipping misses most of it.
    """
    with explain_import_errors("mapbox_earcut"):
        import mapbox_earcut
    ring = np.array([len(flat)], dtype=np.uint32)
    triangles = mapbox_earcut.triangulate_float64(flat, ring).astype(np.intp).reshape(-1, 3).T
    signed = _measure_areas(flat, triangles)
    backward = signed < 0
    triangles = np.where(backward, triangles[[0, 2, 1]], triangles)
    area, covered = float(_measure_areas(flat, fan).sum()), float(np.abs(signed).sum())
    if abs(covered - area) <= TOLERANCE * area:
        return triangles, True
    return (triangles if covered >= area / 2 else fan), False


def _measure_areas(flat: NDArray[np.float64], triangles: Indices) -> NDArray[np.float64]:
    """Measure the areas of triangles [T], negative for those that run clockwise."""
    (ax, ay), (bx, by), (cx, cy) = (flat[corner].T for corner in triangles)
    return ((bx - ax) * (cy - ay) - (by - ay) * (cx - ax)) / 2

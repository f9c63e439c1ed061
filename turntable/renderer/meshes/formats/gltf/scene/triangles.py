"""Triangles of glTF primitives: lists, strips and fans of corners."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TRIANGLES, STRIP, FAN = 4, 5, 6
"""Modes of glTF primitives that have triangles."""


@dataclass(frozen=True, slots=True, eq=False)
class AssembledTriangles:
    """Triangles assembled from corners."""

    triangles: NDArray[np.int64]
    """[T, 3] vertices, all of which exist."""
    num_rest: int = 0
    """Number of corners left over at the end of a list."""
    num_missing: int = 0
    """Number of triangles left out because a corner does not exist."""


def count_triangles(mode: int, num_corners: int) -> int:
    """Return the number of triangles that corners form at most, in a list, a strip or a fan."""
    return num_corners // 3 if mode == TRIANGLES else max(num_corners - 2, 0)


def assemble_triangles(
    corners: NDArray[np.int64], mode: int, num_vertices: int, restart: int | None
) -> AssembledTriangles:
    """Assemble the triangles of a primitive.

    Args:
        corners: [C] vertices.
        mode: ``TRIANGLES``, ``STRIP`` or ``FAN``.
        num_vertices: Number of vertices that exist.
        restart: Corner that ends a strip, fan or list and begins another, as graphics cards do it.
    """
    if restart is not None and restart >= num_vertices and len(corners) and corners.max() == restart:
        return _assemble_parts(corners, mode, num_vertices, restart)
    if mode == TRIANGLES:
        num_rest = len(corners) % 3
        triangles = corners[: len(corners) - num_rest].reshape(-1, 3)
        return _select_existing(triangles, num_vertices, num_rest)
    if len(corners) < 3:
        return AssembledTriangles(np.empty((0, 3), dtype=np.int64))
    if mode == FAN:
        triangles = np.stack([np.full(len(corners) - 2, corners[0]), corners[1:-1], corners[2:]], axis=1)
    else:
        triangles = np.stack([corners[:-2], corners[1:-1], corners[2:]], axis=1)
        # Every second triangle of a strip runs the other way around.
        triangles[1::2] = triangles[1::2, [1, 0, 2]]
    return _select_existing(triangles, num_vertices, 0)


def _assemble_parts(
    corners: NDArray[np.int64], mode: int, num_vertices: int, restart: int
) -> AssembledTriangles:
    """Assemble triangles from corners among which some begin a new list, strip or fan."""
    is_restart = corners == restart
    kept = corners[~is_restart]
    part = np.cumsum(is_restart)[~is_restart]
    starts = np.searchsorted(part, part)  # the first corner of each corner's part
    place = np.arange(len(kept)) - starts
    last = np.flatnonzero(part[2:] == part[:-2]) if len(kept) > 2 else np.empty(0, dtype=np.int64)
    if mode == TRIANGLES:
        last = last[place[last] % 3 == 0]
        num_rest = len(kept) - 3 * len(last)
        return _select_existing(kept[last[:, None] + np.arange(3)], num_vertices, num_rest)
    first = starts[last] if mode == FAN else last
    triangles = np.stack([kept[first], kept[last + 1], kept[last + 2]], axis=1)
    if mode == STRIP:
        is_odd = place[last] % 2 == 1
        triangles[is_odd] = triangles[is_odd][:, [1, 0, 2]]
    return _select_existing(triangles, num_vertices, 0)


def _select_existing(triangles: NDArray[np.int64], num_vertices: int, num_rest: int) -> AssembledTriangles:
    """Leave out triangles with a vertex that does not exist."""
    if not triangles.size or triangles.max() < num_vertices:
        return AssembledTriangles(triangles, num_rest)
    exists = (triangles < num_vertices).all(axis=1)
    return AssembledTriangles(triangles[exists], num_rest, int(np.sum(~exists)))

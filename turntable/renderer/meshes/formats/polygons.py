"""Triangles of polygons, for every format whose faces may have more than three corners."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Triangulation:
    """The triangles of polygons."""

    corners: NDArray[np.intp]
    """[3, T] corners of the triangles, counted over the corners of all polygons."""
    polygon: NDArray[np.intp]
    """[T] polygon of each triangle."""
    num_approximated: int = 0
    """Number of polygons whose triangles are a guess, because they cross themselves."""


def triangulate_polygons(points: NDArray[np.float64], sizes: NDArray[np.intp]) -> Triangulation:  # noqa: ARG001
    """Split polygons into triangles: each becomes a fan around its first corner.

    Args:
        points: [C, 3] positions of the corners of all polygons, one polygon after the other.
        sizes: [F] number of corners of each polygon, at least 3.
    """
    starts = np.cumsum(sizes) - sizes
    if (sizes == 3).all():
        return Triangulation(np.stack([starts, starts + 1, starts + 2]), np.arange(len(sizes)))
    polygon = np.repeat(np.arange(len(sizes)), sizes - 2)
    first_triangle = np.repeat(np.cumsum(sizes - 2) - (sizes - 2), sizes - 2)
    step = np.arange(len(polygon)) - first_triangle
    start = starts[polygon]
    return Triangulation(np.stack([start, start + step + 1, start + step + 2]), polygon)

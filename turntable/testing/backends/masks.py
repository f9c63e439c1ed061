"""Operations on masks: erosion, dilation, center, extent and convex hull."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull

from turntable.testing.backends.views import Array

MaskArray = NDArray[np.bool_]
"""Mask [S, S] or [V, S, S] of some pixels."""


def erode(mask: MaskArray, num_pixels: int = 1, *, beyond: bool = False) -> MaskArray:
    """Return a mask [S, S] without the pixels near its outline.

    Args:
        mask: The mask.
        num_pixels: Number of pixels to remove at the outline.
        beyond: True if the mask goes on beyond the picture's border, so that the border is no outline.
    """
    eroded: Any = ndimage.binary_erosion(mask, iterations=num_pixels, border_value=int(beyond))
    return eroded


def dilate(mask: MaskArray, num_pixels: int) -> MaskArray:
    """Return a mask [S, S] grown by some pixels on all sides."""
    dilated: Any = ndimage.binary_dilation(mask, iterations=num_pixels)
    return dilated


def compute_center(weights: NDArray[Any]) -> tuple[float, float]:
    """Compute the row and column of the center of mass of weights [S, S]."""
    row, column = np.asarray(ndimage.center_of_mass(weights), float)
    return float(row), float(column)


def compute_extent(mask: MaskArray) -> NDArray[np.int64]:
    """Compute the bounding box [4] of a mask in pixels: left, top, right, bottom."""
    rows, columns = np.nonzero(mask)
    assert len(rows), "an object in the middle of the picture has pixels in the mask"
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


def compute_hull_center(points: Array) -> Array:
    """Compute the centroid [2] of the convex hull of points [N, 2]."""
    hull: Any = ConvexHull(points)
    x, y = hull.points[hull.vertices].T
    cross = x * np.roll(y, -1) - np.roll(x, -1) * y
    return np.array([((v + np.roll(v, -1)) * cross).sum() for v in (x, y)]) / (3 * cross.sum())


def compute_hull_distance(points: Array, queries: NDArray[np.floating]) -> Array:
    """Compute the signed distances [...] of query points [..., 2] from the convex hull of points [N, 2].

    They are below 0 inside of the hull.
    """
    hull: Any = ConvexHull(points)
    return (queries @ hull.equations[:, :2].T + hull.equations[:, 2]).max(axis=-1)

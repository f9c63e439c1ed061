"""Regions of a picture: their outline, their inside, their middle."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull

from turntable.testing.backends.views import Array

Region = NDArray[np.bool_]


def inner(region: Region, pixels: int = 1, *, beyond: bool = False) -> Region:
    """Return the part of a region [S, S] that lies some pixels within its outline.

    Args:
        region: The region.
        pixels: How many.
        beyond: Whether it is taken to go on beyond the picture's border.
    """
    made: Any = ndimage.binary_erosion(region, iterations=pixels, border_value=int(beyond))
    return made


def outer(region: Region, pixels: int) -> Region:
    """Return a region [S, S] with all that lies within some pixels of it."""
    made: Any = ndimage.binary_dilation(region, iterations=pixels)
    return made


def middle_of(weights: NDArray[Any]) -> tuple[float, float]:
    """Return row and column of the middle of weights [S, S]."""
    row, column = np.asarray(ndimage.center_of_mass(weights), float)
    return float(row), float(column)


def extent_of(region: Region) -> NDArray[np.int64]:
    """Return the extent of a region in pixels: left, top, right, bottom."""
    rows, columns = np.nonzero(region)
    assert len(rows), "an object in the middle of the picture has pixels in the mask"
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


def hull_middle(points: Array) -> Array:
    """Return the middle of the area of the hull of points [N, 2]."""
    hull: Any = ConvexHull(points)
    x, y = hull.points[hull.vertices].T
    cross = x * np.roll(y, -1) - np.roll(x, -1) * y
    return np.array([((v + np.roll(v, -1)) * cross).sum() for v in (x, y)]) / (3 * cross.sum())


def beyond_hull(points: Array, places: NDArray[np.floating]) -> Array:
    """Return how far places [..., 2] lie outside the hull of points [N, 2]; below 0 inside of it."""
    hull: Any = ConvexHull(points)
    return (places @ hull.equations[:, :2].T + hull.equations[:, 2]).max(axis=-1)

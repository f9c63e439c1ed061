"""Corrupted point clouds: surfaces displaced in regions, noise, outliers and dropout, each with its labels.

In a region, a ball of radius R about a random point of the cloud, a point at distance r is displaced by
``a sqrt(1 - r / R) z`` along its normal, with z ~ N(0, 1) for each point.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError, format_value
from turntable.loaders.argument_checks import check_integer, check_number, is_number
from turntable.loaders.clouds.point_draws import FloatArray, PointDraws

Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PointCorruption:
    """Random faults of the point cloud of each view. The default displaces one region.

    Raises:
        InvalidInputError: A value is out of range.
    """

    regions: int = 1
    """Number of regions whose points are displaced; displacements of regions that overlap add up. 0: none."""
    radius: Span = (0.1, 0.4)
    """Range of a region's radius in diagonals, drawn uniformly."""
    amplitude: Span = (0.01, 0.05)
    """Range of a region's amplitude in diagonals, drawn uniformly."""
    noise: float = 0.0
    """Standard deviation of Gaussian noise along each axis, for every point, in diagonals."""
    outliers: float = 0.0
    """Probability that a point is replaced by one at random in the ball about the cloud's centroid that
    holds the cloud, with a random normal."""
    dropout: float = 0.0
    """Probability that a point is dropped: the first point that is left stands in its place."""
    quality_scale: float = 0.02
    """Distance s in diagonals from a point's true place at which its quality, exp(-(distance / s)²), is
    1 / e."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "regions", check_integer("regions", self.regions, 0))
        for name in ("radius", "amplitude"):
            object.__setattr__(self, name, _check_span(name, getattr(self, name)))
        for name, most in (("noise", np.inf), ("outliers", 1.0), ("dropout", 1.0)):
            value = check_number(name, getattr(self, name))
            if not 0 <= value < most:
                bound = "" if np.isinf(most) else " and below 1"
                raise InvalidInputError(f"{name} {value:g}: must be at least 0{bound}")
        check_number("quality_scale", self.quality_scale, above_zero=True)


@dataclass(frozen=True, slots=True, eq=False)
class CorruptedClouds:
    """Corrupted clouds of B samples of k views, and what was done to them."""

    points: NDArray[np.float32]
    """[B, k, P, 6] points and normals; normals are those of the true surface, but for outliers."""
    point_displacement: FloatArray
    """[B, k, P] displacement along the normal, in diagonals; 0 for points that were replaced."""
    point_quality: FloatArray
    """[B, k, P] exp(-(d / s)²) with the distance d from the true place; 0 for dropped points."""
    cloud_quality: FloatArray
    """[B, k] mean of the quality over the points that were not dropped."""
    point_mask: NDArray[np.bool_]
    """[B, k, P] False for dropped points."""
    point_outlier: NDArray[np.bool_]
    """[B, k, P] True for outliers."""
    corruption_center: FloatArray
    """[B, k, R, 3] centers of the regions, in the frame of the points."""
    corruption_radius: FloatArray
    """[B, k, R] radii of the regions in diagonals."""
    corruption_amplitude: FloatArray
    """[B, k, R] amplitudes of the regions in diagonals."""


def draw_corrupted_clouds(
    corruption: PointCorruption, points: NDArray[np.float32], draws: PointDraws
) -> CorruptedClouds:
    """Draw faults of posed clouds, and return the clouds with them.

    The result is that of the clouds alone, wherever they are: it turns and moves with them.

    Args:
        corruption: Faults to draw.
        points: [B, k, P, 6] places and unit normals.
        draws: Random numbers of the B samples of k views.
    """
    places, normals = (half.astype(np.float64) for half in np.split(points, 2, axis=-1))
    center, radius, amplitude = _draw_regions(corruption, places, draws)
    displacement = _compute_displacement(places, center, radius, amplitude, draws)
    moved = places + displacement[..., None] * normals
    num_points = points.shape[2]
    if corruption.noise:
        moved += corruption.noise * draws.draw_normals("noise", num_points, 3)
    is_outlier = draws.draw_units("outliers", num_points) < corruption.outliers
    if is_outlier.any():
        moved, normals = _add_outliers(places, moved, normals, is_outlier, draws)
    is_kept = _keep_points(draws.draw_units("dropout", num_points) >= corruption.dropout)
    distance = np.linalg.norm(moved - places, axis=-1)
    quality = np.exp(-((distance / corruption.quality_scale) ** 2)) * is_kept
    return CorruptedClouds(
        _replace_dropped(np.concatenate([moved, normals], axis=-1), is_kept).astype(np.float32),
        displacement * (is_kept & ~is_outlier),
        quality,
        quality.sum(axis=-1) / is_kept.sum(axis=-1),
        is_kept,
        is_outlier & is_kept,
        center,
        radius,
        amplitude,
    )


def _draw_regions(
    corruption: PointCorruption, places: FloatArray, draws: PointDraws
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the centers [B, k, R, 3], radii and amplitudes [B, k, R] of the regions."""
    units = draws.draw_units("regions", corruption.regions, 3)
    index = (units[..., 0] * places.shape[2]).astype(np.int64)
    center = np.take_along_axis(places, index[..., None], axis=2)
    radius, amplitude = (
        low + units[..., column] * (high - low)
        for column, (low, high) in ((1, corruption.radius), (2, corruption.amplitude))
    )
    return center, radius, amplitude


def _compute_displacement(
    places: FloatArray, center: FloatArray, radius: FloatArray, amplitude: FloatArray, draws: PointDraws
) -> FloatArray:
    """Return the displacements [B, k, P] along the normals, the sum of those of all regions."""
    displacement = np.zeros(places.shape[:3])
    for region in range(center.shape[2]):
        distance = np.linalg.norm(places - center[:, :, region, None], axis=-1)
        share = np.sqrt(np.clip(1 - distance / radius[:, :, region, None], 0, None))
        height = draws.draw_normals(f"displacement {region}", places.shape[2])
        displacement += amplitude[:, :, region, None] * share * height
    return displacement


def _add_outliers(
    places: FloatArray,
    moved: FloatArray,
    normals: FloatArray,
    is_outlier: NDArray[np.bool_],
    draws: PointDraws,
) -> tuple[FloatArray, FloatArray]:
    """Return moved places and normals with those of outliers, in the ball of the true places, for some."""
    centroid = places.mean(axis=2, keepdims=True)
    reach = np.linalg.norm(places - centroid, axis=-1).max(axis=-1)[..., None, None]
    num_points = places.shape[2]
    direction, normal = (
        _normalize(draws.draw_normals(f"outlier's {name}", num_points, 3)) for name in ("direction", "normal")
    )
    away = reach * np.cbrt(draws.draw_units("outlier's distance", num_points, 1)) * direction
    chosen = is_outlier[..., None]
    return np.where(chosen, centroid + away, moved), np.where(chosen, normal, normals)


def _normalize(vectors: FloatArray) -> FloatArray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _keep_points(is_kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which points are kept: the first one at least, of clouds of which none would be left."""
    is_kept[..., 0] |= ~is_kept.any(axis=-1)
    return is_kept


def _replace_dropped(points: FloatArray, is_kept: NDArray[np.bool_]) -> FloatArray:
    first = is_kept.argmax(axis=-1)[..., None, None]
    return np.where(is_kept[..., None], points, np.take_along_axis(points, first, axis=2))


def _check_span(name: str, span: object) -> Span:
    if not (isinstance(span, tuple | list) and len(span) == 2 and all(map(is_number, span))):
        raise InvalidInputError(
            f"{name} {format_value(span)}: give two numbers, the smallest and the largest"
        )
    low, high = map(float, span)
    if not 0 < low <= high < np.inf:
        raise InvalidInputError(
            f"{name} {format_value(span)}: the smallest must be above 0 and at most the largest"
        )
    return low, high

"""Points spread evenly over triangles."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceSample:
    """Points on triangles, each given by its triangle and its place in it."""

    triangles: NDArray[np.intp]
    """[P] triangle of each point."""
    weights: NDArray[np.float64]
    """[P, 3] barycentric weights: shares of the triangle's corners in the point, with sum 1."""

    def interpolate(self, corners: NDArray[np.float64]) -> NDArray[np.float64]:
        """Interpolate values of the corners [P, 3, K] of each point's triangle: [P, K]."""
        return np.einsum("pk,pkx->px", self.weights, corners)


def sample_surface(areas: NDArray[np.float64], num_points: int, random: np.random.Generator) -> SurfaceSample:
    """Sample points on triangles in proportion to their areas, uniform in each (Osada et al. 2002).

    Sampling is stratified, so that every triangle gets nearly its exact share of points.

    Args:
        areas: [T] areas of the triangles in any unit; their sum is positive.
        num_points: Number of points P.
        random: Random numbers; three are drawn for each point, and one permutation.

    Returns:
        The points in random order, so that the first of them are spread over the whole surface too.
    """
    # The triangles are laid out end to end along a line as long as their total area. The line is cut into
    # equal pieces, and one point is drawn in each.
    place = (np.arange(num_points) + random.random(num_points)) / num_points * areas.sum()
    # Rounding can put a place at the very end of the line, past the last triangle.
    triangles = np.minimum(np.searchsorted(np.cumsum(areas), place, side="right"), len(areas) - 1)
    # The square root makes the barycentric weights uniform over the triangle.
    root, along = np.sqrt(random.random(num_points)), random.random(num_points)
    weights = np.stack([1 - root, root * (1 - along), root * along], axis=-1)
    order = random.permutation(num_points)
    return SurfaceSample(triangles[order], weights[order])

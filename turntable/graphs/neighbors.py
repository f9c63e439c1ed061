"""Graphs of point clouds: the nearest neighbors of each point, or all within a radius.

Distances are sums of squares in float64. Of points at equal distances the one with the lower index comes
first, so that a graph depends on the points alone, and not on how a tree divides them.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError
from turntable.extras import explain_import_errors
from turntable.graphs.edges import Indices, make_undirected, sort_rows

_SPARE = 4
"""Number of points that are looked at beyond k, of which some may be as near as the last."""


def make_knn_graph(points: NDArray[np.floating], k: int) -> Indices:
    """Return the k nearest other points of each point, the nearest first, [P, k].

    Args:
        points: [P, 3] places; further columns, such as normals, are not looked at.
        k: Number of neighbors, from 1 to P - 1.

    Raises:
        InvalidInputError: There are too few points, or numbers are not finite.
    """
    places = _check_points(points)
    if not 1 <= k < len(places):
        raise InvalidInputError(
            f"k = {k} neighbors of {len(places)} points: give a k from 1 to {max(1, len(places) - 1)}, or a "
            "data set rendered with more --points"
        )
    count = min(k + 1 + _SPARE, len(places))
    candidates = _make_tree(places).query(places, count)[1].astype(np.int64)
    neighbors, is_sure = _rank_candidates(places, candidates, k, count == len(places))
    for point in np.flatnonzero(~is_sure):
        every = np.arange(len(places))[None]
        neighbors[point] = _rank(places, np.array([point]), every)[0][0, :k]
    return neighbors


def make_radius_graph(
    points: NDArray[np.floating], radius: float, max_neighbors: int | None = None
) -> Indices:
    """Return the pairs of different points at most a radius apart, [E, 2], sorted by the first point.

    Args:
        points: [P, 3] places; further columns, such as normals, are not looked at.
        radius: Largest distance.
        max_neighbors: Largest number of pairs that begin with a point: those with the nearest points. Then a
            pair may be there in one direction alone (``make_undirected``). None: no limit.

    Raises:
        InvalidInputError: The radius is not positive, or numbers are not finite.
    """
    places = _check_points(points)
    if not 0 < radius < float("inf"):
        raise InvalidInputError(f"radius {radius}: give a finite number above 0")
    if max_neighbors is not None and max_neighbors < 1:
        raise InvalidInputError(f"max_neighbors {max_neighbors}: give at least 1, or None for no limit")
    # The tree rounds differently, so a little more is asked for, and each distance is computed again.
    pairs = _make_tree(places).query_pairs(radius * (1 + 1e-9), output_type="ndarray")
    near = pairs[_measure_squares(places, pairs[:, 0], pairs[:, 1]) <= radius**2]
    edges = make_undirected(near)
    return edges if max_neighbors is None else _keep_nearest(places, edges, max_neighbors)


def neighbors_to_edges(neighbors: NDArray[np.integer], *, symmetric: bool = False) -> Indices:
    """Return the neighbors [P, k] of points as pairs [E, 2] of a point and a neighbor, sorted.

    Args:
        neighbors: [P, k] as ``make_knn_graph`` returns them.
        symmetric: True for every pair in both directions, once.
    """
    points = np.repeat(np.arange(len(neighbors)), neighbors.shape[1])
    edges = np.column_stack([points, neighbors.reshape(-1)]).astype(np.int64)
    return make_undirected(edges) if symmetric else sort_rows(edges)


def _make_tree(places: NDArray[np.float64]) -> Any:
    with explain_import_errors("scipy"):
        from scipy.spatial import KDTree
    return KDTree(places)


def _check_points(points: NDArray[np.floating]) -> NDArray[np.float64]:
    if points.ndim != 2 or points.shape[1] < 3:
        raise InvalidInputError(f"points of the shape {points.shape}: give one cloud [P, 3] or [P, 6]")
    if not len(points):
        raise InvalidInputError("a cloud of 0 points has no graph; render the data set with --points 1024")
    places = points[:, :3].astype(np.float64)
    if not np.isfinite(places).all():
        raise InvalidInputError("points: some are NaN or infinite")
    return places


def _rank_candidates(
    places: NDArray[np.float64], candidates: Indices, k: int, has_all: bool
) -> tuple[Indices, NDArray[np.bool_]]:
    """Return the k nearest of the candidates [P, c], and for which points no other can be as near."""
    ranked, squares = _rank(places, np.arange(len(places)), candidates)
    # The tree's distances are rounded too, so a tie is one up to rounding.
    is_sure = squares[:, k - 1] < squares[:, -2] * (1 - 1e-12)
    return ranked[:, :k].copy(), is_sure | has_all


def _rank(
    places: NDArray[np.float64], points: Indices, candidates: Indices
) -> tuple[Indices, NDArray[np.float64]]:
    """Return candidates [p, c] of points [p] by distance, then index, and the squares; the point is last."""
    ascending = np.broadcast_to(np.sort(candidates, axis=-1), (len(points), candidates.shape[1]))
    squares = _measure_squares(places, points[:, None], ascending)
    squares[ascending == points[:, None]] = np.inf
    order = np.argsort(squares, axis=-1, kind="stable")  # leaves ties in the order of indices
    return np.take_along_axis(ascending, order, axis=-1), np.take_along_axis(squares, order, axis=-1)


def _measure_squares(places: NDArray[np.float64], one: Indices, other: Indices) -> NDArray[np.float64]:
    x, y, z = np.moveaxis(places[one] - places[other], -1, 0)
    return x * x + y * y + z * z


def _keep_nearest(places: NDArray[np.float64], edges: Indices, max_neighbors: int) -> Indices:
    squares = _measure_squares(places, edges[:, 0], edges[:, 1])
    ordered = edges[np.lexsort((edges[:, 1], squares, edges[:, 0]))]
    rank = np.arange(len(ordered)) - np.searchsorted(ordered[:, 0], ordered[:, 0])
    return sort_rows(ordered[rank < max_neighbors])

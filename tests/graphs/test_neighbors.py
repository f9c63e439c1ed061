"""Neighbors in clouds against brute force, and what is refused."""

import numpy as np
import pytest

from turntable.errors import InvalidInputError
from turntable.graphs import make_knn_graph, make_radius_graph, neighbors_to_edges

GRID = np.stack(np.meshgrid(*[np.arange(5.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
"""Points with ties everywhere."""


def measure(points):
    """Squared distances of all pairs, infinite of a point from itself."""
    x, y, z = np.moveaxis(points[:, None, :3] - points[None, :, :3], -1, 0)
    squares = x * x + y * y + z * z
    np.fill_diagonal(squares, np.inf)
    return squares


def clouds():
    random = np.random.default_rng(0)
    cloud = random.normal(size=(200, 6))
    twice = np.concatenate([cloud[:30], cloud[:30], cloud[:30]])  # every point three times
    return {"cloud": cloud, "grid": GRID, "shuffled grid": random.permutation(GRID), "thrice": twice}


@pytest.mark.parametrize("name", clouds())
@pytest.mark.parametrize("k", [1, 2, 14, 89])
def test_nearest_neighbors_are_those_of_brute_force(name, k):
    points = clouds()[name]
    expected = np.argsort(measure(points), axis=1, kind="stable")[:, :k]
    neighbors = make_knn_graph(points, k)
    assert neighbors.dtype == np.int64
    assert np.array_equal(neighbors, expected)
    assert (neighbors != np.arange(len(points))[:, None]).all()


@pytest.mark.parametrize("radius", [0.3, 1.0, 1.5])
def test_a_radius_graph_has_every_pair_within_the_radius(radius):
    for points in clouds().values():
        expected = np.argwhere(measure(points) <= radius**2)
        assert np.array_equal(make_radius_graph(points, radius), expected)


def test_the_nearest_within_a_radius_are_kept():
    for points in clouds().values():
        squares = measure(points)
        edges = make_radius_graph(points, 1.5, max_neighbors=4)
        for point in range(len(points)):
            near = np.argsort(squares[point], kind="stable")[:4]
            expected = near[squares[point, near] <= 1.5**2]
            assert edges[edges[:, 0] == point, 1].tolist() == sorted(expected)


def test_edges_of_neighbors():
    neighbors = make_knn_graph(clouds()["cloud"], 3)
    directed = {(point, int(other)) for point, row in enumerate(neighbors) for other in row}
    edges = neighbors_to_edges(neighbors)
    assert [tuple(edge) for edge in edges.tolist()] == sorted(directed)
    both = neighbors_to_edges(neighbors, symmetric=True)
    assert [tuple(edge) for edge in both.tolist()] == sorted(directed | {(b, a) for a, b in directed})
    assert len(both) > len(edges)


def test_a_turned_cloud_has_the_same_neighbors():
    cloud = clouds()["cloud"]
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    assert np.array_equal(make_knn_graph(cloud, 14), make_knn_graph(cloud[:, :3] @ turn, 14))


def test_what_has_no_neighbors_is_refused_by_name():
    cloud = clouds()["cloud"]
    for call, words in (
        (
            lambda: make_knn_graph(cloud, 200),
            r"k = 200 neighbors of 200 points: give a k from 1 to 199.*--points",
        ),
        (lambda: make_knn_graph(cloud, 0), "k = 0 neighbors"),
        (lambda: make_knn_graph(cloud[:1], 1), "k = 1 neighbors of 1 points"),
        (lambda: make_knn_graph(cloud[:0], 1), "0 points has no graph; render the data set with --points"),
        (lambda: make_knn_graph(cloud[None], 1), r"points of the shape \(1, 200, 6\)"),
        (lambda: make_knn_graph(np.full((3, 3), np.nan), 1), "NaN or infinite"),
        (lambda: make_radius_graph(cloud, 0.0), "radius 0.0"),
        (lambda: make_radius_graph(cloud, float("inf")), "radius inf"),
        (lambda: make_radius_graph(cloud, 1.0, 0), "max_neighbors 0"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            call()

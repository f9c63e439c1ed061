"""Graphs of views against scipy's graphs and rotations, and against the closed form of their noise."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.transform import Rotation

from turntable.datasets import Dataset
from turntable.datasets.relations import GraphNoise, ViewGraph, ViewGraphRule, build_view_graphs
from turntable.errors import InvalidInputError
from turntable.testing.datasets import make_full_dataset, make_synthetic_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_synthetic_dataset(tmp_path_factory.mktemp("set"), 12, 3, num_views=9, image_size=8)


def compute_angles(graph: ViewGraph) -> np.ndarray:
    turns = Rotation.from_matrix(graph.rotations)
    return np.stack([np.degrees((turn.inv() * turns).magnitude()) for turn in turns])


def list_pairs(graph: ViewGraph) -> set[tuple[int, int]]:
    """Return the edges without their direction."""
    return {(i, j) for i, j in graph.edge_index.T.tolist() if i < j}


def test_edges_stay_within_objects_and_go_both_ways(dataset: Dataset) -> None:
    graph = build_view_graphs(dataset, "train", np.array([4, 1]))
    assert graph.objects.tolist() == [4] * 9 + [1] * 9
    assert graph.views.tolist() == [*range(9)] * 2
    assert graph.ptr.tolist() == [0, 9, 18]
    first, second = graph.edge_index
    assert (graph.objects[first] == graph.objects[second]).all()
    complete = {(i, j) for start in (0, 9) for i in range(start, start + 9) for j in range(i + 1, start + 9)}
    assert list_pairs(graph) == complete
    pairs = set(zip(first.tolist(), second.tolist(), strict=True))
    assert len(pairs) == len(first) == 2 * 9 * 8
    assert pairs == {(j, i) for i, j in pairs}
    with dataset.open_split("train") as split:
        turns = Rotation.from_euler("xyz", split.labels[graph.objects, graph.views, :3].astype(np.float64))
    expected = (turns[first].inv() * turns[second]).as_matrix()
    assert np.allclose(graph.relative_rotation, expected, atol=1e-9)
    assert np.array_equal(graph.relative_rotation, graph.true_relative_rotation)
    assert not graph.is_outlier.any()


def test_rules_join_what_they_say(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> None:
    rows = np.array([0])
    radius = build_view_graphs(dataset, "train", rows, ViewGraphRule("radius", max_angle_deg=70))
    angles = compute_angles(radius)
    expected = np.argwhere((angles <= 70) & ~np.eye(9, dtype=bool))
    assert radius.edge_index.T.tolist() == expected.tolist()
    assert 0 < len(expected) < 72
    nearest = build_view_graphs(dataset, "train", rows, ViewGraphRule("nearest", neighbors=2))
    ranks = np.argsort(np.argsort(angles + 1e3 * np.eye(9), axis=1), axis=1)
    wanted = (ranks < 2) | (ranks < 2).T
    assert nearest.edge_index.T.tolist() == np.argwhere(wanted).tolist()
    moving = make_full_dataset(tmp_path_factory.mktemp("moving"))
    frames = build_view_graphs(moving, "train", rows, ViewGraphRule("sequence", neighbors=1))
    steps = [(0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 7)]
    assert list_pairs(frames) == set(steps)
    with pytest.raises(InvalidInputError, match="recipe 'sequences'"):
        build_view_graphs(dataset, "train", rows, ViewGraphRule("sequence"))


def test_random_graphs_are_connected_and_their_own(dataset: Dataset) -> None:
    rule = ViewGraphRule("random", probability=0.3, seed=5)
    every = build_view_graphs(dataset, "train", rule=rule)
    size = len(every.objects)
    matrix = csr_array((np.ones(every.edge_index.shape[1]), tuple(every.edge_index)), shape=(size, size))
    num_parts, part_of = connected_components(matrix, directed=False)
    assert num_parts == 9  # one for each object
    assert part_of.tolist() == np.repeat(np.arange(9), 9).tolist()
    shares = np.bincount(every.edge_index[0] // 9) / 72
    assert 0.2 < np.mean(shares) < 0.5  # above 0.3: graphs that fall apart are drawn again
    alone = build_view_graphs(dataset, "train", np.array([3]), rule)
    start, end = every.ptr[3], every.ptr[4]
    inside = (every.edge_index[0] >= start) & (every.edge_index[0] < end)
    assert np.array_equal(alone.edge_index, every.edge_index[:, inside] - start)
    other = build_view_graphs(dataset, "train", np.array([3]), ViewGraphRule("random", probability=0.3))
    assert not np.array_equal(alone.edge_index, other.edge_index)
    with pytest.raises(InvalidInputError, match="use a probability above"):
        build_view_graphs(dataset, "train", np.array([0]), ViewGraphRule("random", probability=0.001))


def test_noise_has_the_size_it_says_and_the_truth_beside_it(dataset: Dataset) -> None:
    noise = GraphNoise(angle_deg=5, outlier_share=0.2, seed=1)
    graph = build_view_graphs(dataset, "train", noise=noise)
    first, second = graph.edge_index
    assert np.allclose(np.linalg.det(graph.relative_rotation), 1)
    errors = Rotation.from_matrix(graph.true_relative_rotation).inv() * Rotation.from_matrix(
        graph.relative_rotation
    )
    vectors = np.degrees(errors.as_rotvec())
    good = ~graph.is_outlier
    assert abs(vectors[good].std() - 5) < 0.3
    assert abs(vectors[good].mean()) < 0.4
    assert 0.14 < graph.is_outlier.mean() < 0.26
    # The angle of a rotation that is uniform on SO(3) has the mean 126.5 degrees.
    assert abs(np.degrees(errors.magnitude())[graph.is_outlier].mean() - 126.5) < 8
    index = {pair: n for n, pair in enumerate(zip(first.tolist(), second.tolist(), strict=True))}
    back = [index[j, i] for i, j in zip(first.tolist(), second.tolist(), strict=True)]
    assert np.allclose(graph.relative_rotation[back], graph.relative_rotation.swapaxes(1, 2))
    assert np.array_equal(graph.is_outlier[back], graph.is_outlier)
    again = build_view_graphs(dataset, "train", noise=noise)
    assert np.array_equal(again.relative_rotation, graph.relative_rotation)
    alone = build_view_graphs(dataset, "train", np.array([0]), noise=noise)
    assert np.array_equal(alone.relative_rotation, graph.relative_rotation[: alone.edge_index.shape[1]])


def test_poses_follow_from_exact_edges(dataset: Dataset) -> None:
    """The connection Laplacian of exact edges has the poses in its kernel, as synchronization needs."""
    graph = build_view_graphs(dataset, "train", np.array([2]), ViewGraphRule("random"))
    laplacian = np.zeros((27, 27))
    for i, j, turn in zip(*graph.edge_index, graph.relative_rotation, strict=True):
        laplacian[3 * i : 3 * i + 3, 3 * i : 3 * i + 3] += np.eye(3)
        laplacian[3 * i : 3 * i + 3, 3 * j : 3 * j + 3] -= turn
    kernel = graph.rotations.swapaxes(1, 2).reshape(27, 3)
    assert np.allclose(laplacian @ kernel, 0, atol=1e-12)
    values = np.linalg.eigvalsh(laplacian)
    assert values[2] < 1e-12 < 1e-3 < values[3]


def test_wrong_graphs_are_refused(dataset: Dataset) -> None:
    with pytest.raises(InvalidInputError, match="train has 9 objects"):
        build_view_graphs(dataset, "train", np.array([9]))
    with pytest.raises(InvalidInputError, match="graph kind"):
        ViewGraphRule("star")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidInputError, match="neighbors must be from 1"):
        ViewGraphRule(neighbors=0)
    with pytest.raises(InvalidInputError, match="outlier_share from 0 to 1"):
        GraphNoise(outlier_share=2)

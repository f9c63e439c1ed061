"""Edges between views against brute force, scipy's graphs and scipy's rotations."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.sparse import csr_array
from scipy.spatial.transform import Rotation

from turntable.datasets import Dataset, ViewVectors, digest_ids
from turntable.datasets.relations import (
    EDGE_COLUMNS,
    EdgeList,
    RelationRule,
    find_close_rotations,
    find_edges,
    find_transitive_edges,
    join_edges,
    measure_purity,
    mine_edges,
    read_edges,
    write_edges,
)
from turntable.errors import IntegrityError, InvalidInputError
from turntable.geometry import units_to_quaternion
from turntable.testing.datasets import make_full_dataset, make_synthetic_dataset

RULE = RelationRule((50, 170), inter_deg=35)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_synthetic_dataset(tmp_path_factory.mktemp("set"), 12, 3, num_views=6, image_size=8)


@pytest.fixture(scope="module")
def edges(dataset: Dataset) -> EdgeList:
    return find_edges(dataset, "train", RULE)


def number(edges: EdgeList, num_views: int) -> np.ndarray:
    """Return both ends of each edge as numbers of views in the split."""
    return edges.objects * num_views + edges.views


def measure(dataset: Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the angles in degrees between all views of train by scipy, their objects and categories."""
    with dataset.open_split("train") as split:
        labels, categories = split.labels.astype(np.float64), split.category_indices
    num_objects, num_views = labels.shape[:2]
    rotations = Rotation.from_euler("xyz", labels[..., :3].reshape(-1, 3))
    angles = np.stack([np.degrees((turn.inv() * rotations).magnitude()) for turn in rotations])
    objects = np.repeat(np.arange(num_objects), num_views)
    return angles, objects, categories[objects]


def test_edges_are_all_that_the_labels_define(dataset: Dataset, edges: EdgeList) -> None:
    angles, objects, categories = measure(dataset)
    same, upper = objects[:, None] == objects, np.triu(np.ones_like(angles, dtype=bool), 1)
    expected = {
        "intra": same & upper & (angles >= 50) & (angles <= 170),
        "inter": ~same & upper & (categories[:, None] == categories) & (angles <= 35),
    }
    for kind, wanted in expected.items():
        found = edges.select_kinds([kind])
        ends = number(found, 6)
        assert ends.tolist() == np.argwhere(wanted).tolist()
        assert len(found) > 5
        assert np.allclose(np.degrees(found.angle_rad), angles[tuple(ends.T)], atol=1e-3)
        assert found.same_category.all()
        assert np.isnan(found.score).all()
    assert edges.kinds.tolist() == sorted(edges.kinds.tolist(), key=["intra", "inter"].index)


def test_transitive_edges_are_paths_of_scipys_graphs(dataset: Dataset, edges: EdgeList) -> None:
    """Pairs of different objects that intra?-inter-intra? paths join, without the inter edges themselves."""
    found = find_transitive_edges(dataset, edges)
    size = 6 * 9
    graphs = {}
    for kind in ("intra", "inter"):
        ends = number(edges.select_kinds([kind]), 6)
        half = csr_array((np.ones(len(ends), int), tuple(ends.T)), shape=(size, size))
        graphs[kind] = half + half.T
    step = graphs["intra"] + csr_array(np.eye(size, dtype=int))
    paths = (step @ graphs["inter"] @ step).toarray() > 0
    _, objects, _ = measure(dataset)
    expected = paths & ~(graphs["inter"].toarray() > 0) & (objects[:, None] != objects)
    assert number(found, 6).tolist() == np.argwhere(np.triu(expected)).tolist()
    assert len(found) > len(edges)
    assert set(found.kinds.tolist()) == {"transitive"}


def test_frames_and_bounds(tmp_path: Path) -> None:
    moving = make_full_dataset(tmp_path)
    frames = find_edges(moving, "train", RelationRule(consecutive=3), kinds=["intra"])
    assert np.unique(frames.views, axis=0).tolist() == [[0, 3], [4, 7]]
    bounds = {"floor_hue": 0.05, "light_hue": 0.2}
    close = find_edges(moving, "train", RelationRule(inter_deg=180, bounds=tuple(bounds.items())), ["inter"])
    with moving.open_split("train") as split:
        values = split.labels[close.objects, close.views].astype(np.float64)
        for name, limit in bounds.items():
            column = values[..., split.manifest.schema.get_column(name)]
            difference = np.abs(np.diff(column)) % 1
            assert np.minimum(difference, 1 - difference).max() <= limit
    assert len(close) > 5


@pytest.mark.parametrize("angle_deg", [0.0, 4.0, 20.0, 180.0])
def test_close_rotations_are_found_among_many(angle_deg: float) -> None:
    rng = np.random.default_rng(0)
    quaternions = units_to_quaternion(rng.random((600, 3))) * rng.choice([-1, 1], (600, 1))
    quaternions[:9] = quaternions[0] * [[1], [-1], [1], [1], [-1], [1], [1], [1], [-1]]
    rotations = Rotation.from_quat(quaternions)
    angles = np.stack([np.degrees((turn.inv() * rotations).magnitude()) for turn in rotations])
    limit = RelationRule(inter_deg=angle_deg).min_inter_cosine
    starts, neighbors = find_close_rotations(quaternions, limit)
    found = [neighbors[starts[i] : starts[i + 1]].tolist() for i in range(600)]
    assert found == [np.flatnonzero(row <= angle_deg + 2e-4).tolist() for row in angles]


def test_a_file_of_edges_is_read_again(dataset: Dataset, edges: EdgeList, tmp_path: Path) -> None:
    path = tmp_path / "edges.parquet"
    mined = mine_edges(dataset, "train", np.random.default_rng(0).normal(size=(9, 6, 4)))
    both = join_edges(edges, mined)
    write_edges(path, both, dataset)
    again = read_edges(path, dataset, "train")
    assert again.digest == both.digest
    for name in ("kinds", "objects", "views", "angle_rad", "same_category"):
        assert np.array_equal(getattr(again, name), getattr(both, name)), name
    assert np.array_equal(again.score, both.score, equal_nan=True)
    first = path.read_bytes()
    write_edges(path, again, dataset)
    assert path.read_bytes() == first
    table = pq.read_table(path)  # as any other program reads it
    assert table.column_names == list(EDGE_COLUMNS)
    with dataset.open_split("train") as split:
        row = table.slice(3, 1).to_pylist()[0]
        assert row["object_1"] == split.object_ids[edges.objects[3, 0]]
        assert row["view_2"] == edges.views[3, 1]
    assert table["score"].null_count == len(edges)


def test_files_of_others_and_damaged_ones_are_refused(
    dataset: Dataset, edges: EdgeList, tmp_path: Path
) -> None:
    path = tmp_path / "edges.parquet"
    write_edges(path, edges, dataset)
    other = make_synthetic_dataset(tmp_path / "other", 4, 2, num_views=2, image_size=8)
    with pytest.raises(InvalidInputError, match="belong to another data set"):
        read_edges(path, other)
    with pytest.raises(InvalidInputError, match="split train, not to val"):
        read_edges(path, dataset, "val")
    with pytest.raises(InvalidInputError, match="there is no such file"):
        read_edges(tmp_path / "none", dataset)
    with pytest.raises(InvalidInputError, match="give at least one edge, and its data set"):
        write_edges(path, edges[:0], dataset)
    table = pq.read_table(path)
    column = table.column_names.index
    edits = {
        "its digest does not match": table.slice(1),
        "it has no edges": table.slice(0, 0),
        "its columns are": table.drop_columns(["score"]),
        "train has no object 'nobody'": table.set_column(
            column("object_1"), "object_1", pa.array(["nobody"] * len(table))
        ),
        "a view that train does not have": table.set_column(
            column("view_1"), "view_1", pa.array([99] * len(table), pa.int32())
        ),
        "view_1 has nulls": table.set_column(
            column("view_1"), "view_1", pa.array([None] * len(table), pa.int32())
        ),
        "turntable_edges": table.replace_schema_metadata({}),
        "format is 9": table.replace_schema_metadata(
            {k: v.replace(b'"format": 1', b'"format": 9') for k, v in table.schema.metadata.items()}
        ),
    }
    for message, edited in edits.items():
        pq.write_table(edited, path)
        with pytest.raises(IntegrityError, match=message):
            read_edges(path, dataset)
    path.write_bytes(b"PAR1 nothing")
    with pytest.raises(IntegrityError, match="not a list of edges"):
        read_edges(path, dataset)


def test_mined_edges_are_nearest_neighbors(dataset: Dataset) -> None:
    features = np.random.default_rng(1).normal(size=(9, 6, 5)).astype(np.float32)
    flat = features.reshape(54, 5).astype(np.float64)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    cosines = flat @ flat.T
    objects = np.repeat(np.arange(9), 6)
    cosines[objects[:, None] == objects] = -2
    nearest = np.argsort(-cosines, axis=1)[:, :3]
    pairs = {(i, int(j)) for i in range(54) for j in nearest[i]}
    mutual = sorted((i, j) for i, j in pairs if i < j and (j, i) in pairs)
    mined = mine_edges(dataset, "train", features, num_neighbors=3)
    assert [tuple(ends) for ends in number(mined, 6).tolist()] == mutual
    assert np.allclose(mined.score, [cosines[pair] for pair in mutual], atol=1e-6)
    either = sorted({(min(pair), max(pair)) for pair in pairs})
    one_way = mine_edges(dataset, "train", features, num_neighbors=3, mutual=False)
    assert [tuple(ends) for ends in number(one_way, 6).tolist()] == either
    best = mine_edges(dataset, "train", features, num_neighbors=3, min_score=0.8)
    assert len(best) == sum(cosines[pair] >= 0.8 for pair in mutual) > 0


def test_purity_is_one_for_features_that_know_the_labels(dataset: Dataset, edges: EdgeList) -> None:
    angles, objects, categories = measure(dataset)
    with dataset.open_split("train") as split:
        labels = split.labels.astype(np.float64)
        turns = split.manifest.schema.compute_rotations(split.labels).reshape(9, 6, 9)
        hot = np.eye(3)[split.category_indices][:, None].repeat(6, 1)
    knowing = np.concatenate([turns / 3, 10 * hot], axis=2)
    mined = mine_edges(dataset, "train", knowing)
    purity = measure_purity(mined, dataset, RULE)
    ends = number(mined, 6)
    right = (angles[tuple(ends.T)] <= 35) & (categories[ends[:, 0]] == categories[ends[:, 1]])
    assert purity.purity == pytest.approx(right.mean())
    assert purity.same_category == 1
    different = objects[:, None] != objects
    chance = (categories[:, None] == categories)[different].mean()
    assert purity.chance_same_category == pytest.approx(chance)
    assert purity.median_angle_deg == pytest.approx(np.median(angles[tuple(ends.T)]), abs=1e-3)
    exact = measure_purity(edges.select_kinds(["inter"]), dataset, RULE)
    assert (exact.purity, exact.close_pose) == (1, 1)
    random = mine_edges(dataset, "train", np.random.default_rng(0).normal(size=labels.shape), num_neighbors=5)
    assert measure_purity(random, dataset, RULE).purity < 0.3


def test_stored_vectors_are_checked(dataset: Dataset) -> None:
    with dataset.open_split("train") as split:
        objects = digest_ids(split.object_ids)
    values = np.random.default_rng(0).normal(size=(9, 6, 3)).astype(np.float32)
    print_ = dataset.manifest.fingerprint
    stored = ViewVectors(values, "train", "representation", "vicreg", print_, objects)
    assert mine_edges(dataset, "train", stored).digest == mine_edges(dataset, "train", values).digest
    with pytest.raises(InvalidInputError, match="belong to train of the data set"):
        mine_edges(dataset, "val", stored)
    for wrong in (values[:, :5], values[0], np.full((9, 6, 3), np.nan)):
        with pytest.raises(InvalidInputError, match=r"give finite numbers \[9, 6, D\]"):
            mine_edges(dataset, "train", wrong)
    with pytest.raises(InvalidInputError, match="no edge has a score of 2 or more"):
        mine_edges(dataset, "train", values, min_score=2)
    with pytest.raises(InvalidInputError, match="num_neighbors 0"):
        mine_edges(dataset, "train", values, num_neighbors=0)


def test_wrong_rules_and_lists_are_refused(dataset: Dataset, edges: EdgeList) -> None:
    for wrong, message in (
        ({"intra_deg": (60, 30)}, "60 is above 30"),
        ({"intra_deg": 30}, "give the least and the greatest angle"),
        ({"intra_deg": (0, 200)}, "intra_deg 200: must be degrees"),
        ({"inter_deg": "close"}, "inter_deg 'close': must be degrees"),
        ({"consecutive": -1}, "consecutive -1"),
        ({"bounds": ("light_hue",)}, "give numbers by the names"),
        ({"bounds": {"light_hue": -1}}, "light_hue -1: must be from 0"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            RelationRule(**wrong)  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidInputError, match="kinds mined: a rule defines intra and inter"):
        find_edges(dataset, "train", kinds=["mined"])
    with pytest.raises(InvalidInputError, match="no edges of the kind mined; the list has inter, intra"):
        edges.select_kinds(["mined"])
    with pytest.raises(InvalidInputError, match="of one split of one data set"):
        join_edges(edges, find_edges(dataset, "val", RULE))

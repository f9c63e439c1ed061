"""Point clouds as PLY files, read back by trimesh; and the parts of points in shards."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from tests.support.assembly_sets import RECIPE, VIEWS, Stored, write_assemblies
from turntable.datasets import open_dataset, verify_dataset
from turntable.datasets.convert import export_form
from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, Loader, Views

WITH_POINTS = RECIPE.replace(points=30)


def add_cloud(number: int, stored: Stored) -> None:
    rng = np.random.default_rng(100 + number)
    halves = rng.normal(size=(2, 30, 3))
    halves[0] *= 0.2
    halves[1] /= np.linalg.norm(halves[1], axis=1, keepdims=True)
    stored.arrays["points"] = np.concatenate(list(halves), axis=1).astype(np.float32)
    if stored.record.parts:
        parts = rng.integers(0, len(stored.record.parts), 30)
        stored.arrays["point_parts"] = parts.astype(np.uint8)
        stored.record = replace(stored.record, array_sizes={"points": 30})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clouds") / "set"
    write_assemblies(path, change=add_cloud, recipe=WITH_POINTS)
    return path


def read_table(export: Path) -> list[dict[str, str]]:
    with (export / "train-views.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def read_cloud(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Places and normals [P, 6] and parts [P] as trimesh reads them."""
    loaded: Any = trimesh.load(path)
    columns = loaded.metadata["_ply_raw"]["vertex"]["data"]
    normals = np.stack([columns[name] for name in ("nx", "ny", "nz")], axis=-1)
    return np.concatenate([loaded.vertices, normals], axis=1), np.asarray(columns["part"])


def test_objects_are_written_at_rest_with_their_parts(folder: Path, tmp_path: Path) -> None:
    assert export_form(folder, tmp_path / "ply", "ply") == 6
    files, table = (tmp_path / "ply" / "train.txt").read_text().split(), read_table(tmp_path / "ply")
    assert [row["file"] for row in table] == [name for name in files for _ in range(VIEWS)]
    with open_dataset(folder).open_split("train") as split:
        for row, name in enumerate(files):
            cloud, parts = read_cloud(tmp_path / "ply" / name)
            stored = split.read_array(row, "point_parts")
            assert np.array_equal(cloud.astype(np.float32), split.read_points(row))
            assert np.array_equal(parts, np.zeros(30) if stored is None else stored)
            assert name.split("/")[1] == "train"
            assert table[row * VIEWS]["object"] == split.object_ids[row]


def test_views_are_written_as_loaders_pose_them(folder: Path, tmp_path: Path) -> None:
    export_form(folder, tmp_path / "views", "ply-views")
    table = read_table(tmp_path / "views")
    config = BatchConfig(
        sampler=Views(shuffled=False),
        batch_size=6 * VIEWS,
        fields=["points", "factors", "pose"],
        output="numpy",
    )
    batch = next(iter(Loader(folder, config)))
    names = open_dataset(folder).schema.names
    assert len(table) == 6 * VIEWS
    for at, row in enumerate(table):
        cloud, _ = read_cloud(tmp_path / "views" / row["file"])
        assert np.allclose(cloud, batch["points"][at], atol=1e-6)
        assert int(row["view"]) == batch["view_index"][at]
        assert np.array_equal(np.float32([row[name] for name in names]), batch["factors"][at])
        pose = [float(row[f"pose_{i}{j}"]) for i in range(4) for j in range(4)]
        assert np.allclose(np.reshape(pose, (4, 4)), batch["pose"][at], atol=1e-6)


def test_sets_without_clouds_are_refused(tmp_path: Path) -> None:
    write_assemblies(tmp_path / "set")
    with pytest.raises(InvalidInputError, match=r"no point clouds, .*render it with --points 2048"):
        export_form(tmp_path / "set", tmp_path / "out", "ply")


def test_clouds_that_do_not_know_their_parts_are_posed_for_no_view(tmp_path: Path) -> None:
    def forget(number: int, stored: Stored) -> None:
        add_cloud(number, stored)
        stored.arrays.pop("point_parts", None)
        stored.record = replace(stored.record, array_sizes={})

    write_assemblies(tmp_path / "old", change=forget, recipe=WITH_POINTS)
    with pytest.raises(InvalidInputError, match="rendered by an earlier version"):
        export_form(tmp_path / "old", tmp_path / "out", "ply-views")
    with pytest.raises(InvalidInputError, match=r"no points: .*read object_points, at rest"):
        Loader(tmp_path / "old", BatchConfig(sampler=Views(), batch_size=2, fields=["points"]))
    assert export_form(tmp_path / "old", tmp_path / "out", "ply") == 6


def test_a_point_of_a_part_that_is_not_there_is_found(tmp_path: Path) -> None:
    def spoil(number: int, stored: Stored) -> None:
        add_cloud(number, stored)
        if number == 0:
            stored.arrays["point_parts"][3] = 7

    write_assemblies(tmp_path / "bad", change=spoil, recipe=WITH_POINTS)
    problems = verify_dataset(tmp_path / "bad", deep=True).problems
    assert any("a point is of part 7, and it has 2 parts, counted from 0" in text for text in problems)

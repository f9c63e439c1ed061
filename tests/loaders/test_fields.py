"""Fields by name, and the providers that give them."""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from turntable.datasets import Dataset, list_shipped_recipes, load_recipe, open_dataset
from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, Loader, Pairs, Singles, Tuples, Views
from turntable.loaders.fields import (
    PROVIDERS,
    ComputedField,
    DataDescription,
    FieldProvider,
    batch_to_field_names,
    explain_missing_fields,
    resolve_fields,
)
from turntable.testing.datasets import make_synthetic_dataset

CLOUDS = Path(__file__).parents[1] / "fixtures" / "sets" / "points"
ALL = DataDescription(load_recipe("3diebench-t").schema, ("mask", "depth", "normals", "coordinates"), 64, 2)
PLAIN = DataDescription(load_recipe("3diebench").schema, ("mask",), num_views=50)
ONLINE = DataDescription.from_recipe(load_recipe("zoo"))


@pytest.mark.parametrize("name", list_shipped_recipes())
def test_no_two_providers_give_a_field_of_one_name(name: str) -> None:
    source = DataDescription(load_recipe(name).schema, ALL.outputs, 64, 50)
    names = [item.name for provider in PROVIDERS for item in provider.iter_fields(source, "product")]
    assert len(names) == len(set(names))
    everywhere = [*names, *(name for provider in PROVIDERS for name in provider.list_missing(source))]
    assert len(everywhere) == len(set(everywhere))
    fields = pickle.loads(pickle.dumps(resolve_fields(names, source, 2)))
    assert {item.name for item in fields} == set(names)


def test_names_are_found_once_and_those_that_all_batches_have_change_nothing() -> None:
    names = ["depth", "view", "rotation", "points", "category", "depth", "object_index", "view_index"]
    fields = resolve_fields(names, ALL, 2)
    assert [item.name for item in fields.stored] == ["depth"]
    assert [item.name for item in fields.computed] == ["rotation", "points"]
    assert [item.per for item in fields] == ["view"] * 3
    assert next(iter(resolve_fields(["object_points"], ALL, 1))).per == "object"
    assert list(resolve_fields(["view"], PLAIN, 1)) == []
    default = {item.name for item in resolve_fields(None, PLAIN, 2)}
    assert default == {"relative_quaternion", "relative_rotation", "rotation", "factors"}
    assert {item.name for item in resolve_fields(None, PLAIN, 1)} == {"rotation", "factors"}


@pytest.mark.parametrize(
    ("source", "name", "told"),
    [
        (PLAIN, "dept", "no field 'dept'; did you mean depth"),
        (PLAIN, "point", "did you mean points.* There are rotation, .*; outputs mask$"),
        (ALL, "object_cloud", "did you mean object_points"),
        (
            ALL,
            "rotatoin",
            "did you mean rotation.* where FACTOR is one of .*; points, object_points; knn_edges$",
        ),
        (PLAIN, "depth", "has rgb, mask .*render it with --outputs rgb,mask,depth"),
        (PLAIN, "points", "this data set has no point clouds; render it with --points 2048"),
        (PLAIN, "translation", "'3diebench-t' is a recipe that does"),
        (ONLINE, "points", "rendered during training have no point clouds; render a data set with --points"),
        (ALL, "relative_pose", "relative_pose: they need two views, and a sample has one; use pairs"),
    ],
)
def test_what_cannot_be_had_is_explained(source: DataDescription, name: str, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        resolve_fields([name], source, 1)
    assert len(explain_missing_fields([name, "view", "rotation"], source, 1)) == 1


def test_all_that_is_missing_is_said_at_once() -> None:
    names = ["depth", "normals", "points", "rotation", "translation", "nothing_at_all"]
    label, outputs, clouds, unknown = explain_missing_fields(names, PLAIN, 2)
    assert "no label 'translation'" in label
    assert outputs.endswith("--outputs rgb,mask,depth,normals")
    assert "point clouds" in clouds
    assert "no field 'nothing_at_all'" in unknown
    with pytest.raises(InvalidInputError) as caught:
        resolve_fields(names, PLAIN, 2)
    assert str(caught.value) == "; ".join((label, outputs, clouds, unknown))
    assert explain_missing_fields(["depth", "points", "relative_pose"], ALL, 2) == ()


def test_what_a_method_reads_becomes_names_of_fields() -> None:
    reads = (
        "view_1",
        "view_2",
        "depth_1",
        "depth_2",
        "points_1",
        "object_points",
        "relative_pose",
        "category",
    )
    assert batch_to_field_names(reads, 2) == ("depth", "points", "object_points", "relative_pose")
    assert batch_to_field_names(("view", "floor_hue", "points"), 1) == ("floor_hue", "points")
    assert batch_to_field_names(("views", "relative_pose", "view_index"), 4) == ("relative_pose",)
    assert batch_to_field_names(("floor_hue_1",), 4) == ("floor_hue_1",)


def pose_points(dataset: Dataset, split: str, row: int, view: int) -> np.ndarray:
    """Pose a cloud [P, 6] as a view shows it, point by point."""
    with dataset.open_split(split) as opened:
        cloud, factors = opened.read_points(row), opened.labels[row, view]
    turn = Rotation.from_euler("xyz", factors[:3].astype(np.float64))
    names = [factor.name for factor in dataset.manifest.factors]
    shift = [factors[names.index(f"translation_{x}")] if f"translation_{x}" in names else 0.0 for x in "xyz"]
    return np.array([[*turn.apply(point[:3] + shift), *turn.apply(point[3:])] for point in cloud])


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("sampler", [Views(), Singles(2), Pairs(), Tuples(2)], ids=repr)
def test_points_are_posed_as_each_view_shows_them(sampler: Any, workers: int) -> None:
    dataset = open_dataset(CLOUDS)
    config = BatchConfig(
        sampler=sampler,
        batch_size=2,
        fields=["points", "object_points"],
        last_batch="short",
        num_workers=workers,
        output="numpy",
    )
    seen = 0
    loader = Loader(CLOUDS, config)
    for batch in loader:
        for at, row in enumerate(batch["object_index"].tolist()):
            with dataset.open_split("train") as split:
                assert (batch["object_points"][at] == split.read_points(row)).all()
            for view, points in iter_views_and_points(batch, sampler.naming, at):
                assert points.dtype == np.float32
                assert np.allclose(points, pose_points(dataset, "train", row, view), atol=1e-6)
                seen += 1
    assert seen == loader.num_samples * sampler.views
    loader.close()


def iter_views_and_points(batch: dict[str, Any], naming: str, at: int) -> Iterator[tuple[int, np.ndarray]]:
    if naming == "pair":
        yield from ((int(batch[f"view_index_{n}"][at]), batch[f"points_{n}"][at]) for n in (1, 2))
    elif naming == "single":
        yield int(batch["view_index"][at]), batch["points"][at]
    else:
        assert batch["points"].shape[1:] == (2, 64, 6)
        yield from zip(batch["view_index"][at].tolist(), batch["points"][at], strict=True)


class AgeProvider(FieldProvider):
    """A provider of one more kind of field: a number for each object and one for each view."""

    def iter_fields(self, data, sign):
        yield ComputedField(
            "age", "object", (2,), "int64", lambda sampled: np.full((len(sampled.labels.factors), 2), 7)
        )
        yield ComputedField(
            "hue_twice", "view", (), "float32", lambda sampled: 2 * sampled.labels.get_factor("floor_hue")
        )

    def list_missing(self, data):
        return ()

    def explain_missing(self, names, data):
        return ""

    def format_available(self, data):
        return "age, hue_twice"


def test_a_provider_more_is_one_line_in_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_synthetic_dataset(tmp_path, num_objects=8, image_size=16)
    monkeypatch.setattr("turntable.loaders.fields.providers.PROVIDERS", (*PROVIDERS, AgeProvider()))
    config = BatchConfig(batch_size=3, fields=["age", "floor_hue", "hue_twice"], output="numpy")
    batch = next(iter(Loader(tmp_path, config)))
    assert (batch["age"] == 7).all()
    assert batch["age"].shape == (3, 2)
    assert np.array_equal(batch["hue_twice_2"], 2 * batch["floor_hue_2"])
    with pytest.raises(InvalidInputError, match=r"did you mean hue_twice.*; age, hue_twice$"):
        Loader(tmp_path, BatchConfig(batch_size=3, fields=["hue_twize"]))

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from turntable.datasets import (
    Dataset,
    describe_view_records,
    flatten_view_record,
    iter_view_records,
    open_dataset,
    read_view_record,
)
from turntable.datasets.labels import FACTOR_DEFAULTS
from turntable.errors import InvalidInputError
from turntable.testing.datasets import make_full_dataset

SETS = Path(__file__).parents[1] / "fixtures" / "sets"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_full_dataset(tmp_path_factory.mktemp("set"))


def test_a_record_has_all_that_is_known_of_a_view(dataset: Dataset) -> None:
    with dataset.open_split("val") as split:
        record = read_view_record(split, 1, 5)
        labels = dict(zip(dataset.schema.names, split.labels[1, 5].tolist(), strict=True))
        stored = split.objects[1]
    assert record["category"] == stored.category
    assert record["object"]["id"] == stored.id
    assert record["object"]["split"] == "val"
    assert record["object"]["symmetry"]["group"] is None
    assert record["view"] == 5
    assert record["rotation"] == {axis: labels[f"rotation_{axis}_rad"] for axis in "xyz"}
    assert record["translation"] == {axis: labels[f"translation_{axis}"] for axis in "xyz"}
    assert record["floor"] == {"hue": labels["floor_hue"]}
    assert record["light"]["theta"] == labels["light_theta_rad"]
    assert record["camera"]["distance"] == labels["camera_distance"]
    assert record["camera"]["elevation"] == FACTOR_DEFAULTS["camera_elevation_rad"]
    assert record["twist"]["omega"]["y"] == labels["twist_omega_y_rad"]
    assert record["twist"]["v"]["z"] == labels["twist_v_z"]
    assert (record["recipe"], record["seed"]) == ("zoo-benchmark", 0)
    assert json.loads(json.dumps(record)) == record


def test_every_value_is_described_with_unit_and_period(dataset: Dataset) -> None:
    fields = {field.path: field for field in describe_view_records(dataset.schema)}
    with dataset.open_split("train") as split:
        flat = flatten_view_record(read_view_record(split, 0, 0))
        values = np.array([[*split.labels[0, 0]]])
    assert list(fields) == [*dict.fromkeys(fields)]
    assert set(flat) == set(fields)
    assert (fields["light.phi"].unit, fields["light.phi"].period) == ("rad", 2 * np.pi)
    assert (fields["floor.hue"].unit, fields["floor.hue"].period) == ("turn", 1)
    assert (fields["light.power"].unit, fields["light.power"].period) == ("W", None)
    assert all(field.description for field in fields.values())
    for path, value in flat.items():
        assert value is None or isinstance(value, str) == (fields[path].unit == ""), path
    # Every label column is in the record, each once and unchanged.
    numbers = [value for value in flat.values() if isinstance(value, float)]
    assert set(values.ravel().tolist()) <= set(numbers)


@pytest.mark.parametrize(
    "path", sorted(path.parent for path in SETS.glob("*/train")), ids=lambda path: path.name
)
def test_sets_of_every_version_have_records(path: Path) -> None:
    dataset = open_dataset(path)
    known = {field.path for field in describe_view_records(dataset.schema)}
    for name in dataset.splits:
        with dataset.open_split(name) as split:
            rows = [flatten_view_record(record) for record in iter_view_records(split)]
            assert len(rows) == split.num_objects * split.num_views
            assert all(set(row) == known for row in rows)
            table = pa.Table.from_pylist(rows)
            assert table["object.id"].to_pylist()[:: split.num_views] == list(split.object_ids)
            hues = split.labels[..., dataset.schema.get_column("floor_hue")].ravel()
            assert table["floor.hue"].to_pylist() == hues.tolist()


def test_views_that_are_not_there_are_refused(dataset: Dataset) -> None:
    with dataset.open_split("val") as split:
        with pytest.raises(InvalidInputError, match="no view 8 in val: objects have 8 views"):
            read_view_record(split, 0, 8)
        with pytest.raises(InvalidInputError, match="no view 0 of object 99"):
            read_view_record(split, 99, 0)

"""Scans as fields: padded, chosen and cut out, of every view of a sample, and missed by name."""

from itertools import pairwise

import numpy as np
import pytest

from tests.support.scans import OBJECTS, STREET, make_set
from turntable.datasets import Selection, load_recipe, open_dataset
from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, CloudOptions, Loader, Sequences, Views
from turntable.loaders.fields import DataDescription, explain_missing_fields
from turntable.testing.datasets import make_synthetic_dataset

RETURNS = (
    "scan",
    "scan_flow",
    "scan_flow_valid",
    "scan_instance",
    "scan_cloud",
    "scan_count",
    "scan_cloud_count",
)
FIELDS = (*RETURNS, "boxes", "box_count", "box_category", "ego_pose")


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    return make_set(tmp_path_factory.mktemp("fields") / "street", STREET, 5)


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    return make_set(tmp_path_factory.mktemp("fields") / "objects", OBJECTS.replace(val_fraction=0.0), 6)


def load(folder, sampler, fields=FIELDS, **changes):
    loader = Loader(
        folder,
        BatchConfig(
            sampler=sampler, batch_size=5, fields=fields, last_batch="short", output="numpy", **changes
        ),
    )
    batches = list(loader)
    loader.close()
    return batches


def iter_samples(batches):
    for batch in batches:
        for row in range(len(batch["object_index"])):
            yield {name: values[row] for name, values in batch.items()}


def test_fields_are_the_stored_scans_padded(street):
    with open_dataset(street).open_split("train") as split:
        sizes, categories = split.manifest.array_sizes, split.manifest.part_categories
        count = 0
        for sample in iter_samples(load(street, Sequences(2))):
            row = int(sample["object_index"])
            parts = split.read_parts(row)
            boxes = split.read_array(row, "boxes")
            for place, view in enumerate(sample["view_index"]):
                stored = split.read_output(row, int(view), "scan")
                n = int(sample["scan_count"][place])
                assert n == len(stored)
                assert sample["scan"].shape == (2, sizes["returns"], 4)
                assert np.array_equal(sample["scan"][place, :n], stored[:, :4])
                assert np.array_equal(sample["scan_flow"][place, :n], stored[:, 5:])
                assert np.array_equal(sample["scan_instance"][place, :n], stored[:, 4])
                assert sample["scan_flow_valid"][place, :n].all() == (view % 2 == 0)
                assert not sample["scan_flow_valid"][place, n:].any()
                assert not sample["scan"][place, n:].any()
                assert (sample["scan_instance"][place, n:] == -3).all()
                assert np.array_equal(sample["ego_pose"][place], split.read_array(row, "ego_pose")[view])
                k = int(sample["box_count"])
                assert k == boxes.shape[1]
                assert np.array_equal(sample["boxes"][place, :k], boxes[view])
                assert not sample["boxes"][place, k:].any()
                count += 1
            names = [categories[index] for index in sample["box_category"][:k]]
            assert names == [part.category for part in parts[:k]]
            assert (sample["box_category"][k:] == -1).all()
        assert count == 20


def test_a_fixed_number_of_returns_is_a_fair_and_seeded_choice(street):
    few, again, other = (
        list(
            iter_samples(load(street, Views(shuffled=False), clouds=CloudOptions(num_returns=300, seed=seed)))
        )
        for seed in (0, 0, 1)
    )
    whole = list(iter_samples(load(street, Views(shuffled=False))))
    shares = []
    for one, same, changed, all_of_it in zip(few, again, other, whole, strict=True):
        assert one["scan"].shape == (300, 4)
        assert one["scan_count"] == min(300, all_of_it["scan_count"])
        assert np.array_equal(one["scan"], same["scan"])
        assert not np.array_equal(one["scan"], changed["scan"])
        rows = {tuple(row) for row in all_of_it["scan"][: all_of_it["scan_count"]]}
        assert {tuple(row) for row in one["scan"]} <= rows
        assert len({tuple(row) for row in one["scan"]}) == 300
        shares.append(
            ((one["scan_instance"] == -1).mean(), (all_of_it["scan_instance"] == -1).sum() / len(rows))
        )
    chosen, true = np.array(shares).mean(axis=0)
    assert chosen == pytest.approx(true, abs=0.03)
    wide = next(iter_samples(load(street, Views(shuffled=False), clouds=CloudOptions(num_returns=5000))))
    assert wide["scan"].shape == (5000, 4)
    assert np.array_equal(wide["scan"][: wide["scan_count"]], whole[0]["scan"][: whole[0]["scan_count"]])


def test_clouds_are_the_returns_of_objects(street, objects):
    for sample in iter_samples(load(street, Views(), clouds=CloudOptions(num_points=64, instance=1))):
        n = int(sample["scan_count"])
        own = sample["scan"][:n][sample["scan_instance"][:n] == 1]
        assert sample["scan_cloud_count"] == min(len(own), 64)
        if len(own):
            assert {tuple(row) for row in sample["scan_cloud"]} <= {tuple(row) for row in own}
            assert len({tuple(row) for row in sample["scan_cloud"]}) == min(len(own), 64)
        else:
            assert not sample["scan_cloud"].any()
    for sample in iter_samples(load(objects, Views())):
        n = int(sample["scan_count"])
        own = sample["scan"][:n][sample["scan_instance"][:n] >= 0]
        assert sample["scan_cloud"].shape == (1024, 4)
        assert {tuple(row) for row in sample["scan_cloud"]} == {tuple(row) for row in own}
        assert sample["box_count"] == 1
        assert sample["box_category"].tolist() == [sample["category"]]
        assert not sample["scan_flow_valid"].any()


def test_workers_give_the_same_scans(street):
    ways = [load(street, Sequences(2), ("scan", "scan_flow", "boxes"), num_workers=n, seed=3) for n in (0, 2)]
    for one, two in zip(*ways, strict=True):
        assert all(np.array_equal(one[name], two[name]) for name in one)


def test_shots_of_a_street_are_nested_shares_of_its_scenes(street):
    """All streets are of one category, so that shots count scenes."""
    with open_dataset(street).open_split("train") as split:
        taken = [set(Selection(shots=n, seed=4).list_objects(split).tolist()) for n in range(1, 6)]
        assert [len(rows) for rows in taken] == [1, 2, 3, 4, 5]
        assert all(few < more for few, more in pairwise(taken))


def test_missing_scans_are_named_with_the_recipes_that_have_them(tmp_path):
    dataset = make_synthetic_dataset(tmp_path / "set", num_objects=2, num_views=2)
    data = DataDescription.from_manifest(dataset.manifest)
    (message,) = explain_missing_fields(["scan", "boxes"], data, 1)
    assert message.startswith("no scan and no boxes: this data set has no scans")
    assert "'street' or 'scan-objects'" in message
    with pytest.raises(InvalidInputError, match="no ego_pose: this data set has no scans"):
        Loader(tmp_path / "set", BatchConfig(fields=["ego_pose"]))
    online = DataDescription.from_recipe(load_recipe("street"))
    (message,) = explain_missing_fields(["scan"], online, 1)
    assert "views that are rendered during training have no scans" in message


@pytest.mark.parametrize("changes", [{"num_returns": 0}, {"instance": -1}, {"num_returns": "all"}])
def test_wrong_options_are_refused(changes):
    with pytest.raises(InvalidInputError, match=next(iter(changes))):
        CloudOptions(**changes)

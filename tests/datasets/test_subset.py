import base64
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turntable.datasets import Manifest, MatchingViews, open_dataset
from turntable.datasets.query import make_subset_manifest, select_matching_views
from turntable.datasets.subset import make_subset
from turntable.errors import IntegrityError, InvalidInputError
from turntable.testing.datasets import make_synthetic_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("subset") / "set"
    return make_synthetic_dataset(folder, num_objects=30, num_categories=4, num_views=5, image_size=8)


@given(st.data())
def test_a_choice_survives_its_packing(data):
    objects, views = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 9))
    numbers = np.array(sorted(data.draw(st.sets(st.integers(0, objects * views - 1)))), dtype=np.int64)
    rows, places = np.divmod(numbers, views)
    subset = make_subset("true", "0", {"train": MatchingViews(rows, places)}, {"train": objects}, views)
    again = subset.decode_views("train", objects, views)
    assert np.array_equal(again.rows, rows)
    assert np.array_equal(again.views, places)
    assert (subset.objects, subset.images) == (len(set(rows.tolist())), len(numbers))
    assert not len(subset.decode_views("val", objects, views))


@pytest.mark.slow
def test_the_manifest_holds_what_the_condition_chooses(dataset):
    where = "floor_hue < 0.4"
    manifest = Manifest.from_json(make_subset_manifest(dataset, where).to_json())
    for split in ("train", "val"):
        expected = select_matching_views(dataset, split, where)
        objects = sum(shard.objects for shard in manifest.select_shards(split))
        found = manifest.subset.decode_views(split, objects, manifest.views)
        assert np.array_equal(found.rows, expected.rows)
        assert np.array_equal(found.views, expected.views)
    assert manifest.subset.where == where
    assert manifest.subset.of == dataset.manifest.fingerprint != manifest.fingerprint
    assert manifest.fingerprint != make_subset_manifest(dataset, "floor_hue < 0.5").fingerprint
    assert "subset" not in dataset.manifest.to_json()


@pytest.mark.slow
def test_a_split_without_any_is_left_out_and_none_at_all_is_refused(dataset):
    with dataset.open_split("val") as val:
        key = val.keys[0]
    assert make_subset_manifest(dataset, f"key = '{key}'").splits == ("val",)
    assert make_subset_manifest(dataset, "view = 1", ["train"]).splits == ("train",)
    with pytest.raises(InvalidInputError, match="no view of train matches it; the values are key 'class"):
        make_subset_manifest(dataset, f"key = '{key}'", ["train"])
    with pytest.raises(InvalidInputError, match="no view of train or val matches it"):
        make_subset_manifest(dataset, "floor_hue > 2")
    with pytest.raises(InvalidInputError, match="no split 'test'"):
        make_subset_manifest(dataset, "view = 1", ["test"])


@pytest.mark.parametrize(
    "packed",
    [
        "no base64!",
        base64.b64encode(b"no stream").decode(),
        base64.b64encode(zlib.compress(bytes(3))).decode(),
        base64.b64encode(zlib.compress(bytes(10**6))).decode(),
        base64.b64encode(zlib.compress(b"\xff\xff")).decode(),
    ],
)
def test_a_choice_that_is_none_is_refused(packed):
    subset = make_subset("true", "0", {}, {}, 3)
    with pytest.raises(IntegrityError, match="make the subset again"):
        replace(subset, views={"train": packed}).decode_views("train", 5, 3)


def test_the_folder_is_whole(dataset):
    assert open_dataset(dataset.path).manifest.subset is None

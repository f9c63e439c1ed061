from pathlib import Path

import numpy as np
import pytest

from turntable.datasets import Dataset
from turntable.errors import InvalidInputError
from turntable.loaders import (
    BatchConfig,
    Fixed,
    Loader,
    draw_anchors,
    match_anchors,
    pick_spread_anchors,
    read_pairs,
    write_pairs,
)
from turntable.testing.datasets import make_synthetic_dataset


def test_anchors_are_a_file_and_come_in_order(dataset: Dataset, tmp_path: Path) -> None:
    with dataset.open_split("train") as split:
        anchors = draw_anchors(split, 10)
    write_pairs(tmp_path / "anchors.json", anchors, dataset, "train")
    stored = read_pairs(tmp_path / "anchors.json", dataset)
    assert stored.digest == anchors.digest
    batch = next(iter(Loader(dataset.path, BatchConfig(sampler=Fixed(stored), batch_size=10))))
    assert batch["view"].shape[0] == 10
    assert batch["object_index"].tolist() == anchors.objects.tolist()
    assert batch["view_index"].tolist() == anchors.views[:, 0].tolist()


def test_each_way_of_drawing_shares_views_out(dataset: Dataset) -> None:
    with dataset.open_split("train") as split:
        num_objects, num_views, categories = split.num_objects, split.num_views, split.category_indices
        for by in ("uniform", "category", "object"):
            most = draw_anchors(split, num_objects * num_views, by)
            pairs = np.stack([most.objects, most.views[:, 0]], axis=1)
            assert len(np.unique(pairs, axis=0)) == num_objects * num_views  # every view once
            few = draw_anchors(split, 7, by)
            assert few.objects.tolist() == most.objects[:7].tolist()
            assert draw_anchors(split, 7, by, seed=1).digest != few.digest
        balanced = draw_anchors(split, 14, "category")
        assert np.ptp(np.bincount(categories[balanced.objects])) <= 1
        # Within a category the objects come in turn too.
        for category in range(4):
            own = balanced.objects[categories[balanced.objects] == category]
            assert np.ptp(np.bincount(own)[np.flatnonzero(categories == category)]) <= 1
        by_object = draw_anchors(split, num_objects, "object")
        assert sorted(by_object.objects.tolist()) == list(range(num_objects))
        counts = np.zeros(num_objects * num_views)
        for seed in range(400):
            drawn = draw_anchors(split, 5, "uniform", seed)
            counts[drawn.objects * num_views + drawn.views[:, 0]] += 1
        mean = 400 * 5 / len(counts)
        assert np.abs(counts - mean).max() < 5 * np.sqrt(mean)


def test_spread_anchors_are_each_farthest_from_those_before(dataset: Dataset) -> None:
    with dataset.open_split("train") as split:
        shape = (split.num_objects, split.num_views)
        features = np.random.default_rng(0).normal(size=(*shape, 3))
        anchors = pick_spread_anchors(split, features, 12)
        assert pick_spread_anchors(split, features, 5).digest == anchors[:5].digest
        picked = features[anchors.objects, anchors.views[:, 0]]
        flat = features.reshape(-1, 3)
        for count in range(1, 12):
            nearest = np.linalg.norm(flat[:, None] - picked[None, :count], axis=2).min(axis=1)
            assert np.linalg.norm(picked[count] - picked[:count], axis=1).min() == pytest.approx(
                nearest.max()
            )
        with pytest.raises(InvalidInputError, match="only 2 distinct vectors"):
            pick_spread_anchors(split, np.arange(shape[0])[:, None, None].repeat(shape[1], 1) % 2, 3)
        with pytest.raises(InvalidInputError, match="one vector for each view"):
            pick_spread_anchors(split, features[1:], 3)
        with pytest.raises(InvalidInputError, match="NaN"):
            pick_spread_anchors(split, features * np.nan, 3)
        with pytest.raises(InvalidInputError, match="1000 anchors: train has only"):
            draw_anchors(split, 1000)
        with pytest.raises(InvalidInputError, match="by 'pose'"):
            draw_anchors(split, 3, "pose")  # pyright: ignore[reportArgumentType]


def test_matched_anchors_show_the_same_views(dataset: Dataset, tmp_path: Path) -> None:
    # The same labels of the same objects and more, at another size: rows differ, views do not.
    other = make_synthetic_dataset(tmp_path / "other", 17, 4, num_views=6, image_size=8, val_fraction=0.06)
    with dataset.open_split("train") as split, other.open_split("train") as other_split:
        anchors = draw_anchors(split, 20)
        matched = match_anchors(anchors, dataset, "train", other)
        assert (matched.objects != anchors.objects).any()
        for row, other_row in zip(anchors.objects, matched.objects, strict=True):
            assert split.object_ids[row] == other_split.object_ids[other_row]
        assert np.array_equal(
            split.labels[anchors.objects, anchors.views[:, 0]],
            other_split.labels[matched.objects, matched.views[:, 0]],
        )
    seeded = make_synthetic_dataset(tmp_path / "seeded", 17, 4, num_views=6, image_size=8, seed=1)
    with pytest.raises(InvalidInputError, match=r"differ from those of .* in rotation_x_rad, .*same recipe"):
        match_anchors(anchors, dataset, "train", seeded)
    small = make_synthetic_dataset(tmp_path / "small", 9, 4, num_views=6, image_size=8)
    with pytest.raises(InvalidInputError, match="objects of the anchors"):
        match_anchors(anchors, dataset, "train", small)

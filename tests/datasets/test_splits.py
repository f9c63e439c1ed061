import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turntable.datasets.objects import count_unmatched, read_split, split_objects
from turntable.datasets.objects.splits import UnmatchedCounts
from turntable.errors import InvalidInputError

HELD_OUT = {"c0/1", "c0/8", "c0/9", "c1/1", "c1/5", "c2/1"}

sizes = st.lists(st.integers(1, 12), min_size=1, max_size=5)


def objects_of(category_sizes: list[int]) -> dict[str, str]:
    return {f"c{c}/{n}": f"c{c}" for c, size in enumerate(category_sizes) for n in range(size)}


@given(sizes, st.floats(0.01, 0.99), st.integers(0, 3))
def test_every_category_of_two_has_one_in_each_split(
    category_sizes: list[int], share: float, seed: int
) -> None:
    categories = objects_of(category_sizes)
    splits = split_objects(categories, share, seed)
    assert list(splits) == list(categories)
    for number, size in enumerate(category_sizes):
        counts = Counter(split for name, split in splits.items() if categories[name] == f"c{number}")
        if size == 1:
            assert counts == {"train": 1}
        else:
            assert set(counts) == {"train", "val"}
            assert abs(counts["val"] - share * size) <= 1


def test_split_depends_on_ids_not_order() -> None:
    categories = objects_of([9, 30, 2])
    shuffled = list(categories.items())
    random.Random(3).shuffle(shuffled)
    assert split_objects(dict(shuffled), 0.2, 7) == split_objects(categories, 0.2, 7)
    assert split_objects(categories, 0.2, 7) != split_objects(categories, 0.2, 8)


def test_no_fraction_holds_nothing_out() -> None:
    assert set(split_objects(objects_of([5]), 0.0, 0).values()) == {"train"}


def test_the_split_is_the_one_it_always_was() -> None:
    """Data sets that were made before twins were known keep theirs."""
    held_out = {
        name for name, split in split_objects(objects_of([12, 7, 2]), 0.25, 3).items() if split == "val"
    }
    assert held_out == HELD_OUT


@given(sizes, st.floats(0.05, 0.95), st.integers(0, 3), st.randoms(use_true_random=False))
def test_twins_stay_together(
    category_sizes: list[int], share: float, seed: int, chance: random.Random
) -> None:
    categories = objects_of(category_sizes)
    names = list(categories)
    chance.shuffle(names)
    twins = [names[start : start + 3] for start in range(0, len(names) // 2, 3)]
    splits = split_objects(categories, share, seed, twins)
    assert set(splits) == set(categories)
    for group in twins:
        assert len({splits[name] for name in group}) == 1
    chance.shuffle(names)
    again = split_objects(
        {name: categories[name] for name in names}, share, seed, [group[::-1] for group in twins]
    )
    assert again == splits


def test_with_many_twins_categories_keep_their_share() -> None:
    """Every object of one category is one of another too, as ShapeNet's cellphones are telephones."""
    categories = objects_of([800, 1000])
    twins = [(f"c0/{n}", f"c1/{n}") for n in range(800)] + [("c9/elsewhere", "c1/900")]
    splits = split_objects(categories, 0.2, 0, twins)
    counts = Counter(categories[name] for name, split in splits.items() if split == "val")
    assert counts == {"c0": 160, "c1": 200}


def test_twins_that_do_not_fit_train() -> None:
    splits = split_objects(objects_of([4]), 0.25, 0, [("c0/0", "c0/1", "c0/2")])
    assert Counter(splits.values()) == {"train": 3, "val": 1}
    assert splits["c0/3"] == "val"


class TestThePublishedSplit:
    def test_both_lists(self, tmp_path) -> None:
        np.save(tmp_path / "val_images.npy", np.array(["/02691156/a", "/02691156/u-b"]))
        np.save(tmp_path / "train_images.npy", np.array([["02958343", "c"]]))
        split = read_split([tmp_path / "val_images.npy", tmp_path / "train_images.npy"])
        assert split == {"02691156/a": "val", "02691156/u-b": "val", "02958343/c": "train"}

    def test_with_one_list_the_rest_is_the_other(self, tmp_path) -> None:
        np.save(tmp_path / "val_images.npy", np.array(["/1/a"]))
        path = tmp_path / "val_images.npy"
        assert read_split([path]) == {"1/a": "val"}
        split = read_split([path], object_ids=["1/b", "1/a"])
        assert split == {"1/a": "val", "1/b": "train"}
        assert count_unmatched(split, ["1/b", "1/c"]) == UnmatchedCounts(num_absent=1, num_unlisted=1)

    def test_an_object_in_both_lists(self, tmp_path) -> None:
        for name in ("val", "train"):
            np.save(tmp_path / f"{name}_images.npy", np.array(["/1/a"]))
        with pytest.raises(InvalidInputError, match="1/a is in both lists"):
            read_split([tmp_path / "val_images.npy", tmp_path / "train_images.npy"])

    @pytest.mark.parametrize(
        ("rows", "words"),
        [
            (np.array([{"a": 1}], dtype=object), "Python objects are not read"),
            (np.arange(3), "array of texts"),
            (np.array(["no-slash"]), "'no-slash' is not of the form synset/model"),
            (np.array([[["1", "a"]]]), "array of texts"),
        ],
    )
    def test_lists_of_something_else(self, tmp_path, rows, words) -> None:
        np.save(tmp_path / "val.npy", rows, allow_pickle=True)
        with pytest.raises(InvalidInputError, match=words):
            read_split([tmp_path / "val.npy"])

    def test_files_that_are_no_lists(self, tmp_path) -> None:
        with pytest.raises(InvalidInputError, match=r"val\.npy does not exist"):
            read_split([tmp_path / "val.npy"])
        (tmp_path / "val.npy").write_bytes(b"\x93NUMPY")
        with pytest.raises(InvalidInputError, match=r"is not an \.npy file"):
            read_split([tmp_path / "val.npy"])
        np.save(tmp_path / "list.npy", np.array(["/1/a"]))
        with pytest.raises(InvalidInputError, match="is it train or val"):
            read_split([tmp_path / "list.npy"])
        np.save(tmp_path / "val.npy", np.array(["/1/a"]))
        with pytest.raises(InvalidInputError, match="two lists of val"):
            read_split([tmp_path / "val.npy", tmp_path / "val.npy"])

import math
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turntable.datasets.objects import (
    SPLIT_RULE_TEXTS,
    SplitRule,
    count_unmatched,
    find_untrained_categories,
    read_split,
    split_objects,
)
from turntable.datasets.objects.split_lists import UnmatchedCounts
from turntable.errors import InvalidInputError

HELD_OUT = {"c0/1", "c0/8", "c0/9", "c1/1", "c1/5", "c2/1"}

sizes = st.lists(st.integers(1, 12), min_size=1, max_size=5)


def objects_of(category_sizes: list[int]) -> dict[str, str]:
    return {f"c{c}/{n}": f"c{c}" for c, size in enumerate(category_sizes) for n in range(size)}


def count_held_out(categories: dict[str, str], splits: dict[str, str]) -> Counter[str]:
    return Counter(categories[name] for name, split in splits.items() if split == "val")


@given(sizes, st.floats(0.01, 0.99), st.integers(0, 3))
def test_the_share_of_all_objects_is_held_out(category_sizes: list[int], share: float, seed: int) -> None:
    categories = objects_of(category_sizes)
    splits = split_objects(categories, share, seed)
    assert list(splits) == list(categories)
    number, held_out = len(categories), count_held_out(categories, splits)
    expected = 0 if number < 2 else min(max(math.floor(share * number + 0.5), 1), number - 1)
    assert held_out.total() == expected
    untrained = [name for name, count in held_out.items() if count == Counter(categories.values())[name]]
    assert sorted(untrained) == list(find_untrained_categories(categories, splits))
    if expected <= number - len(category_sizes):
        assert untrained == []  # every category keeps an object in train where that is possible
    else:  # the smallest are held out whole, as few as suffice
        assert sum(category_sizes[int(name[1:])] - 1 for name in untrained) <= expected
        assert len(untrained) <= expected - (number - len(category_sizes))


@given(st.lists(st.integers(5, 40), min_size=1, max_size=6), st.floats(0.1, 0.8), st.integers(0, 3))
def test_each_category_gives_its_share_rounded_up_or_down(
    category_sizes: list[int], share: float, seed: int
) -> None:
    """The numbers are those of the largest-remainder method in its usual form: floors, then what is left."""
    categories = objects_of(category_sizes)
    held_out = count_held_out(categories, split_objects(categories, share, seed))
    total = min(max(math.floor(share * len(categories) + 0.5), 1), len(categories) - 1)
    floors = [math.floor(share * size) for size in category_sizes]
    remainders = sorted((share * size - low for size, low in zip(category_sizes, floors, strict=True)))
    numbers = [held_out[f"c{index}"] for index in range(len(category_sizes))]
    raised = [number - low for number, low in zip(numbers, floors, strict=True)]
    assert set(raised) <= {0, 1}
    given_up = [
        share * size - low for size, low, up in zip(category_sizes, floors, raised, strict=True) if up
    ]
    assert sorted(given_up) == pytest.approx(remainders[len(remainders) - (total - sum(floors)) :])


@pytest.mark.parametrize(("number", "held_out"), [(24, 5), (48, 10), (82, 16), (2, 1), (1, 0)])
def test_the_share_does_not_jump_with_the_size_of_categories(number: int, held_out: int) -> None:
    """24 categories of one or more objects: earlier versions held out 0 of 24, 17 of 48 and 31 of 82."""
    categories = {f"c{index % 24}/{index}": f"c{index % 24}" for index in range(number)}
    counts = count_held_out(categories, split_objects(categories, 0.2, 0))
    assert counts.total() == held_out


@pytest.mark.parametrize("category_sizes", [[120] * 8, [20] * 31, [5, 40, 10]])
def test_where_the_share_is_whole_in_every_category_both_rules_agree(category_sizes: list[int]) -> None:
    """So the numbers of the benchmark and the demo stay those of the same objects."""
    categories = objects_of(category_sizes)
    earlier = split_objects(categories, 0.2, 0, rule="each-category")
    assert split_objects(categories, 0.2, 0) == earlier


def test_the_rule_of_earlier_versions_holds_out_by_category() -> None:
    categories = objects_of([1, 1, 2, 4])
    splits = split_objects(categories, 0.2, 0, rule="each-category")
    assert count_held_out(categories, splits) == {"c2": 1, "c3": 1}
    assert "val" not in split_objects(objects_of([1] * 24), 0.2, 0, rule="each-category").values()


def test_small_categories_are_held_out_whole_only_where_nothing_else_is_left() -> None:
    categories = objects_of([1, 1, 1, 1, 3])
    splits = split_objects(categories, 0.2, 0)  # one of seven
    assert count_held_out(categories, splits) == {"c4": 1}
    splits = split_objects(categories, 0.4, 0)  # three of seven, two of which can leave an object in train
    held_out = count_held_out(categories, splits)
    assert held_out.pop("c4") == 2
    assert list(held_out.values()) == [1]
    assert find_untrained_categories(categories, splits) == tuple(held_out)


def test_a_share_smaller_than_every_group_holds_out_the_smallest() -> None:
    categories = objects_of([5])
    twins = [("c0/0", "c0/1"), ("c0/2", "c0/3", "c0/4")]
    splits = split_objects(categories, 0.2, 0, twins)
    assert {name for name, split in splits.items() if split == "val"} == {"c0/0", "c0/1"}
    assert set(split_objects(categories, 0.2, 0, [list(categories)]).values()) == {"train"}


def test_split_depends_on_ids_not_order() -> None:
    categories = objects_of([9, 30, 2])
    shuffled = list(categories.items())
    random.Random(3).shuffle(shuffled)
    assert split_objects(dict(shuffled), 0.2, 7) == split_objects(categories, 0.2, 7)
    assert split_objects(categories, 0.2, 7) != split_objects(categories, 0.2, 8)


def test_no_fraction_holds_nothing_out() -> None:
    assert set(split_objects(objects_of([5]), 0.0, 0).values()) == {"train"}


def test_the_split_is_the_one_it_always_was() -> None:
    """Data sets of earlier versions can be made again by their rule."""
    splits = split_objects(objects_of([12, 7, 2]), 0.25, 3, rule="each-category")
    assert {name for name, split in splits.items() if split == "val"} == HELD_OUT


@pytest.mark.parametrize("rule", SPLIT_RULE_TEXTS)
@given(
    category_sizes=sizes,
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 3),
    chance=st.randoms(use_true_random=False),
)
def test_twins_stay_together(
    rule: SplitRule, category_sizes: list[int], share: float, seed: int, chance: random.Random
) -> None:
    categories = objects_of(category_sizes)
    names = list(categories)
    chance.shuffle(names)
    twins = [names[start : start + 3] for start in range(0, len(names) // 2, 3)]
    splits = split_objects(categories, share, seed, twins, rule)
    assert set(splits) == set(categories)
    for group in twins:
        assert len({splits[name] for name in group}) == 1
    chance.shuffle(names)
    again = split_objects(
        {name: categories[name] for name in names}, share, seed, [group[::-1] for group in twins], rule
    )
    assert again == splits


def test_with_many_twins_categories_keep_their_share() -> None:
    """Every object of one category is one of another too, as ShapeNet's cellphones are telephones."""
    categories = objects_of([800, 1000])
    twins = [(f"c0/{n}", f"c1/{n}") for n in range(800)] + [("c9/elsewhere", "c1/900")]
    counts = count_held_out(categories, split_objects(categories, 0.2, 0, twins))
    assert counts.total() == 360
    assert counts["c0"] == pytest.approx(160, abs=1)  # the last pair may be one object too many
    counts = count_held_out(categories, split_objects(categories, 0.2, 0, twins, "each-category"))
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

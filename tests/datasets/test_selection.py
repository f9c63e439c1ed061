"""Parts of a split: views, environments and shots, in data sets and loaders; and matched objects."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from turntable.datasets import Dataset, Selection, are_disjoint, match_objects
from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, Loader, OnlineLoader, Pairs, Views
from turntable.testing.datasets import make_synthetic_dataset

ENVIRONMENTS = [
    {"name": "red", "factors": {"light_hue": {"low": 0.0, "high": 0.1}}},
    {"name": "blue", "factors": {"light_hue": {"low": 0.6, "high": 0.7}}},
    {"name": "any"},
]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("data") / "set"
    return make_synthetic_dataset(folder, 40, 4, 6, 16, environment=ENVIRONMENTS)


@pytest.mark.parametrize(
    ("text", "views"),
    [
        (None, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("even", [0, 2, 4, 6, 8]),
        ("odd", [1, 3, 5, 7, 9]),
        ("0-3", [0, 1, 2, 3]),
        ("7-", [7, 8, 9]),
        ("8, 0-2,2", [0, 1, 2, 8]),
    ],
)
def test_views_are_named_by_parity_or_ranges(text: str | None, views: list[int]) -> None:
    assert Selection(views=text).list_views(10).tolist() == views


@pytest.mark.parametrize("text", ["10", "10-", "0-10", "20-25"])
def test_views_that_a_set_does_not_have_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match=f"views {text}: the data set has 10 views"):
        Selection(views=text).list_views(10)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"views": "some"}, "views 'some': give even, odd, or numbers"),
        ({"views": "5-3"}, "views '5-3'"),
        ({"views": ""}, "views ''"),
        ({"views": 3}, "views 3"),
        ({"environments": "red"}, "environments 'red': give a list of names"),
        ({"environments": [3]}, "environments (3,)"),
        ({"shots": 0}, "shots 0: give a whole number, at least 1"),
        ({"shots": True}, "shots True"),
        ({"seed": None}, "seed None"),
    ],
)
def test_selections_that_cannot_be(values: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Selection(**values)
    assert fault in str(caught.value)


def test_environments_hold_what_they_say(dataset: Dataset) -> None:
    with dataset.open_split("train") as split:
        hue = split.labels[..., dataset.schema.get_column("light_hue")]
        rows = {
            item["name"]: Selection(environments=[item["name"]]).list_objects(split) for item in ENVIRONMENTS
        }
        assert np.concatenate(list(rows.values())).tolist() != []
        assert sorted(np.concatenate(list(rows.values()))) == list(range(split.num_objects))
        assert hue[rows["red"]].max() <= 0.1
        assert 0.6 <= hue[rows["blue"]].min() <= hue[rows["blue"]].max() <= 0.7
        both = Selection(environments=("blue", "red")).list_objects(split)
        assert both.tolist() == sorted([*rows["red"], *rows["blue"]])
        with pytest.raises(
            InvalidInputError, match="environment green: the data set synthetic has red, blue"
        ):
            Selection(environments=["green"]).list_objects(split)


def test_shots_are_nested_and_seeded(dataset: Dataset) -> None:
    with dataset.open_split("train") as split:
        chosen = [Selection(shots=n).list_objects(split) for n in (1, 3, 100)]
        for few, more in pairwise(chosen):
            assert set(few) < set(more)
        assert np.bincount(split.category_indices[chosen[0]]).tolist() == [1] * 4
        assert np.bincount(split.category_indices[chosen[1]]).tolist() == [3] * 4
        assert chosen[2].tolist() == list(range(split.num_objects))  # all of a category that has fewer
        assert Selection(shots=3, seed=1).list_objects(split).tolist() != chosen[1].tolist()
        red = Selection(shots=1, environments=["red"]).list_objects(split)
        assert set(red) <= set(Selection(environments=["red"]).list_objects(split))


def test_parts_of_one_split_are_disjoint_by_views_or_environments() -> None:
    even, odd = Selection(views="even"), Selection(views="odd")
    red, blue = Selection(environments=["red"]), Selection(environments=["blue"])
    assert are_disjoint(even, odd, 6)
    assert are_disjoint(red, blue, 6)
    assert are_disjoint(Selection(views="0-2", environments=["red"]), Selection(views="3-"), 6)
    for first, second in ((even, red), (red, Selection()), (red, Selection(environments=["red", "blue"]))):
        assert not are_disjoint(first, second, 6)


def test_a_loader_takes_a_selection(dataset: Dataset) -> None:
    selection = Selection(views="odd", environments=["red", "any"], shots=2)
    with dataset.open_split("train") as split:
        rows = selection.list_objects(split)
    config = BatchConfig(
        sampler=Views(), batch_size=4, last_batch="short", selection=selection, output="numpy"
    )
    seen = [
        (int(row), int(view))
        for batch in Loader(dataset.path_or_url, config)
        for row, view in zip(batch["object_index"], batch["view_index"], strict=True)
    ]
    assert sorted(seen) == [(row, view) for row in rows for view in (1, 3, 5)]
    narrowed = Loader(dataset.path_or_url, config, where="view < 3")
    assert sum(len(batch["object_index"]) for batch in narrowed) == 2 * 1 * len(rows) / 2
    pairs = BatchConfig(sampler=Pairs(3), batch_size=4, selection=selection, output="numpy")
    for batch in Loader(dataset.path_or_url, pairs):
        assert (np.stack([batch["view_index_1"], batch["view_index_2"]]) % 2 == 1).all()
    with pytest.raises(InvalidInputError, match="no view of train meets all of: views odd"):
        Loader(dataset.path_or_url, config, where="view = 2")
    with pytest.raises(InvalidInputError, match="selection 'even': give a Selection"):
        BatchConfig(selection="even")  # pyright: ignore[reportArgumentType]


def test_a_state_of_another_selection_is_refused(dataset: Dataset) -> None:
    config = {"sampler": Views(), "batch_size": 4, "output": "numpy"}
    first, second = (
        Loader(dataset.path_or_url, BatchConfig(**config, selection=Selection(views=views)))  # type: ignore[arg-type]
        for views in ("even", "odd")
    )
    with pytest.raises(InvalidInputError):
        second.load_state_dict(first.state_dict())


def test_views_without_end_have_no_selection() -> None:
    from turntable.loaders import Fresh

    config = BatchConfig(sampler=Fresh(), batch_size=4, selection=Selection(shots=1))
    with pytest.raises(InvalidInputError, match=r"selection \(1 shots\): views that are rendered online"):
        OnlineLoader("zoo", None, config)


def test_sets_that_differ_in_one_factor_have_the_same_objects(dataset: Dataset, tmp_path: Any) -> None:
    other = make_synthetic_dataset(tmp_path / "other", 44, 4, 3, 16, split_seed=0)
    matched = match_objects(dataset, other)
    assert len(matched.ids) == 40
    assert matched.only_first == ()
    assert len(matched.only_second) == 4
    for split_name in ("train", "val"):
        rows = matched.select_rows(split_name)
        with dataset.open_split(split_name) as one, other.open_split(split_name) as two:
            ids = [
                [split.object_ids[row] for row in each] for split, each in zip((one, two), rows, strict=True)
            ]
        assert ids[0] == ids[1] != []
    swapped = match_objects(other, dataset)
    assert set(swapped.ids) == set(matched.ids)
    assert swapped.only_first == matched.only_second
    same = match_objects(dataset, dataset)
    assert len(same.select_rows("train")[0]) + len(same.select_rows("val")[0]) == 40

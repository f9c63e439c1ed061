import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import make_synthetic_dataset

from turntable.datasets.conditions import parse_condition
from turntable.datasets.dataset import Dataset, open_dataset
from turntable.datasets.query import matching_views
from turntable.errors import IntegrityError, InvalidInputError

COLUMNS = ("floor_hue", "light_hue", "category", "view")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_synthetic_dataset(
        tmp_path_factory.mktemp("set"), objects=30, categories=4, views=5, image_size=8
    )


def chosen(dataset: Dataset, split: str, where: str) -> set[tuple[int, int]]:
    found = matching_views(dataset, split, where)
    pairs = list(zip(found.rows.tolist(), found.views.tolist(), strict=True))
    assert pairs == sorted(pairs)
    return set(pairs)


@pytest.mark.parametrize("split", ["train", "val"])
def test_the_views_are_those_that_the_labels_say(dataset: Dataset, split: str) -> None:
    with dataset.split(split) as opened:
        labels, classes = opened.labels, opened.categories
    hue, light = (labels[..., dataset.schema.column(name)] for name in ("floor_hue", "light_hue"))
    assert chosen(dataset, split, "floor_hue < 0.5 and category in ('class00', 'class02')") == {
        (int(row), int(view)) for row, view in np.argwhere((hue < 0.5) & np.isin(classes, [0, 2])[:, None])
    }
    assert chosen(dataset, split, "abs(floor_hue - light_hue) between 0.1 and 0.4 or view = 3") == {
        (int(row), int(view))
        for row, view in np.argwhere(
            ((abs(hue - light) >= 0.1) & (abs(hue - light) <= 0.4)) | (np.arange(5) == 3)
        )
    }
    everything = chosen(dataset, split, "split = split and Floor_Hue >= 0 -- a remark")
    assert len(everything) == labels.shape[0] * 5


@settings(max_examples=25, deadline=None)
@given(low=st.floats(0, 1, width=32), high=st.floats(0, 1, width=32), negated=st.booleans())
def test_ranges_are_exact(dataset: Dataset, low: float, high: float, negated: bool) -> None:
    with dataset.split("train") as opened:
        hue = opened.labels[..., dataset.schema.column("floor_hue")]
    inside = (hue >= np.float32(low)) & (hue <= np.float32(high))
    expected = {(int(row), int(view)) for row, view in np.argwhere(inside != negated)}
    where = f"{'not ' if negated else ''}(floor_hue >= {low!r}::float and floor_hue <= {high!r}::float)"
    if expected:
        assert chosen(dataset, "train", where) == expected
    else:
        with pytest.raises(InvalidInputError, match="no view of train fulfils it"):
            matching_views(dataset, "train", where)


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("", "write a condition such as"),
        ("floor_hue <", "syntax error at or near"),
        ("floor_hue < 0.5 )", "syntax error"),
        ("floor_heu < 0.5", "no column 'floor_heu' .*did you mean floor_hue"),
        ('category = "mug"', r"no column 'mug' \(texts stand in single quotes\)"),
        ("category < 0.5", r"where .*(Could not convert|compare)"),
        ("floor_hue", "it is a float, not true or false"),
        ("floor_hue < 0.5) union select (1", "more than one condition"),
        ("floor_hue < 0.5) group by (view", "more than one condition"),
        ("floor_hue < 0.5) order by (view", "more than one condition"),
        ("floor_hue < 0.5; drop view labels", "syntax error"),
        ("floor_hue < (select 1)", "a subquery has no place in it"),
        ("exists (select * from labels)", "a subquery has no place in it"),
        ("read_text('/etc/passwd') = 'x'", "read_text is none of the functions"),
        ("getenv('HOME') = 'x'", "getenv is none of the functions"),
        ("system.main.abs(floor_hue) = 1", "is none of the functions"),
        ("repeat('x', 1000000000) = 'x'", "repeat is none of the functions"),
        ("sum(floor_hue) > 1", "sum is none of the functions"),
        ("row_number() over () > 1", "has no place in it"),
        ("COLUMNS('f.*') > 0.1", "a star has no place in it"),
        ("floor_hue = $1", "a parameter has no place in it"),
        ("[x for x in [1]] = [1]", r"no place in it|none of the functions"),
        ("x" * 20_000, "20000 characters"),
    ],
)
def test_what_is_no_condition_is_refused(dataset: Dataset, where: str, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        matching_views(dataset, "train", where)


@given(st.text(max_size=40))
@settings(max_examples=150, deadline=None)
def test_no_text_gets_through_that_is_not_a_condition(text: str) -> None:
    try:
        condition = parse_condition(text, COLUMNS)
    except InvalidInputError:
        return
    assert set(condition.columns) <= set(COLUMNS)


def test_nothing_found_says_what_there_is(dataset: Dataset) -> None:
    with pytest.raises(
        InvalidInputError, match=r"no view of val fulfils it; in val there are floor_hue from 0\."
    ):
        matching_views(dataset, "val", "floor_hue > 1")


def test_a_table_that_does_not_fit_is_told(dataset: Dataset, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(dataset.path, copy)
    table_file = copy / "labels.parquet"
    table = parquet.read_table(table_file)
    for rows in (table.slice(1), table.take(list(reversed(range(len(table)))))):
        parquet.write_table(rows, table_file)
        with pytest.raises(IntegrityError, match=r"rows of train/shard-000000\.tar are not those"):
            matching_views(open_dataset(copy), "train", "floor_hue < 1")
    parquet.write_table(table.drop_columns(["view"]), table_file)
    with pytest.raises(IntegrityError, match="not the table of a data set"):
        matching_views(open_dataset(copy), "train", "floor_hue < 1")
    table_file.write_bytes(table_file.read_bytes()[:1000])
    with pytest.raises(IntegrityError, match="not a table of labels"):
        matching_views(open_dataset(copy), "train", "floor_hue < 1")
    table_file.unlink()
    with pytest.raises(IntegrityError, match=r"labels\.parquet: missing"):
        matching_views(open_dataset(copy), "train", "floor_hue < 1")

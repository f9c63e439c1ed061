import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turntable.datasets import Dataset, MatchingViews, open_dataset
from turntable.datasets.query import ConditionWorker
from turntable.datasets.query import duckdb_connection as label_engine
from turntable.datasets.query import select_matching_views as matching_views_by_a_new_process
from turntable.datasets.query.conditions import parse_condition
from turntable.datasets.query.duckdb_connection import DuckDBError, open_duckdb
from turntable.errors import IntegrityError, InvalidInputError
from turntable.testing.datasets import make_synthetic_dataset

INCOMPLETE = "it ends before it is complete"
"""The message with a DuckDB before version 2, which does not say where."""
COLUMNS = ("floor_hue", "light_hue", "category", "view")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_synthetic_dataset(
        tmp_path_factory.mktemp("set"), num_objects=30, num_categories=4, num_views=5, image_size=8
    )


WORKER = ConditionWorker()


@pytest.fixture(scope="module", autouse=True)
def _one_process_for_all() -> Iterator[None]:
    yield
    WORKER.close()


def matching_views(dataset: Dataset, split: str, where: str) -> MatchingViews:
    return WORKER.select_matching_views(dataset, (split,), where)[split]


def chosen(dataset: Dataset, split: str, where: str) -> set[tuple[int, int]]:
    found = matching_views(dataset, split, where)
    pairs = list(zip(found.rows.tolist(), found.views.tolist(), strict=True))
    assert pairs == sorted(pairs)
    return set(pairs)


@pytest.mark.parametrize("split", ["train", "val"])
def test_the_views_are_those_that_the_labels_say(dataset: Dataset, split: str) -> None:
    with dataset.open_split(split) as opened:
        labels, classes = opened.labels, opened.category_indices
    hue, light = (labels[..., dataset.schema.get_column(name)] for name in ("floor_hue", "light_hue"))
    assert chosen(dataset, split, "floor_hue < 0.5 and category in ('class00', 'class02')") == {
        (int(row), int(view)) for row, view in np.argwhere((hue < 0.5) & np.isin(classes, [0, 2])[:, None])
    }
    assert chosen(dataset, split, "abs(floor_hue - light_hue) between 0.1 and 0.4 or view = 3") == {
        (int(row), int(view))
        for row, view in np.argwhere(
            ((abs(hue - light) >= 0.1) & (abs(hue - light) <= 0.4)) | (np.arange(5) == 3)
        )
    }
    ends = "key like '%!0!0!0_' escape '!' and not key like '%!1' escape '!' and view // 2 = 1"
    with dataset.open_split(split) as opened:
        assert chosen(dataset, split, ends) == {
            (row, view)
            for row, key in enumerate(opened.keys)
            if key[-4:-1] == "000" and key[-1] != "1"
            for view in (2, 3)
        }
    everything = chosen(dataset, split, "split = split and Floor_Hue >= 0 -- a remark")
    assert len(everything) == labels.shape[0] * 5


@settings(max_examples=25)
@given(low=st.floats(0, 1, width=32), high=st.floats(0, 1, width=32), negated=st.booleans())
def test_ranges_are_exact(dataset: Dataset, low: float, high: float, negated: bool) -> None:
    with dataset.open_split("train") as opened:
        hue = opened.labels[..., dataset.schema.get_column("floor_hue")]
    inside = (hue >= np.float32(low)) & (hue <= np.float32(high))
    expected = {(int(row), int(view)) for row, view in np.argwhere(inside != negated)}
    where = f"{'not ' if negated else ''}(floor_hue >= {low!r}::float and floor_hue <= {high!r}::float)"
    if expected:
        assert chosen(dataset, "train", where) == expected
    else:
        with pytest.raises(InvalidInputError, match="no view of train matches it"):
            matching_views(dataset, "train", where)


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("", "write a condition"),
        (" \n", "write a condition"),
        ("-- nothing", f"it cannot be read from character 1 on: '-- nothing'|{INCOMPLETE}"),
        ("floor_hue <", f"a value or a column is missing after '<' at its end|{INCOMPLETE}"),
        ("floor_hue < 0.5 )", "it has a closing bracket too many"),
        ("view = 1 and and view = 2", "it cannot be read from character 14 on: 'and view = 2'"),
        ("category = 'é' or or view = 1", r"from character \d+ on: '.*view = 1'"),
        (
            "floor_heu < 0.5",
            r"no column 'floor_heu', at character 1 .*; did you mean floor_hue\?$",
        ),
        (
            'category = "mug"',
            r"no column 'mug', at character 12 \(put texts in single quotes\); the columns are .*light_hue",
        ),
        ("category < 0.5", "a text cannot be compared with a number in '(category < 0.5|<)'"),
        ("floor_hue", "it is a number, not true or false"),
        ("floor_hue < 0.1) or (floor_hue > 0.9", "it cannot be read from character 16 on"),
        ("flor hue < 0.5", "it cannot be read from character 6 on: .*; did you mean floor_hue by flor"),
        ("(floor_hue < 0.5", "a bracket is not closed"),
        ("category = 'mug", "a quote is not closed"),
        ("view = 1 && floor_hue < 0.5", "write and in place of &&"),
        ("where view = 1", "it begins with the word where; leave it out"),
        ("view between 1", f"something is missing before or after '1' at its end|{INCOMPLETE}"),
        ("floor_hue < 'mug'", "the text 'mug' stands where a number is needed"),
        (
            "not category",
            "category is a text .* where true or false is needed in 'category'|'class01' stands where true",
        ),
        ("view = 1 and sin(category) < 1", r"sin cannot take a text in 'sin(\(category\))?'"),
        ("sin() < 1", r"sin needs a value in 'sin(\(\))?'"),
        ("category like 5", "like cannot take a text and a number"),
        ("coalesce(category, 1) = 1", "a text and a number cannot take the same place"),
        ("regexp_matches(category, '(')", "its pattern is wrong: missing"),
        ("floor_hue < 0.5 union select 1", "more than one condition"),
        ("floor_hue < 0.5 group by view", "more than one condition"),
        ("floor_hue < 0.5 order by view", "more than one condition"),
        ("floor_hue < 0.5 limit 1", "more than one condition"),
        ("floor_hue < 0.5 using sample 10%", "more than one condition"),
        ("floor_hue < 0.5; drop view labels", "."),
        ("floor_hue < 0.5; select 1", "more than one condition"),
        ("floor_hue < (select 1)", "a subquery is not allowed in a condition"),
        ("exists (select * from labels)", "a subquery is not allowed in a condition"),
        ("read_text('/etc/passwd') = 'x'", "it may not call read_text"),
        ("getenv('HOME') = 'x'", "it may not call getenv"),
        ("system.main.abs(floor_hue) = 1", "may not call"),
        ("repeat('x', 1000000000) = 'x'", "may not call repeat"),
        ("sum(floor_hue) > 1", "may not call sum"),
        ("row_number() over () > 1", "is not allowed in a condition"),
        ("COLUMNS('f.*') > 0.1", "a star is not allowed in a condition"),
        ("floor_hue = $1", "a parameter is not allowed in a condition"),
        ("[x for x in [1]] = [1]", r"is not allowed in a condition|may not call"),
        ("category::inet = '1.1.1.1'", "a cast to .* is not allowed, only to bigint, "),
        ("category::json = '1'", "is not allowed, only to"),
        ("category::int[] = view", "is not allowed, only to"),
        ("view::tinyint * 100::tinyint > 3", "Overflow"),
        ("regexp_matches(key, category)", "a pattern must be a text in quotes"),
        ("regexp_matches(key, case when view < 3 then 'a' else 'b' end)", "a pattern must be a text"),
        ("regexp_full_match(key, lower('A'))", "a pattern must be a text in quotes"),
        ("key ~ category", "a pattern must be a text in quotes"),
        ("key not similar to category", "a pattern must be a text in quotes"),
        ("key like category", "a pattern must be a text in quotes"),
        ("key not ilike category || '%'", "may not call|a pattern must be"),
        ("key like 'a' escape category", "a pattern must be a text in quotes"),
        ("x" * 20_000, "20000 characters"),
        ("lower(" * 999 + "category" + ")" * 999 + " = 'x'", "too many nested brackets"),
        ("not " * 2000 + "true", "too many nested brackets|depth"),
        ("floor_hue < 0.5 \0 or view = 1", "null character"),
        ("category = '\ud800'", "surrogate"),
    ],
)
def test_what_is_no_condition_is_refused(dataset: Dataset, where: str, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told) as caught:
        matching_views(dataset, "train", where)
    assert len(str(caught.value)) < 1000


def test_a_condition_that_takes_too_long_ends_its_process_and_nothing_else(dataset: Dataset) -> None:
    worker = ConditionWorker(max_seconds=0.001)
    for _ in range(2):
        with pytest.raises(
            InvalidInputError, match=r"^where 'view = 1': it cannot be evaluated: it took more than"
        ):
            worker.select_matching_views(dataset, ("train",), "view = 1")
    worker.close()


def test_a_table_that_is_no_file_is_told(dataset: Dataset, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(dataset.path, copy)
    (copy / "labels.parquet").unlink()
    os.mkfifo(copy / "labels.parquet")
    with pytest.raises(IntegrityError, match=r"labels\.parquet: no ordinary file"):
        matching_views(open_dataset(copy), "train", "view = 1")


def test_a_new_process_gives_the_same(dataset: Dataset) -> None:
    found = matching_views_by_a_new_process(dataset, "val", "floor_hue < 0.5")
    assert set(zip(found.rows.tolist(), found.views.tolist(), strict=True)) == chosen(
        dataset, "val", "floor_hue < 0.5"
    )


def test_the_engine_reaches_nothing_and_takes_no_memory(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.txt"
    other.write_text("secret")
    with open_duckdb(str(dataset.path / "labels.parquet")) as engine:
        refused = [
            f"SELECT * FROM read_text('{other}')",
            f"COPY (SELECT 1) TO '{tmp_path / 'new.csv'}'",
            f"ATTACH '{tmp_path / 'new.db'}'",
            "INSTALL inet",
            "LOAD inet",
            "SET enable_external_access = true",
            f"SET allowed_paths = ['{other}']",
            "SET memory_limit = '100GB'",
        ]
        for query in refused:
            with pytest.raises(DuckDBError):
                engine.fetch_rows(query)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["other.txt"]
        assert engine.fetch_rows("SELECT 1") == [(1,)]
    monkeypatch.setitem(label_engine._CONFIG, "memory_limit", "20MB")
    with open_duckdb() as engine, pytest.raises(DuckDBError, match="needs more than 1GB of memory"):
        engine.fetch_rows("SELECT count(DISTINCT range) FROM range(5000000)")


@given(st.text(max_size=40))
@settings(max_examples=60)
def test_no_text_gets_through_that_is_not_a_condition(text: str) -> None:
    try:
        condition = parse_condition(text, COLUMNS)
    except InvalidInputError:
        return
    assert set(condition.columns) <= set(COLUMNS)


def test_nothing_found_says_what_there_is(dataset: Dataset) -> None:
    with pytest.raises(
        InvalidInputError,
        match=r"no view of train matches it; the values are floor_hue from 0\.\d+ to 0\.\d+, "
        r"view from 0 to 4, category 'class00', 'class01', .*, object .*, …$",
    ):
        matching_views(
            dataset, "train", "floor_hue > 1 and view = 0 and category = 'class00' and object = 'x'"
        )
    with pytest.raises(InvalidInputError, match="has no split 'test'; it has train, val"):
        matching_views(dataset, "test", "view = 0")


def test_a_folders_name_is_no_pattern(dataset: Dataset, tmp_path: Path) -> None:
    copy = tmp_path / "view=3" / "it's [1] *"
    shutil.copytree(dataset.path, copy)
    assert chosen(open_dataset(copy), "train", "view = 1") == chosen(dataset, "train", "view = 1")


def test_nothing_is_known_of_a_null_and_a_nan_is_greater_than_all(dataset: Dataset, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(dataset.path, copy)
    table = parquet.read_table(copy / "labels.parquet")
    hue = table["floor_hue"].to_pylist()
    hue[0], hue[1] = None, float("nan")
    at = table.column_names.index("floor_hue")
    table = table.set_column(at, "floor_hue", pa.array(hue, pa.float32()))
    parquet.write_table(table, copy / "labels.parquet")
    changed = open_dataset(copy)
    low, high = chosen(changed, "train", "floor_hue < 0.5"), chosen(changed, "train", "floor_hue >= 0.5")
    assert (0, 0) not in low | high
    assert (0, 1) in high
    assert (0, 1) not in chosen(changed, "train", "floor_hue >= 0.5 and isfinite(floor_hue)")
    assert chosen(changed, "train", "floor_hue is null") == {(0, 0)}


def altered(table: pa.Table, column: str, values: object) -> pa.Table:
    return table.set_column(table.column_names.index(column), column, [values])


def test_a_table_that_does_not_fit_is_told(dataset: Dataset, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(dataset.path, copy)
    table_file = copy / "labels.parquet"
    table = parquet.read_table(table_file)
    size = len(table)
    wrong = {
        r"rows of train/shard-000000\.tar are not those": [
            table.slice(1),
            table.take(list(reversed(range(size)))),
            table.take([1, 0, *range(2, size)]),
            altered(table, "view", [None, *table["view"].to_pylist()[1:]]),
        ],
        r"rows of val/shard-00000\d\.tar are not those": [table.slice(0, size - 1)],
        r"rows of other\.tar, which manifest\.json does not name": [
            pa.concat_tables([table, altered(table.slice(0, 2), "shard", ["other.tar"] * 2)])
        ],
        "it has no column view": [table.drop_columns(["view"])],
        "it has no column floor_hue, light_hue": [table.drop_columns(["light_hue", "floor_hue"])],
    }
    for told, tables in wrong.items():
        for rows in tables:
            parquet.write_table(rows, table_file)
            with pytest.raises(IntegrityError, match=told):
                matching_views(open_dataset(copy), "train", "light_hue < 1")


def test_a_table_that_is_damaged_is_told(dataset: Dataset, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(dataset.path, copy)
    table_file = copy / "labels.parquet"
    whole = table_file.read_bytes()
    table_file.write_bytes(whole[:1000])
    with pytest.raises(IntegrityError, match="not a readable table of labels"):
        matching_views(open_dataset(copy), "train", "floor_hue < 1")
    chunk = parquet.ParquetFile(dataset.path / "labels.parquet").metadata.row_group(0)
    names = [chunk.column(at).path_in_schema for at in range(chunk.num_columns)]
    start = chunk.column(names.index("floor_hue")).data_page_offset
    table_file.write_bytes(whole[:start] + b"\xff" * 40 + whole[start + 40 :])
    with pytest.raises(IntegrityError, match="not a readable table of labels"):
        matching_views(open_dataset(copy), "train", "floor_hue < 0.5")
    table_file.unlink()
    with pytest.raises(IntegrityError, match=r"labels\.parquet: missing"):
        matching_views(open_dataset(copy), "train", "floor_hue < 1")

"""Which views of a data set fulfil a condition over their labels, before any shard is opened."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.conditions import Condition, duckdb_library, parse_condition
from turntable.datasets.dataset import Dataset
from turntable.datasets.shard_reader import shard_name
from turntable.datasets.shard_writer import ShardRecord
from turntable.datasets.table import COLUMNS, TABLE_NAME
from turntable.errors import IntegrityError, InvalidInputError

MOST_SECONDS = 60.0
MOST_MEMORY = "2GB"
_REMEDY = "run `turntable verify` where it lies, or fetch it again"


@dataclass(frozen=True, slots=True, eq=False)
class MatchingViews:
    """The views that a condition chose, by object and number."""

    rows: NDArray[np.int64]
    """[n] of objects in their split, ascending."""
    views: NDArray[np.int64]
    """[n] their numbers, ascending within each object."""

    def __len__(self) -> int:
        return len(self.rows)


def matching_views(dataset: Dataset, split: str, where: str) -> MatchingViews:
    """The views of a split whose labels fulfil a condition.

    Args:
        dataset: whose ``labels.parquet`` is asked.
        split: its name.
        where: a condition over the factors and the columns of ``table.COLUMNS``, in SQL's words:
            "floor_hue < 0.5 and category in ('chair', 'sofa')".

    Raises:
        InvalidInputError: it is no such condition, or no view fulfils it.
        IntegrityError: the table is missing, damaged, or not of this data set.
        StoreError: the table's place cannot be reached.
    """
    manifest = dataset.manifest
    condition = parse_condition(where, (*COLUMNS, *manifest.schema.names))
    shards = manifest.shards_of(split)
    first = sum(item.objects * item.views for item in manifest.shards[: manifest.shards.index(shards[0])])
    count = sum(item.objects * item.views for item in shards)
    with _table(dataset) as connection:
        _check_fits(connection, dataset, shards, first)
        asked = (
            "SELECT file_row_number FROM labels WHERE file_row_number BETWEEN ? AND ? AND "
            f"({condition.text}\n) ORDER BY file_row_number"
        )
        _check_type(connection, condition)
        found = _ask(connection, asked, [first, first + count - 1], condition).fetchnumpy()
        numbers = np.asarray(found["file_row_number"], dtype=np.int64) - first
        if not len(numbers):
            raise InvalidInputError(_nothing(connection, condition, split))
    rows, views = np.divmod(numbers, manifest.views)
    return MatchingViews(rows, views)


@contextmanager
def _table(dataset: Dataset) -> Generator[Any, None, None]:
    """The label table as ``labels``, to a connection that can reach nothing else."""
    if dataset.is_local:
        path = dataset.path / TABLE_NAME
        if not path.exists():
            raise IntegrityError(f"{path}: missing; {_REMEDY}")
        with _connected(path, str(path)) as connection:
            yield connection
        return
    name = f"{dataset.place}/{TABLE_NAME}"
    data = dataset.where.read(TABLE_NAME)
    if data is None:
        raise IntegrityError(f"{name}: missing; {_REMEDY}")
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(data)
        file.flush()
        with _connected(Path(file.name), name) as connection:
            yield connection


@contextmanager
def _connected(path: Path, name: str) -> Generator[Any, None, None]:
    duckdb = duckdb_library()
    with duckdb.connect(":memory:") as connection:
        quoted = str(path.resolve()).replace("'", "''")
        connection.execute(f"SET memory_limit = '{MOST_MEMORY}'; SET temp_directory = ''")
        connection.execute(f"SET allowed_paths = ['{quoted}']; SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        try:
            connection.execute(
                f"CREATE VIEW labels AS SELECT * FROM read_parquet('{quoted}', file_row_number = true)"
            )
        except duckdb.Error as error:
            raise IntegrityError(f"{name}: not a table of labels ({_first_line(error)}); {_REMEDY}") from None
        yield connection


def _check_fits(connection: Any, dataset: Dataset, shards: tuple[ShardRecord, ...], first: int) -> None:
    """The table's rows must be those of the manifest: a row a view, in order."""
    views = dataset.manifest.views
    asked = (
        "SELECT shard, count(*), min(file_row_number), max(file_row_number), "
        f"bool_and(view = file_row_number % {views}) FROM labels GROUP BY shard"
    )
    duckdb = duckdb_library()
    try:
        found = {row[0]: row[1:] for row in connection.execute(asked).fetchall()}
    except duckdb.Error as error:
        raise IntegrityError(
            f"{dataset.place}/{TABLE_NAME}: not the table of a data set ({_first_line(error)}); {_REMEDY}"
        ) from None
    at = first
    for shard in shards:
        rows = shard.objects * shard.views
        if found.get(shard_name(shard)) != (rows, at, at + rows - 1, True):
            raise IntegrityError(
                f"{dataset.place}/{TABLE_NAME}: its rows of {shard_name(shard)} are not those that "
                f"manifest.json names; {_REMEDY}"
            )
        at += rows


def _check_type(connection: Any, condition: Condition) -> None:
    """The engine would take any number for true or false."""
    described = _ask(connection, f"DESCRIBE SELECT ({condition.text}\n) FROM labels", [], condition)
    kind = described.fetchone()[1]
    if kind != "BOOLEAN":
        raise InvalidInputError(f"where {condition.text!r}: it is a {kind.lower()}, not true or false")


def _ask(connection: Any, query: str, values: list[int], condition: Condition) -> Any:
    """The answer, within bounds of time and memory."""
    duckdb = duckdb_library()
    alarm = Timer(MOST_SECONDS, connection.interrupt)
    alarm.start()
    try:
        return connection.execute(query, values)
    except duckdb.InterruptException:
        raise InvalidInputError(f"where {condition.text!r}: takes more than {MOST_SECONDS:.0f} s") from None
    except duckdb.Error as error:
        raise InvalidInputError(f"where {condition.text!r}: {_first_line(error)}") from None
    finally:
        alarm.cancel()


def _nothing(connection: Any, condition: Condition, split: str) -> str:
    """That nothing fulfils a condition, with what there is instead."""
    spans: list[str] = []
    for column in condition.columns:
        low, high = connection.execute(
            f'SELECT min("{column}"), max("{column}") FROM labels WHERE split = ?', [split]
        ).fetchone()
        spans.append(f"{column} from {low!r} to {high!r}")
    there = f"; in {split} there are {', '.join(spans)}" if spans else ""
    return f"where {condition.text!r}: no view of {split} fulfils it{there}"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]

"""Execution of conditions over a label table, in the process that untrusted conditions run in."""

import os
import stat
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.manifest import Manifest
from turntable.datasets.query.conditions import Condition, parse_condition
from turntable.datasets.query.duckdb_connection import DuckDBConnection, DuckDBError, open_duckdb
from turntable.datasets.query.explanations import explain_execution_error, explain_result_type
from turntable.datasets.shards import LABELS_TABLE_COLUMNS, make_shard_name
from turntable.errors import IntegrityError

REMEDY = "run `turntable verify` where it lies, or fetch it again"
_MAX_LISTED = 8
"""Maximum number of values of a column that a message lists."""
_MAX_SHOWN_LENGTH = 80
"""Maximum number of characters of a value or name from a table that a message repeats."""


@dataclass(frozen=True, slots=True)
class ConditionQuery:
    """A condition, and the table it is evaluated on."""

    where: str
    """The condition."""
    splits: tuple[str, ...]
    table_path: Path
    display_name: str
    """The table's name in messages."""
    columns: tuple[str, ...]
    """The columns that the table must have."""
    num_views: int
    """Number of views of each object."""
    shards: tuple[tuple[str, str, int], ...]
    """Name, split and number of objects of each shard, in the order of the table's rows."""

    @classmethod
    def from_manifest(
        cls, manifest: Manifest, where: str, splits: Sequence[str], table_path: Path, display_name: str
    ) -> "ConditionQuery":
        """Make the query for the views of some splits of a data set that match a condition."""
        shards = tuple((make_shard_name(shard), shard.split, shard.objects) for shard in manifest.shards)
        columns = (*LABELS_TABLE_COLUMNS, *manifest.schema.names)
        return cls(where, tuple(splits), table_path, display_name, columns, manifest.views, shards)

    def get_split_rows(self, split: str) -> range:
        """Return the numbers of the table's rows of a split, whose shards are adjacent in the table."""
        start, stop, position = 0, 0, 0
        for _, shard_split, num_objects in self.shards:
            num_rows = num_objects * self.num_views
            if shard_split == split:
                start = start if stop else position
                stop = position + num_rows
            position += num_rows
        return range(start, stop)


def make_executor() -> Callable[[ConditionQuery], dict[str, bytes]]:
    """Return the function that executes queries, for the worker process."""
    return execute_query


def execute_query(query: ConditionQuery) -> dict[str, bytes]:
    """Return the views that match a condition: for each split one bit per view, first object first.

    Raises:
        InvalidInputError: The condition is not allowed, or no view matches it.
        IntegrityError: The table is missing, damaged, or not that of the data set.
        MissingExtraError: DuckDB is not installed.
    """
    condition = parse_condition(query.where, query.columns)
    found: dict[str, NDArray[np.bool_]] = {}
    with _open_table(query) as engine:
        _check_table(engine, query)
        for split in query.splits:
            rows = query.get_split_rows(split)
            _select_rows(engine, rows)
            try:
                numbers = _find_matching_rows(engine, condition)
            except DuckDBError as error:
                _check_readable(engine, condition, query.display_name)
                raise condition.make_error(explain_execution_error(str(error), error.place)) from None
            found[split] = np.zeros(len(rows), np.bool_)
            found[split][numbers - rows.start] = True
        if not any(flags.any() for flags in found.values()):
            values = _describe_values(engine, condition)
            raise condition.make_error(f"no view of {' or '.join(query.splits)} matches it{values}")
    return {split: np.packbits(flags).tobytes() for split, flags in found.items()}


@contextmanager
def _open_table(query: ConditionQuery) -> Generator[DuckDBConnection, None, None]:
    """Open the table as the view ``labels`` of a connection that can read no other file."""
    descriptor = _open_descriptor(query)
    try:
        # By its descriptor: in a path DuckDB expands patterns (*, [) and finds columns (/view=3/).
        path = f"/proc/self/fd/{descriptor}"
        with open_duckdb(path) as engine:
            try:
                engine.fetch_rows(
                    f"CREATE VIEW labels AS SELECT * FROM read_parquet('{path}', file_row_number = true)"
                )
            except DuckDBError as error:
                raise _make_damage_error(query.display_name, error) from None
            yield engine
    finally:
        os.close(descriptor)


def _open_descriptor(query: ConditionQuery) -> int:
    try:
        descriptor = os.open(query.table_path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        raise IntegrityError(f"{query.display_name}: cannot be read ({error.strerror}); {REMEDY}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IntegrityError(f"{query.display_name}: not a regular file; {REMEDY}")
    return descriptor


def _check_table(engine: DuckDBConnection, query: ConditionQuery) -> None:
    """Check that the table's rows are the manifest's views, in the order of its shards."""
    table = query.display_name
    try:
        present = {row[0] for row in engine.fetch_rows("DESCRIBE labels")}
        missing = [column for column in query.columns if column not in present]
        if missing:
            raise IntegrityError(f"{table}: it has no column {', '.join(missing)}; {REMEDY}")
        found = {
            row[0]: row[1:]
            for row in engine.fetch_rows(
                "SELECT shard, count(*), min(file_row_number), max(file_row_number), bool_and("
                "view IS NOT DISTINCT FROM file_row_number % $1) FROM labels GROUP BY shard",
                [query.num_views],
            )
        }
    except DuckDBError as error:
        raise _make_damage_error(table, error) from None
    position = 0
    for name, _, num_objects in query.shards:
        num_rows = num_objects * query.num_views
        if found.pop(name, None) != (num_rows, position, position + num_rows - 1, True):
            raise IntegrityError(
                f"{table}: its rows of {name} are not those that manifest.json names; {REMEDY}"
            )
        position += num_rows
    if found:
        names = ", ".join(sorted(map(_shorten, found))[:_MAX_LISTED])
        raise IntegrityError(f"{table}: it has rows of {names}, which manifest.json does not name; {REMEDY}")


def _select_rows(engine: DuckDBConnection, rows: range) -> None:
    """Define the view ``chosen`` of a range of the table's rows."""
    engine.fetch_rows(
        f"CREATE OR REPLACE VIEW chosen AS SELECT * FROM labels "
        f"WHERE file_row_number BETWEEN {rows.start} AND {rows.stop - 1}"
    )


def _find_matching_rows(engine: DuckDBConnection, condition: Condition) -> NDArray[np.int64]:
    ((_, result_type, *_),) = engine.fetch_rows(f"DESCRIBE SELECT (\n{condition.text}\n) FROM chosen")
    if result_type != "BOOLEAN":  # DuckDB would take any number for true or false
        raise condition.make_error(explain_result_type(result_type))
    return np.sort(engine.fetch_integers(f"SELECT file_row_number FROM chosen WHERE (\n{condition.text}\n)"))


def _check_readable(engine: DuckDBConnection, condition: Condition, table: str) -> None:
    """Check that the columns that the condition reads are not damaged.

    A damaged column makes the query fail, but it is not the condition's fault.

    Raises:
        IntegrityError: A column cannot be read.
    """
    for column in condition.columns:
        try:
            engine.fetch_rows(f'SELECT bit_xor(hash("{column}")) FROM labels')
        except DuckDBError as error:
            raise _make_damage_error(table, error) from None


def _describe_values(engine: DuckDBConnection, condition: Condition) -> str:
    """List the values that a split has in the columns that a condition reads."""
    values = [_format_column_values(engine, column) for column in condition.columns]
    return f"; the values are {', '.join(values)}" if values else ""


def _format_column_values(engine: DuckDBConnection, column: str) -> str:
    ((low, high),) = engine.fetch_rows(f'SELECT min("{column}"), max("{column}") FROM chosen')
    if isinstance(low, str):
        found = engine.fetch_rows(
            f'SELECT DISTINCT "{column}" AS it FROM chosen ORDER BY it LIMIT {_MAX_LISTED + 1}'
        )
        names = [repr(_shorten(row[0])) for row in found[:_MAX_LISTED]]
        return f"{column} {', '.join(names)}{', …' if len(found) > _MAX_LISTED else ''}"
    low, high = (f"{end:.6g}" if isinstance(end, float) else str(end) for end in (low, high))
    return f"{column} from {low} to {high}"


def _make_damage_error(table: str, error: DuckDBError) -> IntegrityError:
    return IntegrityError(f"{table}: not a readable table of labels ({error}); {REMEDY}")


def _shorten(value: object) -> str:
    text = str(value)
    return text if len(text) <= _MAX_SHOWN_LENGTH else f"{text[:_MAX_SHOWN_LENGTH]}…"

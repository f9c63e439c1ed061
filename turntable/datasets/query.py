"""Which views of a data set fulfil a condition over their labels, before any shard is opened."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.conditions import Condition, parse_condition
from turntable.datasets.dataset import Dataset
from turntable.datasets.label_engine import EngineError, LabelEngine, open_engine
from turntable.datasets.manifest import Manifest
from turntable.datasets.shard_reader import shard_name
from turntable.datasets.subset import MatchingViews, make_subset
from turntable.datasets.table import COLUMNS, TABLE_NAME
from turntable.errors import IntegrityError, InvalidInputError

_REMEDY = "run `turntable verify` where it lies, or fetch it again"
_MOST_BYTES, _MOST_ROW_BYTES = 64 << 20, 1 << 10
"""The most of a table that is fetched: in all, and for each view besides."""
_LISTED = 8
"""Values of a column that a message lists."""


def matching_views(dataset: Dataset, split: str, where: str) -> MatchingViews:
    """The views of a split whose labels fulfil a condition.

    Strangers may write it: nothing but the table is read, within bounds of time and memory. Numbers compare
    as float32; nothing is known of a null, so no condition holds for it, and NaN is greater than all else.

    Args:
        dataset: whose ``labels.parquet`` is asked.
        split: its name.
        where: a condition over the factors and the columns of ``table.COLUMNS``, in SQL's words:
            "floor_hue < 0.5 and category in ('chair', 'sofa')".

    Raises:
        InvalidInputError: it is no such condition, no view fulfils it, or there is no such split.
        IntegrityError: the table is missing, damaged, or not of this data set.
        StoreError: the table's place cannot be reached.
        MissingExtraError: DuckDB is not installed.
    """
    return _matching(dataset, (split,), where)[split]


def subset_manifest(dataset: Dataset, where: str, splits: Sequence[str] = ()) -> Manifest:
    """The manifest of the views that fulfil a condition; loaders stream it as a data set of its own.

    Args:
        dataset: whose ``labels.parquet`` is asked.
        where: as of :func:`matching_views`.
        splits: those to choose from; none: all.

    Raises:
        InvalidInputError: it is no such condition, no view fulfils it, or there is no such split.
        IntegrityError: the table is missing, damaged, or not of this data set.
    """
    manifest = dataset.manifest
    found = _matching(dataset, tuple(splits) or manifest.splits, where)
    sizes = {split: sum(shard.objects for shard in manifest.shards_of(split)) for split in manifest.splits}
    subset = make_subset(where, manifest.fingerprint, found, sizes, manifest.views)
    return replace(
        manifest,
        splits=tuple(split for split in manifest.splits if len(found.get(split, ()))),
        fingerprint=subset.fingerprint,
        subset=subset,
    )


def _matching(dataset: Dataset, splits: Sequence[str], where: str) -> dict[str, MatchingViews]:
    """By split; at least one view in all."""
    manifest = dataset.manifest
    for split in splits:
        if split not in manifest.splits:
            raise InvalidInputError(
                f"{dataset.place} has no split {split!r}; it has {', '.join(manifest.splits)}"
            )
    condition = parse_condition(where, _columns(manifest))
    table = f"{dataset.place}/{TABLE_NAME}"
    found: dict[str, MatchingViews] = {}
    with _opened(dataset, table) as engine:
        _check_fits(engine, manifest, table)
        for split in splits:
            first = _choose(engine, manifest, split)
            try:
                numbers = _matching_rows(engine, condition)
            except EngineError as error:
                _check_readable(engine, condition, table)
                raise condition.fault(str(error)) from None
            found[split] = MatchingViews(*np.divmod(numbers - first, manifest.views))
        if not any(map(len, found.values())):
            what = _what_there_is(engine, condition)
            raise condition.fault(f"no view of {' or '.join(splits)} fulfils it{what}")
    return found


def _columns(manifest: Manifest) -> tuple[str, ...]:
    return (*COLUMNS, *manifest.schema.names)


@contextmanager
def _opened(dataset: Dataset, table: str) -> Generator[LabelEngine, None, None]:
    """The table as ``labels``, to an engine that can reach nothing else."""
    with _file(dataset, table) as file:
        # By its descriptor: in a path the engine would see patterns (*, [) and columns (/view=3/).
        path = f"/proc/self/fd/{file.fileno()}"
        with open_engine(path) as engine:
            try:
                engine.rows(
                    f"CREATE VIEW labels AS SELECT * FROM read_parquet('{path}', file_row_number = true)"
                )
            except EngineError as error:
                raise _damaged(table, error) from None
            yield engine


def _file(dataset: Dataset, table: str) -> BinaryIO:
    """Open the table's file, which is fetched first where the data set lies elsewhere."""
    manifest = dataset.manifest
    views = manifest.views * sum(shard.objects for shard in manifest.shards)
    file = dataset.where.spool(TABLE_NAME, _MOST_BYTES + _MOST_ROW_BYTES * views)
    if file is None:
        raise IntegrityError(f"{table}: missing; {_REMEDY}")
    return file


def _check_fits(engine: LabelEngine, manifest: Manifest, table: str) -> None:
    """The table's rows must be the manifest's views, in the order of its shards."""
    try:
        there = {row[0] for row in engine.rows("DESCRIBE labels")}
        lacking = [column for column in _columns(manifest) if column not in there]
        if lacking:
            raise IntegrityError(f"{table}: it has no column {', '.join(lacking)}; {_REMEDY}")
        found = {
            row[0]: row[1:]
            for row in engine.rows(
                "SELECT shard, count(*), min(file_row_number), max(file_row_number), bool_and("
                "view IS NOT DISTINCT FROM file_row_number % $1) FROM labels GROUP BY shard",
                [manifest.views],
            )
        }
    except EngineError as error:
        raise _damaged(table, error) from None
    at = 0
    for shard in manifest.shards:
        name, rows = shard_name(shard), shard.objects * manifest.views
        if found.pop(name, None) != (rows, at, at + rows - 1, True):
            raise IntegrityError(
                f"{table}: its rows of {name} are not those that manifest.json names; {_REMEDY}"
            )
        at += rows
    if found:
        raise IntegrityError(
            f"{table}: it has rows of {', '.join(map(str, sorted(found, key=str)))}, which manifest.json "
            f"does not name; {_REMEDY}"
        )


def _choose(engine: LabelEngine, manifest: Manifest, split: str) -> int:
    """Show a split's views alone, as ``chosen``; the number of the table's row where they begin."""
    shards = manifest.shards_of(split)  # they stand together
    before = manifest.shards[: manifest.shards.index(shards[0])]
    first, count = (sum(shard.objects for shard in part) * manifest.views for part in (before, shards))
    engine.rows(
        f"CREATE OR REPLACE VIEW chosen AS SELECT * FROM labels "
        f"WHERE file_row_number BETWEEN {first} AND {first + count - 1}"
    )
    return first


def _matching_rows(engine: LabelEngine, condition: Condition) -> NDArray[np.int64]:
    ((_, kind, *_),) = engine.rows(f"DESCRIBE SELECT (\n{condition.text}\n) FROM chosen")
    if kind != "BOOLEAN":  # the engine would take any number for true or false
        raise condition.fault(f"it is a {kind.lower()}, not true or false")
    return np.sort(engine.numbers(f"SELECT file_row_number FROM chosen WHERE (\n{condition.text}\n)"))


def _check_readable(engine: LabelEngine, condition: Condition, table: str) -> None:
    """The condition is not to blame for a column that cannot be read."""
    for column in condition.columns:
        try:
            engine.rows(f'SELECT bit_xor(hash("{column}")) FROM labels')
        except EngineError as error:
            raise _damaged(table, error) from None


def _what_there_is(engine: LabelEngine, condition: Condition) -> str:
    """What a split has instead, of the columns that a condition looks at."""
    told = [_values(engine, column) for column in condition.columns]
    return f"; there are {', '.join(told)}" if told else ""


def _values(engine: LabelEngine, column: str) -> str:
    ((low, high),) = engine.rows(f'SELECT min("{column}"), max("{column}") FROM chosen')
    if isinstance(low, str):
        found = engine.rows(f'SELECT DISTINCT "{column}" AS it FROM chosen ORDER BY it LIMIT {_LISTED + 1}')
        names = [repr(row[0]) for row in found[:_LISTED]]
        return f"{column} {', '.join(names)}{', …' if len(found) > _LISTED else ''}"
    low, high = (f"{end:.6g}" if isinstance(end, float) else str(end) for end in (low, high))
    return f"{column} from {low} to {high}"


def _damaged(table: str, error: EngineError) -> IntegrityError:
    return IntegrityError(f"{table}: not a readable table of labels ({error}); {_REMEDY}")

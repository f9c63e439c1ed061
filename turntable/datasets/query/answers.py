"""Answers about which views fulfil a condition; for the process that strangers' conditions run in."""

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
from turntable.datasets.query.engine import EngineError, LabelEngine, open_engine
from turntable.datasets.shards import COLUMNS, shard_name
from turntable.errors import IntegrityError

REMEDY = "run `turntable verify` where it lies, or fetch it again"
_LISTED = 8
"""Values of a column that a message lists."""
_LONGEST = 80
"""Characters of a value or name in a table that a message repeats."""


@dataclass(frozen=True, slots=True)
class Question:
    """A condition, and the table that it is asked of."""

    where: str
    splits: tuple[str, ...]
    table: Path
    title: str
    """The table's name in messages."""
    columns: tuple[str, ...]
    """Those that it must have."""
    views: int
    """The number of views of each object."""
    shards: tuple[tuple[str, str, int], ...]
    """Name, split and number of objects of each shard, in the order of the table's rows."""

    @classmethod
    def of(cls, manifest: Manifest, where: str, splits: Sequence[str], table: Path, title: str) -> "Question":
        """Ask for the views of some splits of a data set that fulfil a condition."""
        shards = tuple((shard_name(shard), shard.split, shard.objects) for shard in manifest.shards)
        columns = (*COLUMNS, *manifest.schema.names)
        return cls(where, tuple(splits), table, title, columns, manifest.views, shards)

    def rows_of(self, split: str) -> range:
        """Return the numbers of the table's rows that are of a split: its shards stand together."""
        ends, at = [0, 0], 0
        for _, of, objects in self.shards:
            if of == split:
                ends = [at if ends == [0, 0] else ends[0], at + objects * self.views]
            at += objects * self.views
        return range(*ends)


def answerer() -> Callable[[Question], dict[str, bytes]]:
    """Return what answers questions, for a process that does so."""
    return answer


def answer(question: Question) -> dict[str, bytes]:
    """Return the views that fulfil a condition: for each split a bit a view, first object first.

    Raises:
        InvalidInputError: It is no such condition, or no view fulfils it.
        IntegrityError: The table is missing, damaged, or not of this data set.
        MissingExtraError: DuckDB is not installed.
    """
    condition = parse_condition(question.where, question.columns)
    found: dict[str, NDArray[np.bool_]] = {}
    with _opened(question) as engine:
        _check_fits(engine, question)
        for split in question.splits:
            rows = question.rows_of(split)
            _choose(engine, rows)
            try:
                numbers = _matching_rows(engine, condition)
            except EngineError as error:
                _check_readable(engine, condition, question.title)
                raise condition.fault(str(error)) from None
            found[split] = np.zeros(len(rows), np.bool_)
            found[split][numbers - rows.start] = True
        if not any(flags.any() for flags in found.values()):
            what = _what_there_is(engine, condition)
            raise condition.fault(f"no view of {' or '.join(question.splits)} fulfils it{what}")
    return {split: np.packbits(flags).tobytes() for split, flags in found.items()}


@contextmanager
def _opened(question: Question) -> Generator[LabelEngine, None, None]:
    """The table as ``labels``, to an engine that can reach nothing else."""
    descriptor = _descriptor(question)
    try:
        # By its descriptor: in a path the engine would see patterns (*, [) and columns (/view=3/).
        path = f"/proc/self/fd/{descriptor}"
        with open_engine(path) as engine:
            try:
                engine.rows(
                    f"CREATE VIEW labels AS SELECT * FROM read_parquet('{path}', file_row_number = true)"
                )
            except EngineError as error:
                raise _damaged(question.title, error) from None
            yield engine
    finally:
        os.close(descriptor)


def _descriptor(question: Question) -> int:
    try:
        descriptor = os.open(question.table, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        raise IntegrityError(f"{question.title}: cannot be read ({error.strerror}); {REMEDY}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IntegrityError(f"{question.title}: no ordinary file; {REMEDY}")
    return descriptor


def _check_fits(engine: LabelEngine, question: Question) -> None:
    """The table's rows must be the manifest's views, in the order of its shards."""
    table = question.title
    try:
        there = {row[0] for row in engine.rows("DESCRIBE labels")}
        lacking = [column for column in question.columns if column not in there]
        if lacking:
            raise IntegrityError(f"{table}: it has no column {', '.join(lacking)}; {REMEDY}")
        found = {
            row[0]: row[1:]
            for row in engine.rows(
                "SELECT shard, count(*), min(file_row_number), max(file_row_number), bool_and("
                "view IS NOT DISTINCT FROM file_row_number % $1) FROM labels GROUP BY shard",
                [question.views],
            )
        }
    except EngineError as error:
        raise _damaged(table, error) from None
    at = 0
    for name, _, objects in question.shards:
        rows = objects * question.views
        if found.pop(name, None) != (rows, at, at + rows - 1, True):
            raise IntegrityError(
                f"{table}: its rows of {name} are not those that manifest.json names; {REMEDY}"
            )
        at += rows
    if found:
        raise IntegrityError(
            f"{table}: it has rows of {', '.join(sorted(map(_cut, found))[:_LISTED])}, which manifest.json "
            f"does not name; {REMEDY}"
        )


def _choose(engine: LabelEngine, rows: range) -> None:
    """Show some rows of the table alone, as ``chosen``."""
    engine.rows(
        f"CREATE OR REPLACE VIEW chosen AS SELECT * FROM labels "
        f"WHERE file_row_number BETWEEN {rows.start} AND {rows.stop - 1}"
    )


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
    """List the values that a split has instead, in the columns that a condition looks at."""
    told = [_values(engine, column) for column in condition.columns]
    return f"; there are {', '.join(told)}" if told else ""


def _values(engine: LabelEngine, column: str) -> str:
    ((low, high),) = engine.rows(f'SELECT min("{column}"), max("{column}") FROM chosen')
    if isinstance(low, str):
        found = engine.rows(f'SELECT DISTINCT "{column}" AS it FROM chosen ORDER BY it LIMIT {_LISTED + 1}')
        names = [repr(_cut(row[0])) for row in found[:_LISTED]]
        return f"{column} {', '.join(names)}{', …' if len(found) > _LISTED else ''}"
    low, high = (f"{end:.6g}" if isinstance(end, float) else str(end) for end in (low, high))
    return f"{column} from {low} to {high}"


def _damaged(table: str, error: EngineError) -> IntegrityError:
    return IntegrityError(f"{table}: not a readable table of labels ({error}); {REMEDY}")


def _cut(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"

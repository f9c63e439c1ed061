"""The catalog of scores: the tables of all tasks that are known, and the metrics of short tables."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from turntable.errors import IntegrityError, shown
from turntable.evaluation.results import Results
from turntable.evaluation.tables import ScoreColumn, ScoreFinding, ScoreTable
from turntable.evaluation.tasks import TASKS

OTHER_SCORES = "Other scores"
_MOST_DIGITS = 12
_LONGEST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Catalog:
    """How scores are shown."""

    tables: tuple[ScoreTable, ...]
    """With one title each."""
    main: tuple[str, ...]
    """The metrics of short tables, in their order."""

    @property
    def columns(self) -> Mapping[str, ScoreColumn]:
        """By metric."""
        return {column.metric: column for table in self.tables for column in table.columns}

    def with_tables(self, tables: Iterable[ScoreTable], main: Iterable[str] = ()) -> Self:
        """Return it with more tables; columns of a title that is there join its table, known ones stay."""
        joined, known = {table.title: table for table in self.tables}, set(self.columns)
        for table in tables:
            more = tuple(column for column in table.columns if column.metric not in known)
            if more:
                there = joined.get(table.title, replace(table, columns=()))
                joined[table.title] = replace(there, columns=(*there.columns, *more))
                known |= {column.metric for column in more}
        return replace(self, tables=tuple(joined.values()), main=tuple(dict.fromkeys([*self.main, *main])))

    def covering(self, metrics: Iterable[str]) -> Self:
        """Return it with a last table for metrics that no task brings; none is lost."""
        known = self.columns
        others = [metric for metric in dict.fromkeys(metrics) if metric not in known]
        if not others:
            return self
        columns = tuple(ScoreColumn(name, name, digits=None, lower_is_better=None) for name in others)
        table = ScoreTable(OTHER_SCORES, "Of tasks that are not known here.", columns)
        return self.with_tables([table], others)


def catalog_of(results: Iterable[Results]) -> Catalog:
    """Return how the scores of results are shown: as the known tasks say, and as their own protocols do.

    Raises:
        IntegrityError: A protocol's tables are none.
    """
    catalog, metrics = CATALOG, dict[str, None]()
    for result in results:
        for tables, main in _told(result.protocol):
            catalog = catalog.with_tables(tables, main)
        rows = [*result.rows, *(row for there in result.elsewhere for row in there.rows)]
        metrics |= dict.fromkeys(metric for row in rows for metric in row.scores)
    return catalog.covering(metrics)


def _told(protocol: Mapping[str, Any]) -> list[tuple[list[ScoreTable], list[str]]]:
    """The tables that a protocol brings of tasks that are not known, as files tell them."""
    try:
        tasks = [task for task in _list_of(protocol.get("tasks", []), Mapping) if "tables" in task]
        return [
            (
                [_table(table) for table in _list_of(task["tables"], Mapping)],
                [_text(metric) for metric in _list_of(task.get("main", []), str)],
            )
            for task in tasks
        ]
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise IntegrityError(
            f"the protocol of these results has tables that are none ({shown(str(error))}); run turntable"
            " evaluate again"
        ) from error


def _table(values: Mapping[str, Any]) -> ScoreTable:
    finding = values.get("finding")
    columns = tuple(_column(column) for column in _list_of(values["columns"], Mapping))
    return ScoreTable(
        _text(values["title"]),
        _text(values["meaning"]),
        columns,
        None if finding is None else _finding(finding),
    )


def _column(values: Mapping[str, Any]) -> ScoreColumn:
    digits, lower = values["digits"], values["lower_is_better"]
    if digits is not None and (type(digits) is not int or not 0 <= digits <= _MOST_DIGITS):
        raise ValueError(f"digits {digits!r}")
    if lower is not None and type(lower) is not bool:
        raise ValueError(f"lower_is_better {lower!r}")
    metric, heading, unit, short = (_text(values[name]) for name in ("metric", "heading", "unit", "short"))
    return ScoreColumn(metric, heading, unit, _number(values["factor"]), digits, lower, short)


def _finding(values: Mapping[str, Any]) -> ScoreFinding:
    blind = {_text(metric): _number(value) for metric, value in values["blind"].items()}
    return ScoreFinding(_text(values["metric"]), _text(values["says"]), _text(values["against"]), blind)


def _list_of(values: Any, kind: type) -> Sequence[Any]:
    if not isinstance(values, list) or not all(isinstance(value, kind) for value in values):
        raise TypeError("a list is something else")
    return values


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise ValueError("a text is none, or too long")
    value.encode("utf-8")
    return value


def _number(value: Any) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def _known() -> Catalog:
    catalog = Catalog((), ())
    for task in TASKS:
        catalog = catalog.with_tables(task.tables, task.main)
    return catalog


CATALOG = _known()
"""The catalog of all tasks that are registered."""

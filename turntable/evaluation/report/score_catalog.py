"""The catalog of score tables, from turntable's own tasks and from the protocols of results."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from turntable.errors import IntegrityError, format_text
from turntable.evaluation.evaluation_results import EvaluationResults
from turntable.evaluation.score_table_specs import ScoreColumn, ScoreFinding, ScoreTable
from turntable.evaluation.tasks import TASKS

OTHER_SCORES_TITLE = "Other scores"
"""Title of the table of metrics that no other table has."""
_MAX_DIGITS = 12
"""Maximal number of decimals that a file may ask for."""
_MAX_TEXT_LENGTH = 1000
"""Maximal length of a text that a file may have."""


@dataclass(frozen=True, slots=True)
class ScoreCatalog:
    """The tables that scores are shown in."""

    tables: tuple[ScoreTable, ...]
    """Tables with unique titles."""
    main_metrics: tuple[str, ...]
    """Metrics that short tables show, in order."""

    @property
    def columns(self) -> Mapping[str, ScoreColumn]:
        """Columns of all tables by metric."""
        return {column.metric: column for table in self.tables for column in table.columns}

    def get_finding(self, column: ScoreColumn) -> ScoreFinding | None:
        """Return the finding of the table that has a column; None if the table has none."""
        return next((table.finding for table in self.tables if column in table.columns), None)

    def with_tables(self, tables: Iterable[ScoreTable], main_metrics: Iterable[str] = ()) -> Self:
        """Return a catalog with more tables.

        The columns of a table whose title is there already are added to that table. Metrics that the catalog
        has already keep their column.
        """
        by_title, known = {table.title: table for table in self.tables}, set(self.columns)
        for table in tables:
            new_columns = tuple(column for column in table.columns if column.metric not in known)
            if new_columns:
                before = by_title.get(table.title, replace(table, columns=()))
                by_title[table.title] = replace(before, columns=(*before.columns, *new_columns))
                known |= {column.metric for column in new_columns}
        return replace(
            self,
            tables=tuple(by_title.values()),
            main_metrics=tuple(dict.fromkeys([*self.main_metrics, *main_metrics])),
        )

    def with_other_scores(self, metrics: Iterable[str]) -> Self:
        """Return a catalog with a last table for those of the metrics that no table has, so none is lost."""
        known = self.columns
        others = [metric for metric in dict.fromkeys(metrics) if metric not in known]
        if not others:
            return self
        columns = tuple(ScoreColumn(name, name, digits=None, lower_is_better=None) for name in others)
        table = ScoreTable(OTHER_SCORES_TITLE, "Scores of tasks that this version does not have.", columns)
        return self.with_tables([table], others)


def build_catalog(results: Iterable[EvaluationResults]) -> ScoreCatalog:
    """Build the catalog of results: turntable's own tables, then those in the results' protocols.

    Raises:
        IntegrityError: The tables in a protocol are malformed.
    """
    catalog, metrics = CATALOG, dict[str, None]()
    for result in results:
        for tables, main in _parse_protocol_tables(result.protocol):
            catalog = catalog.with_tables(tables, main)
        rows = [*result.rows, *(row for other in result.elsewhere for row in other.rows)]
        metrics |= dict.fromkeys(metric for row in rows for metric in row.scores)
    return catalog.with_other_scores(metrics)


def _parse_protocol_tables(protocol: Mapping[str, Any]) -> list[tuple[list[ScoreTable], list[str]]]:
    """Parse the tables of a protocol's tasks outside ``TASKS``, each with the task's main metrics."""
    try:
        tasks = [task for task in _parse_list(protocol.get("tasks", []), Mapping) if "tables" in task]
        return [
            (
                [_parse_table(table) for table in _parse_list(task["tables"], Mapping)],
                [_parse_text(metric) for metric in _parse_list(task.get("main", []), str)],
            )
            for task in tasks
        ]
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise IntegrityError(
            f"the protocol of these results has malformed tables ({format_text(str(error))}); run turntable"
            " evaluate again"
        ) from error


def _parse_table(values: Mapping[str, Any]) -> ScoreTable:
    finding = values.get("finding")
    columns = tuple(_parse_column(column) for column in _parse_list(values["columns"], Mapping))
    return ScoreTable(
        _parse_text(values["title"]),
        _parse_text(values["meaning"]),
        columns,
        None if finding is None else _parse_finding(finding),
    )


def _parse_column(values: Mapping[str, Any]) -> ScoreColumn:
    digits, lower = values["digits"], values["lower_is_better"]
    if digits is not None and (type(digits) is not int or not 0 <= digits <= _MAX_DIGITS):
        raise ValueError(f"digits {digits!r}")
    if lower is not None and type(lower) is not bool:
        raise ValueError(f"lower_is_better {lower!r}")
    metric, heading, unit, short = (
        _parse_text(values[name]) for name in ("metric", "heading", "unit", "short")
    )
    return ScoreColumn(metric, heading, unit, _parse_number(values["factor"]), digits, lower, short)


def _parse_finding(values: Mapping[str, Any]) -> ScoreFinding:
    blind = {_parse_text(metric): _parse_number(value) for metric, value in values["blind"].items()}
    return ScoreFinding(
        _parse_text(values["metric"]), _parse_text(values["says"]), _parse_text(values["against"]), blind
    )


def _parse_list(values: Any, item_type: type) -> Sequence[Any]:
    if not isinstance(values, list) or not all(isinstance(value, item_type) for value in values):
        raise TypeError(f"not a list of {item_type.__name__}")
    return values


def _parse_text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT_LENGTH:
        raise ValueError(f"not a text of at most {_MAX_TEXT_LENGTH} characters")
    value.encode("utf-8")  # raises UnicodeEncodeError, a ValueError, for lone surrogates
    return value


def _parse_number(value: Any) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number")
    return float(value)


def _build_task_catalog() -> ScoreCatalog:
    catalog = ScoreCatalog((), ())
    for task in TASKS:
        catalog = catalog.with_tables(task.tables, task.main_metrics)
    return catalog


CATALOG = _build_task_catalog()
"""The catalog of turntable's own tasks."""

"""Marks in score tables: the best value of a column, and values worse than the constant baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Self

from turntable.evaluation.evaluation_results import CONSTANT_ROW, Score, ScoreRow, is_baseline
from turntable.evaluation.score_table_specs import ScoreColumn, ScoreFinding


class Mark(Enum):
    """A mark beside a value; its symbol needs no color."""

    NONE = ""
    BEST = "★"
    WORSE = "▼"

    def add_to(self, text: str) -> str:
        """Return a text with the symbol before it, so that right-aligned digits stay below each other."""
        return f"{self.value} {text}" if self.value else text


MARKS_LEGEND = (
    f"{Mark.BEST.value} best of its column, and better than the constant baseline;"
    f" {Mark.WORSE.value} worse than the constant baseline."
)
"""Explanation of the marks, as all tables have it."""


@dataclass(frozen=True, slots=True)
class ColumnMarker:
    """The values that decide about the marks of a column."""

    column: ScoreColumn
    """Column that is marked."""
    best: float | None
    """Best value; None if no value is marked as the best."""
    constant: float | None
    """Value of the constant baseline; None if it has none."""

    @classmethod
    def from_rows(cls, column: ScoreColumn, rows: Sequence[ScoreRow], finding: ScoreFinding | None) -> Self:
        """Find the best value of a column and the value of the constant baseline.

        Args:
            column: Column that is marked.
            rows: Rows of the table.
            finding: Finding of the table, which may have values of the constant baseline by definition.
        """
        if column.lower_is_better is None:
            return cls(column, None, None)
        known = collect_constant_scores(rows, finding, {column.metric: column}).get(column.metric)
        constant = known.value if known is not None else None
        values = [
            row.scores[column.metric].value
            for row in rows
            if can_be_best(row) and column.metric in row.scores
        ]
        best = max(values, key=lambda value: column.sign * value, default=None)
        if best is not None and constant is not None and not _is_better(column, best, constant):
            best = None
        return cls(column, best, constant)

    def mark(self, row: ScoreRow) -> Mark:
        """Return the mark of a row's value; baselines are not marked."""
        if is_baseline(row.name) or self.column.metric not in row.scores:
            return Mark.NONE
        value = row.scores[self.column.metric].value
        if can_be_best(row) and value == self.best:
            return Mark.BEST
        if self.constant is not None and _is_better(self.column, self.constant, value):
            return Mark.WORSE
        return Mark.NONE


def _is_better(column: ScoreColumn, value: float, other: float) -> bool:
    """Return True if a value is better than another, also as the column shows both."""
    if column.format_value(value) == column.format_value(other):
        return False
    return column.sign * value > column.sign * other


def can_be_best(row: ScoreRow) -> bool:
    """Return True if a row may be the best: not baselines, nor several views, which are an easier task."""
    return not is_baseline(row.name) and not row.name.startswith("aggregate")


def collect_constant_scores(
    rows: Sequence[ScoreRow], finding: ScoreFinding | None, columns: Mapping[str, ScoreColumn]
) -> dict[str, Score]:
    """Collect the scores of the constant baseline by metric.

    Args:
        rows: Rows of the table.
        finding: Finding of the table. It may give values that follow from a metric's definition; the better
            of such a value and the baseline's score is taken.
        columns: Columns by metric; other metrics of the finding are left out.
    """
    scores = dict(next((row.scores for row in rows if row.name == CONSTANT_ROW), {}))
    for metric, value in (finding.blind if finding is not None else {}).items():
        if metric not in columns:
            continue
        sign = columns[metric].sign
        if metric not in scores or sign * value > sign * scores[metric].value:
            scores[metric] = Score(value, value, value)
    return scores

"""Score tables for people: rows of methods and parts, marks, and a sentence of finding for each table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from turntable.evaluation.evaluation_results import (
    CONSTANT_ROW,
    EvaluationResults,
    Score,
    ScoreRow,
    is_baseline,
)
from turntable.evaluation.report.score_catalog import CATALOG, ScoreCatalog
from turntable.evaluation.report.score_marks import ColumnMarker, Mark, can_be_best, collect_constant_scores
from turntable.evaluation.score_table_specs import ScoreColumn, ScoreFinding, ScoreTable, fill_placeholders

MethodRows = Sequence[tuple[str, ScoreRow]]
"""Rows of scores, each with the name of its method."""
CONSTANT_LABEL = "constant baseline"
"""Text in place of the method's name in the row of the constant baseline."""
BASELINE_LABEL = "baseline"
"""Text in place of the method's name in rows of other baselines."""
_UNNAMED_PARTS = ("representation", "classifier", "predictor")
"""Parts that a sentence about a method does not name: they are the usual ones of their tables."""


@dataclass(frozen=True, slots=True)
class MeanScore(Score):
    """A mean over seeds; its interval is from the least to the greatest end of theirs."""

    spread: float
    """Standard deviation over seeds."""


@dataclass(frozen=True, slots=True)
class TableCell:
    """A formatted score; empty if there is none."""

    value: str = ""
    """Formatted value."""
    interval: str = ""
    """Formatted interval."""
    mark: Mark = Mark.NONE
    """Mark of the value."""
    spread: str = ""
    """Formatted standard deviation over seeds; empty if it is one run's score."""

    @property
    def text(self) -> str:
        """Value with its mark."""
        return self.mark.add_to(self.value)

    @property
    def is_best(self) -> bool:
        """True if the value is marked as the best of its column."""
        return self.mark is Mark.BEST

    @property
    def is_worse(self) -> bool:
        """True if the value is marked as worse than the constant baseline."""
        return self.mark is Mark.WORSE


@dataclass(frozen=True, slots=True)
class TableRow:
    """A formatted row of a table."""

    method: str
    """Name of the method, or the label of a baseline."""
    part: str
    """Name of the row of scores, such as "representation"."""
    cells: tuple[TableCell, ...]
    """Cells, one for each column."""

    @property
    def is_baseline(self) -> bool:
        """True if the row is of a baseline."""
        return is_baseline(self.part)


@dataclass(frozen=True, slots=True)
class RenderedTable:
    """A table filled with formatted scores."""

    title: str
    """Title of the table."""
    meaning: str
    """Explanation of its metrics; may be empty."""
    headings: tuple[str, ...]
    """Headings of the columns of scores."""
    rows: tuple[TableRow, ...]
    """Rows; baselines are last."""
    finding: str = ""
    """Sentence that compares the best row with the constant baseline; may be empty."""
    group_headings: tuple[str, ...] = ()
    """Headings above the headings, each over the same number of columns."""


def build_tables(rows: MethodRows, catalog: ScoreCatalog = CATALOG) -> tuple[RenderedTable, ...]:
    """Build the tables of a catalog that have scores, without empty rows and columns.

    Args:
        rows: Rows with the method's name each; baselines are last.
        catalog: Catalog of tables; metrics that it does not have are put into a table of other scores.
    """
    catalog = catalog.with_other_scores(_list_metrics(rows))
    found = (_build_table(table, rows, catalog) for table in catalog.tables)
    return tuple(table for table in found if table is not None)


def build_side_by_side_tables(
    rows_by_dataset: Mapping[str, MethodRows], catalog: ScoreCatalog = CATALOG
) -> tuple[RenderedTable, ...]:
    """Build tables of the main metrics on several data sets, those of one metric beside each other.

    Args:
        rows_by_dataset: Rows by name of the data set, with the same methods and parts.
        catalog: Catalog of tables.
    """
    catalog = catalog.with_other_scores(
        metric for rows in rows_by_dataset.values() for metric in _list_metrics(rows)
    )
    found = (_build_side_by_side_table(table, rows_by_dataset, catalog) for table in catalog.tables)
    return tuple(table for table in found if table is not None)


def _list_metrics(rows: MethodRows) -> list[str]:
    return [metric for _, row in rows for metric in row.scores]


def collect_rows(results: Sequence[EvaluationResults]) -> list[tuple[str, ScoreRow]]:
    """Collect the rows of all methods; each baseline comes once, at the end."""
    return merge_baselines([(result.method, row) for result in results for row in result.rows])


def merge_baselines(rows: MethodRows) -> list[tuple[str, ScoreRow]]:
    """Return rows with each baseline once, at the end: it is the same for every method."""
    baselines: dict[str, ScoreRow] = {}
    for _, row in rows:
        if is_baseline(row.name):
            baselines.setdefault(row.name, row)
    learned = [item for item in rows if not is_baseline(item[1].name)]
    return learned + [
        (get_baseline_label(row.name), row) for row in sorted(baselines.values(), key=_is_constant)
    ]


def get_baseline_label(baseline: str) -> str:
    """Return the text in place of the method's name in the row of a baseline."""
    return CONSTANT_LABEL if baseline == CONSTANT_ROW else BASELINE_LABEL


def _is_constant(row: ScoreRow) -> bool:
    return row.name == CONSTANT_ROW


def _build_table(table: ScoreTable, rows: MethodRows, catalog: ScoreCatalog) -> RenderedTable | None:
    columns = _select_used_columns(table.columns, rows)
    if not columns:
        return None
    score_rows = [row for _, row in rows]
    markers = [ColumnMarker.from_rows(column, score_rows, table.finding) for column in columns]
    shown = [
        TableRow(method, row.name, tuple(format_cell(marker, row) for marker in markers))
        for method, row in rows
        if any(column.metric in row.scores for column in columns)
    ]
    headings = tuple(column.full_heading for column in columns)
    finding = _format_finding(table.finding, rows, catalog)
    return RenderedTable(table.title, table.meaning, headings, tuple(shown), finding)


def _build_side_by_side_table(
    table: ScoreTable, rows_by_dataset: Mapping[str, MethodRows], catalog: ScoreCatalog
) -> RenderedTable | None:
    all_rows = [item for rows in rows_by_dataset.values() for item in rows]
    columns = _select_used_columns(
        [column for column in table.columns if column.metric in catalog.main_metrics], all_rows
    )
    if not columns:
        return None
    by_dataset = [{(method, row.name): row for method, row in rows} for rows in rows_by_dataset.values()]
    markers = [
        (ColumnMarker.from_rows(column, list(by_name.values()), table.finding), by_name)
        for column in columns
        for by_name in by_dataset
    ]
    shown: list[TableRow] = []
    for method, part in dict.fromkeys((method, row.name) for method, row in all_rows):
        cells = tuple(format_cell(marker, by_name.get((method, part))) for marker, by_name in markers)
        if any(cell.value for cell in cells):
            shown.append(TableRow(method, part, cells))
    return RenderedTable(
        table.title,
        "",
        tuple(rows_by_dataset) * len(columns),
        tuple(_sort_baselines_last(shown)),
        group_headings=tuple(column.full_heading for column in columns),
    )


def _sort_baselines_last(rows: Iterable[TableRow]) -> list[TableRow]:
    return sorted(rows, key=lambda row: (row.is_baseline, row.part == CONSTANT_ROW))


def _select_used_columns(columns: Iterable[ScoreColumn], rows: MethodRows) -> list[ScoreColumn]:
    """Return the columns in which a row other than a baseline has a score."""
    learned = [row for _, row in rows if not is_baseline(row.name)]
    return [column for column in columns if any(column.metric in row.scores for row in learned)]


def format_cell(marker: ColumnMarker, row: ScoreRow | None) -> TableCell:
    """Format the score of a row in the column of a marker; the cell is empty if there is none."""
    column = marker.column
    if row is None or column.metric not in row.scores:
        return TableCell()
    score = row.scores[column.metric]
    value, low, high = (column.format_value(x) for x in (score.value, score.low, score.high))
    spread = column.format_value(score.spread) if isinstance(score, MeanScore) else ""
    return TableCell(value, f"{low} … {high}", marker.mark(row), spread)


def _format_finding(finding: ScoreFinding | None, rows: MethodRows, catalog: ScoreCatalog) -> str:
    """Return a sentence with the values of the best row and of the constant baseline.

    A second sentence says if the best row is worse, or if the intervals overlap.
    """
    if finding is None or finding.metric not in catalog.columns:
        return ""
    column = catalog.columns[finding.metric]
    able = [(method, row) for method, row in rows if can_be_best(row) and column.metric in row.scores]
    if not able:
        return ""
    method, row = max(able, key=lambda item: column.sign * item[1].scores[column.metric].value)
    who = method if row.name in _UNNAMED_PARTS else f"{method}, {row.name}"
    about_best = fill_placeholders(finding.says, {"who": who, **_format_values(row.scores, catalog)})
    constant_scores = collect_constant_scores([row for _, row in rows], finding, catalog.columns)
    if finding.metric not in constant_scores:
        return f"{about_best}."
    about_constant = fill_placeholders(finding.against, _format_values(constant_scores, catalog))
    verdict = _format_verdict(column.sign, row.scores[column.metric], constant_scores[column.metric])
    return f"{about_best}, {about_constant}.{verdict}"


def _format_values(scores: Mapping[str, Score], catalog: ScoreCatalog) -> dict[str, str]:
    """Return the formatted values of all metrics; a missing one is a dash."""
    return {
        metric: column.format_value(scores[metric].value) if metric in scores else "–"
        for metric, column in catalog.columns.items()
    }


def _format_verdict(sign: int, score: Score, constant_score: Score) -> str:
    low, high = sorted((sign * score.low, sign * score.high))
    constant_low, constant_high = sorted((sign * constant_score.low, sign * constant_score.high))
    if low > constant_high:
        return ""
    if high < constant_low:
        return " This is worse than the constant baseline."
    return " The intervals overlap: no difference is shown."

"""Scores in tables of metrics that belong together, methods and parts side by side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from turntable.evaluation.report.catalog import CATALOG, Catalog
from turntable.evaluation.results import CONSTANT, Results, Row, Score, is_baseline
from turntable.evaluation.tables import ScoreColumn, ScoreFinding, ScoreTable, filled

Rows = Sequence[tuple[str, Row]]
"""With the method's name each."""
NO_IMAGE, NO_METHOD = "no image", "no method"


@dataclass(frozen=True, slots=True)
class MeanScore(Score):
    """A mean over seeds; its interval is the widest of theirs."""

    spread: float
    """The standard deviation over seeds."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A score as a table shows it; empty where there is none."""

    value: str = ""
    interval: str = ""
    best: bool = False
    spread: str = ""
    """Over seeds."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table."""

    method: str
    part: str
    cells: tuple[Cell, ...]

    @property
    def baseline(self) -> bool:
        """Say whether it is of a baseline."""
        return is_baseline(self.part)


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table with its scores."""

    title: str
    meaning: str
    headings: tuple[str, ...]
    rows: tuple[TableRow, ...]
    finding: str = ""
    """In a sentence or two, what the numbers say."""
    over: tuple[str, ...] = ()
    """Headings above the headings, each over as many columns as the others."""


def tables(rows: Rows, catalog: Catalog = CATALOG) -> tuple[ShownTable, ...]:
    """The tables that have scores, each with the metrics and the rows that have some.

    Args:
        rows: With the method's name each; baselines are shown last.
        catalog: How scores are shown; a metric that it does not have stands in a table of other scores.
    """
    catalog = catalog.covering(_metrics(rows))
    found = (_table(table, rows, catalog) for table in catalog.tables)
    return tuple(table for table in found if table is not None)


def side_by_side(places: Mapping[str, Rows], catalog: Catalog = CATALOG) -> tuple[ShownTable, ...]:
    """The main metrics of each table on several data sets, one beside the other.

    Args:
        places: Rows by the data set's name, with the same methods and parts.
        catalog: How scores are shown.
    """
    catalog = catalog.covering(metric for rows in places.values() for metric in _metrics(rows))
    found = (_beside(table, places, catalog) for table in catalog.tables)
    return tuple(table for table in found if table is not None)


def _metrics(rows: Rows) -> list[str]:
    return [metric for _, row in rows for metric in row.scores]


def rows_of(results: Sequence[Results]) -> list[tuple[str, Row]]:
    """Every part of every method; baselines once, at the end."""
    return with_baselines_once([(result.method, row) for result in results for row in result.rows])


def with_baselines_once(rows: Rows) -> list[tuple[str, Row]]:
    """The same with each baseline once, at the end: it is the same for every method."""
    baselines: dict[str, Row] = {}
    for _, row in rows:
        if is_baseline(row.name):
            baselines.setdefault(row.name, row)
    learned = [item for item in rows if not is_baseline(item[1].name)]
    return learned + [(stand_in(row.name), row) for row in sorted(baselines.values(), key=_is_constant)]


def stand_in(baseline: str) -> str:
    """Return what stands for the method's name beside a baseline."""
    return NO_IMAGE if baseline == CONSTANT else NO_METHOD


def competes(row: Row) -> bool:
    """Say whether a row may be the best: several views together answer an easier question."""
    return not is_baseline(row.name) and not row.name.startswith("aggregate")


def _is_constant(row: Row) -> bool:
    return row.name == CONSTANT


def _table(table: ScoreTable, rows: Rows, catalog: Catalog) -> ShownTable | None:
    columns = _used(table.columns, rows)
    if not columns:
        return None
    blind = _blind(table.finding, rows, catalog)
    best = {column.metric: _best(column, rows, blind) for column in columns}
    shown = [
        TableRow(method, row.name, tuple(_cell(column, row, best) for column in columns))
        for method, row in rows
        if any(column.metric in row.scores for column in columns)
    ]
    headings = tuple(column.full_heading for column in columns)
    said = _finding(table.finding, rows, catalog)
    return ShownTable(table.title, table.meaning, headings, tuple(shown), said)


def _beside(table: ScoreTable, places: Mapping[str, Rows], catalog: Catalog) -> ShownTable | None:
    everywhere = [item for rows in places.values() for item in rows]
    columns = _used([column for column in table.columns if column.metric in catalog.main], everywhere)
    if not columns:
        return None
    by_place = [{(method, row.name): row for method, row in rows} for rows in places.values()]
    shown = [
        TableRow(
            method,
            part,
            tuple(_cell_at(column, at.get((method, part))) for column in columns for at in by_place),
        )
        for method, part in dict.fromkeys((method, row.name) for method, row in everywhere)
        if any(
            c.metric in at[method, part].scores for c in columns for at in by_place if (method, part) in at
        )
    ]
    over = tuple(column.full_heading for column in columns)
    return ShownTable(table.title, "", tuple(places) * len(columns), tuple(_baselines_last(shown)), over=over)


def _baselines_last(rows: Iterable[TableRow]) -> list[TableRow]:
    return sorted(rows, key=lambda row: (is_baseline(row.part), row.part == CONSTANT))


def _used(columns: Iterable[ScoreColumn], rows: Rows) -> list[ScoreColumn]:
    """Those that something learned has."""
    learned = [row for _, row in rows if not is_baseline(row.name)]
    return [column for column in columns if any(column.metric in row.scores for row in learned)]


def _blind(finding: ScoreFinding | None, rows: Rows, catalog: Catalog) -> Mapping[str, Score]:
    """Scores of what sees nothing."""
    scores = dict(next((row.scores for _, row in rows if row.name == CONSTANT), {}))
    for metric, value in (finding.blind if finding is not None else {}).items():
        if metric not in catalog.columns:
            continue
        sign = catalog.columns[metric].sign
        if metric not in scores or sign * value > sign * scores[metric].value:
            scores[metric] = Score(value, value, value)
    return scores


def _best(column: ScoreColumn, rows: Rows, blind: Mapping[str, Score]) -> float | None:
    """The best value; None where seeing nothing is as good, or where it is not known which is better."""
    if column.lower_is_better is None:
        return None
    sign = column.sign
    values = [
        row.scores[column.metric].value for _, row in rows if competes(row) and column.metric in row.scores
    ]
    best = max(values, key=lambda value: sign * value, default=None)
    nothing = blind.get(column.metric)
    if best is None or (nothing is not None and sign * best <= sign * nothing.value):
        return None
    return best


def _cell(column: ScoreColumn, row: Row, best: Mapping[str, float | None]) -> Cell:
    score = row.scores.get(column.metric)
    is_best = score is not None and competes(row) and score.value == best[column.metric]
    return _cell_at(column, row, is_best)


def _cell_at(column: ScoreColumn, row: Row | None, is_best: bool = False) -> Cell:
    if row is None or column.metric not in row.scores:
        return Cell()
    score = row.scores[column.metric]
    value, low, high = (column.told(x) for x in (score.value, score.low, score.high))
    spread = column.told(score.spread) if isinstance(score, MeanScore) else ""
    return Cell(value, f"{low} … {high}", is_best, spread)


def _finding(finding: ScoreFinding | None, rows: Rows, catalog: Catalog) -> str:
    """Say what the best has, what seeing nothing has, and whether that is shown to be another thing."""
    if finding is None or finding.metric not in catalog.columns:
        return ""
    sign = catalog.columns[finding.metric].sign
    able = [(method, row) for method, row in rows if competes(row) and finding.metric in row.scores]
    if not able:
        return ""
    method, row = max(able, key=lambda item: sign * item[1].scores[finding.metric].value)
    values = _values(row.scores, catalog)
    says = filled(finding.says, {"who": f"the {row.name} of {method}", **values})
    says = says[:1].upper() + says[1:]
    blind = _blind(finding, rows, catalog)
    if finding.metric not in blind:
        return f"{says}."
    against = filled(finding.against, _values(blind, catalog))
    return f"{says}; {against}.{_verdict(sign, row.scores[finding.metric], blind[finding.metric])}"


def _values(scores: Mapping[str, Score], catalog: Catalog) -> dict[str, str]:
    """Return the values of all metrics as told, those without one as a dash."""
    return {
        metric: column.told(scores[metric].value) if metric in scores else "–"
        for metric, column in catalog.columns.items()
    }


def _verdict(sign: int, score: Score, blind: Score) -> str:
    ends, blind_ends = (sorted((sign * s.low, sign * s.high)) for s in (score, blind))
    if ends[0] > blind_ends[1]:
        return ""
    if ends[1] < blind_ends[0]:
        return " That is worse."
    return " Their intervals meet: nothing is shown to be learned here."

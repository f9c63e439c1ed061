"""Tables: scores in groups of metrics that belong together, methods and parts side by side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from turntable.evaluation.report.groups import COLUMNS, GROUPS, MAIN, Column, Finding, Group
from turntable.evaluation.results import Results, Row, Score

Rows = Sequence[tuple[str, Row]]
"""With the method's name each."""
CONSTANT = "constant"


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


@dataclass(frozen=True, slots=True)
class Table:
    """A group's scores."""

    title: str
    meaning: str
    headings: tuple[str, ...]
    rows: tuple[TableRow, ...]
    finding: str = ""
    """In a sentence or two, what the numbers say."""
    over: tuple[str, ...] = ()
    """Headings above the headings, each over as many columns as the others."""


def tables(rows: Rows) -> tuple[Table, ...]:
    """The groups that have scores, each with the metrics and the rows that have some.

    Args:
        rows: With the method's name each; those of constants are shown last.
    """
    found = (_table(group, rows) for group in GROUPS)
    return tuple(table for table in found if table is not None)


def side_by_side(places: Mapping[str, Rows]) -> tuple[Table, ...]:
    """The main metrics of each group on several data sets, one beside the other.

    Args:
        places: Rows by the data set's name, with the same methods and parts.
    """
    found = (_beside(group, places) for group in GROUPS)
    return tuple(table for table in found if table is not None)


def rows_of(results: Sequence[Results]) -> list[tuple[str, Row]]:
    """Every part of every method; what sees no image once, at the end."""
    return with_one_constant([(result.method, row) for result in results for row in result.rows])


def with_one_constant(rows: Rows) -> list[tuple[str, Row]]:
    """The same with what sees no image once, at the end: it is the same for every method."""
    constants = [("no image", row) for _, row in rows if row.name == CONSTANT]
    return [item for item in rows if item[1].name != CONSTANT] + constants[:1]


def competes(row: Row) -> bool:
    """Whether a row may be the best: several views together answer an easier question."""
    return row.name != CONSTANT and not row.name.startswith("aggregate")


def _table(group: Group, rows: Rows) -> Table | None:
    columns = _used(group.columns, rows)
    if not columns:
        return None
    blind = _blind(group.finding, rows)
    best = {column.metric: _best(column, rows, blind) for column in columns}
    shown = [
        TableRow(method, row.name, tuple(_cell(column, row, best) for column in columns))
        for method, row in rows
        if any(column.metric in row.scores for column in columns)
    ]
    headings = tuple(column.heading for column in columns)
    return Table(group.title, group.meaning, headings, tuple(shown), _finding(group.finding, rows))


def _beside(group: Group, places: Mapping[str, Rows]) -> Table | None:
    everywhere = [item for rows in places.values() for item in rows]
    columns = _used([column for column in group.columns if column.metric in MAIN], everywhere)
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
    over = tuple(column.heading for column in columns)
    return Table(group.title, "", tuple(places) * len(columns), tuple(_constant_last(shown)), over=over)


def _constant_last(rows: Iterable[TableRow]) -> list[TableRow]:
    return sorted(rows, key=lambda row: row.part == CONSTANT)


def _used(columns: Iterable[Column], rows: Rows) -> list[Column]:
    """Those that something learned has."""
    return [c for c in columns if any(c.metric in row.scores for _, row in rows if row.name != CONSTANT)]


def _blind(finding: Finding, rows: Rows) -> Mapping[str, Score]:
    """Scores of what sees no image."""
    scores = dict(next((row.scores for _, row in rows if row.name == CONSTANT), {}))
    for metric, value in finding.blind.items():
        sign = _sign(COLUMNS[metric])
        if metric not in scores or sign * value > sign * scores[metric].value:
            scores[metric] = Score(value, value, value)
    return scores


def _sign(column: Column) -> int:
    """1 where more is better, -1 where less is."""
    return -1 if column.lower_is_better else 1


def _best(column: Column, rows: Rows, blind: Mapping[str, Score]) -> float | None:
    """The best value; None where seeing no image is as good."""
    sign = _sign(column)
    values = [
        row.scores[column.metric].value for _, row in rows if competes(row) and column.metric in row.scores
    ]
    best = max(values, key=lambda value: sign * value, default=None)
    nothing = blind.get(column.metric)
    if best is None or (nothing is not None and sign * best <= sign * nothing.value):
        return None
    return best


def _cell(column: Column, row: Row, best: Mapping[str, float | None]) -> Cell:
    score = row.scores.get(column.metric)
    is_best = score is not None and competes(row) and score.value == best[column.metric]
    return _cell_at(column, row, is_best)


def _cell_at(column: Column, row: Row | None, is_best: bool = False) -> Cell:
    if row is None or column.metric not in row.scores:
        return Cell()
    score = row.scores[column.metric]
    value, low, high = (column.told(x) for x in (score.value, score.low, score.high))
    spread = column.told(score.spread) if isinstance(score, MeanScore) else ""
    return Cell(value, f"{low} … {high}", is_best, spread)


def _finding(finding: Finding, rows: Rows) -> str:
    """What the best has, what seeing nothing has, and whether that is shown to be another thing."""
    column = COLUMNS[finding.metric]
    sign = _sign(column)
    able = [(method, row) for method, row in rows if competes(row) and finding.metric in row.scores]
    if not able:
        return ""
    method, row = max(able, key=lambda item: sign * item[1].scores[finding.metric].value)
    says = finding.says.format_map({"who": f"the {row.name} of {method}", **_values(row.scores)})
    says = says[0].upper() + says[1:]
    blind = _blind(finding, rows)
    if finding.metric not in blind:
        return f"{says}."
    against = finding.against.format_map(_values(blind))
    return f"{says}; {against}.{_verdict(sign, row.scores[finding.metric], blind[finding.metric])}"


def _values(scores: Mapping[str, Score]) -> dict[str, str]:
    """Of all metrics, those without a value as a dash."""
    return {
        metric: column.told(scores[metric].value) if metric in scores else "–"
        for metric, column in COLUMNS.items()
    }


def _verdict(sign: int, score: Score, blind: Score) -> str:
    ends, blind_ends = (sorted((sign * s.low, sign * s.high)) for s in (score, blind))
    if ends[0] > blind_ends[1]:
        return ""
    if ends[1] < blind_ends[0]:
        return " That is worse."
    return " Their intervals meet: nothing is shown to be learned here."

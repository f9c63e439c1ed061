"""Tables: scores in groups of metrics that belong together, methods and parts side by side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from turntable.evaluation.results import Results, Row


@dataclass(frozen=True, slots=True)
class Column:
    """A metric as tables show it."""

    metric: str
    heading: str
    factor: float = 1
    """By which it is multiplied."""
    digits: int = 3
    lower_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Metrics of one kind."""

    title: str
    meaning: str
    """In a sentence, for who does not know them."""
    columns: tuple[Column, ...]


def _rotation(prefix: str) -> tuple[Column, ...]:
    return (
        Column(f"{prefix}r2_pooled", "R² pooled"),
        Column(f"{prefix}r2_averaged", "R² averaged"),
        Column(f"{prefix}geodesic_mean_deg", "error, mean °", 1, 1, lower_is_better=True),
        Column(f"{prefix}geodesic_median_deg", "error, median °", 1, 1, lower_is_better=True),
        Column(f"{prefix}acc_at_15", "within 15°, %", 100, 1),
        Column(f"{prefix}acc_at_30", "within 30°, %", 100, 1),
    )


def _found(suffix: str) -> tuple[Column, ...]:
    hits = tuple(Column(f"h_at_{k}{suffix}", f"H@{k}, %", 100, 1) for k in (1, 2, 5, 10))
    return (Column(f"mrr{suffix}", "MRR"), *hits)


GROUPS = (
    Group(
        "What the object is",
        "The share of views of objects never seen whose category is named: by a linear head, by the nearest"
        " neighbours, and by a head with fixed directions.",
        (
            Column("top1", "top-1, %", 100, 1),
            Column("knn_top1", "k-NN top-1, %", 100, 1),
            Column("ebv_top1", "fixed directions, %", 100, 1),
        ),
    ),
    Group(
        "How it was turned between two views",
        "An MLP reads both views. R² pooled is the one that SIE, EquiCaps and CapsIE publish, R² averaged"
        " that of seq-JEPA; they are not comparable. Errors are angles, whatever the sign of the quaternion.",
        _rotation(""),
    ),
    Group("The same, by a linear head", "What is there without a head that computes.", _rotation("linear_")),
    Group(
        "How it stands in one view",
        "An MLP reads one view; quaternions with w at least 0.",
        _rotation("absolute_"),
    ),
    Group(
        "Colour",
        "R² of the differences of both hues between two views; and how far the hue of one view is missed,"
        " around its circle: 0.25 turns is what guessing misses it by.",
        (
            Column("colour_r2_pooled", "R² pooled"),
            Column("colour_r2_averaged", "R² averaged"),
            Column("floor_hue_error_turn", "floor, turns", lower_is_better=True),
            Column("light_hue_error_turn", "light, turns", lower_is_better=True),
        ),
    ),
    Group(
        "Translation between two views",
        "R² of t2 - t1 in the object's frame, and of R2 t2 - R1 t1 in the world's.",
        (
            Column("translation_object_r2_pooled", "object R² pooled"),
            Column("translation_object_r2_averaged", "object R² averaged"),
            Column("translation_base_r2_pooled", "base R² pooled"),
            Column("translation_base_r2_averaged", "base R² averaged"),
        ),
    ),
    Group(
        "What the predictor finds",
        "Predictions of every view from others of its object. PRE is sin² of half the angle to the pose"
        " found, 0 at best; MRR and H@k rank the true view among those of its object; the residual compares"
        " the prediction's miss with staying where one is: below 1 it knows the turn.",
        (
            Column("pre", "PRE", lower_is_better=True),
            Column("pre_in_train", "PRE in train", lower_is_better=True),
            Column("pre_in_both", "PRE in both", lower_is_better=True),
            *_found(""),
            Column("equivariance_residual", "residual", lower_is_better=True),
        ),
    ),
    Group(
        "The same, without the view itself",
        "Identity is neither asked nor an answer.",
        _found("_without_identity"),
    ),
)

COLUMNS = {column.metric: column for group in GROUPS for column in group.columns}
"""By metric."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A score as a table shows it; empty where there is none."""

    value: str = ""
    interval: str = ""
    best: bool = False


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


def tables(rows: Sequence[tuple[str, Row]]) -> tuple[Table, ...]:
    """The groups that have scores, each with the metrics and the rows that have some.

    Args:
        rows: With the method's name each; those of constants are shown once, last.
    """
    found = (_table(group, rows) for group in GROUPS)
    return tuple(table for table in found if table is not None)


def rows_of(results: Sequence[Results]) -> list[tuple[str, Row]]:
    """Every part of every method; what sees no image once, at the end."""
    rows = [(result.method, row) for result in results for row in result.rows if row.name != "constant"]
    constants = [row for result in results for row in result.rows if row.name == "constant"]
    return rows + [("no image", row) for row in constants[:1]]


def fixed(value: float, digits: int) -> str:
    """A number with so many digits, without a minus before nothing."""
    return f"{round(value, digits) + 0.0:.{digits}f}"


def _table(group: Group, rows: Sequence[tuple[str, Row]]) -> Table | None:
    learned = [row for _, row in rows if row.name != "constant"]
    columns = [c for c in group.columns if any(c.metric in row.scores for row in learned)]
    if not columns:
        return None
    best = {column.metric: _best(column, learned) for column in columns}
    shown = [
        TableRow(method, row.name, tuple(_cell(column, row, best) for column in columns))
        for method, row in rows
        if any(column.metric in row.scores for column in columns)
    ]
    return Table(group.title, group.meaning, tuple(c.heading for c in columns), tuple(shown))


def _best(column: Column, rows: Iterable[Row]) -> float:
    values = [row.scores[column.metric].value for row in rows if column.metric in row.scores]
    return min(values) if column.lower_is_better else max(values)


def _cell(column: Column, row: Row, best: Mapping[str, float]) -> Cell:
    if column.metric not in row.scores:
        return Cell()
    score = row.scores[column.metric]
    value, low, high = (fixed(column.factor * x, column.digits) for x in (score.value, score.low, score.high))
    is_best = row.name != "constant" and score.value == best[column.metric]
    return Cell(value, f"{low} … {high}", is_best)

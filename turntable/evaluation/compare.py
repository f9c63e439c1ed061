"""Comparison: evaluated runs side by side; several seeds of one method are one row."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, stdev

from turntable.errors import InvalidInputError
from turntable.evaluation.results import Results, Row, Score, read_results
from turntable.evaluation.tables import COLUMNS, Table, fixed, tables

# The metrics of the short table, in its order.
MAIN = (
    "top1",
    "knn_top1",
    "r2_averaged",
    "geodesic_median_deg",
    "absolute_geodesic_median_deg",
    "colour_r2_averaged",
    "mrr_without_identity",
    "equivariance_residual",
)
_MUST_AGREE = {"fingerprint": "data", "protocol": "protocols"}
_CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Summary:
    """A metric of one part of one method over its runs."""

    mean: float
    spread: float | None
    """The standard deviation over seeds; None of one run."""
    low: float
    """The least lower end of the runs' intervals over objects."""
    high: float
    """The greatest upper end."""
    seeds: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One part of one method."""

    method: str
    part: str
    summaries: Mapping[str, Summary]
    """By metric."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side."""

    entries: tuple[Entry, ...]
    """In the order of the runs; what sees no image is last."""
    warnings: tuple[str, ...]
    """What makes numbers not comparable."""


def compare_runs(places: Sequence[Path | str]) -> Comparison:
    """Read and compare.

    Args:
        places: Folders of evaluated runs, or their results.json.

    Raises:
        InvalidInputError: There are none, or one has not been evaluated.
        IntegrityError: A file is damaged, or of another version.
    """
    if not places:
        raise InvalidInputError("nothing to compare: give the folders of evaluated runs")
    return compare([_read(Path(place)) for place in places])


def compare(results: Sequence[Results]) -> Comparison:
    """Compare results, wherever they come from."""
    by_method: dict[tuple[str, str], list[Results]] = {}
    for result in results:
        by_method.setdefault((result.method, result.backbone), []).append(result)
    backbones = {backbone for _, backbone in by_method}
    entries = [
        _entry(method if len(backbones) == 1 else f"{method} ({backbone})", part, runs)
        for (method, backbone), runs in by_method.items()
        for part in _parts(runs)
    ]
    if any(row.name == _CONSTANT for row in results[0].rows):
        entries.append(_entry("no image", _CONSTANT, [results[0]]))
    return Comparison(tuple(entries), tuple(_warnings(results)))


def comparison_tables(comparison: Comparison) -> tuple[Table, ...]:
    """All groups of metrics, the seeds' means with the widest intervals over objects."""
    return tables(
        [
            (_named(entry), Row(entry.part, 0, {name: _as_score(s) for name, s in entry.summaries.items()}))
            for entry in comparison.entries
        ]
    )


def main_rows(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of the short table: a mean over seeds ± its standard deviation."""
    metrics = [name for name in MAIN if any(name in entry.summaries for entry in comparison.entries)]
    headings = ["method", "part", "seeds", *(_heading(name) for name in metrics)]
    rows = [
        [
            entry.method,
            entry.part,
            str(max(s.seeds for s in entry.summaries.values())),
            *_told(entry, metrics),
        ]
        for entry in comparison.entries
        if any(name in entry.summaries for name in metrics)
    ]
    return headings, rows


def comparison_markdown(comparison: Comparison) -> str:
    """The short table in Markdown."""
    headings, rows = main_rows(comparison)
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def comparison_json(comparison: Comparison) -> str:
    """All of it, for programs."""
    return json.dumps(asdict(comparison), indent=1, allow_nan=False)


def _read(place: Path) -> Results:
    path = place / "results.json" if place.is_dir() else place
    if not path.is_file():
        raise InvalidInputError(
            f"{place} has no results.json; evaluate it first: turntable evaluate {place} DATASET"
        )
    return read_results(path)


def _parts(runs: Iterable[Results]) -> list[str]:
    names = [row.name for result in runs for row in result.rows if row.name != _CONSTANT]
    return list(dict.fromkeys(names))


def _entry(method: str, part: str, runs: Sequence[Results]) -> Entry:
    rows = [row for result in runs for row in result.rows if row.name == part]
    metrics = dict.fromkeys(name for row in rows for name in row.scores)
    return Entry(
        method, part, {name: _summary([r.scores[name] for r in rows if name in r.scores]) for name in metrics}
    )


def _summary(scores: Sequence[Score]) -> Summary:
    values = [score.value for score in scores]
    return Summary(
        mean(values),
        stdev(values) if len(values) > 1 else None,
        min(score.low for score in scores),
        max(score.high for score in scores),
        len(values),
    )


def _warnings(results: Sequence[Results]) -> Iterable[str]:
    for field, what in _MUST_AGREE.items():
        found = {json.dumps(getattr(result, field), sort_keys=True, default=list) for result in results}
        if len(found) > 1:
            names = sorted({f"{r.method}: {_name_of(r, field)}" for r in results})
            yield (
                f"these runs were evaluated on other {what}, so their numbers cannot be compared: "
                + "; ".join(names)
            )
    seen: set[tuple[str, str, int]] = set()
    for result in results:
        key = (result.method, result.backbone, result.seed)
        if key in seen:
            yield f"{result.method} comes twice with seed {result.seed}: these are not independent"
        seen.add(key)


def _name_of(result: Results, field: str) -> str:
    if field == "protocol":
        return f"{result.protocol.get('name', '?')}, pairs {str(result.protocol.get('val_pairs'))[:8]}"
    return f"{result.dataset} {result.fingerprint[:8]}"


def _named(entry: Entry) -> str:
    seeds = max((s.seeds for s in entry.summaries.values()), default=1)
    return entry.method if seeds == 1 else f"{entry.method} × {seeds}"


def _as_score(summary: Summary) -> Score:
    return Score(summary.mean, summary.low, summary.high)


def _heading(metric: str) -> str:
    prefix = {"absolute_": "one view, ", "colour_": "colour ", "linear_": "linear "}
    long = next((told for start, told in prefix.items() if metric.startswith(start)), "")
    return long + COLUMNS[metric].heading


def _told(entry: Entry, metrics: Iterable[str]) -> list[str]:
    return [_cell(name, entry.summaries[name]) if name in entry.summaries else "" for name in metrics]


def _cell(metric: str, summary: Summary) -> str:
    column = COLUMNS[metric]
    value = fixed(column.factor * summary.mean, column.digits)
    if summary.spread is None:
        return value
    return f"{value} ± {fixed(column.factor * summary.spread, column.digits)}"

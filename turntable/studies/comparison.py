"""Comparison: evaluated runs side by side; several seeds of one method are one row.

Only numbers of the same data under the same protocol stand in one section, and only runs that differ in
nothing but their seed are one row: what is averaged, and what is called the best, is comparable.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from turntable.errors import IntegrityError, InvalidInputError, shown
from turntable.evaluation import CONSTANT, Results, Row, Score, is_baseline, read_results
from turntable.evaluation.report import CATALOG, Catalog, catalog_of, competes, stand_in
from turntable.training import read_settings

_NOT_LEARNED_BY = frozenset(
    {"method", "seed", "dataset", "device", "num_workers", "log_every", "checkpoint_every", "wandb"}
)
"""Settings that do not make another training, or that are told elsewhere."""
_LONGEST_NAME = 500
_MOST = 2**63
"""Above all counts and seeds."""
_UNKNOWN = "settings unknown"


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A run's results, with what is known of its training."""

    results: Results
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Of the training, by name, but its seed; none where they are not known."""
    folder: Path | None = None
    """Of the run."""


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
class ComparedPart:
    """One part of one method."""

    method: str
    """With the settings in which runs of that method differ."""
    part: str
    summaries: Mapping[str, Summary]
    """By metric."""

    @property
    def seeds(self) -> int:
        """How many runs it is of."""
        return max((summary.seeds for summary in self.summaries.values()), default=1)


@dataclass(frozen=True, slots=True)
class Section:
    """What may be compared: the same data under the same protocol."""

    title: str
    entries: tuple[ComparedPart, ...]
    """In the order of the runs; baselines are last."""
    catalog: Catalog = CATALOG
    """How the scores are shown."""


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run that stands in a comparison."""

    label: str
    """As its entries are called."""
    seed: int
    folder: Path | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side."""

    sections: tuple[Section, ...]
    """The runs' own data first, then others on which the same heads were scored."""
    runs: tuple[ComparedRun, ...]
    warnings: tuple[str, ...]
    """What cannot be compared, and why."""

    @property
    def entries(self) -> tuple[ComparedPart, ...]:
        """Of the first section: all there is, where all runs can be compared."""
        return self.sections[0].entries


def compare_runs(places: Sequence[Path | str]) -> Comparison:
    """Read and compare.

    Args:
        places: Folders of evaluated runs, or their results.json.

    Raises:
        InvalidInputError: There are none, or one has not been evaluated.
        IntegrityError: A file is damaged, or of another version.
    """
    return compare([read_evaluated(Path(place)) for place in places])


def compare(evaluated: Sequence[Evaluated]) -> Comparison:
    """Compare results, wherever they come from.

    Raises:
        InvalidInputError: There are none.
    """
    if not evaluated:
        raise InvalidInputError("nothing to compare: give the folders of evaluated runs")
    labels = _labels(evaluated)
    own: dict[str, list[tuple[str, Sequence[Row]]]] = {}
    other: dict[str, list[tuple[str, Sequence[Row]]]] = {}
    for label, run in zip(labels, evaluated, strict=True):
        results = run.results
        own.setdefault(_condition(results), []).append((label, results.rows))
        for there in results.elsewhere:
            title = f"{there.dataset} {there.fingerprint[:8]}, with the heads of {_condition(results)}"
            other.setdefault(title, []).append((label, there.rows))
    catalog = catalog_of([run.results for run in evaluated])
    sections = tuple(
        Section(title, _entries(runs), catalog) for title, runs in (*own.items(), *other.items())
    )
    runs = tuple(
        ComparedRun(label, run.results.seed, run.folder) for label, run in zip(labels, evaluated, strict=True)
    )
    return Comparison(sections, runs, tuple(_warnings(runs, tuple(own), evaluated)))


def ordered(comparison: Comparison, metric: str) -> Comparison:
    """The same with the methods in the order of a metric, the best first; the parts of each stay together.

    Raises:
        InvalidInputError: No run has that metric.
    """
    found = {name for s in comparison.sections for entry in s.entries for name in entry.summaries}
    columns = comparison.sections[0].catalog.columns
    known = [name for name, c in columns.items() if name in found and c.lower_is_better is not None]
    if metric not in known:
        raise InvalidInputError(f"no run has {metric!r} to sort by; choose one of: {', '.join(known)}")
    sign = columns[metric].sign
    sections = (
        replace(section, entries=_ordered(section.entries, metric, sign)) for section in comparison.sections
    )
    return replace(comparison, sections=tuple(sections))


def read_evaluated(place: Path) -> Evaluated:
    """Read the results of a run, and beside them its settings.

    Args:
        place: Its folder, or its results.json.

    Raises:
        InvalidInputError: It has not been evaluated.
        IntegrityError: A file is damaged, or of another version.
    """
    path = place / "results.json" if place.is_dir() else place
    if not path.is_file():
        raise InvalidInputError(
            f"{place} has no results.json; evaluate it first: turntable evaluate {place} DATASET"
        )
    results = _read(path)
    if not (path.parent / "config.json").is_file():
        return Evaluated(results)
    run = read_settings(path.parent)
    settings = {**_flat(run["config"]), "trained on": run["fingerprint"][:8]}
    return Evaluated(results, {k: v for k, v in settings.items() if k not in _NOT_LEARNED_BY}, path.parent)


def _read(path: Path) -> Results:
    """Results whose numbers are numbers: what comes after may count on it."""
    try:
        results = read_results(path)
        fault = _fault(results)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        said = shown(str(error))
        raise IntegrityError(f"{path} is no result of turntable evaluate ({said}); run it again") from error
    if fault:
        raise IntegrityError(f"{path} is no result of turntable evaluate ({fault}); run it again")
    return results


def _fault(results: Results) -> str | None:
    """What is wrong with results; they raise what their values raise where those are of other types."""
    rows = [*results.rows, *(row for there in results.elsewhere for row in there.rows)]
    scores = [score for row in rows for score in row.scores.values()]
    names = [results.method, results.backbone or "", results.dataset, results.fingerprint]
    names += [name for row in rows for name in (row.name, *row.scores)]
    names += [name for there in results.elsewhere for name in (there.dataset, there.fingerprint)]
    names += _catalog(results).columns
    numbers = [results.seed, results.num_train_objects, results.num_val_objects, results.num_val_pairs]
    numbers += [row.dim for row in rows]
    _check_writable([*names, *results.notes, _condition(results)])
    if not all(type(number) is int and abs(number) < _MOST for number in numbers):
        return "it has counts that are no whole numbers"
    if any(len(name) > _LONGEST_NAME for name in names):
        return f"it has names of more than {_LONGEST_NAME} characters"
    if not scores:
        return "it has no scores"
    if not all(math.isfinite(end) for score in scores for end in (score.value, score.low, score.high)):
        return "it has scores that are no numbers"
    return None


def _catalog(results: Results) -> Catalog:
    """How they are shown; raises ValueError where their protocol's tables are none."""
    try:
        return catalog_of([results])
    except IntegrityError as error:
        raise ValueError(str(error)) from error


def _check_writable(texts: Sequence[str]) -> None:
    """Raise TypeError where one is no text, ValueError where one cannot be written (a lone surrogate)."""
    "".join(texts).encode("utf-8")


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value) if isinstance(value, Mapping) else {name: value}  # pyright: ignore[reportUnknownArgumentType]
    return flat


def _labels(evaluated: Sequence[Evaluated]) -> list[str]:
    """What each run is called: its method, with what sets it apart from others of that method."""
    several_backbones = len({run.results.backbone for run in evaluated}) > 1
    labels: list[str] = []
    for run in evaluated:
        same = [other for other in evaluated if other.results.method == run.results.method]
        apart = [run.results.backbone or "no backbone"] if several_backbones else []
        if not run.settings and any(other.settings for other in same):
            apart.append(_UNKNOWN)
        apart += [
            f"{name} {run.settings[name]}"
            for name in run.settings
            if name != "backbone" and any(_differs(run, other, name) for other in same)
        ]
        labels.append(run.results.method + (f" ({', '.join(apart)})" if apart else ""))
    return labels


def _differs(one: Evaluated, other: Evaluated, name: str) -> bool:
    return bool(other.settings) and one.settings[name] != other.settings.get(name)


def _condition(results: Results) -> str:
    """What numbers must share to be compared, in words; a digest of the protocol stands for all of it."""
    name, pairs = results.protocol.get("name", "?"), str(results.protocol.get("val_pairs"))[:8]
    digest = hashlib.sha256(_rules(results).encode()).hexdigest()[:8]
    return f"{results.dataset} {results.fingerprint[:8]}, protocol {name} {digest}, pairs {pairs}"


def _rules(results: Results) -> str:
    """All of the protocol but the pairs, which depend on the data, and how its scores are shown."""
    rules = {name: value for name, value in results.protocol.items() if name != "val_pairs"}
    tasks = rules.get("tasks")
    if isinstance(tasks, list):
        rules["tasks"] = [_without_tables(task) for task in tasks]
    return json.dumps(rules, sort_keys=True, default=list)


def _without_tables(task: Any) -> Any:
    if not isinstance(task, Mapping):
        return task
    return {name: value for name, value in task.items() if name not in ("tables", "main")}  # pyright: ignore[reportUnknownVariableType]


def _entries(runs: Sequence[tuple[str, Sequence[Row]]]) -> tuple[ComparedPart, ...]:
    rows: dict[tuple[str, str], list[Row]] = {}
    for label in dict.fromkeys(label for label, _ in runs):
        for row in (row for other, found in runs if other == label for row in found):
            if not is_baseline(row.name):
                rows.setdefault((label, row.name), []).append(row)
    entries = [_entry(label, part, found) for (label, part), found in rows.items()]
    baselines: dict[str, dict[str, Score]] = {}
    for row in (row for _, found in runs for row in found if is_baseline(row.name)):
        # A method that predicts nothing has no chance of finding views.
        baselines[row.name] = {**row.scores, **baselines.get(row.name, {})}
    names = sorted((name for name, scores in baselines.items() if scores), key=lambda name: name == CONSTANT)
    return (*entries, *(_entry(stand_in(name), name, [Row(name, 0, baselines[name])]) for name in names))


def _entry(method: str, part: str, rows: Sequence[Row]) -> ComparedPart:
    metrics = dict.fromkeys(name for row in rows for name in row.scores)
    return ComparedPart(
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


def _ordered(entries: Sequence[ComparedPart], metric: str, sign: int) -> tuple[ComparedPart, ...]:
    best: dict[str, float] = {}
    for entry in entries:
        if metric in entry.summaries and competes(Row(entry.part, 0, {})):
            value = sign * entry.summaries[metric].mean
            best[entry.method] = max(value, best.get(entry.method, -math.inf))

    def place(entry: ComparedPart) -> tuple[bool, bool, float, str]:
        value = best.get(entry.method, -math.inf)
        return is_baseline(entry.part), entry.part == CONSTANT, -value, entry.method

    return tuple(sorted(entries, key=place))


def _warnings(
    runs: Sequence[ComparedRun], conditions: Sequence[str], evaluated: Sequence[Evaluated]
) -> Iterable[str]:
    if len(conditions) > 1:
        parts = (
            ("data", {run.results.fingerprint for run in evaluated}),
            ("protocols", {_rules(run.results) for run in evaluated}),
            ("validation pairs", {run.results.protocol.get("val_pairs") for run in evaluated}),
        )
        other = " and ".join(name for name, found in parts if len(found) > 1)
        yield (
            f"these runs were evaluated on other {other}, so numbers are not comparable and stand apart: "
            + "; ".join(conditions)
        )
    seen: set[tuple[str, int, str]] = set()
    for run, found in zip(runs, evaluated, strict=True):
        key = (run.label, run.seed, _condition(found.results))
        if key in seen:
            yield f"{run.label} comes twice with seed {run.seed}: these are not independent"
        seen.add(key)

"""Comparison of evaluated runs; runs that differ only in their seed are averaged into one row.

A section has only numbers of the same data under the same protocol, so averages and marks in it are
meaningful.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev

from turntable.errors import InvalidInputError
from turntable.evaluation import (
    CONSTANT_ROW,
    METRIC_NAMES,
    UNTRAINED_METHOD,
    Score,
    ScoreRow,
    format_training_sources,
    is_baseline,
)
from turntable.evaluation.report import CATALOG, ScoreCatalog, build_catalog, can_be_best, get_baseline_label
from turntable.home import expand_home
from turntable.studies.evaluated_runs import EvaluatedRun, format_condition, read_evaluated_runs
from turntable.studies.missing_evaluations import explain_conditions, select_evaluations

_UNKNOWN_SETTINGS = "settings unknown"


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """A metric of one part of one method, over runs with different seeds."""

    mean: float
    """Mean over seeds."""
    spread: float | None
    """Standard deviation over seeds; None for one run."""
    low: float
    """Least lower end of the runs' intervals over objects."""
    high: float
    """Greatest upper end of the runs' intervals over objects."""
    seeds: int
    """Number of runs."""


@dataclass(frozen=True, slots=True)
class ComparedPart:
    """The scores of one part of one method."""

    method: str
    """Name of the method, with the settings in which its runs differ."""
    part: str
    """Name of the row of scores, such as "representation"."""
    summaries: Mapping[str, MetricSummary]
    """Scores over seeds by metric."""

    @property
    def num_seeds(self) -> int:
        """Number of runs."""
        return max((summary.seeds for summary in self.summaries.values()), default=1)


@dataclass(frozen=True, slots=True)
class ComparisonSection:
    """Scores that can be compared: of the same data under the same protocol."""

    title: str
    """Name and fingerprint of the data, and the protocol with its digest."""
    entries: tuple[ComparedPart, ...]
    """Parts of methods in the order of the runs; baselines are last."""
    catalog: ScoreCatalog = CATALOG
    """Catalog of the tables that show the scores."""


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run of a comparison."""

    label: str
    """Name of the method in the run's entries."""
    seed: int
    """Seed of the training."""
    folder: Path | None
    """Folder of the run; None if it is not known."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of evaluated runs."""

    sections: tuple[ComparisonSection, ...]
    """Sections of the data that runs were evaluated on, then of out-of-distribution data."""
    runs: tuple[ComparedRun, ...]
    """All runs."""
    warnings: tuple[str, ...]
    """Sentences about runs that cannot be compared, why, and what to do."""
    notes: tuple[str, ...] = ()
    """Sentences about all runs, such as what they were trained on."""

    @property
    def entries(self) -> tuple[ComparedPart, ...]:
        """Entries of the first section, which is the only one if all runs can be compared."""
        return self.sections[0].entries


def compare_runs(
    paths: Sequence[Path | str], dataset: str | None = None, protocol: str | None = None
) -> Comparison:
    """Read the results of runs and compare them, in sections by data set and protocol.

    Args:
        paths: Folders of evaluated runs, or paths of their results.json.
        dataset: Name, path, URL or beginning of the fingerprint of the data set whose results are compared;
            None for all.
        protocol: Name of the protocol whose results are compared; None for all.

    Raises:
        InvalidInputError: There are no runs, or one has no such results.
        IntegrityError: A file is damaged, or of another version.
    """
    evaluated = [run for path in paths for run in read_evaluated_runs(expand_home(path))]
    return compare_evaluated_runs(select_evaluations(evaluated, dataset, protocol))


def compare_evaluated_runs(evaluated: Sequence[EvaluatedRun]) -> Comparison:
    """Compare the results of runs.

    Raises:
        InvalidInputError: There are no runs.
    """
    if not evaluated:
        raise InvalidInputError("nothing to compare: give the folders of evaluated runs")
    labels = _make_labels(evaluated)
    own: dict[str, list[tuple[str, Sequence[ScoreRow]]]] = {}
    other: dict[str, list[tuple[str, Sequence[ScoreRow]]]] = {}
    for label, run in zip(labels, evaluated, strict=True):
        results = run.results
        own.setdefault(format_condition(results), []).append((label, results.rows))
        for ood in results.elsewhere:
            title = f"{ood.dataset} {ood.fingerprint[:8]}, with the heads of {format_condition(results)}"
            other.setdefault(title, []).append((label, ood.rows))
    catalog = build_catalog([run.results for run in evaluated])
    sections = tuple(
        ComparisonSection(title, _build_entries(runs), catalog)
        for title, runs in (*own.items(), *other.items())
    )
    warnings = (*explain_conditions(evaluated), *_iter_duplicate_warnings(labels, evaluated))
    trained = [
        (label, run.results.training)
        for label, run in zip(labels, evaluated, strict=True)
        if run.results.method != UNTRAINED_METHOD
    ]
    notes = tuple(filter(None, [format_training_sources(trained)]))
    return Comparison(sections, _list_compared_runs(labels, evaluated), warnings, notes)


def _list_compared_runs(labels: Sequence[str], evaluated: Sequence[EvaluatedRun]) -> tuple[ComparedRun, ...]:
    """List every run once, however often it was evaluated."""
    runs = [
        ComparedRun(label, run.results.seed, run.folder) for label, run in zip(labels, evaluated, strict=True)
    ]
    return tuple(run for number, run in enumerate(runs) if run.folder is None or run not in runs[:number])


def sort_comparison(comparison: Comparison, metric: str) -> Comparison:
    """Sort the methods by a metric, the best first; the parts of a method stay together.

    Raises:
        InvalidInputError: No run has that metric.
    """
    found = {name for s in comparison.sections for entry in s.entries for name in entry.summaries}
    columns = comparison.sections[0].catalog.columns
    known = [name for name, c in columns.items() if name in found and c.lower_is_better is not None]
    if metric in METRIC_NAMES and metric not in known:
        raise InvalidInputError(f"metric {metric} is now called {METRIC_NAMES[metric]}")
    if metric not in known:
        raise InvalidInputError(
            f"no run has the metric {metric!r} to sort by; choose one of: {', '.join(known)}"
        )
    sign = columns[metric].sign
    sections = (
        replace(section, entries=_sort_entries(section.entries, metric, sign))
        for section in comparison.sections
    )
    return replace(comparison, sections=tuple(sections))


def _make_labels(evaluated: Sequence[EvaluatedRun]) -> list[str]:
    """Make a label of each run: its method, with the settings in which runs of the method differ."""
    several_backbones = len({run.results.backbone for run in evaluated}) > 1
    labels: list[str] = []
    for run in evaluated:
        same = [other for other in evaluated if other.results.method == run.results.method]
        differences = [run.results.backbone or "no backbone"] if several_backbones else []
        if not run.settings and any(other.settings for other in same):
            differences.append(_UNKNOWN_SETTINGS)
        differences += [
            f"{name} {run.settings[name]}"
            for name in run.settings
            if name != "backbone" and any(_has_other_setting(run, other, name) for other in same)
        ]
        labels.append(run.results.method + (f" ({', '.join(differences)})" if differences else ""))
    return labels


def _has_other_setting(one: EvaluatedRun, other: EvaluatedRun, name: str) -> bool:
    return bool(other.settings) and one.settings[name] != other.settings.get(name)


def _build_entries(runs: Sequence[tuple[str, Sequence[ScoreRow]]]) -> tuple[ComparedPart, ...]:
    rows: dict[tuple[str, str], list[ScoreRow]] = {}
    for label in dict.fromkeys(label for label, _ in runs):
        for row in (row for other, found in runs if other == label for row in found):
            if not is_baseline(row.name):
                rows.setdefault((label, row.name), []).append(row)
    entries = [_build_entry(label, part, found) for (label, part), found in rows.items()]
    baselines: dict[str, dict[str, Score]] = {}
    for row in (row for _, found in runs for row in found if is_baseline(row.name)):
        # Runs without a predictor lack the baseline's retrieval scores, so the first run's row may be
        # incomplete.
        baselines[row.name] = {**row.scores, **baselines.get(row.name, {})}
    names = sorted(
        (name for name, scores in baselines.items() if scores), key=lambda name: name == CONSTANT_ROW
    )
    return (
        *entries,
        *(
            _build_entry(get_baseline_label(name), name, [ScoreRow(name, 0, baselines[name])])
            for name in names
        ),
    )


def _build_entry(method: str, part: str, rows: Sequence[ScoreRow]) -> ComparedPart:
    metrics = dict.fromkeys(name for row in rows for name in row.scores)
    return ComparedPart(
        method,
        part,
        {name: _summarize_scores([r.scores[name] for r in rows if name in r.scores]) for name in metrics},
    )


def _summarize_scores(scores: Sequence[Score]) -> MetricSummary:
    values = [score.value for score in scores]
    return MetricSummary(
        mean(values),
        stdev(values) if len(values) > 1 else None,
        min(score.low for score in scores),
        max(score.high for score in scores),
        len(values),
    )


def _sort_entries(entries: Sequence[ComparedPart], metric: str, sign: int) -> tuple[ComparedPart, ...]:
    best: dict[str, float] = {}
    for entry in entries:
        if metric in entry.summaries and can_be_best(ScoreRow(entry.part, 0, {})):
            value = sign * entry.summaries[metric].mean
            best[entry.method] = max(value, best.get(entry.method, -math.inf))

    def get_sort_key(entry: ComparedPart) -> tuple[bool, bool, float, str]:
        value = best.get(entry.method, -math.inf)
        return is_baseline(entry.part), entry.part == CONSTANT_ROW, -value, entry.method

    return tuple(sorted(entries, key=get_sort_key))


def _iter_duplicate_warnings(labels: Sequence[str], evaluated: Sequence[EvaluatedRun]) -> Iterable[str]:
    known: set[tuple[str, int, str]] = set()
    for label, run in zip(labels, evaluated, strict=True):
        key = (label, run.results.seed, format_condition(run.results))
        if key in known:
            yield f"{label} is there twice with seed {run.results.seed}: these runs are not independent"
        known.add(key)

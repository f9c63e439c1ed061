"""Scoring of every task of a protocol on every split: from features to rows of scores and figure data."""

import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError
from turntable.evaluation.evaluation_results import CONSTANT_ROW, ScoreRow, is_baseline
from turntable.evaluation.features import FeaturesByPart, SplitFeatures, mark_unseen_categories
from turntable.evaluation.figure_data import FigureData, TaskFigureData
from turntable.evaluation.head_counting import HeadCounter
from turntable.evaluation.measurement import BootstrapResamples, Scores
from turntable.evaluation.protocol import Protocol
from turntable.evaluation.stage_progress import ProgressCallback
from turntable.evaluation.tasks import (
    Aggregation,
    Classification,
    EvaluatedSplit,
    FittedTask,
    NearestNeighbors,
    OwnClassifier,
    Scorer,
    Task,
)
from turntable.models import Method

_CATEGORY_TASKS = (Classification, NearestNeighbors, Aggregation, OwnClassifier)
"""Tasks that leave out objects of categories that the train split does not have."""
_MAX_POINTS = 1000
"""Maximal number of views in a projection."""


class TaskFitter(typing.Protocol):
    """A function that fits tasks over features."""

    def __call__(self, task: Task, row: str) -> tuple[FittedTask, Sequence[FeaturesByPart]]:
        """Return a task fitted to a part, and the features of each split that it is scored on."""
        ...


MakeTaskFitter = Callable[[Sequence[Task], EvaluatedSplit], TaskFitter]
"""Function from the tasks over features and the train split to a ``TaskFitter``."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoringResult:
    """The scores of an evaluation."""

    rows: dict[str, tuple[ScoreRow, ...]]
    """Rows of scores by split."""
    notes: dict[str, tuple[str, ...]]
    """Sentences about what is left out and why, by split."""
    details: FigureData
    """Figure data of the first split."""


def score_tasks(
    train: SplitFeatures,
    splits: Mapping[str, SplitFeatures],
    protocol: Protocol,
    progress: ProgressCallback,
    method: Method | None = None,
    make_fitter: MakeTaskFitter | None = None,
) -> ScoringResult:
    """Score every task on every split.

    Args:
        train: Split that tasks are fitted on.
        splits: Splits that tasks are scored on, by their names in notes; figure data are of the first.
        protocol: Protocol with the tasks.
        progress: Function that is called with the number of epochs of heads that are done.
        method: Method for tasks that require abilities; without one, these tasks are left out.
        make_fitter: Function that makes the fitter of tasks over features; by default they are fitted on the
            features of ``train``.

    Raises:
        InvalidInputError: Two tasks have the same metric, or a task lacks the constant baseline.
    """
    seen = {name: mark_unseen_categories(split, train) for name, split in splits.items()}
    plan = _build_plan(train, seen, protocol, method)
    fitter = make_fitter and make_fitter(
        [task for task in plan.tasks if not task.required_abilities], plan.train
    )
    collectors = _collect_rows(plan, fitter, progress)
    return ScoringResult(
        {collector.eval_split.name: collector.list_rows() for collector in collectors},
        {split.name: _format_notes(protocol.tasks, plan, split) for split in plan.eval_splits},
        _build_figure_data(
            plan.eval_splits[0], next(iter(splits.values())).categories, collectors[0].figure_data
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _ScoringPlan:
    """The tasks, parts and splits that are scored."""

    tasks: tuple[Task, ...]
    """Tasks that can be fitted."""
    parts: tuple[str, ...]
    """Names of the parts of the features; none if the protocol has no task over features."""
    train: EvaluatedSplit
    eval_splits: tuple[EvaluatedSplit, ...]
    method: Method | None

    def find_obstacle(self, task: Task, eval_split: EvaluatedSplit) -> str | None:
        """Return why a task cannot be scored on a split; None if it can."""
        return task.find_obstacle(eval_split.split, self.method)

    def group_tasks_by_row(self) -> dict[str, list[Task]]:
        """Group the tasks by the rows that they score: parts of the features first, then other rows."""
        groups: dict[str, list[Task]] = {part: [] for part in self.parts}
        for task in self.tasks:
            if any(self.find_obstacle(task, split) is None for split in self.eval_splits):
                for row in task.list_rows(self.train, self.method):
                    groups.setdefault(row, []).append(task)
        return groups

    def fit(
        self, task: Task, row: str, report_epoch: Callable[[], None]
    ) -> tuple[FittedTask, Sequence[FeaturesByPart]]:
        """Fit a task on the features of the train split."""
        train = replace(self.train, report_epoch=report_epoch)
        return task.fit(row, train, self.method), [split.split.parts for split in self.eval_splits]


def _build_plan(
    train: SplitFeatures, splits: Mapping[str, SplitFeatures], protocol: Protocol, method: Method | None
) -> _ScoringPlan:
    def make_split(name: str, split: SplitFeatures, is_own_dataset: bool) -> EvaluatedSplit:
        resamples = BootstrapResamples(split.num_objects, protocol.resampling)
        return EvaluatedSplit(name, split, resamples, protocol.pairs, is_own_dataset)

    return _ScoringPlan(
        tuple(task for task in protocol.tasks if _can_score(task, train, method)),
        tuple(train.parts) if any(not task.required_abilities for task in protocol.tasks) else (),
        make_split("the train split", train, True),
        tuple(make_split(name, split, index == 0) for index, (name, split) in enumerate(splits.items())),
        method,
    )


def _can_score(task: Task, train: SplitFeatures, method: Method | None) -> bool:
    """Return True if the method has the required abilities, or, without any, the task can be fitted."""
    if task.required_abilities:
        return all(isinstance(method, ability) for ability in task.required_abilities)
    return task.find_obstacle(train, method) is None


def _collect_rows(
    plan: _ScoringPlan, fitter: TaskFitter | None, progress: ProgressCallback
) -> list["_RowCollector"]:
    # Wrong baselines are an error of the task: say so before the long trainings of heads.
    baselines = [(task, _build_checked_baselines(task, plan.train)) for task in plan.tasks]
    collectors = [_RowCollector(split) for split in plan.eval_splits]
    groups, copies = plan.group_tasks_by_row(), _find_copied_parts(plan)
    counter = HeadCounter(progress, [task for name in groups if name not in copies for task in groups[name]])
    for name, tasks in groups.items():
        for collector in collectors:
            if name in copies:
                collector.copy_row(copies[name], name)
            else:
                collector.begin_row(name)
        for task in tasks if name not in copies else ():
            _score_task(task, name, plan, fitter, collectors, counter)
    for collector in collectors:
        for task, scorers in baselines:
            if plan.find_obstacle(task, collector.eval_split) is None:
                collector.add_baselines(scorers)
    return collectors


def _score_task(
    task: Task,
    row: str,
    plan: _ScoringPlan,
    fitter: TaskFitter | None,
    collectors: Sequence["_RowCollector"],
    counter: HeadCounter,
) -> None:
    """Fit a task for a row, and add its scores on every split to the row."""
    if fitter is None or task.required_abilities:
        fitted, parts = plan.fit(task, row, counter.count_epoch)
    else:
        fitted, parts = fitter(task, row)
    for collector, features in zip(collectors, parts, strict=True):
        if plan.find_obstacle(task, collector.eval_split) is None:
            collector.add_scores(row, task, fitted, features)
    counter.end_head(task)


def _find_copied_parts(plan: _ScoringPlan) -> dict[str, str]:
    """Find the parts with the same features as an earlier part, whose scores are copied, by name."""
    splits = [plan.train.split, *(split.split for split in plan.eval_splits)]
    found = {name: _find_identical_part(name, splits) for name in plan.parts}
    return {name: earlier for name, earlier in found.items() if earlier is not None}


def _build_checked_baselines(task: Task, train: EvaluatedSplit) -> Mapping[str, Scorer]:
    baselines = task.build_baselines(train)
    others = [name for name in baselines if not is_baseline(name)]
    if CONSTANT_ROW not in baselines or others:
        raise InvalidInputError(
            f"task {task.name} has the baselines {', '.join(baselines) or 'none'}; it needs {CONSTANT_ROW!r},"
            " which sees no image, and may have others that are called baseline_NAME"
        )
    return baselines


class _RowCollector:
    """The rows of scores of a split while they are collected, with their figure data."""

    def __init__(self, eval_split: EvaluatedSplit) -> None:
        self.eval_split = eval_split
        self.figure_data: dict[str, list[TaskFigureData]] = {}
        self._rows: dict[str, ScoreRow] = {}
        self._baselines: dict[str, Scores] = {CONSTANT_ROW: {}}

    def begin_row(self, name: str) -> None:
        """Begin a row; a part of the features has a row even if no task can score it."""
        self.figure_data[name] = []
        if name in self.eval_split.split.parts:
            self._rows[name] = ScoreRow(name, self.eval_split.split.parts[name].shape[2], {})

    def copy_row(self, source: str, name: str) -> None:
        """Add a row with the scores of another."""
        self.figure_data[name] = self.figure_data[source]
        if source in self._rows:
            self._rows[name] = replace(self._rows[source], name=name)

    def add_scores(self, name: str, task: Task, fitted: FittedTask, features: FeaturesByPart) -> None:
        """Score a fitted task on features of the split, and add the scores to a row."""
        eval_split = replace(self.eval_split, split=replace(self.eval_split.split, parts=features))
        scores = fitted.score(eval_split)
        row = self._rows.get(name, ScoreRow(name, fitted.dim, {}))
        duplicates = row.scores.keys() & scores.keys()
        if duplicates:
            raise InvalidInputError(
                f"task {task.name} has the metric {min(duplicates)!r} for the {name}, which another task has"
                " already; rename its metrics"
            )
        if scores:
            self._rows[name] = replace(row, scores={**row.scores, **scores})
        if fitted.make_figure_data is not None and self.eval_split.is_own_dataset:
            self.figure_data[name].append(fitted.make_figure_data(eval_split))

    def add_baselines(self, baselines: Mapping[str, Scorer]) -> None:
        """Score the baselines of a task."""
        for name, scorer in baselines.items():
            self._baselines.setdefault(name, {}).update(scorer(self.eval_split))

    def list_rows(self) -> tuple[ScoreRow, ...]:
        """List the rows of the method, then the baselines, the constant baseline last."""
        constant = self._baselines[CONSTANT_ROW]
        others = {name: scores for name, scores in self._baselines.items() if name != CONSTANT_ROW}
        baselines = {**others, CONSTANT_ROW: constant}
        return (*self._rows.values(), *(ScoreRow(name, 0, scores) for name, scores in baselines.items()))


def _find_identical_part(name: str, splits: Sequence[SplitFeatures]) -> str | None:
    """Return an earlier part with the same features, whose scores can be copied; None if there is none.

    A method may call its whole representation equivariant, for example.
    """
    for earlier in splits[0].parts:
        if earlier == name:
            return None
        if all(_is_equal(split.parts[earlier], split.parts[name]) for split in splits):
            return earlier
    return None


def _is_equal(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Return True if two parts are equal; most different parts differ in the first object already."""
    return one.shape == other.shape and np.array_equal(one[0], other[0]) and np.array_equal(one, other)


def _format_notes(tasks: Sequence[Task], plan: _ScoringPlan, eval_split: EvaluatedSplit) -> tuple[str, ...]:
    """Return the notes about tasks that are left out, then about objects that are."""
    return (*_format_omissions(tasks, plan, eval_split), *_format_unseen_categories(plan, eval_split))


def _format_unseen_categories(plan: _ScoringPlan, eval_split: EvaluatedSplit) -> tuple[str, ...]:
    """Return a note about objects that the scores of categories leave out; none if there are no such."""
    is_unseen = eval_split.split.categories < 0
    scored = any(
        isinstance(task, _CATEGORY_TASKS) and plan.find_obstacle(task, eval_split) is None
        for task in plan.tasks
    )
    if not scored or not is_unseen.any() or is_unseen.all():
        return ()
    return (
        f"category: scored on {(~is_unseen).sum()} of {len(is_unseen)} objects; the others are of categories"
        " that the train split does not have",
    )


def _format_omissions(
    tasks: Sequence[Task], plan: _ScoringPlan, eval_split: EvaluatedSplit
) -> tuple[str, ...]:
    """Return a note for each reason why tasks over features are left out, then for each other task left out.

    A task whose abilities the method does not have is not mentioned.
    """
    titles: dict[str, list[str]] = {}
    notes: list[str] = []
    for task in tasks:
        if task.required_abilities:
            can_score = _can_score(task, eval_split.split, plan.method)
            obstacle = plan.find_obstacle(task, eval_split) if can_score else None
            notes += [] if obstacle is None else [f"{task.title} are left out: {obstacle}"]
            continue
        for split in (plan.train, eval_split):
            obstacle = plan.find_obstacle(task, split)
            if obstacle is not None:
                titles.setdefault(f"in {split.name}, {obstacle}", []).append(task.title)
                break
    heads = (f"{', '.join(dict.fromkeys(names))}: left out; {reason}" for reason, names in titles.items())
    return (*heads, *notes)


def _build_figure_data(
    eval_split: EvaluatedSplit,
    categories: NDArray[np.int64],
    task_data: Mapping[str, Sequence[TaskFigureData]],
) -> FigureData:
    split = eval_split.split
    named = [(name, data) for name, row_data in task_data.items() for data in row_data]
    rng = np.random.Generator(np.random.Philox(eval_split.pairs.seed))
    total = split.num_objects * split.num_views
    chosen = np.sort(rng.choice(total, min(_MAX_POINTS, total), replace=False))
    objects, views = np.divmod(chosen, split.num_views)
    projections = {
        name: _compute_principal_components(np.asarray(part[objects, views], np.float64))
        for name, part in split.parts.items()
    }
    return FigureData(
        next((data.turn_deg for _, data in named if data.turn_deg is not None), np.zeros(0)),
        {name: data.errors_deg for name, data in named if data.errors_deg is not None},
        projections,
        objects,
        views,
        categories[objects],
        next((data.retrieval for _, data in named if data.retrieval is not None), None),
    )


def _compute_principal_components(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Compute the first two principal components [M, 2] of points [M, D]; missing ones are 0."""
    centered = points - points.mean(axis=0)
    left, scales, _ = np.linalg.svd(centered, full_matrices=False)
    kept = (left * scales)[:, :2]
    return np.pad(kept, ((0, 0), (0, 2 - kept.shape[1]))).astype(np.float32)

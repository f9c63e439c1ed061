"""Scoring: from features to rows, of every task on every split, and to what pictures show."""

import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError
from turntable.evaluation.details import Details, Shown
from turntable.evaluation.features import Parts, SplitFeatures
from turntable.evaluation.numbers import Resamples, Scores
from turntable.evaluation.protocol import Protocol
from turntable.evaluation.results import CONSTANT, Row, is_baseline
from turntable.evaluation.tasks import EvaluatedSplit, Fitted, Scorer, Task
from turntable.models import Method

Onlooker = Callable[[str], None]
"""Called with what is being done."""

_POINTS = 1000
"""Views of a projection."""


class Heads(typing.Protocol):
    """Where tasks over features are fitted."""

    def __call__(self, task: Task, row: str) -> tuple[Fitted, Sequence[Parts]]:
        """Give a task fitted to a part, and the features of each split that it is to be scored on."""
        ...


MakeHeads = Callable[[Sequence[Task], EvaluatedSplit], Heads]
"""From the tasks over features and the train split."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The rows and notes of an evaluation, by split, and what pictures need of the first."""

    rows: dict[str, tuple[Row, ...]]
    notes: dict[str, tuple[str, ...]]
    """Sentences about what is left out, and why."""
    details: Details


def score(
    train: SplitFeatures,
    splits: Mapping[str, SplitFeatures],
    protocol: Protocol,
    tell: Onlooker,
    method: Method | None = None,
    make_heads: MakeHeads | None = None,
) -> Scored:
    """Score every task on every split.

    Args:
        train: What tasks are fitted on.
        splits: What they are scored on, by the name that notes have for them; the first gives the details.
        protocol: The tasks.
        tell: Called with what is being done.
        method: Asked what tasks ask for abilities, where it has them.
        make_heads: By default tasks over features are fitted on the features of ``train``.

    Raises:
        InvalidInputError: Two tasks give one score, or one has no baseline that sees nothing.
    """
    bench = _bench(train, splits, protocol, method)
    fit = make_heads and make_heads([task for task in bench.tasks if not task.asks], bench.train)
    sheets = _filled_sheets(bench, fit, tell)
    return Scored(
        {sheet.place.name: sheet.all_rows() for sheet in sheets},
        {place.name: _left_out(protocol.tasks, bench, place) for place in bench.places},
        _details(bench.places[0], sheets[0].shown),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Bench:
    """All that is scored."""

    tasks: tuple[Task, ...]
    """Those that can be asked at all."""
    parts: tuple[str, ...]
    """Names of the features' parts, where tasks are about them."""
    train: EvaluatedSplit
    places: tuple[EvaluatedSplit, ...]
    method: Method | None

    def lacks(self, task: Task, place: EvaluatedSplit) -> str | None:
        """Say why a task cannot be asked about a split."""
        return task.lacks(place.split, self.method)

    def tasks_by_row(self) -> dict[str, list[Task]]:
        """Parts of the features first, then rows that tasks have of their own."""
        found: dict[str, list[Task]] = {part: [] for part in self.parts}
        for task in self.tasks:
            if any(self.lacks(task, place) is None for place in self.places):
                for row in task.rows(self.train, self.method):
                    found.setdefault(row, []).append(task)
        return found

    def fit(self, task: Task, row: str) -> tuple[Fitted, Sequence[Parts]]:
        """Fit a task on features that were computed once."""
        return task.fit(row, self.train, self.method), [place.split.parts for place in self.places]


def _bench(
    train: SplitFeatures, splits: Mapping[str, SplitFeatures], protocol: Protocol, method: Method | None
) -> _Bench:
    def evaluated(name: str, split: SplitFeatures, is_home: bool) -> EvaluatedSplit:
        resamples = Resamples(split.num_objects, protocol.resampling)
        return EvaluatedSplit(name, split, resamples, protocol.pairs, is_home)

    return _Bench(
        tuple(task for task in protocol.tasks if _can_be_asked(task, train, method)),
        tuple(train.parts) if any(not task.asks for task in protocol.tasks) else (),
        evaluated("the train split", train, True),
        tuple(evaluated(name, split, at == 0) for at, (name, split) in enumerate(splits.items())),
        method,
    )


def _can_be_asked(task: Task, train: SplitFeatures, method: Method | None) -> bool:
    """Say whether the method has the abilities; where it needs none, whether there is something to learn."""
    if task.asks:
        return all(isinstance(method, ability) for ability in task.asks)
    return task.lacks(train, method) is None


def _filled_sheets(bench: _Bench, heads: Heads | None, tell: Onlooker) -> list["_Sheet"]:
    baselines = [(task, _checked_baselines(task, bench.train)) for task in bench.tasks]
    sheets = [_Sheet(place) for place in bench.places]
    for name, tasks in bench.tasks_by_row().items():
        twin = _twin(name, [bench.train.split, *(place.split for place in bench.places)])
        if twin is not None:
            for sheet in sheets:
                sheet.repeat(twin, name)
            continue
        tell(f"scores of the {name}")
        for sheet in sheets:
            sheet.begin(name)
        for task in tasks:
            fitted, parts = (bench.fit if task.asks or heads is None else heads)(task, name)
            for sheet, seen in zip(sheets, parts, strict=True):
                if bench.lacks(task, sheet.place) is None:
                    sheet.add(name, task, fitted, seen)
    for sheet in sheets:
        for task, found in baselines:
            if bench.lacks(task, sheet.place) is None:
                sheet.add_baselines(found)
    return sheets


def _checked_baselines(task: Task, train: EvaluatedSplit) -> Mapping[str, Scorer]:
    found = task.baselines(train)
    others = [name for name in found if not is_baseline(name)]
    if CONSTANT not in found or others:
        raise InvalidInputError(
            f"task {task.name} has the baselines {', '.join(found) or 'none'}; there must be {CONSTANT!r},"
            " which sees nothing, and others are called baseline_NAME"
        )
    return found


class _Sheet:
    """Collects the rows of a split, and what pictures show of them."""

    def __init__(self, place: EvaluatedSplit) -> None:
        self.place = place
        self.shown: dict[str, list[Shown]] = {}
        self._rows: dict[str, Row] = {}
        self._baselines: dict[str, Scores] = {CONSTANT: {}}

    def begin(self, name: str) -> None:
        """Begin a row; one of a part of the features is there even where nothing can be asked."""
        self.shown[name] = []
        if name in self.place.split.parts:
            self._rows[name] = Row(name, self.place.split.parts[name].shape[2], {})

    def repeat(self, twin: str, name: str) -> None:
        """Add a row that is the same as another."""
        self.shown[name] = self.shown[twin]
        if twin in self._rows:
            self._rows[name] = replace(self._rows[twin], name=name)

    def add(self, name: str, task: Task, fitted: Fitted, seen: Parts) -> None:
        """Score a fitted task by features of the split."""
        at = replace(self.place, split=replace(self.place.split, parts=seen))
        scores = fitted.score(at)
        row = self._rows.get(name, Row(name, fitted.dim, {}))
        twice = row.scores.keys() & scores.keys()
        if twice:
            raise InvalidInputError(
                f"task {task.name} gives the score {min(twice)!r} of the {name}, which another task has"
                " given; let its scores have other names"
            )
        if scores:
            self._rows[name] = replace(row, scores={**row.scores, **scores})
        if fitted.show is not None and self.place.is_home:
            self.shown[name].append(fitted.show(at))

    def add_baselines(self, baselines: Mapping[str, Scorer]) -> None:
        """Score what a task is held against."""
        for name, scorer in baselines.items():
            self._baselines.setdefault(name, {}).update(scorer(self.place))

    def all_rows(self) -> tuple[Row, ...]:
        """Rows of the method, then baselines, what sees nothing last."""
        constant = self._baselines[CONSTANT]
        others = {name: scores for name, scores in self._baselines.items() if name != CONSTANT}
        baselines = {**others, CONSTANT: constant}
        return (*self._rows.values(), *(Row(name, 0, scores) for name, scores in baselines.items()))


def _twin(name: str, splits: Sequence[SplitFeatures]) -> str | None:
    """An earlier part that is the same, as where all of it is called equivariant: so are its scores."""
    if name not in splits[0].parts:
        return None
    for earlier in splits[0].parts:
        if earlier == name:
            return None
        if all(_equal(split.parts[earlier], split.parts[name]) for split in splits):
            return earlier
    return None


def _equal(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Say whether parts are the same; most are told apart by their first object."""
    return one.shape == other.shape and np.array_equal(one[0], other[0]) and np.array_equal(one, other)


def _left_out(tasks: Sequence[Task], bench: _Bench, place: EvaluatedSplit) -> tuple[str, ...]:
    """Say what is not asked: heads once a reason, then what the method could answer."""
    titles: dict[str, list[str]] = {}
    notes: list[str] = []
    for task in tasks:
        if task.asks:
            lacks = bench.lacks(task, place) if _can_be_asked(task, place.split, bench.method) else None
            notes += [] if lacks is None else [f"{task.title} are left out: {lacks}"]
            continue
        for at in (bench.train, place):
            lacks = bench.lacks(task, at)
            if lacks is not None:
                titles.setdefault(f"in {at.name}, {lacks}", []).append(task.title)
                break
    heads = (f"{', '.join(dict.fromkeys(of))}: left out; {why}" for why, of in titles.items())
    return (*heads, *notes)


def _details(place: EvaluatedSplit, shown: Mapping[str, Sequence[Shown]]) -> Details:
    split, found = place.split, [(name, one) for name, of_row in shown.items() for one in of_row]
    random = np.random.Generator(np.random.Philox(place.pairs.seed))
    total = split.num_objects * split.num_views
    chosen = np.sort(random.choice(total, min(_POINTS, total), replace=False))
    objects, views = np.divmod(chosen, split.num_views)
    projections = {
        name: _principal(np.asarray(part[objects, views], np.float64)) for name, part in split.parts.items()
    }
    return Details(
        next((one.turn_deg for _, one in found if one.turn_deg is not None), np.zeros(0)),
        {name: one.errors_deg for name, one in found if one.errors_deg is not None},
        projections,
        objects,
        views,
        split.categories[objects],
        next((one.retrieval for _, one in found if one.retrieval is not None), None),
    )


def _principal(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """[M, 2]: points [M, D] along the two directions in which they vary most."""
    centred = points - points.mean(axis=0)
    left, scales, _ = np.linalg.svd(centred, full_matrices=False)
    kept = (left * scales)[:, :2]
    return np.pad(kept, ((0, 0), (0, 2 - kept.shape[1]))).astype(np.float32)

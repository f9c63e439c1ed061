"""Scoring: from features to rows, of every part on every data set, and to what pictures show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from turntable.evaluation.details import Details, Retrieval
from turntable.evaluation.features import Parts, SplitFeatures
from turntable.evaluation.numbers import Resamples, geodesic_deg
from turntable.evaluation.predicting import (
    Actions,
    Predictor,
    aggregated,
    blind_pose_scores,
    blind_scores,
    examples,
    joined,
    measured,
    pose_scores,
    predictor_scores,
)
from turntable.evaluation.presets import ProtocolConfig
from turntable.evaluation.results import Row, Score
from turntable.evaluation.tasks import Classification, Features, Fitted, FittedRegression, Regression, Task
from turntable.models import Aggregates, Method, Predicts

Onlooker = Callable[[str], None]
"""Called with what is being done."""

_POINTS = 1000
"""Views of a projection."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Somewhere to score: a split of a data set, and its name."""

    name: str
    split: SplitFeatures


class Heads(Protocol):
    """Where trained heads come from."""

    def __call__(self, task: Task, part: str) -> tuple[Fitted, Sequence[Parts]]:
        """A head for a part, and the features of each place that it is to be scored on."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Heads trained on features that were computed once."""

    train: SplitFeatures
    places: Sequence[Place]

    def __call__(self, task: Task, part: str) -> tuple[Fitted, Sequence[Parts]]:
        """Train one."""
        return task.fit(self.train.parts[part], self.train), [place.split.parts for place in self.places]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What an evaluation found, by place, and what pictures need of the first."""

    rows: dict[str, tuple[Row, ...]]
    notes: dict[str, tuple[str, ...]]
    """What is left out, and why."""
    details: Details


def tasks_of(config: ProtocolConfig, train: SplitFeatures) -> tuple[Task, ...]:
    """What heads can be trained to find."""
    return tuple(task for task in config.tasks() if task.lacks(train) is None)


def score(
    train: SplitFeatures,
    places: Sequence[Place],
    config: ProtocolConfig,
    tell: Onlooker,
    method: Method | None = None,
    heads: Heads | None = None,
) -> Scored:
    """Every row of every place.

    Args:
        train: What heads are trained on.
        places: What they are scored on; the first gives the details.
        config: The protocol.
        tell: Called with what is being done.
        method: Asked for predictions and aggregates, where it makes such.
        heads: By default they are trained on the features of ``train``.
    """
    rows: dict[str, list[Row]] = {place.name: [] for place in places}
    notes = {place.name: _left_out(config.tasks(), train, place) for place in places}
    resamples = {place.name: Resamples(place.split.num_objects, config.resampling) for place in places}
    tasks, heads = tasks_of(config, train), heads or Kept(train, places)
    errors: dict[str, NDArray[np.float64]] = {}
    for name, features in train.parts.items():
        twin = _twin(name, [train, *(place.split for place in places)])
        if twin is not None:
            for of_place in rows.values():
                of_place += [replace(row, name=name) for row in of_place if row.name == twin]
            errors |= {name: errors[twin]} if twin in errors else {}
            continue
        tell(f"probes of the {name}")
        found: dict[str, dict[str, Score]] = {place.name: {} for place in places}
        for task in tasks:
            fitted, seen = heads(task, name)
            for place, parts in zip(places, seen, strict=True):
                if task.lacks(place.split) is None:
                    found[place.name] |= fitted(parts[name], place.split, resamples[place.name])
            split = places[0].split
            if _is_main_rotation(task) and isinstance(fitted, FittedRegression) and task.lacks(split) is None:
                predicted = fitted.predict(seen[0][name], split)
                errors[name] = geodesic_deg(predicted, fitted.task.target(split))
        for place in places:
            rows[place.name].append(Row(name, features.shape[2], found[place.name]))
    shown: Retrieval | None = None
    for place in places:
        blind = _blind(tasks, train, place, resamples[place.name])
        if isinstance(method, Aggregates) and place.split.labels is not None:
            tell("aggregates")
            rows[place.name] += _aggregate_rows(method, train, place.split, config, resamples[place.name])
        if isinstance(method, Predicts):
            lacks = _lacks_predictions(method, place.split, config)
            if lacks is None:
                tell("predictions")
                predictions = _predictions(method, train, place, config, resamples, place is places[0])
                rows[place.name].append(predictions.row)
                blind |= predictions.blind
                shown = shown or predictions.shown
            else:
                notes[place.name] += (f"predictions are left out: {lacks}",)
        rows[place.name].append(Row("constant", 0, blind))
    details = replace(_details(places[0].split, config, errors), retrieval=shown)
    return Scored({name: tuple(found) for name, found in rows.items()}, notes, details)


def _twin(name: str, splits: Sequence[SplitFeatures]) -> str | None:
    """An earlier part that is the same, as where all of it is called equivariant: so are its scores."""
    for earlier in splits[0].parts:
        if earlier == name:
            return None
        if all(_equal(split.parts[earlier], split.parts[name]) for split in splits):
            return earlier
    return None


def _equal(one: Features, other: Features) -> bool:
    """Whether parts are the same; most are told apart by their first object."""
    return one.shape == other.shape and np.array_equal(one[0], other[0]) and np.array_equal(one, other)


def _left_out(tasks: Sequence[Task], train: SplitFeatures, place: Place) -> tuple[str, ...]:
    """What heads are not asked, once a reason."""
    titles: dict[str, list[str]] = {}
    for task in tasks:
        for where, split in (("the train split", train), (place.name, place.split)):
            lacks = task.lacks(split)
            if lacks is not None:
                titles.setdefault(f"in {where}, {lacks}", []).append(task.title)
                break
    return tuple(f"{', '.join(dict.fromkeys(of))}: left out; {why}" for why, of in titles.items())


def _blind(
    tasks: Sequence[Task], train: SplitFeatures, place: Place, resamples: Resamples
) -> dict[str, Score]:
    scores: dict[str, Score] = {}
    for task in tasks:
        if task.lacks(place.split) is None:
            scores |= task.blind(train)(None, place.split, resamples)
    return scores


@dataclass(frozen=True, slots=True, eq=False)
class _Predictions:
    row: Row
    blind: dict[str, Score]
    shown: Retrieval


def _lacks_predictions(method: Predicts, split: SplitFeatures, config: ProtocolConfig) -> str | None:
    """Why a method cannot be asked to predict views of a split; None where it can."""
    if split.source is None or split.labels is None:
        return "there are no embeddings to predict from, or no labels of what was done"
    if split.num_views < 2:
        return "each object has one view"
    return Actions(method.action, split, config.quaternion_sign).lacks()


def _predictions(
    method: Predicts,
    train: SplitFeatures,
    place: Place,
    config: ProtocolConfig,
    resamples: Mapping[str, Resamples],
    is_home: bool,
) -> _Predictions:
    """The row "predictor", the same of what sees no image, and examples."""
    split, objects = place.split, resamples[place.name]
    assert split.source is not None
    predict = Predictor(method, split, Actions(method.action, split, config.quaternion_sign))
    sources = split.num_views if config.retrieval_sources == "all" else 1
    where: dict[str, SplitFeatures] = {}
    if "val" in config.pre_candidates:
        where[""] = split
    if "both" in config.pre_candidates:
        where["_in_both"] = joined(train, split)
    found = measured(predict, split, sources, where)
    scores = predictor_scores(found, objects)
    blind = blind_scores(found, split, train, sources, where, objects)
    if "train" in config.pre_candidates and is_home:
        itself = {"_in_train": train}
        of_train = Resamples(train.num_objects, config.resampling)
        there = Predictor(method, train, Actions(method.action, train, config.quaternion_sign))
        scores |= pose_scores(measured(there, train, sources, itself), of_train)
        blind |= blind_pose_scores(train, itself, of_train)
    row = Row("predictor", split.source.shape[2], scores)
    return _Predictions(row, blind, examples(predict, split, config.pairs_seed))


def _aggregate_rows(
    method: Aggregates,
    train: SplitFeatures,
    split: SplitFeatures,
    config: ProtocolConfig,
    resamples: Resamples,
) -> list[Row]:
    task = Classification("top1", config.classifier)
    if task.lacks(train) is not None or task.lacks(split) is not None:
        return []
    rows = []
    for views in config.aggregate_views:
        if views > min(train.num_views, split.num_views):
            continue
        of_train, of_split = (
            aggregated(method, s, Actions(method.action, s, config.quaternion_sign), views, config.pairs_seed)
            for s in (train, split)
        )
        scores = task.fit(of_train, train)(of_split, split, resamples)
        rows.append(Row(f"aggregate_{views}", of_train.shape[2], scores))
    return rows


def _details(split: SplitFeatures, config: ProtocolConfig, errors: dict[str, NDArray[np.float64]]) -> Details:
    turns = np.zeros(0)
    for task in config.tasks():
        if isinstance(task, Regression) and _is_main_rotation(task) and task.lacks(split) is None:
            target = task.target(split)
            turns = geodesic_deg(np.broadcast_to([0.0, 0, 0, 1], target.shape), target)
    random = np.random.Generator(np.random.Philox(config.pairs_seed))
    total = split.num_objects * split.num_views
    chosen = np.sort(random.choice(total, min(_POINTS, total), replace=False))
    objects, views = np.divmod(chosen, split.num_views)
    projections = {
        name: _principal(np.asarray(part[objects, views], np.float64)) for name, part in split.parts.items()
    }
    return Details(turns, errors, projections, objects, views, split.categories[objects])


def _principal(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """[M, 2]: points [M, D] along the two directions in which they vary most."""
    centred = points - points.mean(axis=0)
    left, scales, _ = np.linalg.svd(centred, full_matrices=False)
    kept = (left * scales)[:, :2]
    return np.pad(kept, ((0, 0), (0, 2 - kept.shape[1]))).astype(np.float32)


def _is_main_rotation(task: Task) -> bool:
    """Whether it is the one whose errors pictures show."""
    return isinstance(task, Regression) and task.deep and task.prefix == "" and task.quantity.views == 2

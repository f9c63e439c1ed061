"""Scoring: from features to rows, of every part on every data set, and to what pictures show."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from turntable.evaluation import metrics
from turntable.evaluation.details import Details, Retrieval
from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.predicting import (
    Actions,
    Predictor,
    aggregated,
    blind_scores,
    examples,
    joined,
    predictor_scores,
)
from turntable.evaluation.presets import Candidates, ProtocolConfig
from turntable.evaluation.resampling import Resamples
from turntable.evaluation.results import Row, Score
from turntable.evaluation.tasks import Classification, FittedRegression, Regression, Task
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


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What an evaluation found: rows by place, and what pictures need of the first."""

    rows: dict[str, tuple[Row, ...]]
    details: Details


def score(
    train: SplitFeatures,
    places: Sequence[Place],
    config: ProtocolConfig,
    tell: Onlooker,
    method: Method | None = None,
) -> Scored:
    """Every row of every place.

    Args:
        train: What heads are trained on.
        places: What they are scored on; the first gives the details.
        config: The protocol.
        tell: Called with what is being done.
        method: Asked for predictions and aggregates, where it makes such.
    """
    rows: dict[str, list[Row]] = {place.name: [] for place in places}
    resamples = {place.name: Resamples(place.split.num_objects, config.resampling) for place in places}
    tasks = [task for task in config.tasks() if task.applies(train)]
    errors: dict[str, NDArray[np.float64]] = {}
    for name, features in train.parts.items():
        tell(f"probes of the {name}")
        found: dict[str, dict[str, Score]] = {place.name: {} for place in places}
        for task in tasks:
            fitted = task.fit(features, train)
            for place in places:
                if task.applies(place.split):
                    part = place.split.parts[name]
                    found[place.name] |= fitted(part, place.split, resamples[place.name])
            if _is_main_rotation(task) and isinstance(fitted, FittedRegression):
                split = places[0].split
                predicted = fitted.predict(split.parts[name], split)
                errors[name] = metrics.geodesic_deg(predicted, fitted.task.target(split))
        for place in places:
            rows[place.name].append(Row(name, features.shape[2], found[place.name]))
    examples_found: Retrieval | None = None
    for place in places:
        extra, shown = _of_method(method, train, place.split, config, tell, resamples[place.name])
        rows[place.name] += extra
        examples_found = examples_found or shown
        blind = _blind(tasks, train, place, resamples[place.name])
        if any(row.name == "predictor" for row in extra):
            blind |= blind_scores(place.split.num_views)
        rows[place.name].append(Row("constant", 0, blind))
    details = replace(_details(places[0].split, config, errors), retrieval=examples_found)
    return Scored({name: tuple(found) for name, found in rows.items()}, details)


def _blind(
    tasks: Sequence[Task], train: SplitFeatures, place: Place, resamples: Resamples
) -> dict[str, Score]:
    scores: dict[str, Score] = {}
    for task in tasks:
        fitted = task.blind(train)
        if fitted is not None and task.applies(place.split):
            scores |= fitted(None, place.split, resamples)
    return scores


def _of_method(
    method: Method | None,
    train: SplitFeatures,
    split: SplitFeatures,
    config: ProtocolConfig,
    tell: Onlooker,
    resamples: Resamples,
) -> tuple[list[Row], Retrieval | None]:
    """The rows "aggregate_M" and "predictor", and examples of retrieval."""
    rows: list[Row] = []
    shown: Retrieval | None = None
    if isinstance(method, Aggregates) and split.labels is not None:
        tell("aggregates")
        rows += _aggregate_rows(method, train, split, config, resamples)
    if isinstance(method, Predicts) and split.source is not None and split.num_views > 1:
        actions = Actions(method.action, split, config.quaternion_sign)
        if actions.are_told():
            tell("predictions")
            predict = Predictor(method, split, actions)
            sources = split.num_views if config.retrieval_sources == "all" else 1
            where = {_SUFFIXES[name]: _candidates(name, train, split) for name in config.pre_candidates}
            scores = predictor_scores(predict, split, sources, where, resamples)
            rows.append(Row("predictor", split.source.shape[2], scores))
            shown = examples(predict, split, config.pairs_seed)
    return rows, shown


_SUFFIXES: dict[Candidates, str] = {"val": "", "train": "_in_train", "both": "_in_both"}


def _candidates(name: Candidates, train: SplitFeatures, split: SplitFeatures) -> SplitFeatures:
    return {"val": lambda: split, "train": lambda: train, "both": lambda: joined(train, split)}[name]()


def _aggregate_rows(
    method: Aggregates,
    train: SplitFeatures,
    split: SplitFeatures,
    config: ProtocolConfig,
    resamples: Resamples,
) -> list[Row]:
    task = Classification("top1", config.classifier)
    if not task.applies(train):
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
        if isinstance(task, Regression) and _is_main_rotation(task) and task.applies(split):
            target = task.target(split)
            turns = metrics.geodesic_deg(np.broadcast_to([0.0, 0, 0, 1], target.shape), target)
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

"""The category of a view: by a head, or by the views nearest to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.numbers import (
    Learner,
    ProbeConfig,
    Scores,
    compute_device,
    majority_class,
    top1_score,
    train_classifier,
)
from turntable.evaluation.results import CONSTANT
from turntable.evaluation.tables import ScoreColumn, ScoreFinding, ScoreTable
from turntable.evaluation.tasks.samples import Features, flat
from turntable.evaluation.tasks.task import EvaluatedSplit, FeatureTask, Fitted, Scorer
from turntable.loaders import Samples
from turntable.models.layers import EquiangularHead

IntArray = NDArray[np.int64]

_AT_ONCE = 1 << 25
"""Similarities in memory."""

CATEGORIES = ScoreTable(
    "What the object is",
    "The share of views of objects never seen whose category is named: by a linear head, by the nearest"
    " neighbours, and by a head with fixed directions.",
    (
        ScoreColumn("top1", "top-1", "%", 100, 1),
        ScoreColumn("knn_top1", "k-NN top-1", "%", 100, 1),
        ScoreColumn("ebv_top1", "fixed directions", "%", 100, 1),
    ),
    ScoreFinding(
        "top1",
        "A linear head on {who} names the category of {top1} % of the views",
        "always naming the most frequent one is right for {top1} %",
    ),
)


@dataclass(frozen=True, slots=True)
class Classification(FeatureTask):
    """The category of a view, by a head."""

    probe: ProbeConfig = field(default_factory=ProbeConfig)
    name = "top1"
    title = "category"
    tables = (CATEGORIES,)
    main = ("top1",)
    views = 1

    def lacks(self, split: SplitFeatures, method: Any = None) -> str | None:
        """Say why a split cannot be asked."""
        del method
        return lacks_categories(split)

    def fit(self, row: str, train: EvaluatedSplit, method: Any = None) -> Fitted:
        """Train the head on a part of the features."""
        del method
        features = train.split.parts[row]
        return self.fitted(row, features.shape[2], self.train_head(features, train.split))

    def train_head(self, features: Features, train: SplitFeatures) -> Callable[[Features], Features]:
        """Train the head on features [N, V, D] of the train split; it makes logits [P, C] of [P, D]."""
        targets = np.repeat(train.categories, train.num_views)
        head = self._head(features.shape[2], _count(train))
        return train_classifier(flat(features), targets, _count(train), self.probe, head)

    def learner(self, dim: int, train: EvaluatedSplit) -> Learner:
        """Make a head for features of a width, which has learned nothing."""
        count = _count(train.split)
        return Learner.classifier(dim, count, self.probe, self._head(dim, count))

    def targets(self, train: SplitFeatures, samples: Samples) -> NDArray[np.int64]:
        """Give what a head is to learn of samples, [P]."""
        return train.categories[samples.objects]

    def fitted(self, row: str, dim: int, probe: Callable[[Features], Features]) -> Fitted:
        """Make a fitted task of a head from features [P, D] to logits [P, categories]."""

        def score(place: EvaluatedSplit) -> Scores:
            return named_right(self.name, probe(flat(place.split.parts[row])).argmax(axis=1), place)

        return Fitted(score, dim)

    def baselines(self, train: EvaluatedSplit) -> Mapping[str, Scorer]:
        """The most frequent category."""
        return {CONSTANT: most_frequent(self.name, train)}

    def _head(self, dim: int, count: int) -> Callable[[], nn.Module] | None:
        """Return what makes another head than a linear one."""
        del dim, count
        return None


@dataclass(frozen=True, slots=True)
class EquiangularClassification(Classification):
    """The category of a view, by a head whose weights are fixed directions (``models.equiangular``)."""

    name = "ebv_top1"
    main = ()

    def _head(self, dim: int, count: int) -> Callable[[], nn.Module]:
        return lambda: EquiangularHead(dim, count)


@dataclass(frozen=True, slots=True)
class Neighbours(FeatureTask):
    """The category of a view, by those nearest to it."""

    neighbours: int = 20
    name = "knn_top1"
    title = "category"
    tables = (CATEGORIES,)
    main = ("knn_top1",)

    def lacks(self, split: SplitFeatures, method: Any = None) -> str | None:
        """Say why a split cannot be asked."""
        del method
        return lacks_categories(split)

    def fit(self, row: str, train: EvaluatedSplit, method: Any = None) -> Fitted:
        """Remember the views."""
        del method
        features, split = train.split.parts[row], train.split
        known, categories = flat(features), np.repeat(split.categories, split.num_views)

        def score(place: EvaluatedSplit) -> Scores:
            asked = flat(place.split.parts[row])
            found = nearest_categories(known, categories, asked, self.neighbours, _count(split))
            return named_right(self.name, found, place)

        return Fitted(score, features.shape[2])

    def baselines(self, train: EvaluatedSplit) -> Mapping[str, Scorer]:
        """The most frequent category."""
        return {CONSTANT: most_frequent(self.name, train)}


def nearest_categories(
    train: NDArray[np.floating],
    categories: IntArray,
    val: NDArray[np.floating],
    neighbours: int,
    num_categories: int,
) -> IntArray:
    """The category that most of the nearest training views have, each vote weighing the cosine to it.

    Args:
        train: [M, D].
        categories: [M].
        val: [Q, D].
        neighbours: k; all of the M where it is more.
        num_categories: Votes are counted for so many.

    Returns:
        [Q] categories.
    """
    known = functional.normalize(torch.from_numpy(train).to(compute_device()), dim=1)
    votes_for = torch.from_numpy(categories).to(known.device)
    chosen: list[torch.Tensor] = []
    for part in torch.from_numpy(val).split(max(1, _AT_ONCE // len(known))):
        cosines = functional.normalize(part.to(known.device), dim=1) @ known.T
        nearest = cosines.topk(min(neighbours, len(known)), dim=1)
        votes = torch.zeros(len(part), num_categories, device=known.device)
        votes.scatter_add_(1, votes_for[nearest.indices], nearest.values.clamp_min(0))
        chosen.append(votes.argmax(dim=1).cpu())
    return torch.cat(chosen).numpy()


def lacks_categories(split: SplitFeatures) -> str | None:
    """Say why the categories of a split cannot be asked for; None where they can."""
    if split.categories.min() < 0:
        return "some objects are of categories that the training data do not have"
    return None if np.ptp(split.categories) > 0 else "all objects are of one category"


def named_right(metric: str, named: IntArray, place: EvaluatedSplit) -> Scores:
    """Score the categories [N * V] that are named, object by object."""
    split = place.split
    named = named.reshape(split.num_objects, split.num_views)
    return {metric: top1_score(named, split.categories, place.resamples)}


def most_frequent(metric: str, train: EvaluatedSplit) -> Scorer:
    """Name the most frequent category of the train split, whatever is asked."""
    most = majority_class(train.split.categories)

    def score(place: EvaluatedSplit) -> Scores:
        split = place.split
        return {metric: top1_score(np.full((split.num_objects, 1), most), split.categories, place.resamples)}

    return score


def _count(train: SplitFeatures) -> int:
    """Classes that a head tells apart."""
    return 1 + int(train.categories.max())

"""The category of a view: by a head, or by the views nearest to it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.numbers import (
    Learner,
    ProbeConfig,
    Resamples,
    Scores,
    compute_device,
    majority_class,
    top1_score,
    train_classifier,
)
from turntable.evaluation.tasks.samples import flat
from turntable.evaluation.tasks.task import Features, Fitted
from turntable.loaders import Samples
from turntable.models.layers import EquiangularHead

IntArray = NDArray[np.int64]

_AT_ONCE = 1 << 25
"""Similarities in memory."""


@dataclass(frozen=True, slots=True)
class Classification:
    """The category of a view, by a head."""

    name: str
    """Of its score."""
    probe: ProbeConfig
    equiangular: bool = False
    """Whether the head's weights are fixed directions (``models.equiangular``)."""

    @property
    def title(self) -> str:
        """What it is to tell."""
        return "category"

    @property
    def views(self) -> int:
        """Of a sample."""
        return 1

    def lacks(self, split: SplitFeatures) -> str | None:
        """Why a split cannot be asked."""
        return _lacks_categories(split)

    def fit(self, features: Features, train: SplitFeatures) -> Fitted:
        """Train the head."""
        targets = np.repeat(train.categories, train.num_views)
        head = self._head(features.shape[2], _count(train))
        return self.fitted(train_classifier(flat(features), targets, _count(train), self.probe, head))

    def learner(self, dim: int, train: SplitFeatures) -> Learner:
        """A head for features of a width, which has learned nothing."""
        return Learner.classifier(dim, _count(train), self.probe, self._head(dim, _count(train)))

    def targets(self, train: SplitFeatures, samples: Samples) -> NDArray[np.int64]:
        """What a head is to learn of samples, [P]."""
        return train.categories[samples.objects]

    def fitted(self, probe: Callable[[Features], Features]) -> Fitted:
        """With a head from features [P, D] to logits [P, categories]."""
        return self._scored(lambda features: probe(features).argmax(axis=1))

    def _head(self, dim: int, count: int) -> Callable[[], nn.Module] | None:
        return (lambda: EquiangularHead(dim, count)) if self.equiangular else None

    def blind(self, train: SplitFeatures) -> Fitted:
        """The most frequent category."""
        return _majority(self.name, train)

    def _scored(self, predict: Callable[[Features], NDArray[np.int64]]) -> Fitted:
        def score(features: Features | None, split: SplitFeatures, resamples: Resamples) -> Scores:
            assert features is not None
            predicted = predict(flat(features)).reshape(split.num_objects, split.num_views)
            return {self.name: top1_score(predicted, split.categories, resamples)}

        return score


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The category of a view, by those nearest to it."""

    name: str = "knn_top1"
    neighbours: int = 20

    @property
    def title(self) -> str:
        """What it is to tell."""
        return "category"

    def lacks(self, split: SplitFeatures) -> str | None:
        """Why a split cannot be asked."""
        return _lacks_categories(split)

    def fit(self, features: Features, train: SplitFeatures) -> Fitted:
        """Remember the views."""
        known, categories = flat(features), np.repeat(train.categories, train.num_views)

        def score(features: Features | None, split: SplitFeatures, resamples: Resamples) -> Scores:
            assert features is not None
            found = nearest_categories(known, categories, flat(features), self.neighbours, _count(train))
            predicted = found.reshape(split.num_objects, split.num_views)
            return {self.name: top1_score(predicted, split.categories, resamples)}

        return score

    def blind(self, train: SplitFeatures) -> Fitted:
        """The most frequent category."""
        return _majority(self.name, train)


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


def _count(train: SplitFeatures) -> int:
    """Classes that a head tells apart."""
    return 1 + int(train.categories.max())


def _lacks_categories(split: SplitFeatures) -> str | None:
    if split.categories.min() < 0:
        return "some objects are of categories that the training data do not have"
    return None if np.ptp(split.categories) > 0 else "all objects are of one category"


def _majority(name: str, train: SplitFeatures) -> Fitted:
    most = majority_class(train.categories)

    def score(features: Features | None, split: SplitFeatures, resamples: Resamples) -> Scores:
        del features
        return {name: top1_score(np.full((split.num_objects, 1), most), split.categories, resamples)}

    return score

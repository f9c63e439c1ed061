"""Quantities that a head is to tell: numbers of a view, or of what lies between two."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.numbers import Learner, ProbeConfig, Resamples, Scores, prefixed, train_regressor
from turntable.evaluation.tasks.samples import PairLists, all_views, flat, rows_of, selection
from turntable.evaluation.tasks.task import Features, Fitted, FloatArray
from turntable.loaders import Samples
from turntable.loaders.sampling import random_pairs


@dataclass(frozen=True, slots=True)
class Quantity:
    """Numbers that belong to a view, or to what lies between two; made once each, so that tasks compare."""

    title: str
    views: int
    """1 or 2."""
    lacks: Callable[[SplitFeatures], str | None]
    """Why a split does not tell it; None where it does."""
    target: Callable[[SplitFeatures, Samples], FloatArray]
    """[P, C]."""
    score: Callable[[FloatArray, FloatArray, Resamples], Scores]
    """Of predictions [P, C], targets [P, C], and the objects."""


@dataclass(frozen=True, slots=True)
class Regression:
    """A quantity that a head is to tell."""

    prefix: str
    """Of its scores' names."""
    quantity: Quantity
    probe: ProbeConfig
    deep: bool
    """Whether the head is an MLP; otherwise it is linear."""
    pairs: PairLists

    @property
    def title(self) -> str:
        """What it is to tell."""
        return self.quantity.title

    @property
    def views(self) -> int:
        """Of a sample."""
        return self.quantity.views

    def lacks(self, split: SplitFeatures) -> str | None:
        """Why a split cannot be asked."""
        if split.num_views < self.views:
            return "each object has one view"
        return self.quantity.lacks(split)

    def fit(self, features: Features, train: SplitFeatures) -> "FittedRegression":
        """Train the head."""

        def draw(epoch: int) -> tuple[NDArray[np.int64], Features]:
            samples = self._train_list(train, epoch)
            return rows_of(train, samples), self.targets(train, samples)

        return self.fitted(train_regressor(flat(features), draw, self.deep, self.probe))

    def learner(self, dim: int, train: SplitFeatures) -> Learner:
        """A head for features of a width, which has learned nothing."""
        numbers = self.targets(train, self._train_list(train, 0)[:1]).shape[1]
        return Learner.regressor(self.views * dim, numbers, self.deep, self.probe)

    def targets(self, train: SplitFeatures, samples: Samples) -> NDArray[np.float32]:
        """What a head is to learn of samples, [P, C]."""
        return self.quantity.target(train, samples).astype(np.float32)

    def fitted(self, probe: Callable[[Features], Features]) -> "FittedRegression":
        """With a head from features [P, views * D] to numbers [P, C]."""
        return FittedRegression(self, probe)

    def blind(self, train: SplitFeatures) -> Fitted:
        """The mean of the targets."""
        everything = random_pairs(selection(train), train.num_views, self.pairs.seed, 0)
        samples = everything if self.quantity.views == 2 else all_views(train)
        mean = self.quantity.target(train, samples).mean(axis=0)

        def score(features: Features | None, split: SplitFeatures, resamples: Resamples) -> Scores:
            del features
            target = self.target(split)
            return self.scores(np.broadcast_to(mean, target.shape), target, resamples)

        return score

    def target(self, split: SplitFeatures) -> FloatArray:
        """What is to be told of a split that is scored on."""
        return self.quantity.target(split, self.val_list(split))

    def val_list(self, split: SplitFeatures) -> Samples:
        """What is scored on."""
        return self.pairs.val(split) if self.quantity.views == 2 else all_views(split)

    def scores(self, predicted: FloatArray, target: FloatArray, resamples: Resamples) -> Scores:
        """Under their full names."""
        return prefixed(self.prefix, self.quantity.score(predicted, target, resamples))

    def _train_list(self, train: SplitFeatures, epoch: int) -> Samples:
        return self.pairs.train(train, epoch) if self.quantity.views == 2 else all_views(train)


@dataclass(frozen=True, slots=True, eq=False)
class FittedRegression:
    """A regression with its head."""

    task: Regression
    probe: Callable[[Features], Features]

    def predict(self, features: Features, split: SplitFeatures) -> FloatArray:
        """[P, C] of the list that is scored on."""
        rows = rows_of(split, self.task.val_list(split))
        return self.probe(flat(features)[rows].reshape(len(rows), -1)).astype(np.float64)

    def __call__(self, features: Features | None, split: SplitFeatures, resamples: Resamples) -> Scores:
        """Score it."""
        assert features is not None
        return self.task.scores(self.predict(features, split), self.task.target(split), resamples)

"""Regression: numbers of a view, or of what lies between two, that a head is to tell."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.numbers import (
    Learner,
    ProbeConfig,
    Resamples,
    Scores,
    prefixed,
    regression_scores,
    train_regressor,
)
from turntable.evaluation.results import CONSTANT
from turntable.evaluation.tasks.samples import Features, FloatArray, all_views, flat, rows_of, selection
from turntable.evaluation.tasks.task import EvaluatedSplit, FeatureTask, Fitted, Scorer
from turntable.loaders import Samples
from turntable.loaders.sampling import random_pairs


class _Samples(FeatureTask):
    """The attributes of a regression that its class decides."""

    views: int = 2
    """Views of a sample: 2, or 1."""
    prefix: str = ""
    """The beginning of the names of its scores."""


@dataclass(frozen=True, slots=True)
class Regression(_Samples):
    """Numbers that a head is to tell, of a view or of what lies between two; a subclass says which."""

    probe: ProbeConfig = field(default_factory=ProbeConfig)
    deep: bool = True
    """True for an MLP, False for a linear head."""

    @abstractmethod
    def target(self, split: SplitFeatures, samples: Samples) -> FloatArray:
        """Give the numbers [P, C] of P samples."""

    def measure(self, predicted: FloatArray, target: FloatArray, resamples: Resamples) -> Scores:
        """Score predictions [P, C] of targets [P, C], object by object."""
        return regression_scores(predicted, target, resamples)

    def lacks_labels(self, split: SplitFeatures) -> str | None:
        """Say why a split's labels do not tell the numbers; None where they do."""
        del split
        return None

    def lacks(self, split: SplitFeatures, method: Any = None) -> str | None:
        """Say why a split cannot be asked."""
        del method
        if split.num_views < self.views:
            return "each object has one view"
        return self.lacks_labels(split)

    def fit(self, row: str, train: EvaluatedSplit, method: Any = None) -> Fitted:
        """Train the head."""
        del method
        features = train.split.parts[row]

        def draw(epoch: int) -> tuple[NDArray[np.int64], Features]:
            samples = self._train_list(train, epoch)
            return rows_of(train.split, samples), self.targets(train.split, samples)

        probe = train_regressor(flat(features), draw, self.deep, self.probe)
        return self.fitted(row, features.shape[2], probe)

    def learner(self, dim: int, train: EvaluatedSplit) -> Learner:
        """Make a head for features of a width, which has learned nothing."""
        numbers = self.targets(train.split, self._train_list(train, 0)[:1]).shape[1]
        return Learner.regressor(self.views * dim, numbers, self.deep, self.probe)

    def targets(self, train: SplitFeatures, samples: Samples) -> NDArray[np.float32]:
        """Give what a head is to learn of samples, [P, C]."""
        return self.target(train, samples).astype(np.float32)

    def fitted(self, row: str, dim: int, probe: Callable[[Features], Features]) -> Fitted:
        """Make a fitted task of a head from features [P, views * D] to numbers [P, C]."""

        def score(place: EvaluatedSplit) -> Scores:
            return self._scores(self.predict(row, probe, place), place)

        return Fitted(score, dim)

    def predict(self, row: str, probe: Callable[[Features], Features], place: EvaluatedSplit) -> FloatArray:
        """Let a head tell the numbers [P, C] of the samples that are scored on."""
        rows = rows_of(place.split, self.val_list(place))
        features = flat(place.split.parts[row])[rows].reshape(len(rows), -1)
        return probe(features).astype(np.float64)

    def true(self, place: EvaluatedSplit) -> FloatArray:
        """Give the numbers [P, C] that are to be told."""
        return self.target(place.split, self.val_list(place))

    def val_list(self, place: EvaluatedSplit) -> Samples:
        """List the samples that are scored on."""
        return place.pairs.val(place.split) if self.views == 2 else all_views(place.split)

    def baselines(self, train: EvaluatedSplit) -> Mapping[str, Scorer]:
        """The mean of the targets."""
        split = train.split
        everything = random_pairs(selection(split), split.num_views, train.pairs.seed, 0)
        samples = everything if self.views == 2 else all_views(split)
        mean = self.target(split, samples).mean(axis=0)

        def score(place: EvaluatedSplit) -> Scores:
            return self._scores(np.broadcast_to(mean, self.true(place).shape), place)

        return {CONSTANT: score}

    def _scores(self, predicted: FloatArray, place: EvaluatedSplit) -> Scores:
        return prefixed(self.prefix, self.measure(predicted, self.true(place), place.resamples))

    def _train_list(self, train: EvaluatedSplit, epoch: int) -> Samples:
        return train.pairs.train(train.split, epoch) if self.views == 2 else all_views(train.split)

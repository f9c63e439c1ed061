"""Tasks: what a head is to find in features. Each is fitted on one split and scored on others."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import nn

from turntable.datasets.rotations import QuaternionSign, canonical_quaternion, relative_quaternion
from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.metrics import majority_class
from turntable.evaluation.neighbours import nearest_categories
from turntable.evaluation.probes import Learner, ProbeConfig, train_classifier, train_regressor
from turntable.evaluation.resampling import Resamples
from turntable.evaluation.scores import (
    Scores,
    prefixed,
    regression_scores,
    rotation_scores,
    top1_score,
    turn_error,
)
from turntable.loaders.samplers import Samples, Views, random_pairs, validation_pairs
from turntable.loaders.selection import Selection, whole_split
from turntable.models.equiangular import EquiangularHead

Features = NDArray[np.float32]
"""[N, V, D]."""
FloatArray = NDArray[np.float64]


class Fitted(Protocol):
    """A head that has been trained, or what predicts without looking."""

    def __call__(self, features: Features | None, split: SplitFeatures, resamples: Resamples) -> Scores:
        """Score it on a split, by its features of it; what does not look is given none."""
        ...


class Task(Protocol):
    """Something to find in features."""

    @property
    def title(self) -> str:
        """What it is to find, for people."""
        ...

    def lacks(self, split: SplitFeatures) -> str | None:
        """Why a split cannot be asked, such as for want of labels or views; None where it can."""
        ...

    def fit(self, features: Features, train: SplitFeatures) -> Fitted:
        """Train a head."""
        ...

    def blind(self, train: SplitFeatures) -> Fitted:
        """What predicts the same whatever it sees."""
        ...


@dataclass(frozen=True, slots=True)
class PairLists:
    """Which pairs of views heads are trained and scored on."""

    train_per_object: int = 1
    """Drawn anew in each epoch of a head."""
    val_per_object: int = 20
    """A fixed list; all pairs where an object has fewer."""
    seed: int = 0

    def train(self, split: SplitFeatures, epoch: int) -> Samples:
        """Those of an epoch."""
        return random_pairs(selection(split), self.train_per_object, self.seed, epoch)

    def val(self, split: SplitFeatures) -> Samples:
        """The fixed list, object by object."""
        most = split.num_views * (split.num_views - 1)
        return validation_pairs(selection(split), min(self.val_per_object, most), self.seed)


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


@cache
def relative_rotation(sign: QuaternionSign) -> Quantity:
    """The quaternion of R1^T R2, xyzw, its sign by a rule."""

    def target(split: SplitFeatures, samples: Samples) -> FloatArray:
        absolute = split.quaternions.reshape(-1, 4)[rows_of(split, samples)]
        return relative_quaternion(absolute[:, 0], absolute[:, 1], sign)

    return Quantity("rotation between two views", 2, lambda _: None, target, rotation_scores)


@cache
def absolute_rotation() -> Quantity:
    """The quaternion of R, xyzw with w >= 0."""

    def target(split: SplitFeatures, samples: Samples) -> FloatArray:
        return canonical_quaternion(split.quaternions.reshape(-1, 4)[rows_of(split, samples)[:, 0]])

    return Quantity("rotation of a view", 1, lambda _: None, target, rotation_scores)


@cache
def hue_differences() -> Quantity:
    """Of floor and light, view 2 less view 1, in turns from -1 to 1, as the papers have them."""
    return Quantity(
        "differences of hue",
        2,
        _lacks_hues,
        lambda split, samples: _difference(split.hues, split, samples),
        regression_scores,
    )


@cache
def hues() -> Quantity:
    """Cosine and sine of the hues of floor and light."""

    def target(split: SplitFeatures, samples: Samples) -> FloatArray:
        angles = 2 * np.pi * _of_views(split.hues, split, samples)[:, 0]
        return np.stack([np.cos(angles), np.sin(angles)], axis=2).reshape(-1, 4)

    def score(predicted: FloatArray, target: FloatArray, resamples: Resamples) -> Scores:
        pairs = zip(("floor_hue", "light_hue"), (slice(0, 2), slice(2, 4)), strict=True)
        return {
            f"{name}_error_turn": resamples.mean(turn_error(predicted[:, at], _turns(target[:, at])))
            for name, at in pairs
        }

    return Quantity("hues of a view", 1, _lacks_hues, target, score)


@cache
def translation_difference(frame: str) -> Quantity:
    """t2 - t1 in the "object" frame, or R2 t2 - R1 t1 in the "base" frame, in diagonals of the object."""

    def values(split: SplitFeatures) -> FloatArray | None:
        return split.translations if frame == "object" else split.positions

    return Quantity(
        "translation between two views",
        2,
        lambda split: None if split.translations is not None else "no translations vary",
        lambda split, samples: _difference(values(split), split, samples),
        regression_scores,
    )


def _lacks_hues(split: SplitFeatures) -> str | None:
    return None if split.hues is not None else "no hues of floor and light vary"


def selection(split: SplitFeatures) -> Selection:
    """All views of a split."""
    return whole_split([split.num_objects], split.num_views)


def all_views(split: SplitFeatures) -> Samples:
    """Every view by itself, object by object."""
    return Views(shuffled=False).samples(selection(split), None, 0, 0)


def rows_of(split: SplitFeatures, samples: Samples) -> NDArray[np.int64]:
    """[P, k] rows of the split's views, of P samples of k."""
    return samples.objects[:, None] * split.num_views + samples.views


def flat(features: Features) -> Features:
    """[N, V, D] as [N * V, D]."""
    return np.ascontiguousarray(features).reshape(-1, features.shape[2])


def _of_views(values: FloatArray | None, split: SplitFeatures, samples: Samples) -> FloatArray:
    assert values is not None
    return values.reshape(-1, values.shape[2])[rows_of(split, samples)]


def _difference(values: FloatArray | None, split: SplitFeatures, samples: Samples) -> FloatArray:
    of_views = _of_views(values, split, samples)
    return of_views[:, 1] - of_views[:, 0]


def _turns(directions: FloatArray) -> FloatArray:
    return np.arctan2(directions[:, 1], directions[:, 0]) / (2 * np.pi)

"""The tasks of classifying views: by a trained head, or by the nearest views of the train split."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from turntable.evaluation.evaluation_results import CONSTANT_ROW
from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.measurement import (
    ProbeConfig,
    ProbeTrainer,
    Scores,
    compute_majority_category,
    compute_top1_score,
    select_device,
    train_classifier,
)
from turntable.evaluation.score_table_specs import ScoreColumn, ScoreFinding, ScoreTable
from turntable.evaluation.tasks.samples import Features, flatten_views
from turntable.evaluation.tasks.task import EvaluatedSplit, FeatureTask, FittedTask, Scorer
from turntable.loaders import Samples
from turntable.models.layers import EquiangularHead

IntArray = NDArray[np.int64]

_MAX_SIMILARITIES_AT_ONCE = 1 << 25
"""Maximal number of similarities that are in memory at a time."""

CATEGORY_TABLE = ScoreTable(
    "Category",
    "The share of views of held-out objects whose category is predicted right: by a linear head, by the"
    " nearest neighbors (k-NN), and by a head with fixed, nearly orthogonal weights (equiangular).",
    (
        ScoreColumn("top1", "top-1", "%", 100, 1),
        ScoreColumn("knn_top1", "k-NN top-1", "%", 100, 1),
        ScoreColumn("equiangular_top1", "equiangular top-1", "%", 100, 1),
    ),
    ScoreFinding("top1", "{who}: category right for {top1} %", "constant baseline {top1} %"),
)


@dataclass(frozen=True, slots=True)
class Classification(FeatureTask):
    """The category of a view, predicted by a linear head."""

    probe: ProbeConfig = field(default_factory=ProbeConfig)
    """Settings of the training of the head."""
    name = "top1"
    title = "category"
    tables = (CATEGORY_TABLE,)
    main_metrics = ("top1",)
    num_views = 1

    def find_obstacle(self, split: SplitFeatures, method: Any = None) -> str | None:
        """Return why a split cannot be scored; None if it can."""
        del method
        return find_category_obstacle(split)

    def fit(self, row: str, train: EvaluatedSplit, method: Any = None) -> FittedTask:
        """Train a head on a part of the features."""
        del method
        features = train.split.parts[row]
        return self.build_fitted_task(row, features.shape[2], self.train_head(features, train))

    def train_head(self, features: Features, train: EvaluatedSplit) -> Callable[[Features], Features]:
        """Train a head on features [N, V, D] of the train split; it maps features [P, D] to logits [P, C]."""
        targets = np.repeat(train.split.categories, train.split.num_views)
        num_categories, inputs = _count_categories(train.split), flatten_views(features)
        head = self._find_head_builder(features.shape[2], num_categories)
        return train_classifier(inputs, targets, num_categories, self.probe, head, train.report_epoch)

    def make_trainer(self, dim: int, train: EvaluatedSplit) -> ProbeTrainer:
        """Make an untrained head for features of width ``dim``."""
        num_categories = _count_categories(train.split)
        build_head = self._find_head_builder(dim, num_categories)
        return ProbeTrainer.build_classifier(dim, num_categories, self.probe, build_head)

    def compute_head_targets(self, train: SplitFeatures, samples: Samples) -> NDArray[np.int64]:
        """Return the categories [P] of P samples."""
        return train.categories[samples.objects]

    def build_fitted_task(self, row: str, dim: int, probe: Callable[[Features], Features]) -> FittedTask:
        """Make a fitted task of a head from features [P, D] to logits [P, C]."""

        def score(eval_split: EvaluatedSplit) -> Scores:
            logits = probe(flatten_views(eval_split.split.parts[row]))
            return score_categories(self.name, logits.argmax(axis=1), eval_split)

        return FittedTask(score, dim)

    def build_baselines(self, train: EvaluatedSplit) -> Mapping[str, Scorer]:
        """Build the constant baseline: the most frequent category."""
        return {CONSTANT_ROW: make_majority_scorer(self.name, train)}

    def _find_head_builder(self, dim: int, num_categories: int) -> Callable[[], nn.Module] | None:
        """Return a function that builds the head; None: the head is linear."""
        del dim, num_categories
        return None


@dataclass(frozen=True, slots=True)
class EquiangularClassification(Classification):
    """The category of a view, predicted by a linear map onto fixed directions (``EquiangularHead``)."""

    name = "equiangular_top1"
    main_metrics = ()

    def _find_head_builder(self, dim: int, num_categories: int) -> Callable[[], nn.Module]:
        return lambda: EquiangularHead(dim, num_categories)


@dataclass(frozen=True, slots=True)
class NearestNeighbors(FeatureTask):
    """The category of a view, predicted by the nearest views of the train split."""

    num_neighbors: int = 20
    """Number of views that vote, k."""
    name = "knn_top1"
    title = "category"
    tables = (CATEGORY_TABLE,)
    main_metrics = ("knn_top1",)

    def find_obstacle(self, split: SplitFeatures, method: Any = None) -> str | None:
        """Return why a split cannot be scored; None if it can."""
        del method
        return find_category_obstacle(split)

    def fit(self, row: str, train: EvaluatedSplit, method: Any = None) -> FittedTask:
        """Keep the views of the train split to compare others with; nothing is trained."""
        del method
        features, split = train.split.parts[row], train.split
        train_features, categories = flatten_views(features), np.repeat(split.categories, split.num_views)

        def score(eval_split: EvaluatedSplit) -> Scores:
            val_features = flatten_views(eval_split.split.parts[row])
            predicted = predict_nearest_categories(
                train_features, categories, val_features, self.num_neighbors, _count_categories(split)
            )
            return score_categories(self.name, predicted, eval_split)

        return FittedTask(score, features.shape[2])

    def build_baselines(self, train: EvaluatedSplit) -> Mapping[str, Scorer]:
        """Build the constant baseline: the most frequent category."""
        return {CONSTANT_ROW: make_majority_scorer(self.name, train)}


def predict_nearest_categories(
    train_features: NDArray[np.floating],
    categories: IntArray,
    val_features: NDArray[np.floating],
    num_neighbors: int,
    num_categories: int,
) -> IntArray:
    """Predict categories by a vote of the nearest training views, each weighted by its cosine similarity.

    Args:
        train_features: Features of the views that vote, [M, D].
        categories: Their categories, [M].
        val_features: Features of the views whose category is predicted, [Q, D].
        num_neighbors: Number of views that vote, k; all M if it is larger.
        num_categories: Number of categories that can be voted for.

    Returns:
        Predicted categories [Q].
    """
    directions = functional.normalize(torch.from_numpy(train_features).to(select_device()), dim=1)
    train_categories = torch.from_numpy(categories).to(directions.device)
    predicted: list[torch.Tensor] = []
    for chunk in torch.from_numpy(val_features).split(max(1, _MAX_SIMILARITIES_AT_ONCE // len(directions))):
        cosines = functional.normalize(chunk.to(directions.device), dim=1) @ directions.T
        nearest = cosines.topk(min(num_neighbors, len(directions)), dim=1)
        votes = torch.zeros(len(chunk), num_categories, device=directions.device)
        # A view that points the other way does not vote against its category.
        votes.scatter_add_(1, train_categories[nearest.indices], nearest.values.clamp_min(0))
        predicted.append(votes.argmax(dim=1).cpu())
    return torch.cat(predicted).numpy()


def find_category_obstacle(split: SplitFeatures) -> str | None:
    """Return why the categories of a split cannot be scored; None if they can.

    Objects of categories that the train split does not have are left out of the scores.
    """
    known = split.categories[split.categories >= 0]
    if not known.size:
        return "all objects are of categories that the train split does not have"
    if np.ptp(known) == 0:
        whose = "all objects" if known.size == split.num_objects else "all objects of known categories"
        return f"{whose} are of the same category"
    return None


def score_categories(metric: str, predicted: IntArray, eval_split: EvaluatedSplit) -> Scores:
    """Compute the accuracy of predicted categories [N * V], object by object.

    Objects of categories that the train split does not have (-1) are left out.
    """
    categories = eval_split.split.categories
    is_known = categories >= 0
    predicted, resamples = predicted.reshape(len(categories), -1), eval_split.resamples
    if not is_known.all():
        resamples = replace(resamples, num_objects=int(is_known.sum()))
    return {metric: compute_top1_score(predicted[is_known], categories[is_known], resamples)}


def make_majority_scorer(metric: str, train: EvaluatedSplit) -> Scorer:
    """Make a scorer that always predicts the most frequent category of the train split."""
    majority = compute_majority_category(train.split.categories)

    def score(eval_split: EvaluatedSplit) -> Scores:
        return score_categories(metric, np.full(eval_split.split.num_objects, majority), eval_split)

    return score


def _count_categories(train: SplitFeatures) -> int:
    """Count the categories that a head distinguishes: all up to the largest number."""
    return 1 + int(train.categories.max())

"""The base class of regression tasks: a head predicts numbers of a view, or of a pair of views."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.evaluation.evaluation_results import CONSTANT_ROW
from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.measurement import (
    BootstrapResamples,
    ProbeConfig,
    ProbeTrainer,
    Scores,
    add_prefix,
    compute_regression_scores,
    train_regressor,
)
from turntable.evaluation.tasks.samples import (
    Features,
    FloatArray,
    compute_rows,
    flatten_views,
    list_all_views,
    make_view_selection,
)
from turntable.evaluation.tasks.task import EvaluatedSplit, FeatureTask, FittedTask, Scorer
from turntable.loaders import Samples
from turntable.loaders.sampling import draw_random_pairs


class _RegressionAttributes(FeatureTask):
    """Class attributes of a regression.

    They are in a base class, since attributes with a type in a dataclass would become settings.
    """

    num_views: int = 2
    """Number of views of a sample, 1 or 2."""
    metric_prefix: str = ""
    """Beginning of the names of its metrics."""


@dataclass(frozen=True, slots=True)
class Regression(_RegressionAttributes):
    """A task of predicting numbers of a view or of a pair of views; a subclass defines the numbers."""

    probe: ProbeConfig = field(default_factory=ProbeConfig)
    """Settings of the training of the head."""
    use_mlp: bool = True
    """True for an MLP, False for a linear head."""

    @abstractmethod
    def compute_targets(self, split: SplitFeatures, samples: Samples) -> FloatArray:
        """Compute the numbers [P, C] of P samples."""

    def compute_scores(
        self, predicted: FloatArray, target: FloatArray, resamples: BootstrapResamples
    ) -> Scores:
        """Compute the scores of predictions [P, C] of targets [P, C], both object by object."""
        return compute_regression_scores(predicted, target, resamples)

    def find_label_obstacle(self, split: SplitFeatures) -> str | None:
        """Return why the numbers cannot be computed from a split's labels; None if they can."""
        del split
        return None

    def find_obstacle(self, split: SplitFeatures, method: Any = None) -> str | None:
        """Return why a split cannot be scored; None if it can."""
        del method
        if split.num_views < self.num_views:
            return "there is only one view of each object"
        return self.find_label_obstacle(split)

    def fit(self, row: str, train: EvaluatedSplit, method: Any = None) -> FittedTask:
        """Train a head on a part of the features."""
        del method
        features = train.split.parts[row]

        def draw(epoch: int) -> tuple[NDArray[np.int64], Features]:
            samples = self._draw_train_samples(train, epoch)
            return compute_rows(train.split, samples), self.compute_head_targets(train.split, samples)

        inputs = flatten_views(features)
        probe = train_regressor(inputs, draw, self.use_mlp, self.probe, train.report_epoch)
        return self.build_fitted_task(row, features.shape[2], probe)

    def make_trainer(self, dim: int, train: EvaluatedSplit) -> ProbeTrainer:
        """Make an untrained head for features of width ``dim``."""
        one_sample = self._draw_train_samples(train, 0)[:1]
        num_outputs = self.compute_head_targets(train.split, one_sample).shape[1]
        return ProbeTrainer.build_regressor(self.num_views * dim, num_outputs, self.use_mlp, self.probe)

    def compute_head_targets(self, train: SplitFeatures, samples: Samples) -> NDArray[np.float32]:
        """Compute the targets [P, C] of P samples, in the precision that heads are trained with."""
        return self.compute_targets(train, samples).astype(np.float32)

    def build_fitted_task(self, row: str, dim: int, probe: Callable[[Features], Features]) -> FittedTask:
        """Make a fitted task of a head from features [P, num_views * D] to numbers [P, C]."""

        def score(eval_split: EvaluatedSplit) -> Scores:
            return self.score_predictions(self.predict(row, probe, eval_split), eval_split)

        return FittedTask(score, dim)

    def predict(
        self, row: str, probe: Callable[[Features], Features], eval_split: EvaluatedSplit
    ) -> FloatArray:
        """Compute a head's predictions [P, C] of the samples that are scored."""
        rows = compute_rows(eval_split.split, self.list_val_samples(eval_split))
        features = flatten_views(eval_split.split.parts[row])[rows].reshape(len(rows), -1)
        return probe(features).astype(np.float64)

    def compute_val_targets(self, eval_split: EvaluatedSplit) -> FloatArray:
        """Compute the targets [P, C] of the samples that are scored."""
        return self.compute_targets(eval_split.split, self.list_val_samples(eval_split))

    def list_val_samples(self, eval_split: EvaluatedSplit) -> Samples:
        """List the samples that are scored."""
        return (
            eval_split.pairs.list_val_pairs(eval_split.split)
            if self.num_views == 2
            else list_all_views(eval_split.split)
        )

    def build_baselines(self, train: EvaluatedSplit) -> Mapping[str, Scorer]:
        """Build the constant baseline: the mean of the targets of the train split."""
        split = train.split
        # The mean over all pairs would take their square; as many pairs as views estimate it well enough.
        random_pairs = draw_random_pairs(make_view_selection(split), split.num_views, train.pairs.seed, 0)
        samples = random_pairs if self.num_views == 2 else list_all_views(split)
        mean = self.compute_targets(split, samples).mean(axis=0)

        def score(eval_split: EvaluatedSplit) -> Scores:
            targets = self.compute_val_targets(eval_split)
            return self.score_predictions(np.broadcast_to(mean, targets.shape), eval_split)

        return {CONSTANT_ROW: score}

    def score_predictions(self, predicted: FloatArray, eval_split: EvaluatedSplit) -> Scores:
        """Compute the scores of predictions [P, C] of the samples that are scored."""
        return add_prefix(
            self.metric_prefix,
            self.compute_scores(predicted, self.compute_val_targets(eval_split), eval_split.resamples),
        )

    def _draw_train_samples(self, train: EvaluatedSplit, epoch: int) -> Samples:
        return (
            train.pairs.draw_train_pairs(train.split, epoch)
            if self.num_views == 2
            else list_all_views(train.split)
        )

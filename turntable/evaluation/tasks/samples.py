"""Views and pairs of views that heads are trained and scored on, as rows of a split."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.evaluation.features import SplitFeatures
from turntable.loaders import Samples, Views, ViewSelection, draw_validation_pairs, select_all_views
from turntable.loaders.sampling import draw_random_pairs

Features = NDArray[np.float32]
"""Features of the views of a split, [N, V, D]."""
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairConfig:
    """Settings of the pairs of views that heads are trained and scored on."""

    train_per_object: int = 1
    """Number of pairs of an object in each epoch of a head; they are drawn anew for every epoch."""
    val_per_object: int = 20
    """Number of validation pairs of an object, a fixed list; all its pairs if there are fewer."""
    seed: int = 0
    """Seed of the draws."""

    def draw_train_pairs(self, split: SplitFeatures, epoch: int) -> Samples:
        """Draw the training pairs of an epoch."""
        return draw_random_pairs(make_view_selection(split), self.train_per_object, self.seed, epoch)

    def list_val_pairs(self, split: SplitFeatures) -> Samples:
        """Return the fixed list of validation pairs, object by object."""
        max_pairs = split.num_views * (split.num_views - 1)
        num_pairs = min(self.val_per_object, max_pairs)
        return draw_validation_pairs(make_view_selection(split), num_pairs, self.seed)


def make_view_selection(split: SplitFeatures) -> ViewSelection:
    """Return the selection of all views of a split."""
    return select_all_views([split.num_objects], split.num_views)


def list_all_views(split: SplitFeatures) -> Samples:
    """Return every view of a split as a sample of its own, object by object."""
    return Views(shuffled=False).draw_samples(make_view_selection(split), None, 0, 0)


def compute_rows(split: SplitFeatures, samples: Samples) -> NDArray[np.int64]:
    """Compute the row numbers [P, k] of P samples of k views, in features flattened to [N * V, D]."""
    return samples.objects[:, None] * split.num_views + samples.views


def flatten_views(features: Features) -> Features:
    """Return features [N, V, D] as [N * V, D]."""
    return np.ascontiguousarray(features).reshape(-1, features.shape[2])


def select_values(values: FloatArray | None, split: SplitFeatures, samples: Samples) -> FloatArray:
    """Return the values [P, k, C] of P samples of k views, from those [N, V, C] of all views of a split."""
    assert values is not None
    return values.reshape(-1, values.shape[2])[compute_rows(split, samples)]


def compute_differences(values: FloatArray | None, split: SplitFeatures, samples: Samples) -> FloatArray:
    """Compute the differences [P, C] of values [N, V, C]: second view of a pair minus the first."""
    by_view = select_values(values, split, samples)
    return by_view[:, 1] - by_view[:, 0]

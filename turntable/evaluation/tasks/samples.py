"""Which views and pairs of views heads are trained and scored on, as rows of a split."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.evaluation.features import SplitFeatures
from turntable.loaders import Samples, Selection, Views, validation_pairs, whole_split
from turntable.loaders.sampling import random_pairs

Features = NDArray[np.float32]
"""[N, V, D]."""
FloatArray = NDArray[np.float64]


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


def values_of(values: FloatArray | None, split: SplitFeatures, samples: Samples) -> FloatArray:
    """Return the values [N, V, C] of a split's views as those [P, k, C] of P samples of k views."""
    assert values is not None
    return values.reshape(-1, values.shape[2])[rows_of(split, samples)]


def differences_of(values: FloatArray | None, split: SplitFeatures, samples: Samples) -> FloatArray:
    """Return by how much values [N, V, C] differ from the first to the second view of samples, [P, C]."""
    of_views = values_of(values, split, samples)
    return of_views[:, 1] - of_views[:, 0]

"""The contract of a task: it finds something in features, is fitted on one split and scored on others."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.numbers import Resamples, Scores

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

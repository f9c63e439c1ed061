"""Ridge regression over standardized features, in closed form and without randomness.

The rows are reduced to their second moments, separately for each fold of objects. Heads with any penalty,
with any fold held out, are computed from these matrices, whose size does not depend on the number of rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

NUM_FOLDS = 5
"""Number of folds of the training objects; each is held out once while the strength is selected."""
STRENGTHS = tuple(10.0**power for power in range(-9, 5))
"""Strengths of the penalty, relative to the number of rows: from almost none to one that leaves only the
mean."""
_MAX_NUMBERS_AT_ONCE = 1 << 22
"""Maximal number of features that are held in float64 at a time."""
_MIN_RELATIVE_DEVIATION = 1e-6
"""Standard deviation, relative to the mean, up to which a feature is taken for constant."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearHeads:
    """Linear heads over standardized features."""

    shift: FloatArray
    """Mean of each feature, [D]."""
    scale: FloatArray
    """Standard deviation of each feature; infinity for constant ones, [D]."""
    weights: FloatArray
    """Weights of each target, [D, C]."""
    bias: FloatArray
    """Bias of each target, [C]."""

    def __call__(self, features: NDArray[np.floating]) -> FloatArray:
        """Compute the predictions [P, C] of features [P, D]."""
        return (features.astype(np.float64) - self.shift) / self.scale @ self.weights + self.bias


@dataclass(frozen=True, slots=True, eq=False)
class _Moments:
    """Sums of first and second moments over rows of standardized features x and targets t."""

    num_rows: int
    """Number of rows."""
    x: FloatArray
    """Sum of x, [D]."""
    t: FloatArray
    """Sum of t, [C]."""
    xx: FloatArray
    """Sum of the outer products of x and x, [D, D]."""
    xt: FloatArray
    """Sum of the outer products of x and t, [D, C]."""
    tt: FloatArray
    """Sum of the squares of t, [C]."""

    def __add__(self, other: "_Moments") -> "_Moments":
        return _Moments(
            self.num_rows + other.num_rows,
            self.x + other.x,
            self.t + other.t,
            self.xx + other.xx,
            self.xt + other.xt,
            self.tt + other.tt,
        )

    def compute_squared_errors(self, weights: FloatArray, bias: FloatArray) -> FloatArray:
        """Compute the sum [C] of squared errors over these rows, for weights [D, C] and biases [C]."""
        # Sum of (t - w^T x - b)^2, expanded into moments.
        quadratic = (weights * (self.xx @ weights)).sum(axis=0) + 2 * bias * (self.x @ weights)
        cross = (weights * self.xt).sum(axis=0) + bias * self.t
        return self.tt - 2 * cross + quadratic + self.num_rows * bias**2


def fit_ridge(
    features: NDArray[np.floating], targets: FloatArray, groups: Sequence[Sequence[int]], order: IntArray
) -> LinearHeads:
    """Fit a linear head to every target by ridge regression.

    The strength of the penalty is selected for each group of targets by cross-validation: it has the least
    squared error on held-out training objects, every fifth in the order. Of equal strengths the greatest is
    taken.

    Args:
        features: Features, [N, V, D].
        targets: Targets, [N, V, C].
        groups: Columns of the targets that share a strength; each column is in one group.
        order: Order of the objects [N], in which they are summed and divided into folds.

    Raises:
        InvalidInputError: There are fewer than two objects, so none can be held out.
    """
    if len(features) < 2:
        raise InvalidInputError("heads need at least two objects in the train split, since one is held out")
    shift, scale = _compute_scaling(features, order)
    folds = _compute_folds(features, targets, shift, scale, order)
    weights, bias = _Spectrum.from_moments(_sum_moments(folds)).solve(_select_strengths(folds, groups))
    return LinearHeads(shift, scale, weights, bias)


def iter_object_chunks(features: NDArray[np.floating], order: IntArray) -> Iterator[IntArray]:
    """Iterate over the objects of features [N, V, D] in an order [N], in chunks that fit into memory."""
    step = max(1, _MAX_NUMBERS_AT_ONCE // max(1, features[0].size))
    return (order[start : start + step] for start in range(0, len(order), step))


def _compute_scaling(features: NDArray[np.floating], order: IntArray) -> tuple[FloatArray, FloatArray]:
    """Compute the mean and the standard deviation [D] of each feature.

    A constant feature has deviation infinity, so that it becomes 0.
    """
    num_rows, width = features.shape[0] * features.shape[1], features.shape[2]
    total, squares = np.zeros(width), np.zeros(width)
    for chunk in iter_object_chunks(features, order):
        total += _flatten_views(features[chunk]).sum(axis=0)
    mean = total / num_rows
    # A second pass around the mean: the difference of mean square and squared mean would lose digits.
    for chunk in iter_object_chunks(features, order):
        squares += np.square(_flatten_views(features[chunk]) - mean).sum(axis=0)
    deviation = np.sqrt(squares / num_rows)
    return mean, np.where(deviation <= _MIN_RELATIVE_DEVIATION * np.abs(mean), np.inf, deviation)


def _compute_folds(
    features: NDArray[np.floating], targets: FloatArray, shift: FloatArray, scale: FloatArray, order: IntArray
) -> list[_Moments]:
    count = min(NUM_FOLDS, len(order))
    return [
        _sum_moments(
            [
                _compute_moments(
                    (_flatten_views(features[chunk]) - shift) / scale, _flatten_views(targets[chunk])
                )
                for chunk in iter_object_chunks(features, order[fold::count])
            ]
        )
        for fold in range(count)
    ]


def _compute_moments(x: FloatArray, t: FloatArray) -> _Moments:
    return _Moments(len(x), x.sum(axis=0), t.sum(axis=0), x.T @ x, x.T @ t, np.square(t).sum(axis=0))


def _sum_moments(moments: Sequence[_Moments]) -> _Moments:
    total, *others = moments
    for other in others:
        total += other
    return total


def _select_strengths(folds: Sequence[_Moments], groups: Sequence[Sequence[int]]) -> FloatArray:
    """Select the strength of each target [C] by cross-validation."""
    num_columns = folds[0].t.shape[0]
    errors = np.zeros((len(STRENGTHS), num_columns))
    for held_out_index, held_out in enumerate(folds):
        kept = _Spectrum.from_moments(
            _sum_moments([fold for index, fold in enumerate(folds) if index != held_out_index])
        )
        for index, strength in enumerate(STRENGTHS):
            errors[index] += held_out.compute_squared_errors(*kept.solve(np.full(num_columns, strength)))
    strengths = np.empty(num_columns)
    for group in groups:
        # argmin returns the first minimum. In reverse order, it is the greatest of equally good strengths.
        best = len(STRENGTHS) - 1 - int(errors[::-1, list(group)].sum(axis=1).argmin())
        strengths[list(group)] = STRENGTHS[best]
    return strengths


@dataclass(frozen=True, slots=True, eq=False)
class _Spectrum:
    """Moments in the eigenvectors of the covariance, where the solution for any strength is a division."""

    directions: FloatArray
    """Eigenvectors of the covariance of x, as columns, [D, D]."""
    variances: FloatArray
    """Eigenvalues of the covariance of x, [D]."""
    products: FloatArray
    """Covariances of x along the eigenvectors and t, [D, C]."""
    mean_x: FloatArray
    """Mean of x, [D]."""
    mean_t: FloatArray
    """Mean of t, [C]."""

    @classmethod
    def from_moments(cls, moments: _Moments) -> "_Spectrum":
        mean_x, mean_t = moments.x / moments.num_rows, moments.t / moments.num_rows
        covariance = moments.xx / moments.num_rows - np.outer(mean_x, mean_x)
        variances, directions = np.linalg.eigh(covariance)
        products = directions.T @ (moments.xt / moments.num_rows - np.outer(mean_x, mean_t))
        return cls(directions, np.maximum(variances, 0), products, mean_x, mean_t)

    def solve(self, strengths: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Compute the weights [D, C] and biases [C] of targets with strengths [C]."""
        weights = self.directions @ (self.products / (self.variances[:, None] + strengths))
        return weights, self.mean_t - self.mean_x @ weights


def _flatten_views(values: NDArray[np.floating]) -> FloatArray:
    return values.reshape(-1, values.shape[2]).astype(np.float64)

"""Linear heads in closed form: ridge regression over standardized features, without any randomness.

All that is kept of the rows are their second moments, of each fold of objects by itself. So heads of any
strength, with any fold held out, come from matrices of the features' width, however many rows there are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FOLDS = 5
"""Parts of the training objects, each of which is held out once while the strength is chosen."""
STRENGTHS = tuple(10.0**power for power in range(-9, 5))
"""Strengths of the penalty, as shares of the number of rows: from none to one that leaves the mean alone."""
_AT_ONCE = 1 << 22
"""Numbers of the features that are held in float64."""
_SILENT = 1e-6
"""A feature that varies by less than this share of its size says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearHeads:
    """Weights over standardized features."""

    shift: FloatArray
    """[D]."""
    scale: FloatArray
    """[D]."""
    weights: FloatArray
    """[D, C]."""
    bias: FloatArray
    """[C]."""

    def __call__(self, features: NDArray[np.floating]) -> FloatArray:
        """Apply them to features [P, D]; returns [P, C]."""
        return (features.astype(np.float64) - self.shift) / self.scale @ self.weights + self.bias


@dataclass(frozen=True, slots=True, eq=False)
class _Moments:
    """Sums over rows of standardized features x and targets t."""

    rows: int
    x: FloatArray
    """[D]."""
    t: FloatArray
    """[C]."""
    xx: FloatArray
    """[D, D]."""
    xt: FloatArray
    """[D, C]."""
    tt: FloatArray
    """[C], squared."""

    def __add__(self, other: "_Moments") -> "_Moments":
        return _Moments(
            self.rows + other.rows,
            self.x + other.x,
            self.t + other.t,
            self.xx + other.xx,
            self.xt + other.xt,
            self.tt + other.tt,
        )

    def missed(self, weights: FloatArray, bias: FloatArray) -> FloatArray:
        """[C]: squared errors of heads over these rows, added up."""
        of_weights = (weights * (self.xx @ weights)).sum(axis=0) + 2 * bias * (self.x @ weights)
        against = (weights * self.xt).sum(axis=0) + bias * self.t
        return self.tt - 2 * against + of_weights + self.rows * bias**2


def fit_ridge(
    features: NDArray[np.floating], targets: FloatArray, groups: Sequence[Sequence[int]], order: IntArray
) -> LinearHeads:
    """Fit a linear head to every target, by least squares with a penalty.

    The strength of the penalty is chosen for each group of targets by the squared error on training objects
    that were held out, every fifth in the order; of equal ones the strongest.

    Args:
        features: [N, V, D], object by object.
        targets: [N, V, C].
        groups: Columns of the targets that share a strength; each column is in one group.
        order: [N] objects, in which they are summed and held out.

    Raises:
        InvalidInputError: There are fewer than two objects, so that none can be held out.
    """
    if len(features) < 2:
        raise InvalidInputError("heads need at least two objects in the train split: one is held out")
    shift, scale = _standard(features, order)
    folds = _folds(features, targets, shift, scale, order)
    weights, bias = _Spectrum.of(_total(folds)).solved(_chosen(folds, groups))
    return LinearHeads(shift, scale, weights, bias)


def pieces(features: NDArray[np.floating], order: IntArray) -> Iterator[IntArray]:
    """Give the objects of features [N, V, D] in their order, as many at a time as fit into memory."""
    step = max(1, _AT_ONCE // max(1, features[0].size))
    return (order[start : start + step] for start in range(0, len(order), step))


def _standard(features: NDArray[np.floating], order: IntArray) -> tuple[FloatArray, FloatArray]:
    """Mean and deviation [D] of each feature; a silent one has deviation infinity, so that it becomes 0."""
    rows, width = features.shape[0] * features.shape[1], features.shape[2]
    total, squares = np.zeros(width), np.zeros(width)
    for part in pieces(features, order):
        total += _flat(features[part]).sum(axis=0)
    mean = total / rows
    for part in pieces(features, order):
        squares += np.square(_flat(features[part]) - mean).sum(axis=0)
    deviation = np.sqrt(squares / rows)
    return mean, np.where(deviation <= _SILENT * np.abs(mean), np.inf, deviation)


def _folds(
    features: NDArray[np.floating], targets: FloatArray, shift: FloatArray, scale: FloatArray, order: IntArray
) -> list[_Moments]:
    count = min(FOLDS, len(order))
    return [
        _total(
            [
                _moments((_flat(features[part]) - shift) / scale, _flat(targets[part]))
                for part in pieces(features, order[fold::count])
            ]
        )
        for fold in range(count)
    ]


def _moments(x: FloatArray, t: FloatArray) -> _Moments:
    return _Moments(len(x), x.sum(axis=0), t.sum(axis=0), x.T @ x, x.T @ t, np.square(t).sum(axis=0))


def _total(moments: Sequence[_Moments]) -> _Moments:
    total, *others = moments
    for other in others:
        total += other
    return total


def _chosen(folds: Sequence[_Moments], groups: Sequence[Sequence[int]]) -> FloatArray:
    """[C]: the strength of each target."""
    columns = folds[0].t.shape[0]
    missed = np.zeros((len(STRENGTHS), columns))
    for number, held_out in enumerate(folds):
        kept = _Spectrum.of(_total([fold for other, fold in enumerate(folds) if other != number]))
        for place, strength in enumerate(STRENGTHS):
            missed[place] += held_out.missed(*kept.solved(np.full(columns, strength)))
    strengths = np.empty(columns)
    for group in groups:
        # From the strongest on: the first of the least is the strongest of those.
        best = len(STRENGTHS) - 1 - int(missed[::-1, list(group)].sum(axis=1).argmin())
        strengths[list(group)] = STRENGTHS[best]
    return strengths


@dataclass(frozen=True, slots=True, eq=False)
class _Spectrum:
    """Moments in the directions in which features vary, where every strength is a division."""

    directions: FloatArray
    """[D, D]."""
    variances: FloatArray
    """[D]."""
    products: FloatArray
    """[D, C], of directions and targets."""
    mean_x: FloatArray
    mean_t: FloatArray

    @classmethod
    def of(cls, moments: _Moments) -> "_Spectrum":
        mean_x, mean_t = moments.x / moments.rows, moments.t / moments.rows
        covariance = moments.xx / moments.rows - np.outer(mean_x, mean_x)
        variances, directions = np.linalg.eigh(covariance)
        products = directions.T @ (moments.xt / moments.rows - np.outer(mean_x, mean_t))
        return cls(directions, np.maximum(variances, 0), products, mean_x, mean_t)

    def solved(self, strengths: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Weights [D, C] and biases [C] of targets with strengths [C]."""
        weights = self.directions @ (self.products / (self.variances[:, None] + strengths))
        return weights, self.mean_t - self.mean_x @ weights


def _flat(values: NDArray[np.floating]) -> FloatArray:
    return values.reshape(-1, values.shape[2]).astype(np.float64)

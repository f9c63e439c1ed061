"""Heads from a part of a representation to the factors: linear in closed form, or the published MLP."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError
from turntable.evaluation import SplitFeatures
from turntable.evaluation.numbers import ProbeConfig, train_classifier, train_regressor
from turntable.models.layers import mlp
from turntable.studies.factor_targets import Targets
from turntable.studies.ridge import fit_ridge

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

Predict = Callable[[NDArray[np.floating]], FloatArray]
"""From features [P, D] to all columns of the targets [P, C]."""
Fit = Callable[[NDArray[np.float32], Targets, SplitFeatures, IntArray], Predict]
"""From features [N, V, D] of the train split, what is predicted, the split, and its objects [N] in order."""

_MLP = ProbeConfig.demo()


def fit_linear(
    features: NDArray[np.float32], targets: Targets, train: SplitFeatures, order: IntArray
) -> Predict:
    """Fit ridge regressions, of the category one for each class."""
    _check_finite(features)
    values = targets.columns(train, np.arange(train.num_objects))
    return fit_ridge(features, values, [target.columns for target in targets.all], order)


def fit_mlp(
    features: NDArray[np.float32], targets: Targets, train: SplitFeatures, order: IntArray
) -> Predict:
    """Train an MLP for each factor by mean squared error, and one for the category by cross-entropy."""
    _check_finite(features)
    inputs = np.ascontiguousarray(features[order], np.float32).reshape(-1, features.shape[2])
    values = targets.columns(train, order)
    values = values.reshape(len(inputs), values.shape[2])
    heads = [_regressor(inputs, values[:, target.columns]) for target in targets.factors]
    if targets.category is not None:
        heads.append(_classifier(inputs, values[:, targets.category.columns].argmax(axis=1)))
    return lambda seen: np.concatenate([head(seen) for head in heads], axis=1)


HEADS: Mapping[str, Fit] = {"linear": fit_linear, "mlp": fit_mlp}
"""By the name under which they are chosen."""


def _regressor(inputs: NDArray[np.float32], values: FloatArray) -> Predict:
    """Train one on targets of mean 0 and deviation 1: a factor in watts is no harder than one in turns."""
    mean, deviation = values.mean(axis=0), np.sqrt(values.var(axis=0).sum())
    scaled, rows = ((values - mean) / deviation).astype(np.float32), np.arange(len(inputs))[:, None]
    probe = train_regressor(inputs, lambda _: (rows, scaled), deep=True, config=_MLP)
    return lambda seen: probe(np.asarray(seen, np.float32)).astype(np.float64) * deviation + mean


def _classifier(inputs: NDArray[np.float32], classes: IntArray) -> Predict:
    count, width = int(classes.max()) + 1, inputs.shape[1]
    probe = train_classifier(
        inputs, classes, count, _MLP, lambda: mlp(width, _MLP.hidden, _MLP.hidden, count)
    )
    return lambda seen: probe(np.asarray(seen, np.float32)).astype(np.float64)


def _check_finite(features: NDArray[np.float32]) -> None:
    if not all(np.isfinite(of_object).all() for of_object in features):
        raise InvalidInputError(
            "features that are no finite numbers: look at the run's losses, and train again"
        )

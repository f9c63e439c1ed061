"""Heads of the factor study, from a part of the features to the factors: ridge regression or an MLP."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError
from turntable.evaluation import SplitFeatures
from turntable.evaluation.measurement import ProbeConfig, do_nothing, train_classifier, train_regressor
from turntable.models.layers import build_mlp
from turntable.studies.factor_targets import TargetSet
from turntable.studies.ridge import fit_ridge

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PredictFactors = Callable[[NDArray[np.floating]], FloatArray]
"""Function from features [P, D] to all columns of the targets [P, C]."""
FitHeads = Callable[
    [NDArray[np.float32], TargetSet, SplitFeatures, IntArray, Callable[[], None]], PredictFactors
]
"""Function that fits heads to features [N, V, D], targets, the train split, and its objects [N] in order; it
calls the last argument after each head, unless all heads are fitted at once."""

_MLP_CONFIG = ProbeConfig.demo()


def fit_linear(
    features: NDArray[np.float32],
    targets: TargetSet,
    train: SplitFeatures,
    order: IntArray,
    report_head: Callable[[], None] = do_nothing,
) -> PredictFactors:
    """Fit ridge regressions, all at once: one for each factor, and one for each category."""
    del report_head
    _check_finite(features)
    values = targets.compute_columns(train, np.arange(train.num_objects))
    return fit_ridge(features, values, [target.column_indices for target in targets.all_targets], order)


def fit_mlp(
    features: NDArray[np.float32],
    targets: TargetSet,
    train: SplitFeatures,
    order: IntArray,
    report_head: Callable[[], None] = do_nothing,
) -> PredictFactors:
    """Train an MLP for each factor by mean squared error, and one for the category by cross-entropy."""
    _check_finite(features)
    inputs = np.ascontiguousarray(features[order], np.float32).reshape(-1, features.shape[2])
    values = targets.compute_columns(train, order)
    values = values.reshape(len(inputs), values.shape[2])
    heads: list[PredictFactors] = []
    for target in targets.factors:
        heads.append(_train_factor_regressor(inputs, values[:, target.column_indices]))
        report_head()
    if targets.category is not None:
        heads.append(
            _train_category_classifier(inputs, values[:, targets.category.column_indices].argmax(axis=1))
        )
    return lambda features: np.concatenate([head(features) for head in heads], axis=1)


HEADS: Mapping[str, FitHeads] = {"linear": fit_linear, "mlp": fit_mlp}
"""Functions that fit heads, by the value of the choice ``--heads``."""


def _train_factor_regressor(inputs: NDArray[np.float32], values: FloatArray) -> PredictFactors:
    """Train an MLP on targets scaled to mean 0 and standard deviation 1, so that units do not matter."""
    mean, deviation = values.mean(axis=0), np.sqrt(values.var(axis=0).sum())
    scaled, rows = ((values - mean) / deviation).astype(np.float32), np.arange(len(inputs))[:, None]
    probe = train_regressor(inputs, lambda _: (rows, scaled), use_mlp=True, config=_MLP_CONFIG)
    return lambda features: probe(np.asarray(features, np.float32)).astype(np.float64) * deviation + mean


def _train_category_classifier(inputs: NDArray[np.float32], categories: IntArray) -> PredictFactors:
    num_categories, width = int(categories.max()) + 1, inputs.shape[1]
    probe = train_classifier(
        inputs,
        categories,
        num_categories,
        _MLP_CONFIG,
        lambda: build_mlp(width, _MLP_CONFIG.hidden, _MLP_CONFIG.hidden, num_categories),
    )
    return lambda features: probe(np.asarray(features, np.float32)).astype(np.float64)


def _check_finite(features: NDArray[np.float32]) -> None:
    if not all(np.isfinite(object_features).all() for object_features in features):
        raise InvalidInputError(
            "the features have values that are not finite: look at the losses of the run, and train it again"
        )

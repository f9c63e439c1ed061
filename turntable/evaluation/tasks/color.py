"""Hues of floor and light: of a view, and between two."""

from functools import cache

import numpy as np

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.numbers import Resamples, Scores, regression_scores, turn_error
from turntable.evaluation.tasks.regression import Quantity
from turntable.evaluation.tasks.samples import differences_of, values_of
from turntable.evaluation.tasks.task import FloatArray
from turntable.loaders import Samples


@cache
def hue_differences() -> Quantity:
    """Of floor and light, view 2 less view 1, in turns from -1 to 1, as the papers have them."""
    return Quantity(
        "differences of hue",
        2,
        _lacks_hues,
        lambda split, samples: differences_of(split.hues, split, samples),
        regression_scores,
    )


@cache
def hues() -> Quantity:
    """Cosine and sine of the hues of floor and light."""

    def target(split: SplitFeatures, samples: Samples) -> FloatArray:
        angles = 2 * np.pi * values_of(split.hues, split, samples)[:, 0]
        return np.stack([np.cos(angles), np.sin(angles)], axis=2).reshape(-1, 4)

    def score(predicted: FloatArray, target: FloatArray, resamples: Resamples) -> Scores:
        pairs = zip(("floor_hue", "light_hue"), (slice(0, 2), slice(2, 4)), strict=True)
        return {
            f"{name}_error_turn": resamples.mean(turn_error(predicted[:, at], _turns(target[:, at])))
            for name, at in pairs
        }

    return Quantity("hues of a view", 1, _lacks_hues, target, score)


def _lacks_hues(split: SplitFeatures) -> str | None:
    return None if split.hues is not None else "no hues of floor and light vary"


def _turns(directions: FloatArray) -> FloatArray:
    return np.arctan2(directions[:, 1], directions[:, 0]) / (2 * np.pi)

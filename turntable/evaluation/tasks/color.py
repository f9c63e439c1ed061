"""Hues of floor and light: of a view, and between two."""

from dataclasses import dataclass

import numpy as np

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.numbers import Resamples, Scores, turn_error
from turntable.evaluation.tables import ScoreColumn, ScoreFinding, ScoreTable
from turntable.evaluation.tasks.regression import Regression
from turntable.evaluation.tasks.samples import FloatArray, differences_of, values_of
from turntable.loaders import Samples

_TABLE = ScoreTable(
    "Colour",
    "R² of the differences of both hues between two views; and how far the hue of one view is missed,"
    " around its circle: 0.25 turns is what guessing misses it by.",
    (
        ScoreColumn("colour_r2_pooled", "R² pooled", short="colour R² pooled"),
        ScoreColumn("colour_r2_averaged", "R² averaged", short="colour R² averaged"),
        ScoreColumn("floor_hue_error_turn", "floor", "turns", lower_is_better=True),
        ScoreColumn("light_hue_error_turn", "light", "turns", lower_is_better=True),
    ),
    ScoreFinding(
        "colour_r2_averaged",
        "{who} explains {colour_r2_averaged} of the differences of hue",
        "saying the same of all explains {colour_r2_averaged}",
    ),
)


@dataclass(frozen=True, slots=True)
class HueDifferences(Regression):
    """Differences of the hues of floor and light, view 2 less view 1, from -1 to 1 turn as in the papers."""

    name = "hue_differences"
    title = "differences of hue"
    prefix = "colour_"
    tables = (_TABLE,)
    main = ("colour_r2_averaged",)

    def lacks_labels(self, split: SplitFeatures) -> str | None:
        """Say why a split's labels do not tell hues."""
        return _lacks_hues(split)

    def target(self, split: SplitFeatures, samples: Samples) -> FloatArray:
        """Give the differences [P, 2] of P pairs."""
        return differences_of(split.hues, split, samples)


@dataclass(frozen=True, slots=True)
class Hues(Regression):
    """Cosine and sine of the hues of floor and light."""

    name = "hues"
    title = "hues of a view"
    views = 1
    tables = (_TABLE,)

    def lacks_labels(self, split: SplitFeatures) -> str | None:
        """Say why a split's labels do not tell hues."""
        return _lacks_hues(split)

    def target(self, split: SplitFeatures, samples: Samples) -> FloatArray:
        """Give cosines and sines [P, 4] of P views."""
        angles = 2 * np.pi * values_of(split.hues, split, samples)[:, 0]
        return np.stack([np.cos(angles), np.sin(angles)], axis=2).reshape(-1, 4)

    def measure(self, predicted: FloatArray, target: FloatArray, resamples: Resamples) -> Scores:
        """Score hues around their circle."""
        pairs = zip(("floor_hue", "light_hue"), (slice(0, 2), slice(2, 4)), strict=True)
        return {
            f"{name}_error_turn": resamples.mean(turn_error(predicted[:, at], _turns(target[:, at])))
            for name, at in pairs
        }


def _lacks_hues(split: SplitFeatures) -> str | None:
    return None if split.hues is not None else "no hues of floor and light vary"


def _turns(directions: FloatArray) -> FloatArray:
    return np.arctan2(directions[:, 1], directions[:, 0]) / (2 * np.pi)

"""The tasks of regressing the hues of floor and light: of one view, and between two views."""

from dataclasses import dataclass

import numpy as np

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.measurement import BootstrapResamples, Scores, compute_circular_errors
from turntable.evaluation.score_table_specs import ScoreColumn, ScoreFinding, ScoreTable
from turntable.evaluation.tasks.regression import Regression
from turntable.evaluation.tasks.samples import FloatArray, compute_differences, select_values
from turntable.loaders import Samples

_COLOR_TABLE = ScoreTable(
    "Color",
    "R² of the differences of the hues of floor and light between two views, and the errors of the hues of"
    " one view, around the circle: guessing has an error of 0.25 turns.",
    (
        ScoreColumn("color_r2_pooled", "R² pooled", short="color R² pooled"),
        ScoreColumn("color_r2_averaged", "R² averaged", short="color R² averaged"),
        ScoreColumn("floor_hue_error_turn", "floor hue error", "turns", lower_is_better=True),
        ScoreColumn("light_hue_error_turn", "light hue error", "turns", lower_is_better=True),
    ),
    ScoreFinding(
        "color_r2_averaged",
        "{who}: averaged R² of hue differences {color_r2_averaged}",
        "constant baseline {color_r2_averaged}",
    ),
)


@dataclass(frozen=True, slots=True)
class HueDifferences(Regression):
    """Differences of the hues of floor and light, second view minus first.

    They are plain differences from -1 to 1 turn, not differences around the circle, as in the papers.
    """

    name = "hue_differences"
    title = "hue differences"
    metric_prefix = "color_"
    tables = (_COLOR_TABLE,)
    main_metrics = ("color_r2_averaged",)

    def find_label_obstacle(self, split: SplitFeatures) -> str | None:
        """Return why a split has no hues to predict; None if it has."""
        return _find_hue_obstacle(split)

    def compute_targets(self, split: SplitFeatures, samples: Samples) -> FloatArray:
        """Compute the differences [P, 2] of P pairs."""
        return compute_differences(split.hues, split, samples)


@dataclass(frozen=True, slots=True)
class Hues(Regression):
    """Hues of floor and light of a view, predicted as cosine and sine."""

    name = "hues"
    title = "hues of a view"
    num_views = 1
    tables = (_COLOR_TABLE,)

    def find_label_obstacle(self, split: SplitFeatures) -> str | None:
        """Return why a split has no hues to predict; None if it has."""
        return _find_hue_obstacle(split)

    def compute_targets(self, split: SplitFeatures, samples: Samples) -> FloatArray:
        """Compute the targets [P, 4] of P views: cosine and sine of the floor's hue, then of the light's."""
        angles = 2 * np.pi * select_values(split.hues, split, samples)[:, 0]
        return np.stack([np.cos(angles), np.sin(angles)], axis=2).reshape(-1, 4)

    def compute_scores(
        self, predicted: FloatArray, target: FloatArray, resamples: BootstrapResamples
    ) -> Scores:
        """Compute the mean error of each hue around the circle, in turns."""
        columns = {"floor_hue": slice(0, 2), "light_hue": slice(2, 4)}
        return {
            f"{name}_error_turn": resamples.compute_mean(
                compute_circular_errors(predicted[:, pair], _directions_to_turns(target[:, pair]))
            )
            for name, pair in columns.items()
        }


def _find_hue_obstacle(split: SplitFeatures) -> str | None:
    return None if split.hues is not None else "the hues of floor and light do not vary"


def _directions_to_turns(directions: FloatArray) -> FloatArray:
    return np.arctan2(directions[:, 1], directions[:, 0]) / (2 * np.pi)

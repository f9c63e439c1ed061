"""The tasks of regressing rotations: between two views, and of one view."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.figure_data import TaskFigureData
from turntable.evaluation.measurement import (
    BootstrapResamples,
    Scores,
    add_prefix,
    compute_geodesic_deg,
    compute_rotation_scores,
    compute_symmetric_scores,
)
from turntable.evaluation.score_table_specs import ScoreColumn, ScoreFinding, ScoreTable
from turntable.evaluation.tasks.regression import Regression
from turntable.evaluation.tasks.samples import Features, FloatArray, compute_rows
from turntable.evaluation.tasks.task import EvaluatedSplit, FittedTask
from turntable.geometry import QuaternionSign, canonicalize_quaternion, compute_relative_quaternion
from turntable.loaders import Samples

_IDENTITY_QUATERNION = (0.0, 0.0, 0.0, 1.0)
"""The quaternion of no rotation, xyzw."""


def _build_table(title: str, meaning: str, prefix: str, short: str) -> ScoreTable:
    """Build the table of one rotation task.

    Args:
        title: Title of the table.
        meaning: Explanation of the task, in a sentence.
        prefix: Beginning of the names of the task's metrics.
        short: Words before a heading that stands without the table's title.
    """

    def column(
        metric: str, heading: str, unit: str = "", factor: float = 1, digits: int = 3, lower: bool = False
    ) -> ScoreColumn:
        return ScoreColumn(f"{prefix}{metric}", heading, unit, factor, digits, lower, f"{short} {heading}")

    median = f"{{{prefix}geodesic_median_deg}}°"
    return ScoreTable(
        title,
        meaning,
        (
            column("r2_pooled", "R² pooled"),
            column("r2_averaged", "R² averaged"),
            column("geodesic_mean_deg", "mean error", "°", 1, 1, True),
            column("geodesic_median_deg", "median error", "°", 1, 1, True),
            column("acc_at_15", "within 15°", "%", 100, 1),
            column("acc_at_30", "within 30°", "%", 100, 1),
        ),
        ScoreFinding(
            f"{prefix}geodesic_median_deg",
            f"{{who}}: median {short} error {median}",
            f"constant baseline {median}",
        ),
    )


_RELATIVE_TABLE = _build_table(
    "Relative rotation between two views",
    "An MLP reads both views and predicts the rotation between them. SIE, EquiCaps and CapsIE publish the"
    " pooled R², seq-JEPA the averaged R²; the two are not comparable. Errors are angles between rotations.",
    "",
    "rotation",
)
_LINEAR_TABLE = _build_table(
    "Relative rotation between two views, linear head",
    "The same with a linear head: it shows what can be read without a nonlinear computation.",
    "linear_",
    "linear rotation",
)
_SYMMETRY_TABLE = ScoreTable(
    "Absolute rotation of one view, up to symmetry",
    "The same predictions, compared with the nearest of the rotations that look the same, by the symmetry in"
    " the object's record.",
    (
        ScoreColumn(
            "absolute_symmetric_mean_deg", "mean error", "°", 1, 1, True, "symmetric rotation mean error"
        ),
        ScoreColumn(
            "absolute_symmetric_median_deg",
            "median error",
            "°",
            1,
            1,
            True,
            "symmetric rotation median error",
        ),
        ScoreColumn(
            "absolute_symmetric_acc_at_15", "within 15°", "%", 100, 1, short="symmetric rotation within 15°"
        ),
    ),
)
_ABSOLUTE_TABLE = _build_table(
    "Absolute rotation of one view",
    "An MLP reads one view and predicts its rotation, as a quaternion with w at least 0.",
    "absolute_",
    "absolute rotation",
)


@dataclass(frozen=True, slots=True)
class RelativeRotation(Regression):
    """The relative rotation R1^T R2 of a pair of views, as a quaternion xyzw."""

    sign: QuaternionSign = "product"
    """Rule that decides which of q and -q the head has to predict."""

    name = "rotation"
    title = "rotation between two views"
    metric_prefix = ""
    tables = (_RELATIVE_TABLE,)
    main_metrics = ("r2_averaged", "geodesic_median_deg")

    def compute_targets(self, split: SplitFeatures, samples: Samples) -> FloatArray:
        """Compute the quaternions [P, 4] of P pairs."""
        absolute = split.quaternions.reshape(-1, 4)[compute_rows(split, samples)]
        return compute_relative_quaternion(absolute[:, 0], absolute[:, 1], self.sign)

    def compute_scores(
        self, predicted: FloatArray, target: FloatArray, resamples: BootstrapResamples
    ) -> Scores:
        """Compute the scores of predicted quaternions."""
        return compute_rotation_scores(predicted, target, resamples)

    def build_fitted_task(self, row: str, dim: int, probe: Callable[[Features], Features]) -> FittedTask:
        """Make a fitted task of a head, with a figure of its error over the angle between the views."""

        def make_figure_data(eval_split: EvaluatedSplit) -> TaskFigureData:
            targets = self.compute_val_targets(eval_split)
            identity = np.broadcast_to(_IDENTITY_QUATERNION, targets.shape)
            errors = compute_geodesic_deg(self.predict(row, probe, eval_split), targets)
            return TaskFigureData(compute_geodesic_deg(identity, targets), errors)

        fitted = Regression.build_fitted_task(self, row, dim, probe)
        return replace(fitted, make_figure_data=make_figure_data)


@dataclass(frozen=True, slots=True)
class LinearRotation(RelativeRotation):
    """The relative rotation of a pair of views, predicted by a linear head."""

    use_mlp: bool = False
    name = "linear_rotation"
    metric_prefix = "linear_"
    tables = (_LINEAR_TABLE,)
    main_metrics = ()

    def build_fitted_task(self, row: str, dim: int, probe: Callable[[Features], Features]) -> FittedTask:
        """Make a fitted task of a head, without a figure."""
        return Regression.build_fitted_task(self, row, dim, probe)


@dataclass(frozen=True, slots=True)
class AbsoluteRotation(Regression):
    """The absolute rotation R of a view, as a quaternion xyzw with w >= 0."""

    name = "absolute_rotation"
    title = "rotation of a view"
    num_views = 1
    metric_prefix = "absolute_"
    tables = (_ABSOLUTE_TABLE, _SYMMETRY_TABLE)
    main_metrics = ("absolute_geodesic_median_deg",)

    def compute_targets(self, split: SplitFeatures, samples: Samples) -> FloatArray:
        """Compute the quaternions [P, 4] of P views."""
        return canonicalize_quaternion(split.quaternions.reshape(-1, 4)[compute_rows(split, samples)[:, 0]])

    def compute_scores(
        self, predicted: FloatArray, target: FloatArray, resamples: BootstrapResamples
    ) -> Scores:
        """Compute the scores of predicted quaternions."""
        return compute_rotation_scores(predicted, target, resamples)

    def score_predictions(self, predicted: FloatArray, eval_split: EvaluatedSplit) -> Scores:
        """Compute the scores of predicted quaternions, also up to the symmetries of the objects."""
        scores = Regression.score_predictions(self, predicted, eval_split)
        symmetric = compute_symmetric_scores(
            predicted,
            self.compute_val_targets(eval_split),
            eval_split.split.symmetries,
            eval_split.resamples,
        )
        return scores | add_prefix(self.metric_prefix, symmetric)

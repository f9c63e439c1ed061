"""Rotations: of a view, and between two."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from turntable.evaluation.details import Shown
from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.numbers import Resamples, Scores, geodesic_deg, rotation_scores
from turntable.evaluation.tables import ScoreColumn, ScoreFinding, ScoreTable
from turntable.evaluation.tasks.regression import Regression
from turntable.evaluation.tasks.samples import Features, FloatArray, rows_of
from turntable.evaluation.tasks.task import EvaluatedSplit, Fitted
from turntable.geometry import QuaternionSign, canonical_quaternion, relative_quaternion
from turntable.loaders import Samples

_NOT_TURNED = (0.0, 0.0, 0.0, 1.0)


def _table(title: str, meaning: str, prefix: str, short: str) -> ScoreTable:
    def column(
        metric: str, heading: str, unit: str = "", factor: float = 1, digits: int = 3, lower: bool = False
    ) -> ScoreColumn:
        return ScoreColumn(f"{prefix}{metric}", heading, unit, factor, digits, lower, f"{short}{heading}")

    r2, degrees = f"{{{prefix}r2_averaged}}", f"{{{prefix}geodesic_median_deg}}"
    return ScoreTable(
        title,
        meaning,
        (
            column("r2_pooled", "R² pooled"),
            column("r2_averaged", "R² averaged"),
            column("geodesic_mean_deg", "error, mean", "°", 1, 1, True),
            column("geodesic_median_deg", "error, median", "°", 1, 1, True),
            column("acc_at_15", "within 15°", "%", 100, 1),
            column("acc_at_30", "within 30°", "%", 100, 1),
        ),
        ScoreFinding(
            f"{prefix}geodesic_median_deg",
            f"Half of what {{who}} says is wrong by less than {degrees}° (R² averaged {r2})",
            f"of what says the same of all, half by less than {degrees}° (R² averaged {r2})",
        ),
    )


_BETWEEN = _table(
    "How it was turned between two views",
    "An MLP reads both views. R² pooled is the one that SIE, EquiCaps and CapsIE publish, R² averaged"
    " that of seq-JEPA; they are not comparable. Errors are angles, whatever the sign of the quaternion.",
    "",
    "",
)
_LINEAR = _table(
    "How it was turned, by a linear head", "What is there without a head that computes.", "linear_", "linear "
)
_OF_A_VIEW = _table(
    "How it stands in one view",
    "An MLP reads one view; quaternions with w at least 0.",
    "absolute_",
    "one view, ",
)


@dataclass(frozen=True, slots=True)
class RelativeRotation(Regression):
    """The quaternion of R1^T R2, xyzw, its sign by a rule."""

    sign: QuaternionSign = "product"
    """Which of q and -q the head is to tell."""

    name = "rotation"
    title = "rotation between two views"
    prefix = ""
    tables = (_BETWEEN,)
    main = ("r2_averaged", "geodesic_median_deg")

    def target(self, split: SplitFeatures, samples: Samples) -> FloatArray:
        """Give the quaternions [P, 4] of P pairs."""
        absolute = split.quaternions.reshape(-1, 4)[rows_of(split, samples)]
        return relative_quaternion(absolute[:, 0], absolute[:, 1], self.sign)

    def measure(self, predicted: FloatArray, target: FloatArray, resamples: Resamples) -> Scores:
        """Score quaternions."""
        return rotation_scores(predicted, target, resamples)

    def fitted(self, row: str, dim: int, probe: Callable[[Features], Features]) -> Fitted:
        """Make a fitted task of a head, whose errors are shown over the angle of the turn."""

        def show(place: EvaluatedSplit) -> Shown:
            true = self.true(place)
            turns = geodesic_deg(np.broadcast_to(_NOT_TURNED, true.shape), true)
            return Shown(turns, geodesic_deg(self.predict(row, probe, place), true))

        return replace(Regression.fitted(self, row, dim, probe), show=show)


@dataclass(frozen=True, slots=True)
class LinearRotation(RelativeRotation):
    """The same by a linear head."""

    deep: bool = False
    name = "linear_rotation"
    prefix = "linear_"
    tables = (_LINEAR,)
    main = ()

    def fitted(self, row: str, dim: int, probe: Callable[[Features], Features]) -> Fitted:
        """Make a fitted task of a head."""
        return Regression.fitted(self, row, dim, probe)


@dataclass(frozen=True, slots=True)
class AbsoluteRotation(Regression):
    """The quaternion of R, xyzw with w >= 0."""

    name = "absolute_rotation"
    title = "rotation of a view"
    views = 1
    prefix = "absolute_"
    tables = (_OF_A_VIEW,)
    main = ("absolute_geodesic_median_deg",)

    def target(self, split: SplitFeatures, samples: Samples) -> FloatArray:
        """Give the quaternions [P, 4] of P views."""
        return canonical_quaternion(split.quaternions.reshape(-1, 4)[rows_of(split, samples)[:, 0]])

    def measure(self, predicted: FloatArray, target: FloatArray, resamples: Resamples) -> Scores:
        """Score quaternions."""
        return rotation_scores(predicted, target, resamples)

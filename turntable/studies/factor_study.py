"""The study "factors": how well each factor of the data can be predicted from each part of the features.

Every factor that varies is predicted from every part by a head that is trained on the train split and scored
on held-out objects. The score is R², the share of the factor's variance that the head explains; for the
category, it is the accuracy over views.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError
from turntable.evaluation import CONSTANT_ROW, Score, SplitFeatures, StageCounter
from turntable.evaluation.measurement import BootstrapResamples, compute_majority_category
from turntable.evaluation.report import CONSTANT_LABEL, ReportFigure, plot_heat_map
from turntable.studies.factor_findings import format_findings
from turntable.studies.factor_heads import HEADS, PredictFactors
from turntable.studies.factor_targets import CATEGORY_TARGET, FactorTarget, TargetSet, find_targets
from turntable.studies.ridge import iter_object_chunks
from turntable.studies.study import (
    StudiedRun,
    Study,
    StudyColumn,
    StudyInput,
    StudyOutcome,
    StudyRow,
    StudyTable,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

CONSTANT_NAMES = (CONSTANT_LABEL, CONSTANT_ROW)
"""Names of the row of the constant baseline: the train split's mean, and its most frequent category."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadErrors:
    """The errors of heads by object, in the order of the objects' ids."""

    squared_errors: FloatArray
    """Sum of the squared errors of each factor's head over an object's views, [F, N]."""
    category_accuracy: FloatArray
    """Share of an object's views whose category is predicted right, [N]: 0 if categories are left out, NaN
    for an object of a category that the train split does not have."""


def compute_factor_study(study_input: StudyInput) -> StudyOutcome:
    """Predict every factor from every part of every run.

    Raises:
        InvalidInputError: The split to measure is the train split, or nothing varies in the data.
    """
    if study_input.split == "train":
        raise InvalidInputError("heads are trained on the train split: measure another split, such as val")
    # All runs are studied on one data set, so labels are taken from the features of the first.
    train, eval_features = (study_input.runs[0].get_features(name) for name in ("train", study_input.split))
    targets = find_targets(train, eval_features, study_input.split)
    variances = FactorVariances.from_split(targets, eval_features, sort_objects(eval_features))
    constant = measure_heads(_make_constant_predictor(targets, train), eval_features, None, targets)
    measured = _measure_runs(study_input, targets) | {CONSTANT_NAMES: constant}
    table = _build_table(measured, targets, variances)
    return StudyOutcome(
        tables=(table,),
        findings=format_findings(table, CONSTANT_NAMES),
        notes=targets.notes,
        figures=tuple(_build_run_figure(run.label, table) for run in study_input.runs),
        details=_collect_details(measured.values(), variances, eval_features),
    )


FACTORS = Study(
    name="factors",
    help="Prediction of each factor of the data from each part of a representation",
    needs="finished runs; a data set with a train and a val split",
    compute=compute_factor_study,
    choices={"heads": tuple(HEADS)},
    splits=("train",),
)
"""The entry of the registry."""

_TITLE = "Factors in the parts of a representation"
_MEANING = (
    "R² of each factor: the share of its variance over the views of held-out objects that a head on the part"
    " explains. 1 is the best; below 0, the head is worse than the mean. Angles and hues are predicted as"
    " points on a circle. For the category, the share of views whose category is predicted right, in %. Small"
    " numbers are 95 % bootstrap intervals over objects."
)
_CAPTION = (
    "Each number is R² of a factor, predicted from the part by a head; for the category, the share of views"
    " whose category is predicted right. The color goes from gray, no better than the constant baseline, to"
    " blue, a perfect prediction."
)


def _measure_runs(study_input: StudyInput, targets: TargetSet) -> dict[tuple[str, str], HeadErrors]:
    """Measure the heads of every part of every run, by label of the run and part."""
    parts = [(run, part) for run in study_input.runs for part in run.get_features("train").parts]
    num_heads = len(targets.all_targets)
    counter = StageCounter(study_input.progress, "heads", num_heads * len(parts), "heads")
    measured: dict[tuple[str, str], HeadErrors] = {}
    for run, part in parts:
        measured[run.label, part] = _measure_part(run, part, targets, study_input, counter)
        counter.move_to(num_heads * len(measured))
    return measured


def _measure_part(
    run: StudiedRun, part: str, targets: TargetSet, study_input: StudyInput, counter: StageCounter
) -> HeadErrors:
    train, eval_features = run.get_features("train"), run.get_features(study_input.split)
    fit = HEADS[study_input.choices["heads"]]
    predict = fit(train.parts[part], targets, train, sort_objects(train), counter.add)
    return measure_heads(predict, eval_features, part, targets)


def measure_heads(
    predict: PredictFactors, split: SplitFeatures, part: str | None, targets: TargetSet
) -> HeadErrors:
    """Measure the errors of heads on the objects of a split.

    Args:
        predict: Heads, from features [P, D] to all columns of the targets [P, C].
        split: Split with the features and labels of the objects.
        part: Part of the features; None for heads that see no image.
        targets: Targets of the heads.
    """
    features = split.parts[part] if part else np.zeros((split.num_objects, split.num_views, 1), np.float32)
    errors, accuracy = np.empty((len(targets.factors), split.num_objects)), np.zeros(split.num_objects)
    order, start = sort_objects(split), 0
    for rows in iter_object_chunks(features, order):
        predicted = predict(features[rows].reshape(-1, features.shape[2]))
        predicted = predicted.reshape(len(rows), split.num_views, -1)
        squares = np.square(predicted - targets.compute_columns(split, rows)).sum(axis=1)
        chunk = slice(start, start + len(rows))
        for index, target in enumerate(targets.factors):
            errors[index, chunk] = squares[:, target.column_indices].sum(axis=1)
        if targets.category is not None:
            columns = predicted[..., targets.category.column_indices].argmax(axis=2)
            is_right = targets.category_indices[columns] == split.categories[rows, None]
            is_known = np.isin(split.categories[rows], targets.category_indices)
            accuracy[chunk] = np.where(is_known, is_right.mean(axis=1), np.nan)
        start += len(rows)
    return HeadErrors(errors, accuracy)


@dataclass(frozen=True, slots=True, eq=False)
class FactorVariances:
    """The variance of each factor, as sums over the views of each object."""

    sums: tuple[FloatArray, ...]
    """Sum over an object's views of the deviations from the mean over all views, [N, c] by factor."""
    squares: FloatArray
    """Sum over an object's views of the squares of these deviations, [F, N]."""
    num_views: int
    """Number of views of an object."""

    @classmethod
    def from_split(cls, targets: TargetSet, split: SplitFeatures, order: IntArray) -> "FactorVariances":
        """Compute the variances of a split, with its objects in an order [N]."""
        values = targets.compute_columns(split, order)
        deviations = values - values.mean(axis=(0, 1))
        by_factor = [deviations[..., target.column_indices] for target in targets.factors]
        sums = tuple(factor.sum(axis=1) for factor in by_factor)
        squares = np.array([np.square(factor).sum(axis=(1, 2)) for factor in by_factor])
        return cls(sums, squares.reshape(len(by_factor), split.num_objects), split.num_views)

    def compute_scores(
        self, head_errors: HeadErrors, targets: TargetSet, resamples: BootstrapResamples
    ) -> list[Score]:
        """Compute the score of every factor, then of the category if it is a target."""
        count = resamples.compute_sums(np.full(resamples.num_objects, self.num_views))
        scores: list[Score] = []
        for sums, squares, errors in zip(self.sums, self.squares, head_errors.squared_errors, strict=True):
            mean_squares = np.square(resamples.compute_sums(sums)).sum(axis=1) / count
            total = resamples.compute_sums(squares) - mean_squares
            # A resample may have copies of one object only, whose views are equal: then there is no variance
            # to explain, and R² is not defined.
            is_defined = total > 1e-9 * total[0]
            r2 = 1 - resamples.compute_sums(errors)[is_defined] / total[is_defined]
            scores.append(resamples.compute_score(r2))
        if targets.category is not None:
            known = head_errors.category_accuracy[np.isfinite(head_errors.category_accuracy)]
            scores.append(replace(resamples, num_objects=len(known)).compute_mean(known))
        return scores


def sort_objects(split: SplitFeatures) -> IntArray:
    """Sort the objects [N] by id, so that scores do not depend on their order in the split."""
    if not split.object_ids:
        return np.arange(split.num_objects)
    return np.array(sorted(range(split.num_objects), key=lambda row: split.object_ids[row]), np.int64)


def _make_constant_predictor(targets: TargetSet, train: SplitFeatures) -> PredictFactors:
    values = targets.compute_columns(train, sort_objects(train)).mean(axis=(0, 1))
    if targets.category is not None:
        majority = compute_majority_category(np.repeat(train.categories, train.num_views))
        values[targets.category.column_indices] = targets.category_indices == majority
    return lambda features: np.broadcast_to(values, (len(features), len(values)))


def _build_table(
    measured: Mapping[tuple[str, str], HeadErrors], targets: TargetSet, variances: FactorVariances
) -> StudyTable:
    resamples = BootstrapResamples(variances.squares.shape[1])
    rows = (
        StudyRow(names, tuple(variances.compute_scores(errors, targets, resamples)))
        for names, errors in measured.items()
    )
    columns = tuple(_make_column(target) for target in targets.all_targets)
    return StudyTable(_TITLE, _MEANING, ("run", "part"), columns, tuple(rows))


def _collect_details(
    measured: Iterable[HeadErrors], variances: FactorVariances, eval_features: SplitFeatures
) -> dict[str, NDArray[np.generic]]:
    errors, accuracies = zip(
        *((heads.squared_errors, heads.category_accuracy) for heads in measured), strict=True
    )
    return {
        "errors": np.stack(errors),
        "named": np.stack(accuracies),
        "spreads": variances.squares,
        "objects": np.array(eval_features.object_ids or range(eval_features.num_objects))[
            sort_objects(eval_features)
        ],
    }


def _make_column(target: FactorTarget) -> StudyColumn:
    if target.name == CATEGORY_TARGET:
        return StudyColumn(f"{CATEGORY_TARGET}, %", 100, 1, lower_is_better=False)
    return StudyColumn(target.title, lower_is_better=False)


def _build_run_figure(label: str, table: StudyTable) -> ReportFigure:
    rows = [row for row in table.rows if row.names[0] == label or row.names == CONSTANT_NAMES]
    constant = rows[-1]
    texts = [
        [column.format_value(_get_value(s)) for column, s in zip(table.columns, row.scores, strict=True)]
        for row in rows
    ]
    shares = [
        [_compute_share(s, least) for s, least in zip(row.scores, constant.scores, strict=True)]
        for row in rows
    ]
    headings = [column.name for column in table.columns]
    image = plot_heat_map(np.array(shares), texts, [row.names[1] for row in rows], headings)
    return ReportFigure(image, f"Factors in the parts of {label}", _CAPTION)


def _get_value(score: Score | None) -> float:
    assert score is not None
    return score.value


def _compute_share(score: Score | None, constant_score: Score | None) -> float:
    """Compute the position of a score between that of the constant baseline (0) and the best possible (1)."""
    least = _get_value(constant_score)
    return (_get_value(score) - least) / (1 - least) if least < 1 else 0.0

"""Factors: which factor of the data lives in which part of each run's representation.

Every factor that varies is predicted from every part by a head that is trained on the train split, and scored
on objects that the head has not seen. The number is R², the share of the factor's variance that the head
explains; of the category, the share of views whose category it names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError
from turntable.evaluation import Score, SplitFeatures
from turntable.evaluation.numbers import Resamples, majority_class
from turntable.evaluation.report import Picture, heat_map
from turntable.studies.factor_heads import HEADS, Predict
from turntable.studies.factor_targets import CATEGORY, Target, Targets, targets_of
from turntable.studies.findings import say_findings
from turntable.studies.ridge import pieces
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

CONSTANT = ("no image", "constant")
"""The row of what says the same of every view: the train split's mean, and its most frequent category."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadErrors:
    """The misses of heads, object by object in the order of their ids."""

    errors: FloatArray
    """[F, N]: squared errors of each factor's head over an object's views, added up."""
    named: FloatArray
    """[N]: the share of an object's views whose category is named; 0 where categories are left out."""


def compute_factors(material: StudyInput) -> StudyOutcome:
    """Predict every factor from every part of every run.

    Raises:
        InvalidInputError: The numbers are asked of the train split, or nothing varies in it.
    """
    if material.split == "train":
        raise InvalidInputError("heads are trained on the train split: measure on another, such as val")
    train, seen = (material.runs[0].features(name) for name in ("train", material.split))
    targets = targets_of(train, seen, material.split)
    spreads = Spreads.of(targets, seen, order_of(seen))
    found = _found(material, targets) | {CONSTANT: measure(_constant(targets, train), seen, None, targets)}
    table = _table(found, targets, spreads)
    return StudyOutcome(
        tables=(table,),
        findings=say_findings(table, CONSTANT),
        notes=targets.notes,
        pictures=tuple(_picture(run.label, table) for run in material.runs),
        details=_details(found.values(), spreads, seen),
    )


FACTORS = Study(
    name="factors",
    help="Which factor of the data lives in which part of a representation",
    needs="finished runs; a data set with a train and a val split",
    compute=compute_factors,
    choices={"heads": tuple(HEADS)},
    splits=("train",),
)
"""The entry of the registry."""

_TITLE = "Factors in the parts of a representation"
_MEANING = (
    "R² of each factor: the share of its variance over the views of held-out objects that a head on the part"
    " explains, 1 at best; below 0, it is worse than the mean. Angles and hues are predicted as points of a"
    " circle. Of the category, the share of views whose category is named, in %. 95 % bootstrap intervals"
    " over objects."
)
_CAPTION = (
    "Each number is R² of a factor, predicted from the part by a head; of the category, the share of views"
    " named. The color reaches from grey, no better than what sees no image, to blue, all of it."
)


def _found(material: StudyInput, targets: Targets) -> dict[tuple[str, str], HeadErrors]:
    found: dict[tuple[str, str], HeadErrors] = {}
    for run in material.runs:
        for part in run.features("train").parts:
            material.tell(f"heads of {run.label}, {part}")
            found[run.label, part] = _measured(run, part, targets, material)
    return found


def _measured(run: StudiedRun, part: str, targets: Targets, material: StudyInput) -> HeadErrors:
    train, seen = run.features("train"), run.features(material.split)
    fit = HEADS[material.choices["heads"]]
    return measure(fit(train.parts[part], targets, train, order_of(train)), seen, part, targets)


def measure(predict: Predict, split: SplitFeatures, part: str | None, targets: Targets) -> HeadErrors:
    """Measure what heads miss on the objects of a split.

    Args:
        predict: The heads, from features [P, D] to all columns of the targets [P, C].
        split: Of the objects.
        part: Of the representation; None: there is no image to look at.
        targets: What is predicted.
    """
    features = split.parts[part] if part else np.zeros((split.num_objects, split.num_views, 1), np.float32)
    errors, named = np.empty((len(targets.factors), split.num_objects)), np.zeros(split.num_objects)
    order, start = order_of(split), 0
    for rows in pieces(features, order):
        told = predict(features[rows].reshape(-1, features.shape[2])).reshape(len(rows), split.num_views, -1)
        wrong = np.square(told - targets.columns(split, rows)).sum(axis=1)
        at = slice(start, start + len(rows))
        for place, target in enumerate(targets.factors):
            errors[place, at] = wrong[:, target.columns].sum(axis=1)
        if targets.category is not None:
            says = told[..., targets.category.columns].argmax(axis=2)
            named[at] = (targets.classes[says] == split.categories[rows, None]).mean(axis=1)
        start += len(rows)
    return HeadErrors(errors, named)


@dataclass(frozen=True, slots=True, eq=False)
class Spreads:
    """How much there is to explain of each factor."""

    sums: tuple[FloatArray, ...]
    """By factor [N, c]: its columns around their means over all views, added up over an object's views."""
    squares: FloatArray
    """[F, N]: the squares of the same."""
    num_views: int

    @classmethod
    def of(cls, targets: Targets, split: SplitFeatures, order: IntArray) -> "Spreads":
        """Measure them on a split, its objects in an order."""
        values = targets.columns(split, order)
        around = values - values.mean(axis=(0, 1))
        of_factors = [around[..., target.columns] for target in targets.factors]
        sums = tuple(each.sum(axis=1) for each in of_factors)
        squares = np.array([np.square(each).sum(axis=(1, 2)) for each in of_factors])
        return cls(sums, squares.reshape(len(of_factors), split.num_objects), split.num_views)

    def scores(self, measured: HeadErrors, targets: Targets, resamples: Resamples) -> list[Score]:
        """Return the score of every factor, then of the category if there is one."""
        count = resamples.sums(np.full(resamples.num_objects, self.num_views))
        scores: list[Score] = []
        for sums, squares, errors in zip(self.sums, self.squares, measured.errors, strict=True):
            spread = resamples.sums(squares) - np.square(resamples.sums(sums)).sum(axis=1) / count
            # Where a resample has one object alone that is alike in all views, nothing is to be explained.
            varied = spread > 1e-9 * spread[0]
            scores.append(resamples.score(1 - resamples.sums(errors)[varied] / spread[varied]))
        if targets.category is not None:
            scores.append(resamples.mean(measured.named))
        return scores


def order_of(split: SplitFeatures) -> IntArray:
    """Return the objects [N] in the order of their ids, so that their order in the split changes nothing."""
    if not split.object_ids:
        return np.arange(split.num_objects)
    return np.array(sorted(range(split.num_objects), key=lambda row: split.object_ids[row]), np.int64)


def _constant(targets: Targets, train: SplitFeatures) -> Predict:
    values = targets.columns(train, order_of(train)).mean(axis=(0, 1))
    if targets.category is not None:
        most = majority_class(np.repeat(train.categories, train.num_views))
        values[targets.category.columns] = targets.classes == most
    return lambda features: np.broadcast_to(values, (len(features), len(values)))


def _table(found: Mapping[tuple[str, str], HeadErrors], targets: Targets, spreads: Spreads) -> StudyTable:
    resamples = Resamples(spreads.squares.shape[1])
    rows = (
        StudyRow(names, tuple(spreads.scores(measured, targets, resamples)))
        for names, measured in found.items()
    )
    columns = tuple(_column(target) for target in targets.all)
    return StudyTable(_TITLE, _MEANING, ("run", "part"), columns, tuple(rows))


def _details(
    found: Iterable[HeadErrors], spreads: Spreads, seen: SplitFeatures
) -> dict[str, NDArray[np.generic]]:
    errors, named = zip(*((measured.errors, measured.named) for measured in found), strict=True)
    return {
        "errors": np.stack(errors),
        "named": np.stack(named),
        "spreads": spreads.squares,
        "objects": np.array(seen.object_ids or range(seen.num_objects))[order_of(seen)],
    }


def _column(target: Target) -> StudyColumn:
    return StudyColumn(f"{CATEGORY}, %", 100, 1) if target.name == CATEGORY else StudyColumn(target.title)


def _picture(label: str, table: StudyTable) -> Picture:
    rows = [row for row in table.rows if row.names[0] == label or row.names == CONSTANT]
    blind = rows[-1]
    numbers = [
        [column.told(_value(s)) for column, s in zip(table.columns, row.scores, strict=True)] for row in rows
    ]
    shares = [[_share(s, least) for s, least in zip(row.scores, blind.scores, strict=True)] for row in rows]
    headings = [column.name for column in table.columns]
    image = heat_map(np.array(shares), numbers, [row.names[1] for row in rows], headings)
    return Picture(image, f"Factors in the parts of {label}", _CAPTION)


def _value(score: Score | None) -> float:
    assert score is not None
    return score.value


def _share(score: Score | None, blind: Score | None) -> float:
    """Return how far a number has come from what sees no image (0) to all there is (1)."""
    least = _value(blind)
    return (_value(score) - least) / (1 - least) if least < 1 else 0.0

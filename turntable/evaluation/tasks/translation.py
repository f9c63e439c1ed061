"""Translations between two views."""

from functools import cache

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.numbers import regression_scores
from turntable.evaluation.tasks.regression import Quantity
from turntable.evaluation.tasks.samples import differences_of
from turntable.evaluation.tasks.task import FloatArray


@cache
def translation_difference(frame: str) -> Quantity:
    """t2 - t1 in the "object" frame, or R2 t2 - R1 t1 in the "base" frame, in diagonals of the object."""

    def values(split: SplitFeatures) -> FloatArray | None:
        return split.translations if frame == "object" else split.positions

    return Quantity(
        "translation between two views",
        2,
        lambda split: None if split.translations is not None else "no translations vary",
        lambda split, samples: differences_of(values(split), split, samples),
        regression_scores,
    )

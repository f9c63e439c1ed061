"""Translations between two views."""

from dataclasses import dataclass

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.tables import ScoreColumn, ScoreFinding, ScoreTable
from turntable.evaluation.tasks.regression import Regression
from turntable.evaluation.tasks.samples import FloatArray, differences_of
from turntable.loaders import Samples

_TABLE = ScoreTable(
    "Translation between two views",
    "R² of t2 - t1 in the object's frame, and of R2 t2 - R1 t1 in the world's.",
    (
        ScoreColumn("translation_object_r2_pooled", "object R² pooled"),
        ScoreColumn("translation_object_r2_averaged", "object R² averaged"),
        ScoreColumn("translation_base_r2_pooled", "base R² pooled"),
        ScoreColumn("translation_base_r2_averaged", "base R² averaged"),
    ),
    ScoreFinding(
        "translation_base_r2_averaged",
        "{who} explains {translation_base_r2_averaged} of the translations in the world's frame",
        "saying the same of all explains {translation_base_r2_averaged}",
    ),
)


@dataclass(frozen=True, slots=True)
class ObjectTranslation(Regression):
    """t2 - t1 in the object's frame, in diagonals of the object."""

    name = "translation_object"
    title = "translation between two views"
    prefix = "translation_object_"
    tables = (_TABLE,)

    def lacks_labels(self, split: SplitFeatures) -> str | None:
        """Say why a split's labels do not tell translations."""
        return None if split.translations is not None else "no translations vary"

    def target(self, split: SplitFeatures, samples: Samples) -> FloatArray:
        """Give the differences [P, 3] of P pairs."""
        return differences_of(split.translations, split, samples)


@dataclass(frozen=True, slots=True)
class BaseTranslation(ObjectTranslation):
    """R2 t2 - R1 t1, the same in the world's frame."""

    name = "translation_base"
    prefix = "translation_base_"

    def target(self, split: SplitFeatures, samples: Samples) -> FloatArray:
        """Give the differences [P, 3] of P pairs."""
        return differences_of(split.positions, split, samples)

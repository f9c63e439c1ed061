"""The tasks of regressing the translation between two views."""

from dataclasses import dataclass

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.score_table_specs import ScoreColumn, ScoreFinding, ScoreTable
from turntable.evaluation.tasks.regression import Regression
from turntable.evaluation.tasks.samples import FloatArray, compute_differences
from turntable.loaders import Samples

_TABLE = ScoreTable(
    "Translation between two views",
    "R² of the translation t2 - t1 in the object's frame, and of R2 t2 - R1 t1 in the world's frame (base).",
    (
        ScoreColumn("translation_object_r2_pooled", "object R² pooled"),
        ScoreColumn("translation_object_r2_averaged", "object R² averaged"),
        ScoreColumn("translation_base_r2_pooled", "base R² pooled"),
        ScoreColumn("translation_base_r2_averaged", "base R² averaged"),
    ),
    ScoreFinding(
        "translation_base_r2_averaged",
        "{who}: averaged R² of translations in the world's frame {translation_base_r2_averaged}",
        "constant baseline {translation_base_r2_averaged}",
    ),
)


@dataclass(frozen=True, slots=True)
class ObjectTranslation(Regression):
    """Translation t2 - t1 in the object's frame, in diagonals of the object's bounding box."""

    name = "translation_object"
    title = "translation between two views"
    metric_prefix = "translation_object_"
    tables = (_TABLE,)

    def find_label_obstacle(self, split: SplitFeatures) -> str | None:
        """Return why a split has no translations to predict; None if it has."""
        return None if split.translations is not None else "translations do not vary"

    def compute_targets(self, split: SplitFeatures, samples: Samples) -> FloatArray:
        """Compute the differences [P, 3] of P pairs."""
        return compute_differences(split.translations, split, samples)


@dataclass(frozen=True, slots=True)
class BaseTranslation(ObjectTranslation):
    """Translation R2 t2 - R1 t1 in the world's frame, which the papers call the base frame."""

    name = "translation_base"
    metric_prefix = "translation_base_"

    def compute_targets(self, split: SplitFeatures, samples: Samples) -> FloatArray:
        """Compute the differences [P, 3] of P pairs."""
        return compute_differences(split.positions, split, samples)

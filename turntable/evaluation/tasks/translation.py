"""Translations between two views."""

from dataclasses import dataclass
from typing import Literal

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
class TranslationDifference(Regression):
    """t2 - t1 in the "object" frame, or R2 t2 - R1 t1 in the "base" frame, in diagonals of the object."""

    frame: Literal["object", "base"] = "object"

    @property
    def name(self) -> str:
        """Of the task."""
        return f"translation_{self.frame}"

    @property
    def title(self) -> str:
        """What it is to tell."""
        return "translation between two views"

    @property
    def prefix(self) -> str:
        """What the names of its scores begin with."""
        return f"translation_{self.frame}_"

    @property
    def tables(self) -> tuple[ScoreTable, ...]:
        """The table of translations."""
        return (_TABLE,)

    def lacks_labels(self, split: SplitFeatures) -> str | None:
        """Say why a split's labels do not tell translations."""
        return None if split.translations is not None else "no translations vary"

    def target(self, split: SplitFeatures, samples: Samples) -> FloatArray:
        """Give the differences [P, 3] of P pairs."""
        values = split.translations if self.frame == "object" else split.positions
        return differences_of(values, split, samples)

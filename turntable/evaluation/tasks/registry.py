"""The tasks that reports know: a new one gets a line here."""

from turntable.evaluation.tasks.aggregation import Aggregation
from turntable.evaluation.tasks.category import Classification, EquiangularClassification, Neighbours
from turntable.evaluation.tasks.color import HueDifferences, Hues
from turntable.evaluation.tasks.own_classifier import OwnClassifier
from turntable.evaluation.tasks.prediction import Prediction
from turntable.evaluation.tasks.rotation import AbsoluteRotation, LinearRotation, RelativeRotation
from turntable.evaluation.tasks.task import Task
from turntable.evaluation.tasks.translation import BaseTranslation, ObjectTranslation

TASKS: tuple[Task, ...] = (
    Classification(),
    Neighbours(),
    EquiangularClassification(),
    RelativeRotation(),
    LinearRotation(),
    AbsoluteRotation(),
    HueDifferences(),
    Hues(),
    ObjectTranslation(),
    BaseTranslation(),
    Aggregation(),
    OwnClassifier(),
    Prediction(),
)
"""In the order in which reports show their tables."""

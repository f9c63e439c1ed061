"""The registry of turntable's own tasks; a new task needs one line here."""

from turntable.evaluation.tasks.aggregation import Aggregation
from turntable.evaluation.tasks.category import Classification, EquiangularClassification, NearestNeighbors
from turntable.evaluation.tasks.color import HueDifferences, Hues
from turntable.evaluation.tasks.own_classifier import OwnClassifier
from turntable.evaluation.tasks.prediction import Prediction
from turntable.evaluation.tasks.rotation import AbsoluteRotation, LinearRotation, RelativeRotation
from turntable.evaluation.tasks.task import Task
from turntable.evaluation.tasks.translation import BaseTranslation, ObjectTranslation

TASKS: tuple[Task, ...] = (
    Classification(),
    NearestNeighbors(),
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
"""Tasks, in the order in which reports show their tables."""

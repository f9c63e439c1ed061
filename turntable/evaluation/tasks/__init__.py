"""Tasks: what is asked of a method. Each is fitted on one split, scored on others, and brings its tables."""

from turntable.evaluation.tasks.aggregation import Aggregation
from turntable.evaluation.tasks.category import Classification, EquiangularClassification, Neighbours
from turntable.evaluation.tasks.color import HueDifferences, Hues
from turntable.evaluation.tasks.own_classifier import OwnClassifier
from turntable.evaluation.tasks.prediction import Prediction
from turntable.evaluation.tasks.registry import TASKS
from turntable.evaluation.tasks.regression import Regression
from turntable.evaluation.tasks.rotation import AbsoluteRotation, LinearRotation, RelativeRotation
from turntable.evaluation.tasks.samples import FloatArray, PairLists, rows_of
from turntable.evaluation.tasks.task import EvaluatedSplit, FeatureTask, Fitted, HeadTask, Scorer, Task
from turntable.evaluation.tasks.translation import BaseTranslation, ObjectTranslation

__all__ = [
    "TASKS",
    "AbsoluteRotation",
    "Aggregation",
    "BaseTranslation",
    "Classification",
    "EquiangularClassification",
    "EvaluatedSplit",
    "FeatureTask",
    "Fitted",
    "FloatArray",
    "HeadTask",
    "HueDifferences",
    "Hues",
    "LinearRotation",
    "Neighbours",
    "ObjectTranslation",
    "OwnClassifier",
    "PairLists",
    "Prediction",
    "Regression",
    "RelativeRotation",
    "Scorer",
    "Task",
    "rows_of",
]

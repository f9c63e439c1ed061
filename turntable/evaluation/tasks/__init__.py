"""Tasks: what is asked of a method. Each is fitted on one split, scored on others, and brings its tables."""

from turntable.evaluation.tasks.aggregation import Aggregation
from turntable.evaluation.tasks.category import Classification, Neighbours
from turntable.evaluation.tasks.color import HueDifferences, Hues
from turntable.evaluation.tasks.own_classifier import OwnClassifier
from turntable.evaluation.tasks.prediction import Prediction
from turntable.evaluation.tasks.registry import TASKS
from turntable.evaluation.tasks.regression import Regression
from turntable.evaluation.tasks.rotation import AbsoluteRotation, RelativeRotation
from turntable.evaluation.tasks.samples import FloatArray, PairLists, rows_of
from turntable.evaluation.tasks.task import EvaluatedSplit, FeatureTask, Fitted, HeadTask, Scorer, Task
from turntable.evaluation.tasks.translation import TranslationDifference

__all__ = [
    "TASKS",
    "AbsoluteRotation",
    "Aggregation",
    "Classification",
    "EvaluatedSplit",
    "FeatureTask",
    "Fitted",
    "FloatArray",
    "HeadTask",
    "HueDifferences",
    "Hues",
    "Neighbours",
    "OwnClassifier",
    "PairLists",
    "Prediction",
    "Regression",
    "RelativeRotation",
    "Scorer",
    "Task",
    "TranslationDifference",
    "rows_of",
]

"""Evaluation tasks: each is fitted on one split, scored on others, and says how its scores are shown."""

from turntable.evaluation.tasks.aggregation import Aggregation
from turntable.evaluation.tasks.category import Classification, EquiangularClassification, NearestNeighbors
from turntable.evaluation.tasks.color import HueDifferences, Hues
from turntable.evaluation.tasks.own_classifier import OwnClassifier
from turntable.evaluation.tasks.prediction import Prediction
from turntable.evaluation.tasks.registry import TASKS
from turntable.evaluation.tasks.regression import Regression
from turntable.evaluation.tasks.rotation import AbsoluteRotation, LinearRotation, RelativeRotation
from turntable.evaluation.tasks.samples import FloatArray, PairConfig, compute_rows
from turntable.evaluation.tasks.task import EvaluatedSplit, FeatureTask, FittedTask, HeadTask, Scorer, Task
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
    "FittedTask",
    "FloatArray",
    "HeadTask",
    "HueDifferences",
    "Hues",
    "LinearRotation",
    "NearestNeighbors",
    "ObjectTranslation",
    "OwnClassifier",
    "PairConfig",
    "Prediction",
    "Regression",
    "RelativeRotation",
    "Scorer",
    "Task",
    "compute_rows",
]

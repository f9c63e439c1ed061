"""Tasks: what a head is to find in features. Each is fitted on one split and scored on others."""

from turntable.evaluation.tasks.category import Classification, Neighbours
from turntable.evaluation.tasks.color import hue_differences, hues
from turntable.evaluation.tasks.regression import FittedRegression, Regression
from turntable.evaluation.tasks.rotation import absolute_rotation, relative_rotation
from turntable.evaluation.tasks.samples import PairLists, selection
from turntable.evaluation.tasks.task import Features, Fitted, Task
from turntable.evaluation.tasks.translation import translation_difference

__all__ = [
    "Classification",
    "Features",
    "Fitted",
    "FittedRegression",
    "Neighbours",
    "PairLists",
    "Regression",
    "Task",
    "absolute_rotation",
    "hue_differences",
    "hues",
    "relative_rotation",
    "selection",
    "translation_difference",
]

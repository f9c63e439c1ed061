"""The tasks that reports know: a new one gets a line here."""

from turntable.evaluation.tasks.aggregation import Aggregation
from turntable.evaluation.tasks.category import Classification, Neighbours
from turntable.evaluation.tasks.color import HueDifferences, Hues
from turntable.evaluation.tasks.own_classifier import OwnClassifier
from turntable.evaluation.tasks.prediction import Prediction
from turntable.evaluation.tasks.rotation import AbsoluteRotation, RelativeRotation
from turntable.evaluation.tasks.task import Task
from turntable.evaluation.tasks.translation import TranslationDifference

TASKS: tuple[Task, ...] = (
    Classification(),
    Neighbours(),
    Classification("ebv_top1", equiangular=True),
    RelativeRotation(),
    RelativeRotation(deep=False),
    AbsoluteRotation(),
    HueDifferences(),
    Hues(),
    TranslationDifference(frame="object"),
    TranslationDifference(frame="base"),
    Aggregation(),
    OwnClassifier(),
    Prediction(),
)
"""In the order in which reports show their tables."""

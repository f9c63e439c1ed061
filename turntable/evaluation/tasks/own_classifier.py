"""The task of classifying views with the classifier that the method was trained with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from turntable.evaluation.evaluation_results import CONSTANT_ROW
from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.measurement import Scores, select_device
from turntable.evaluation.score_table_specs import ScoreColumn, ScoreFinding, ScoreTable
from turntable.evaluation.tasks.category import find_category_obstacle, make_majority_scorer, score_categories
from turntable.evaluation.tasks.samples import Features, flatten_views
from turntable.evaluation.tasks.task import EvaluatedSplit, FittedTask, Scorer
from turntable.models import Classifies

_MAX_VIEWS_AT_ONCE = 8192
"""Maximal number of views that are classified at a time."""
_TABLE = ScoreTable(
    "Category, by the method's own classifier",
    "The share of views of held-out objects whose category is predicted right by the classifier that the"
    " method was trained with.",
    (ScoreColumn("classifier_top1", "top-1", "%", 100, 1, short="classifier top-1"),),
    ScoreFinding(
        "classifier_top1",
        "{who}: category right for {classifier_top1} %",
        "constant baseline {classifier_top1} %",
    ),
)


@dataclass(frozen=True, slots=True)
class OwnClassifier:
    """The category of a view by the method's own classifier, which is not trained anew: row "classifier"."""

    name = "own_classifier"
    title = "predictions of the method's own classifier"
    required_abilities = (Classifies,)
    tables = (_TABLE,)
    main_metrics = ("classifier_top1",)

    def find_obstacle(self, split: SplitFeatures, method: Any = None) -> str | None:
        """Return why a split cannot be scored, such as another number of categories; None if it can."""
        # One view is enough to learn the number of the classifier's outputs.
        num_outputs = _compute_logits(method, split.parts["representation"][:1, :1]).shape[1]
        if split.num_categories is not None and num_outputs != split.num_categories:
            return f"the classifier has {num_outputs} categories, and the data set has {split.num_categories}"
        return find_category_obstacle(split)

    def list_rows(self, train: EvaluatedSplit, method: Any = None) -> tuple[str, ...]:
        """List its only row."""
        del train, method
        return ("classifier",)

    def fit(self, row: str, train: EvaluatedSplit, method: Any = None) -> FittedTask:
        """Return the classifier as a fitted task; nothing is trained."""
        del row

        def score(eval_split: EvaluatedSplit) -> Scores:
            logits = _compute_logits(method, eval_split.split.parts["representation"])
            return score_categories("classifier_top1", logits.argmax(axis=1), eval_split)

        return FittedTask(score, train.split.parts["representation"].shape[2])

    def build_baselines(self, train: EvaluatedSplit) -> Mapping[str, Scorer]:
        """Build the constant baseline: the most frequent category."""
        return {CONSTANT_ROW: make_majority_scorer("classifier_top1", train)}


@torch.inference_mode()
def _compute_logits(method: Classifies, representation: Features) -> Features:
    """Compute the logits [N * V, C] of representations [N, V, D]."""
    parts = torch.from_numpy(flatten_views(representation)).split(_MAX_VIEWS_AT_ONCE)
    return np.concatenate([method.classify(part.to(select_device())).float().cpu().numpy() for part in parts])

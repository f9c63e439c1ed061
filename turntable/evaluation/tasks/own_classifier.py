"""The category of a view, as the method's own classifier names it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.numbers import Scores, compute_device
from turntable.evaluation.results import CONSTANT
from turntable.evaluation.tables import ScoreColumn, ScoreFinding, ScoreTable
from turntable.evaluation.tasks.category import lacks_categories, most_frequent, named_right
from turntable.evaluation.tasks.samples import Features, flat
from turntable.evaluation.tasks.task import EvaluatedSplit, Fitted, Scorer
from turntable.models import Classifies

_AT_ONCE = 8192
_TABLE = ScoreTable(
    "What its own classifier names",
    "The share of views of objects never seen whose category is named by the head that the method was trained"
    " with.",
    (ScoreColumn("own_top1", "own top-1", "%", 100, 1),),
    ScoreFinding(
        "own_top1",
        "{who} names the category of {own_top1} % of the views",
        "always naming the most frequent one is right for {own_top1} %",
    ),
)


@dataclass(frozen=True, slots=True)
class OwnClassifier:
    """The category of a view by the method's own head, of which nothing is trained anew: row "classifier"."""

    name = "own_classifier"
    title = "answers of the method's own classifier"
    asks = (Classifies,)
    tables = (_TABLE,)
    main = ("own_top1",)

    def lacks(self, split: SplitFeatures, method: Any = None) -> str | None:
        """Say why a split cannot be asked, as where the head tells apart other categories than there are."""
        named, there = _logits(method, split.parts["representation"][:1, :1]).shape[1], split.num_categories
        if there is not None and named != there:
            return f"it tells apart {named} categories, and the data have {there}"
        return lacks_categories(split)

    def rows(self, train: EvaluatedSplit, method: Any = None) -> tuple[str, ...]:
        """Name its row."""
        del train, method
        return ("classifier",)

    def fit(self, row: str, train: EvaluatedSplit, method: Any = None) -> Fitted:
        """Train nothing."""
        del row

        def score(place: EvaluatedSplit) -> Scores:
            logits = _logits(method, place.split.parts["representation"])
            return named_right("own_top1", logits.argmax(axis=1), place)

        return Fitted(score, train.split.parts["representation"].shape[2])

    def baselines(self, train: EvaluatedSplit) -> Mapping[str, Scorer]:
        """The most frequent category."""
        return {CONSTANT: most_frequent("own_top1", train)}


@torch.inference_mode()
def _logits(method: Classifies, representation: Features) -> Features:
    """[N * V, C] of representations [N, V, D]."""
    parts = torch.from_numpy(flat(representation)).split(_AT_ONCE)
    return np.concatenate(
        [method.classify(part.to(compute_device())).float().cpu().numpy() for part in parts]
    )

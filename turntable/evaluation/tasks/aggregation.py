"""The task of classifying an object by several views that the method embeds together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from turntable.evaluation.evaluation_results import CONSTANT_ROW
from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.measurement import ProbeConfig, Scores, select_device
from turntable.evaluation.tasks.actions import SplitActions
from turntable.evaluation.tasks.category import (
    CATEGORY_TABLE,
    Classification,
    find_category_obstacle,
    make_majority_scorer,
    score_categories,
)
from turntable.evaluation.tasks.samples import flatten_views, make_view_selection
from turntable.evaluation.tasks.task import EvaluatedSplit, FittedTask, Scorer
from turntable.geometry import QuaternionSign
from turntable.loaders import Tuples
from turntable.models import Aggregates

_ROW_PREFIX = "aggregate_"


@dataclass(frozen=True, slots=True)
class Aggregation:
    """The category of an object, from M views that the method embeds together: rows "aggregate_M"."""

    probe: ProbeConfig = field(default_factory=ProbeConfig)
    """Settings of the training of the heads."""
    num_views: tuple[int, ...] = (1, 3, 5)
    """Numbers of views that are embedded together; those above the views of an object are left out."""
    sign: QuaternionSign = "product"
    """Sign of the quaternions in actions."""

    name = "aggregates"
    title = "embeddings of several views"
    required_abilities = (Aggregates,)
    tables = (CATEGORY_TABLE,)
    main_metrics = ("top1",)

    def find_obstacle(self, split: SplitFeatures, method: Any = None) -> str | None:
        """Return why a split cannot be scored; None if it can.

        Missing categories are no obstacle here: the notes say so once, for the heads over parts.
        """
        if split.labels is None:
            return "there are no labels to compute actions from"
        return SplitActions(method.action, split, self.sign).find_missing_label()

    def list_rows(self, train: EvaluatedSplit, method: Any = None) -> tuple[str, ...]:
        """List a row for each number of views that objects have."""
        del method
        if find_category_obstacle(train.split) is not None:
            return ()
        return tuple(f"{_ROW_PREFIX}{count}" for count in self.num_views if count <= train.split.num_views)

    def fit(self, row: str, train: EvaluatedSplit, method: Any = None) -> FittedTask:
        """Train a head on embeddings of the row's number of views."""
        num_views, head = int(row.removeprefix(_ROW_PREFIX)), Classification(self.probe)
        features = self._aggregate_split(method, train, num_views)
        probe = head.train_head(features, train)

        def score(eval_split: EvaluatedSplit) -> Scores:
            if num_views > eval_split.split.num_views or find_category_obstacle(eval_split.split) is not None:
                return {}
            logits = probe(flatten_views(self._aggregate_split(method, eval_split, num_views)))
            return score_categories(head.name, logits.argmax(axis=1), eval_split)

        return FittedTask(score, features.shape[2])

    def build_baselines(self, train: EvaluatedSplit) -> Mapping[str, Scorer]:
        """Build the constant baseline: the most frequent category."""
        score_majority = make_majority_scorer(Classification.name, train)

        def score(eval_split: EvaluatedSplit) -> Scores:
            return score_majority(eval_split) if find_category_obstacle(eval_split.split) is None else {}

        return {CONSTANT_ROW: score}

    def _aggregate_split(
        self, method: Any, eval_split: EvaluatedSplit, num_views: int
    ) -> NDArray[np.float32]:
        actions = SplitActions(method.action, eval_split.split, self.sign)
        return aggregate_views(method, eval_split.split, actions, num_views, eval_split.pairs.seed)


@torch.inference_mode()
def aggregate_views(
    method: Aggregates, split: SplitFeatures, actions: SplitActions, num_views: int, seed: int
) -> NDArray[np.float32]:
    """Compute embeddings of several views together, V of each object: [N, V, A].

    Args:
        method: A method that can aggregate views.
        split: Split with the representations of its views.
        actions: Actions between the views of the split.
        num_views: Number of views that are embedded together; they are random, in random order.
        seed: Seed of the choice of views.
    """
    representation = split.parts["representation"]
    samples = Tuples(num_views, split.num_views).draw_samples(make_view_selection(split), None, seed, 0)
    # The samplers shuffle objects; sorted by object, the result can be reshaped to [N, V, A].
    order = np.argsort(samples.objects, kind="stable")
    parts = []
    for chunk in np.array_split(order, max(1, len(order) // 4096)):
        objects, views = samples.objects[chunk], samples.views[chunk]
        inputs = torch.from_numpy(np.ascontiguousarray(representation[objects[:, None], views]))
        steps = (
            actions.compute_actions(objects, views)
            if num_views > 1
            else _make_empty_actions(len(objects), actions)
        )
        parts.append(method.aggregate(inputs.to(select_device()), steps).float().cpu().numpy())
    return np.concatenate(parts).reshape(split.num_objects, split.num_views, -1)


def _make_empty_actions(batch_size: int, actions: SplitActions) -> Tensor:
    """Make an empty sequence of actions [B, 0, K]; K is known from the actions of one pair."""
    pair = actions.compute_actions(
        np.zeros(1, np.int64), np.array([[0, min(1, actions.split.num_views - 1)]])
    )
    return pair[:, :0].expand(batch_size, -1, -1)

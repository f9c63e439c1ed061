"""Several views of an object together: what a method's one embedding of them says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.numbers import ProbeConfig, Scores, compute_device
from turntable.evaluation.results import CONSTANT
from turntable.evaluation.tasks.actions import Actions
from turntable.evaluation.tasks.category import (
    CATEGORIES,
    Classification,
    lacks_categories,
    most_frequent,
    named_right,
)
from turntable.evaluation.tasks.samples import flat, selection
from turntable.evaluation.tasks.task import EvaluatedSplit, Fitted, Scorer
from turntable.geometry import QuaternionSign
from turntable.loaders import Tuples
from turntable.models import Aggregates

_PREFIX = "aggregate_"


@dataclass(frozen=True, slots=True)
class Aggregation:
    """The category of an object by several views that the method embeds together: rows "aggregate_M"."""

    probe: ProbeConfig = field(default_factory=ProbeConfig)
    views: tuple[int, ...] = (1, 3, 5)
    """How many together, as far as objects have so many."""
    sign: QuaternionSign = "product"
    """The sign of the quaternions that tell actions."""

    name = "aggregates"
    title = "embeddings of several views"
    asks = (Aggregates,)
    tables = (CATEGORIES,)
    main = ("top1",)

    def lacks(self, split: SplitFeatures, method: Any = None) -> str | None:
        """Say why a split cannot be asked; where categories are none, heads over parts say so."""
        if split.labels is None:
            return "there are no labels of what was done"
        return Actions(method.action, split, self.sign).lacks()

    def rows(self, train: EvaluatedSplit, method: Any = None) -> tuple[str, ...]:
        """Name a row for each number of views that objects have."""
        del method
        if lacks_categories(train.split) is not None:
            return ()
        return tuple(f"{_PREFIX}{views}" for views in self.views if views <= train.split.num_views)

    def fit(self, row: str, train: EvaluatedSplit, method: Any = None) -> Fitted:
        """Train a head on embeddings of the row's number of views."""
        views, head = int(row.removeprefix(_PREFIX)), Classification(self.probe)
        features = self._together(method, train, views)
        probe = head.train_head(features, train.split)

        def score(place: EvaluatedSplit) -> Scores:
            if views > place.split.num_views or lacks_categories(place.split) is not None:
                return {}
            named = probe(flat(self._together(method, place, views))).argmax(axis=1)
            return named_right(head.name, named, place)

        return Fitted(score, features.shape[2])

    def baselines(self, train: EvaluatedSplit) -> Mapping[str, Scorer]:
        """The most frequent category."""
        named = most_frequent(Classification.name, train)
        return {CONSTANT: lambda place: named(place) if lacks_categories(place.split) is None else {}}

    def _together(self, method: Any, place: EvaluatedSplit, views: int) -> NDArray[np.float32]:
        actions = Actions(method.action, place.split, self.sign)
        return aggregated(method, place.split, actions, views, place.pairs.seed)


@torch.inference_mode()
def aggregated(
    method: Aggregates, split: SplitFeatures, actions: Actions, views: int, seed: int
) -> NDArray[np.float32]:
    """One embedding of several views, V times for each object: [N, V, A], of random views in random order."""
    representation = split.parts["representation"]
    samples = Tuples(views, split.num_views).samples(selection(split), None, seed, 0)
    order = np.argsort(samples.objects, kind="stable")
    parts = []
    for chosen in np.array_split(order, max(1, len(order) // 4096)):
        objects, numbers = samples.objects[chosen], samples.views[chosen]
        seen = torch.from_numpy(np.ascontiguousarray(representation[objects[:, None], numbers]))
        told = actions.between(objects, numbers) if views > 1 else _none(len(objects), actions)
        parts.append(method.aggregate(seen.to(compute_device()), told).float().cpu().numpy())
    return np.concatenate(parts).reshape(split.num_objects, split.num_views, -1)


def _none(count: int, actions: Actions) -> Tensor:
    """No actions [B, 0, K]."""
    pair = actions.between(np.zeros(1, np.int64), np.array([[0, min(1, actions.split.num_views - 1)]]))
    return pair[:, :0].expand(count, -1, -1)

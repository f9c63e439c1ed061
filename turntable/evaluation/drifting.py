"""Heads over a backbone that drifts: how the evaluation scripts of SIE and seq-JEPA train theirs.

They leave the frozen network in ``train()`` mode. Batch norm then normalises by the batch at hand and its
running statistics go on moving, so the features of a view are never twice the same and cannot be kept: each
step embeds its images anew. A head is scored in ``eval()`` mode, with the statistics as its training left
them. Their numbers have this in them; it is here to be compared with, and nothing else needs it.

Each epoch shows the pairs that heads over pairs see (one an object in the papers); heads over single views
see the first of each. The views of a pair are a batch of their own each, as in training. What a method
predicts, and its aggregates, are measured of features in ``eval()`` mode.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from turntable.errors import InvalidInputError
from turntable.evaluation.features import Parts, extract, named_parts
from turntable.evaluation.numbers import Learner, compute_device, on_device
from turntable.evaluation.tasks import EvaluatedSplit, Fitted, HeadTask, Task
from turntable.loaders import BatchConfig, Loader, Samples, Tuples
from turntable.models import ImageMethod, Method


@dataclass(frozen=True, slots=True)
class Source:
    """Where images are embedded from."""

    dataset: Path | str
    split: str
    image_size: int | None = None
    """The side in pixels to resize to; None: as stored."""


@dataclass(frozen=True, slots=True, eq=False)
class Drifted:
    """Heads by task and part, and what the network that they drifted with says of each place, by task."""

    heads: Mapping[tuple[str, str], Fitted]
    places: Mapping[str, Sequence[Parts]]

    def __call__(self, task: Task, row: str) -> tuple[Fitted, Sequence[Parts]]:
        """A head, and the features of each place that it is to be scored on."""
        return self.heads[task.name, row], self.places[task.name]


@dataclass(frozen=True, slots=True, eq=False)
class _Training:
    """A head in training."""

    task: HeadTask
    row: str
    learner: Learner


def train_drifting(
    method: Method,
    tasks: Sequence[Task],
    train: EvaluatedSplit,
    source: Source,
    places: Sequence[Source],
    tell: Callable[[str], None],
) -> Drifted:
    """Train a head for every task and part. The method is left as it was.

    Args:
        method: Frozen.
        tasks: Heads, of the same length and batch size where they share a network; others are left out.
        train: Labels of the train split, the parts to train heads on, and which pairs.
        source: Of the train split's images.
        places: Of the images to score on.
        tell: Called with what is being done.

    Raises:
        InvalidInputError: The method has no backbone over images.
    """
    if not isinstance(method, ImageMethod):
        raise InvalidInputError(
            f"{type(method).__name__} has no backbone over images whose batch norm could drift;"
            ' use a protocol with batch_norm="eval"'
        )
    heads: dict[tuple[str, str], Fitted] = {}
    seen: dict[str, Sequence[Parts]] = {}
    parts = train.split.parts
    nothing, one = torch.zeros(1, device=compute_device()), torch.ones(1, device=compute_device())
    for alike in _trained_alike(tasks):
        drifting = copy.deepcopy(method).to(compute_device())
        trainings = [
            _Training(task, row, task.learner(part.shape[2], train))
            for task in alike
            for row, part in parts.items()
        ]
        _train(drifting, trainings, train, source, tell)
        tell("features after the drift")
        features = [extract(drifting, at.dataset, at.split, at.image_size) for at in places]
        for at in trainings:
            probe = at.learner.probe(nothing, one)
            heads[at.task.name, at.row] = at.task.fitted(at.row, parts[at.row].shape[2], probe)
            seen[at.task.name] = features
    return Drifted(heads, seen)


def _trained_alike(tasks: Sequence[Task]) -> list[list[HeadTask]]:
    """Tasks whose heads see the same batches for as long, and so the same drift."""
    alike: dict[tuple[int, int], list[HeadTask]] = {}
    for task in tasks:
        if isinstance(task, HeadTask):
            alike.setdefault((task.probe.epochs, task.probe.batch_size), []).append(task)
    return list(alike.values())


def _train(
    method: ImageMethod,
    trainings: Sequence[_Training],
    train: EvaluatedSplit,
    source: Source,
    tell: Callable[[str], None],
) -> None:
    config = trainings[0].learner.config
    loader = Loader(
        source.dataset,
        BatchConfig(
            split=source.split,
            sampler=Tuples(min(2, train.split.num_views), train.pairs.train_per_object),
            batch_size=config.batch_size,
            fields=(),
            seed=train.pairs.seed,
            last="short",
            image_size=source.image_size,
        ),
    )
    method.eval()
    method.backbone.train()
    for epoch in range(config.epochs):
        tell(f"heads over a drifting backbone, epoch {epoch + 1} of {config.epochs}")
        for training in trainings:
            training.learner.begin(epoch)
        for batch in loader:
            if len(batch["object_index"]) < 2:
                continue  # batch norm has nothing to compare one sample with
            samples = Samples(batch["object_index"].numpy(), batch["view_index"].numpy())
            _step(trainings, _embedded(method, batch["views"]), samples, train)


def _step(
    trainings: Sequence[_Training],
    embedded: Sequence[Mapping[str, Tensor]],
    samples: Samples,
    train: EvaluatedSplit,
) -> None:
    """Let every head learn from the parts of each view of a batch."""
    for at in trainings:
        used = Samples(samples.objects, samples.views[:, : at.task.views])
        inputs = torch.cat([parts[at.row] for parts in embedded[: at.task.views]], dim=1)
        at.learner.step(inputs, on_device(np.ascontiguousarray(at.task.targets(train.split, used))))


@torch.no_grad()
def _embedded(method: ImageMethod, views: Tensor) -> list[dict[str, Tensor]]:
    """The parts of each view of a batch, uint8 [B, k, 3, H, W]."""
    return [
        {name: part.float() for name, part in named_parts(method.embed(of_view.to(compute_device()))).items()}
        for of_view in views.unbind(dim=1)
    ]

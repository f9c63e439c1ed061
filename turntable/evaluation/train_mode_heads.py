"""Training of heads over a backbone in ``train()`` mode, as the evaluation scripts of SIE and seq-JEPA do.

These scripts freeze the weights, but leave the network in ``train()`` mode. Batch norm then normalizes by the
statistics of the batch, and its running statistics keep changing. The features of a view are never the same
twice and cannot be cached: every step embeds its images anew. Heads are scored in ``eval()`` mode, with the
running statistics as the training of the heads left them. The published numbers include this effect; use this
mode only to compare with them.

Each epoch has the pairs that heads over pairs are trained on (one of each object in the papers). Heads over
single views are trained on the first view of each pair. The first views of a batch of pairs are one batch of
the backbone, and the second views another, as in the training of methods. Predictors and aggregates are
scored on features in ``eval()`` mode.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from turntable.errors import InvalidInputError
from turntable.evaluation.features import FeaturesByPart, embedding_to_parts, extract_features
from turntable.evaluation.measurement import ProbeTrainer, select_device, to_device
from turntable.evaluation.stage_progress import ProgressCallback, StageCounter
from turntable.evaluation.tasks import EvaluatedSplit, FittedTask, HeadTask, Task
from turntable.loaders import BatchConfig, Loader, Samples, Tuples
from turntable.models import ImageMethod, Method


@dataclass(frozen=True, slots=True)
class ImageSource:
    """A split of a data set whose images are embedded."""

    path_or_url: Path | str
    """Path or URL of the data set."""
    split: str
    """Name of the split."""
    image_size: int | None = None
    """Side in pixels that images are resized to; None: as stored."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainModeHeads:
    """Heads trained in ``train()`` mode, and the features that they are scored on."""

    heads: Mapping[tuple[str, str], FittedTask]
    """Fitted tasks, by name of the task and part of the features."""
    features: Mapping[str, Sequence[FeaturesByPart]]
    """Features of each scored split by name of the task, from the network that its heads were trained
    with."""

    def __call__(self, task: Task, row: str) -> tuple[FittedTask, Sequence[FeaturesByPart]]:
        """Return the head of a task and a part, and the features of each scored split."""
        return self.heads[task.name, row], self.features[task.name]


@dataclass(frozen=True, slots=True, eq=False)
class _HeadTraining:
    """A head in training, with its task and its part of the features."""

    task: HeadTask
    row: str
    trainer: ProbeTrainer


def train_heads_in_train_mode(
    method: Method,
    tasks: Sequence[Task],
    train: EvaluatedSplit,
    train_source: ImageSource,
    eval_sources: Sequence[ImageSource],
    progress: ProgressCallback,
) -> TrainModeHeads:
    """Train a head for every task and part of the features, over a copy of the method in ``train()`` mode.

    Args:
        method: Frozen method; it is not changed.
        tasks: Tasks over features. Those that are no ``HeadTask`` are left out.
        train: Train split: its labels, parts of features and settings of pairs.
        train_source: Images of the train split.
        eval_sources: Images of the splits that are scored.
        progress: Function that is called with the number of epochs that are done.

    Raises:
        InvalidInputError: The method has no backbone over images.
    """
    if not isinstance(method, ImageMethod):
        raise InvalidInputError(
            f"{type(method).__name__} has no backbone over images to put in train() mode;"
            ' use a protocol with batch_norm="eval"'
        )
    heads: dict[tuple[str, str], FittedTask] = {}
    features_by_task: dict[str, Sequence[FeaturesByPart]] = {}
    parts = train.split.parts
    no_shift, no_scale = torch.zeros(1, device=select_device()), torch.ones(1, device=select_device())
    groups = _group_by_batches(tasks)
    num_epochs = sum(group[0].probe.epochs for group in groups)
    counter = StageCounter(progress, "heads over a backbone in train() mode", num_epochs, "epochs")
    for group in groups:
        # Each group needs a network of its own: its batch norm statistics depend on the batches it has seen.
        changing = copy.deepcopy(method).to(select_device())
        trainings = [
            _HeadTraining(task, row, task.make_trainer(part.shape[2], train))
            for task in group
            for row, part in parts.items()
        ]
        _train_heads(changing, trainings, train, train_source, counter)
        features = [
            extract_features(changing, source.path_or_url, source.split, source.image_size)
            for source in eval_sources
        ]
        for training in trainings:
            task, row = training.task, training.row
            probe = training.trainer.to_probe(no_shift, no_scale)
            heads[task.name, row] = task.build_fitted_task(row, parts[row].shape[2], probe)
            features_by_task[task.name] = features
    return TrainModeHeads(heads, features_by_task)


def _group_by_batches(tasks: Sequence[Task]) -> list[list[HeadTask]]:
    """Group the tasks whose heads see the same batches for as many epochs: they can share a network."""
    groups: dict[tuple[int, int], list[HeadTask]] = {}
    for task in tasks:
        if isinstance(task, HeadTask):
            groups.setdefault((task.probe.epochs, task.probe.batch_size), []).append(task)
    return list(groups.values())


def _train_heads(
    method: ImageMethod,
    trainings: Sequence[_HeadTraining],
    train: EvaluatedSplit,
    source: ImageSource,
    counter: StageCounter,
) -> None:
    config = trainings[0].trainer.config
    loader = Loader(
        source.path_or_url,
        BatchConfig(
            split=source.split,
            sampler=Tuples(min(2, train.split.num_views), train.pairs.train_per_object),
            batch_size=config.batch_size,
            fields=(),
            seed=train.pairs.seed,
            last_batch="short",
            image_size=source.image_size,
        ),
    )
    method.eval()
    method.backbone.train()
    for epoch in range(config.epochs):
        for training in trainings:
            training.trainer.begin_epoch(epoch)
        for batch in loader:
            if len(batch["object_index"]) < 2:
                continue  # batch norm cannot compute the variance of one sample
            samples = Samples(batch["object_index"].numpy(), batch["view_index"].numpy())
            _train_on_batch(trainings, _embed_views(method, batch["views"]), samples, train)
        counter.add()


def _train_on_batch(
    trainings: Sequence[_HeadTraining],
    parts_by_view: Sequence[Mapping[str, Tensor]],
    samples: Samples,
    train: EvaluatedSplit,
) -> None:
    """Train every head on the features of one batch, which are given for each view of a sample."""
    for training in trainings:
        task = training.task
        used = Samples(samples.objects, samples.views[:, : task.num_views])
        inputs = torch.cat([parts[training.row] for parts in parts_by_view[: task.num_views]], dim=1)
        targets = np.ascontiguousarray(task.compute_head_targets(train.split, used))
        training.trainer.train_step(inputs, to_device(targets))


@torch.no_grad()
def _embed_views(method: ImageMethod, views: Tensor) -> list[dict[str, Tensor]]:
    """Embed each view of a batch of images, uint8 [B, k, 3, H, W]; return the parts of each view."""
    embeddings = (method.embed(images.to(select_device())) for images in views.unbind(dim=1))
    return [
        {name: part.float() for name, part in embedding_to_parts(embedding).items()}
        for embedding in embeddings
    ]

"""Features that hold every answer or none, and a method that says what they hold."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from turntable.datasets import load_recipe
from turntable.datasets.labels import LabelArray
from turntable.evaluation import SplitFeatures
from turntable.geometry import quaternion_to_matrix
from turntable.models import Aggregates, Classifies, Embedding, Embeds, Predicts

AnyArray = NDArray[np.float32]

CLASSES = 4
VIEWS = 4
_SCHEMA = load_recipe("3diebench-t").schema


def draw_labels(random: np.random.Generator, objects: int) -> LabelArray:
    """Return labels [N, V, L] of 3DIEBench-T, each over its whole range."""
    columns = [random.uniform(item.low, item.high, (objects, VIEWS)) for item in _SCHEMA.factors]
    return np.stack(columns, axis=-1).astype(np.float32)


def knowing_split(objects: int, seed: int) -> SplitFeatures:
    """Return a split whose features hold all that its labels say.

    They have the one-hot category, the rotation matrix, every label scaled to its range, cosine and sine of
    the hues, and the translation in the world. ``source`` and ``target`` are rotation matrices, row by row.

    Args:
        objects: How many, of 4 categories in turn, with 4 views each.
        seed: Of the labels.
    """
    labels = draw_labels(np.random.default_rng(seed), objects)
    quaternions, categories = _SCHEMA.quaternions(labels), np.arange(objects) % CLASSES
    split = SplitFeatures({}, quaternions, categories, (), labels, _SCHEMA, num_categories=CLASSES)
    matrices = quaternion_to_matrix(quaternions).reshape(objects, VIEWS, 9)
    assert split.hues is not None
    assert split.positions is not None
    angles = 2 * np.pi * split.hues
    one_hot = np.broadcast_to(np.eye(CLASSES)[categories][:, None], (objects, VIEWS, CLASSES))
    low, high = (np.array([getattr(item, end) for item in _SCHEMA.factors]) for end in ("low", "high"))
    scaled = 2 * (labels - low) / (high - low) - 1
    parts = [one_hot, matrices, scaled, np.cos(angles), np.sin(angles), split.positions]
    known, turned = (np.concatenate(found, axis=2).astype(np.float32) for found in (parts, [matrices]))
    return replace(split, parts={"representation": known}, source=turned, target=turned)


def with_arrays(split: SplitFeatures, change: Callable[[AnyArray], AnyArray]) -> SplitFeatures:
    """Return the split with each array of numbers [N, V, ...] changed, but for the rotations."""
    arrays = {name: getattr(split, name) for name in ("source", "target")}
    kept = {name: None if array is None else change(array) for name, array in arrays.items()}
    return replace(split, parts={name: change(part) for name, part in split.parts.items()}, **kept)


def blind(split: SplitFeatures, seed: int) -> SplitFeatures:
    """Return the split with noise in the place of its features."""
    random = np.random.default_rng(seed)
    return with_arrays(split, lambda array: random.normal(size=array.shape).astype(np.float32))


def chosen(split: SplitFeatures, objects: Any, views: Any = slice(None)) -> SplitFeatures:
    """Return some objects and views of the split, in the order that is given."""
    labels = None if split.labels is None else split.labels[objects][:, views]
    return replace(
        with_arrays(split, lambda array: array[objects][:, views]),
        quaternions=split.quaternions[objects][:, views],
        categories=split.categories[objects],
        labels=labels,
    )


class Knowing(nn.Module, Embeds, Predicts, Aggregates, Classifies):
    """A method with every ability, which says of knowing features what they hold."""

    embeds_from: tuple[str, ...] = ("view",)
    action: tuple[str, ...] = ("relative_rotation",)

    def embed(self, *fields: Tensor) -> Embedding:
        """Embed nothing: the features are there."""
        return Embedding.of(fields[0])

    def predict(self, source: Tensor, action: Tensor) -> Tensor:
        """Return R1 (R1^T R2), row by row, [B, 9]."""
        first, step = (values.unflatten(1, (3, 3)) for values in (source, action))
        return torch.matmul(first, step).flatten(1)

    def aggregate(self, representation: Tensor, action: Tensor) -> Tensor:
        """Return the one-hot category [B, 4] of views [B, M, D]."""
        del action
        return representation[..., :CLASSES].mean(dim=1)

    def classify(self, representation: Tensor) -> Tensor:
        """Return the one-hot category [B, 4], which the first numbers are."""
        return representation[:, :CLASSES]

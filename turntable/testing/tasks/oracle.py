"""Oracle features, which contain every answer, features of noise, and a method that reads the answers."""

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

NUM_CATEGORIES = 4
"""Number of categories of an oracle split."""
NUM_VIEWS = 4
"""Number of views of each object of an oracle split."""
_SCHEMA = load_recipe("3diebench-t").schema


def draw_labels(rng: np.random.Generator, num_objects: int) -> LabelArray:
    """Draw labels [N, V, L] of 3DIEBench-T, each uniform over its whole range."""
    columns = [rng.uniform(item.low, item.high, (num_objects, NUM_VIEWS)) for item in _SCHEMA.factors]
    return np.stack(columns, axis=-1).astype(np.float32)


def make_oracle_split(num_objects: int, seed: int) -> SplitFeatures:
    """Return a split whose features contain all labels.

    The features are the one-hot category, the rotation matrix, every label scaled from its range to [-1, 1],
    cosine and sine of the hues, and the translation in the world. ``source`` and ``target`` are rotation
    matrices [9], row by row.

    Args:
        num_objects: Number of objects, which belong to 4 categories in turn and have 4 views each.
        seed: Seed of the labels.
    """
    labels = draw_labels(np.random.default_rng(seed), num_objects)
    quaternions, categories = _SCHEMA.compute_quaternions(labels), np.arange(num_objects) % NUM_CATEGORIES
    split = SplitFeatures({}, quaternions, categories, (), labels, _SCHEMA, num_categories=NUM_CATEGORIES)
    matrices = quaternion_to_matrix(quaternions).reshape(num_objects, NUM_VIEWS, 9)
    assert split.hues is not None
    assert split.positions is not None
    angles = 2 * np.pi * split.hues
    one_hot = np.broadcast_to(
        np.eye(NUM_CATEGORIES)[categories][:, None], (num_objects, NUM_VIEWS, NUM_CATEGORIES)
    )
    low, high = (np.array([getattr(item, end) for item in _SCHEMA.factors]) for end in ("low", "high"))
    scaled = 2 * (labels - low) / (high - low) - 1
    parts = [one_hot, matrices, scaled, np.cos(angles), np.sin(angles), split.positions]
    features = np.concatenate(parts, axis=2).astype(np.float32)
    rotations = matrices.astype(np.float32)
    return replace(split, parts={"representation": features}, source=rotations, target=rotations)


def with_changed_arrays(split: SplitFeatures, change: Callable[[AnyArray], AnyArray]) -> SplitFeatures:
    """Return the split with each array of features [N, V, ...] changed; its labels stay."""
    arrays = {name: getattr(split, name) for name in ("source", "target")}
    changed = {name: None if array is None else change(array) for name, array in arrays.items()}
    return replace(split, parts={name: change(part) for name, part in split.parts.items()}, **changed)


def with_noise(split: SplitFeatures, seed: int) -> SplitFeatures:
    """Return the split with noise in place of its features."""
    rng = np.random.default_rng(seed)
    return with_changed_arrays(split, lambda array: rng.normal(size=array.shape).astype(np.float32))


def select_views(split: SplitFeatures, objects: Any, views: Any = slice(None)) -> SplitFeatures:
    """Return the split with some objects and views only.

    Args:
        split: The split.
        objects: Indices or a slice of objects, in the order of the result.
        views: Indices or a slice of views.
    """
    labels = None if split.labels is None else split.labels[objects][:, views]
    return replace(
        with_changed_arrays(split, lambda array: array[objects][:, views]),
        quaternions=split.quaternions[objects][:, views],
        categories=split.categories[objects],
        labels=labels,
    )


class OracleMethod(nn.Module, Embeds, Predicts, Aggregates, Classifies):
    """A method with every ability, which reads the answers from oracle features."""

    embeds_from: tuple[str, ...] = ("view",)
    action: tuple[str, ...] = ("relative_rotation",)

    def embed(self, *fields: Tensor) -> Embedding:
        """Return the features as they are."""
        return Embedding.from_parts(fields[0])

    def predict(self, source: Tensor, action: Tensor) -> Tensor:
        """Return the target R2 = R1 (R1^T R2) [B, 9], row by row, from R1 and the relative rotation."""
        first, step = (values.unflatten(1, (3, 3)) for values in (source, action))
        return torch.matmul(first, step).flatten(1)

    def aggregate(self, representation: Tensor, action: Tensor) -> Tensor:
        """Return the one-hot category [B, 4], which the features of all views [B, M, D] contain."""
        del action
        return representation[..., :NUM_CATEGORIES].mean(dim=1)

    def classify(self, representation: Tensor) -> Tensor:
        """Return the one-hot category [B, 4], which are the first features."""
        return representation[:, :NUM_CATEGORIES]

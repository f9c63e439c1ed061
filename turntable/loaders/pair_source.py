"""The parts of a batch of pairs: which pairs, their images, and their labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from turntable.datasets.labels import LabelArray
from turntable.datasets.rotations import QuaternionSign, relative_quaternion, relative_rotation
from turntable.errors import InvalidInputError
from turntable.loaders.order import ViewPairs, epoch_pairs
from turntable.loaders.source import Batch, ViewSource, channels_first

Labels = dict[str, NDArray[Any]]
"""The fields of a batch but the images, as arrays: they travel between processes by value."""


class PairSource:
    """Makes batches of given pairs, and knows the pairs of each epoch.

    Args:
        views: where images and labels come from.
        seed: of the order and the choice of views.
        pairs_per_object: times an epoch visits each object.
        quaternion_sign: "product" (as SIE) or "canonical" (w >= 0).
        fixed: use these pairs in this order in every epoch.
        outputs: other outputs of both views to give as labels.
        points: whether to give the object's point cloud.
    """

    def __init__(
        self,
        views: ViewSource,
        seed: int,
        pairs_per_object: int = 1,
        quaternion_sign: QuaternionSign = "product",
        fixed: ViewPairs | None = None,
        outputs: Sequence[str] = (),
        points: bool = False,
    ) -> None:
        views.check_outputs(outputs, points)
        if pairs_per_object < 1:
            raise InvalidInputError(f"pairs_per_object {pairs_per_object}: must be at least 1")
        self._views = views
        self._seed = seed
        self._pairs_per_object = pairs_per_object
        self._quaternion_sign: QuaternionSign = quaternion_sign
        self._fixed = fixed
        self._outputs, self._points = tuple(outputs), points
        self._latest: tuple[int, ViewPairs] | None = None
        self.pairs(0)  # complains now, not in a worker, where there are too few views

    def __len__(self) -> int:
        """Pairs in an epoch."""
        if self._fixed is not None:
            return len(self._fixed)
        return self._views.num_objects * self._pairs_per_object

    def pairs(self, epoch: int) -> ViewPairs:
        """All pairs of an epoch in their order; the latest is kept."""
        if self._fixed is not None:
            return self._fixed
        if self._latest is None or self._latest[0] != epoch:
            pairs = epoch_pairs(
                self._views.num_objects, self._views.num_views, self._pairs_per_object, self._seed, epoch
            )
            self._latest = (epoch, pairs)
        return self._latest[1]

    @property
    def image_size(self) -> int:
        """Side of the images that batches hold, in pixels."""
        return self._views.image_size

    def empty(self, pairs: int) -> Tensor:
        """Room for the images of pairs: uint8 [2 * pairs, H, W, 3]."""
        return self._views.empty(2 * pairs)

    def images(self, pairs: ViewPairs, out: Tensor) -> None:
        """Read and decode both views of pairs into ``empty(len(pairs))``, first all first ones."""
        rows = np.concatenate([pairs.objects, pairs.objects])
        self._views.decode(rows, np.concatenate([pairs.view_1, pairs.view_2]), out)

    def labels(self, pairs: ViewPairs) -> Labels:
        """Every field of a batch but the images."""
        split = self._views.split
        labels_1 = split.labels_at(pairs.objects, pairs.view_1)
        labels_2 = split.labels_at(pairs.objects, pairs.view_2)
        return {
            **self._rotations(labels_1, labels_2),
            "factors_1": labels_1,
            "factors_2": labels_2,
            "category": split.categories[pairs.objects],
            "object_index": pairs.objects.copy(),
            "view_index_1": pairs.view_1.copy(),
            "view_index_2": pairs.view_2.copy(),
            **self._views.further(pairs.objects, pairs.view_1, self._outputs, "_1"),
            **self._views.further(pairs.objects, pairs.view_2, self._outputs, "_2"),
            **({"points": self._views.points(pairs.objects)} if self._points else {}),
        }

    def _rotations(self, labels_1: LabelArray, labels_2: LabelArray) -> Labels:
        schema = self._views.dataset.schema
        rotation_1, rotation_2 = schema.rotations(labels_1), schema.rotations(labels_2)
        quaternion = relative_quaternion(
            schema.quaternions(labels_1), schema.quaternions(labels_2), self._quaternion_sign
        )
        arrays = {
            "rotation_1": rotation_1,
            "rotation_2": rotation_2,
            "relative_rotation": relative_rotation(rotation_1, rotation_2),
            "relative_quaternion": quaternion,
        }
        # Computed in float64, rounded once.
        return {name: array.astype(np.float32) for name, array in arrays.items()}


def as_batch(images: Tensor, labels: Labels) -> Batch:
    """Put images [2B, H, W, 3], first all first views, and labels together."""
    view_1, view_2 = channels_first(images).chunk(2)
    tensors = {name: torch.from_numpy(array) for name, array in labels.items()}
    return {"view_1": view_1, "view_2": view_2, **tensors}

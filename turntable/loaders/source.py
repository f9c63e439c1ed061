"""Views of one split as tensors; each process opens the shards for itself, on first use."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from turntable.datasets.dataset import Split, open_dataset
from turntable.datasets.pixels import decode_jpeg
from turntable.errors import IntegrityError, InvalidInputError
from turntable.loaders.order import IntArray

Batch = dict[str, Tensor]


def unchanged(batch: Any) -> Any:
    """Collate nothing: what workers make is a batch already."""
    return batch


class ViewSource:
    """Reads and decodes views. May be pickled and carried over forks: open files are not.

    Args:
        folder: of the data set.
        split: "train" or "val".
        image_size: side in pixels to resize to (bilinear, antialiased); None: as stored.

    Raises:
        IntegrityError: there is no finished data set.
        InvalidInputError: it has no such split.
    """

    def __init__(self, folder: str | Path, split: str, image_size: int | None = None) -> None:
        self.dataset = open_dataset(folder)
        if split not in self.dataset.splits:
            raise InvalidInputError(
                f"{folder} has no split {split!r}; it has {', '.join(self.dataset.splits)}"
            )
        if image_size is not None and image_size < 1:
            raise InvalidInputError(f"image_size {image_size}: must be at least 1 pixel")
        self.split_name = split
        self.image_size = image_size or self.dataset.manifest.image_size_px
        self._open: tuple[int, Split] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": None}

    @property
    def num_objects(self) -> int:
        """Of the split, by the manifest; opens nothing."""
        return sum(shard.objects for shard in self.dataset.manifest.shards_of(self.split_name))

    @property
    def num_views(self) -> int:
        """Of each object."""
        return self.dataset.manifest.views

    @property
    def split(self) -> Split:
        """The split, opened by this very process: neither files nor maps are shared with a parent."""
        if self._open is None or self._open[0] != os.getpid():
            self._open = (os.getpid(), self.dataset.split(self.split_name))
        return self._open[1]

    def decode(self, rows: IntArray, views: IntArray, out: Tensor) -> None:
        """Decode views, channels as the files have them.

        With channel order "bgr" in the manifest, red and blue stay exchanged.

        Args:
            rows: [B] of objects in the split.
            views: [B].
            out: uint8 [B, H, W, 3] contiguous, of side ``image_size``; filled.

        Raises:
            IntegrityError: a file is damaged; the message names object and view.
        """
        stored = self.dataset.manifest.image_size_px
        pixels = (
            out if self.image_size == stored else torch.empty((len(rows), stored, stored, 3), dtype=out.dtype)
        )
        for image, row, view in zip(pixels.numpy(), rows.tolist(), views.tolist(), strict=True):
            self._decode(image, row, view)
        if pixels is not out:
            out.copy_(_resized(pixels, self.image_size))

    def empty(self, images: int) -> Tensor:
        """Room for images to decode into: uint8 [images, H, W, 3]."""
        return torch.empty((images, self.image_size, self.image_size, 3), dtype=torch.uint8)

    def _decode(self, out: np.ndarray, row: int, view: int) -> None:
        data = self.split.read_jpeg(row, view)
        try:
            decode_jpeg(data, out)
        except IntegrityError as error:
            raise IntegrityError(
                f"{self.dataset.path}: {self.split_name} object {self.split.objects[row].id}, view {view}: "
                f"{error}; run `turntable verify {self.dataset.path}`"
            ) from None


def channels_first(images: Tensor) -> Tensor:
    """[B, H, W, 3] as [B, 3, H, W] in channels-last memory: no byte moves."""
    return images.permute(0, 3, 1, 2)


def _resized(images: Tensor, size: int) -> Tensor:
    """Images [B, H, W, 3] at another size, bilinear and antialiased."""
    resized = functional.interpolate(
        channels_first(images), size=(size, size), mode="bilinear", antialias=True
    )
    return resized.permute(0, 2, 3, 1)

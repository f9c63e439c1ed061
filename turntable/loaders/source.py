"""Views of one split as tensors; each process opens the shards for itself, on first use."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
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

    def further(
        self, rows: IntArray, views: IntArray, outputs: Sequence[str], suffix: str = ""
    ) -> dict[str, NDArray[Any]]:
        """Other outputs of views, by name and suffix.

        mask is uint8 [B, 1, H, W] (0 or 1), depth float32 [B, 1, H, W] in world units, normals and
        coordinates float32 [B, 3, H, W]. At another size than stored the nearest pixel is taken: none
        of these may be mixed.

        Raises:
            IntegrityError: a file is damaged.
            InvalidInputError: the data set does not keep it.
        """
        stored = self.dataset.manifest.image_size_px
        nearest = ((np.arange(self.image_size) + 0.5) * stored / self.image_size).astype(np.intp)
        made: dict[str, NDArray[Any]] = {}
        for name in outputs:
            images = [
                self.split.read_extra(r, v, name) for r, v in zip(rows.tolist(), views.tolist(), strict=True)
            ]
            stack = np.stack(images).reshape(len(images), stored, stored, -1)[:, nearest][:, :, nearest]
            first = np.ascontiguousarray(stack.transpose(0, 3, 1, 2))
            made[f"{name}{suffix}"] = first // 255 if name == "mask" else first
        return made

    def check_outputs(self, outputs: Sequence[str], points: bool) -> None:
        """Complain now, not in a worker. Raises InvalidInputError where the data set does not keep it."""
        manifest = self.dataset.manifest
        missing = [name for name in outputs if name not in manifest.outputs or name == "rgb"]
        if missing:
            raise InvalidInputError(
                f"outputs {', '.join(missing)}: the data set keeps {', '.join(manifest.outputs)} (rgb "
                f"is always there, as view); render it with --outputs {','.join(['rgb', *missing])}"
            )
        if points and not manifest.points:
            raise InvalidInputError("the data set has no point clouds; render it with --points 2048")

    def points(self, rows: IntArray) -> NDArray[np.float32]:
        """Point clouds of objects, float32 [B, P, 6]: places in the object's own frame, and unit normals."""
        return np.stack([self.split.points(row) for row in rows.tolist()])

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

"""Every view of a split once, in order: what features are computed from."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from turntable.errors import InvalidInputError
from turntable.loaders.source import Batch, ViewSource, channels_first, unchanged


class ViewLoader:
    """All views, object by object; the last batch has the rest.

    A batch has: view (uint8 [B, 3, H, W], channels-last memory), factors (float32 [B, L] in schema order),
    category, object_index, view_index (int64 [B]).

    Args:
        folder: of the data set.
        split: "train" or "val".
        batch_size: views in a batch.
        num_workers: processes that make batches; 0: this one.
        image_size: side in pixels to resize to; None: as stored.
        outputs: further fields by name: mask (uint8 [B, 1, H, W], 0 or 1), depth (float32 [B, 1, H, W], world
            units), normals and coordinates (float32 [B, 3, H, W]); resized by the nearest pixel.
        points: whether to give points, float32 [B, P, 6]: the object's point cloud.

    Raises:
        IntegrityError: there is no finished data set in the folder.
        InvalidInputError: an argument cannot be right.
    """

    def __init__(
        self,
        folder: str | Path,
        split: str,
        batch_size: int = 256,
        *,
        num_workers: int = 0,
        image_size: int | None = None,
        outputs: Sequence[str] = (),
        points: bool = False,
    ) -> None:
        source = ViewSource(folder, split, image_size)
        source.check_outputs(outputs, points)
        self.num_objects, self.num_views = source.num_objects, source.num_views
        self._loader: DataLoader[Batch] = DataLoader(
            _ViewBatches(source, batch_size, tuple(outputs), points),
            batch_size=None,
            collate_fn=unchanged,
            num_workers=num_workers,
            generator=torch.Generator(),  # leave the generator of training alone
        )

    def __len__(self) -> int:
        """Batches."""
        return len(self._loader)

    def __iter__(self) -> Iterator[Batch]:
        return iter(self._loader)


class _ViewBatches(Dataset[Batch]):
    def __init__(self, source: ViewSource, batch_size: int, outputs: tuple[str, ...], points: bool) -> None:
        if batch_size < 1:
            raise InvalidInputError(f"batch_size {batch_size}: must be at least 1")
        self._source = source
        self._outputs, self._points = outputs, points
        self._batch_size = batch_size
        self._total = source.num_objects * source.num_views

    def __len__(self) -> int:
        return -(-self._total // self._batch_size)

    def __getitem__(self, number: int) -> Batch:
        start = number * self._batch_size
        positions = np.arange(start, min(start + self._batch_size, self._total), dtype=np.int64)
        rows, views = np.divmod(positions, self._source.num_views)
        split = self._source.split
        images = self._source.empty(len(rows))
        self._source.decode(rows, views, images)
        further = self._source.further(rows, views, self._outputs)
        if self._points:
            further["points"] = self._source.points(rows)
        return {
            "view": channels_first(images),
            "factors": torch.from_numpy(split.labels_at(rows, views)),
            "category": torch.from_numpy(split.categories[rows]),
            "object_index": torch.from_numpy(rows),
            "view_index": torch.from_numpy(views),
            **{name: torch.from_numpy(array) for name, array in further.items()},
        }

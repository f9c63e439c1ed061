"""Batches of two views of one object with the rotation between them."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from turntable.datasets.rotations import QuaternionSign
from turntable.errors import InvalidInputError
from turntable.loaders.order import ViewPairs
from turntable.loaders.pair_source import Labels, PairSource, as_batch
from turntable.loaders.ring import PREFETCH, Ring
from turntable.loaders.source import Batch, ViewSource, unchanged

_Made = tuple[int, Tensor | None, Labels]
"""What a worker gives: the batch's ordinal, its images unless they are in their shared slot, its labels."""


class _Task(NamedTuple):
    epoch: int
    number: int
    """Of the batch in its epoch."""
    ordinal: int
    """Of the batch in this iteration: names its slot."""


class PairDataset(Dataset[Batch]):
    """Single pairs, for those who bring their own loader; ``PairLoader`` is faster.

    Item i is pair i of the epoch set last, already in random order: load it without shuffling. A loader with
    persistent workers keeps its own copy and would not see a later ``set_epoch``.

    Args:
        folder: of the data set.
        split: "train" or "val".
        seed: of the order and the choice of views.
        pairs_per_object: times an epoch visits each object.
        quaternion_sign: "product" (as SIE) or "canonical" (w >= 0).
        image_size: side in pixels to resize to; None: as stored.
        outputs: further fields, as of ``PairLoader``.
        points: whether to give points, float32 [P, 6].
    """

    def __init__(
        self,
        folder: str | Path,
        split: str = "train",
        seed: int = 0,
        pairs_per_object: int = 1,
        quaternion_sign: QuaternionSign = "product",
        image_size: int | None = None,
        outputs: Sequence[str] = (),
        points: bool = False,
    ) -> None:
        views = ViewSource(folder, split, image_size)
        self._source = PairSource(
            views, seed, pairs_per_object, quaternion_sign, outputs=outputs, points=points
        )
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose pairs the items are."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int) -> Batch:
        """One pair, the fields of a batch without their first axis."""
        if not 0 <= index < len(self):
            raise IndexError(f"pair {index} of {len(self)}")
        pairs = self._source.pairs(self._epoch)[index : index + 1]
        images = self._source.empty(1)
        self._source.images(pairs, images)
        batch = as_batch(images, self._source.labels(pairs))
        return {name: value[0] for name, value in batch.items()}


class PairLoader:
    """Batches of pairs, the same for any number of workers, from any batch of any epoch on.

    Beginning an iteration ends the one before it.

    A batch has: view_1, view_2 (uint8 [B, 3, H, W], channels-last memory), rotation_1, rotation_2,
    relative_rotation (float32 [B, 3, 3]; R1^T R2), relative_quaternion (float32 [B, 4] xyzw), factors_1,
    factors_2 (float32 [B, L] in schema order), category, object_index, view_index_1 and view_index_2
    (int64 [B]).

    Args:
        folder: of the data set.
        split: "train" or "val".
        batch_size: pairs in a batch, of each rank.
        seed: of the order and the choice of views.
        num_workers: processes that make batches; 0: this one.
        drop_last: leave out what does not fill a batch (of all ranks); ranks need it.
        pairs_per_object: times an epoch visits each object.
        quaternion_sign: "product" (as SIE) or "canonical" (w >= 0).
        image_size: side in pixels to resize to; None: as stored.
        pairs: a fixed list to use in every epoch, in its order (of ``validation_pairs``).
        rank: of this process among those that train together.
        world_size: their number; each epoch is divided evenly among them, by position.
        pin_memory: for faster copies to a GPU.
        outputs: further fields of both views by name, with the suffixes _1 and _2: mask (uint8 [B, 1, H, W],
            0 or 1), depth (float32 [B, 1, H, W], world units), normals and coordinates (float32
            [B, 3, H, W]).
        points: whether to give points, float32 [B, P, 6]: the object's point cloud.

    Raises:
        IntegrityError: there is no finished data set in the folder.
        InvalidInputError: an argument cannot be right, or an epoch has not one batch.
    """

    def __init__(
        self,
        folder: str | Path,
        split: str,
        batch_size: int,
        *,
        seed: int = 0,
        num_workers: int = 0,
        drop_last: bool = True,
        pairs_per_object: int = 1,
        quaternion_sign: QuaternionSign = "product",
        image_size: int | None = None,
        pairs: ViewPairs | None = None,
        rank: int = 0,
        world_size: int = 1,
        pin_memory: bool = False,
        outputs: Sequence[str] = (),
        points: bool = False,
    ) -> None:
        views = ViewSource(folder, split, image_size)
        source = PairSource(views, seed, pairs_per_object, quaternion_sign, pairs, outputs, points)
        self._batches = _Batches(source, batch_size, drop_last, rank, world_size)
        self._batch_size = batch_size
        self._num_workers = num_workers
        self._pin_memory = pin_memory
        self._schedule = _Schedule(len(self._batches))
        self._epoch = 0

    def __len__(self) -> int:
        """Batches in an epoch, of each rank."""
        return len(self._batches)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that iteration gives."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[Batch]:
        return self.batches(self._epoch)

    def batches(self, epoch: int, start_batch: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from one on: a run resumes where it stopped, without reading what was.

        Args:
            epoch: counted from 0.
            start_batch: batches already consumed, 0 to ``len``.
        """
        if not 0 <= start_batch <= len(self):
            raise InvalidInputError(f"start_batch {start_batch}: an epoch has {len(self)} batches")
        self._schedule.begin(epoch, start_batch)
        return map(self._collect, iter(self._loader))

    @cached_property
    def _loader(self) -> DataLoader[_Made]:
        if self._num_workers > 0:
            self._batches.share_images(self._num_workers)
        return DataLoader(
            self._batches,
            batch_size=None,
            sampler=self._schedule,
            collate_fn=unchanged,
            num_workers=self._num_workers,
            prefetch_factor=PREFETCH if self._num_workers > 0 else None,
            persistent_workers=self._num_workers > 0,
            # Its own, else each epoch would draw a number from the generator that training uses.
            generator=torch.Generator(),
        )

    def _collect(self, made: _Made) -> Batch:
        """Take a batch out of its slot, which is used again."""
        ordinal, images, labels = made
        if images is None:
            images = self._batches.shared(ordinal, len(labels["category"]))
            images = images.pin_memory() if self._pin_memory else images.clone()
        elif self._pin_memory:
            images = images.pin_memory()
        return as_batch(images, labels)


class _Batches(Dataset[_Made]):
    """Whole batches as items: (epoch, number) alone decides one, so workers need no state."""

    def __init__(
        self, source: PairSource, batch_size: int, drop_last: bool, rank: int, world_size: int
    ) -> None:
        if batch_size < 1:
            raise InvalidInputError(f"batch_size {batch_size}: must be at least 1")
        if not 0 <= rank < world_size:
            raise InvalidInputError(f"rank {rank} of {world_size}: must be from 0 to {world_size - 1}")
        if world_size > 1 and not drop_last:
            raise InvalidInputError("drop_last=False with several ranks would give them unequal batches")
        self._source = source
        self._batch_size = batch_size
        self._rank = rank
        self._world_size = world_size
        self._ring: Ring | None = None
        step = batch_size * world_size
        self._count = len(source) // step if drop_last else -(-len(source) // step)
        if self._count == 0:
            raise InvalidInputError(
                f"{len(source)} pairs do not fill a batch of {batch_size} for each of {world_size} ranks; "
                "use a smaller batch_size, more pairs_per_object, or drop_last=False"
            )

    def share_images(self, num_workers: int) -> None:
        """From now on leave images in shared slots: for items made by workers."""
        self._ring = Ring(num_workers, 2 * self._batch_size, self._source.image_size)

    def shared(self, ordinal: int, pairs: int) -> Tensor:
        """The slot that a worker left images in: uint8 [2 * pairs, H, W, 3]."""
        assert self._ring is not None
        return self._ring.slot(ordinal, 2 * pairs)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, task: _Task) -> _Made:
        start = (task.number * self._world_size + self._rank) * self._batch_size
        pairs = self._source.pairs(task.epoch)[start : start + self._batch_size]
        labels = self._source.labels(pairs)
        if self._ring is None:
            images = self._source.empty(len(pairs))
            self._source.images(pairs, images)
            return task.ordinal, images, labels
        self._source.images(pairs, self.shared(task.ordinal, len(pairs)))
        return task.ordinal, None, labels


class _Schedule:
    """Which batches the loader asks for next: the sampler of a DataLoader that outlives its epochs."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._epoch = 0
        self._start = 0

    def begin(self, epoch: int, start: int) -> None:
        self._epoch, self._start = epoch, start

    def __len__(self) -> int:
        return self._count - self._start

    def __iter__(self) -> Iterator[_Task]:
        numbers = range(self._start, self._count)
        return iter([_Task(self._epoch, number, ordinal) for ordinal, number in enumerate(numbers)])

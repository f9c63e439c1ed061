"""Shared slots for the images of batches, used again and again.

A new segment of shared memory for every batch would cost nearly as much as decoding it. No lock is needed: a
DataLoader gives batches in their order and never has more under way than workers * prefetch, and one more may
wait to be copied. With that many slots, used in turn, none is written before it was read.
"""

import os
from pathlib import Path

import torch
from torch import Tensor

from turntable.errors import InvalidInputError

PREFETCH = 2
"""Batches that each worker makes ahead."""
_SHARED_MEMORY = Path("/dev/shm")  # where Linux keeps it; containers often have 64 MB there


class Ring:
    """Slots of images in memory that processes share.

    Args:
        num_workers: at least 1.
        images: of a batch.
        size: of an image, in pixels.

    Raises:
        InvalidInputError: the machine has not so much shared memory.
    """

    def __init__(self, num_workers: int, images: int, size: int) -> None:
        self._count = num_workers * PREFETCH + 1
        shape = (self._count, images, size, size, 3)
        _check_room(torch.Size(shape).numel())
        self._slots = torch.empty(shape, dtype=torch.uint8).share_memory_()

    def slot(self, ordinal: int, images: int) -> Tensor:
        """Where the images of the n-th batch of an iteration stand: uint8 [images, H, W, 3]."""
        return self._slots[ordinal % self._count, :images]


def _check_room(needed: int) -> None:
    """Complain now: a process that runs out of shared memory dies of a bus error without a word."""
    if not _SHARED_MEMORY.is_dir():
        return
    status = os.statvfs(_SHARED_MEMORY)
    free = status.f_bavail * status.f_frsize
    if needed > free:
        raise InvalidInputError(
            f"batches under way need {needed / 1e6:,.0f} MB of shared memory, {_SHARED_MEMORY} has "
            f"{free / 1e6:,.0f} MB free: use fewer workers or smaller batches, or give the container more "
            "(docker run --shm-size)"
        )

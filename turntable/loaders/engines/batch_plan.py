"""The division of an epoch into batches and ranks, by the positions of samples alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np

from turntable.errors import InvalidInputError
from turntable.loaders.sampling import IntArray

LastBatch = Literal["drop", "pad", "short"]
"""Treatment of the last samples of an epoch, which are too few for a batch.

"drop" leaves them out. "pad" fills the batch up with the first samples of the epoch, which the batch's field
``padding`` marks. "short" makes a smaller batch; it works with one rank only.
"""


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """The division of an epoch into batches and ranks.

    Raises:
        InvalidInputError: A value is wrong.
    """

    batch_size: int
    """Number of samples in a batch of all ranks together; a multiple of ``world_size``."""
    rank: int = 0
    world_size: int = 1
    last_batch: LastBatch = "drop"

    def __post_init__(self) -> None:
        if faults := list(iter_plan_faults(self.batch_size, self.rank, self.world_size, self.last_batch)):
            raise InvalidInputError("; ".join(faults))

    @property
    def rank_batch_size(self) -> int:
        """Number of samples of a batch that this rank gets."""
        return self.batch_size // self.world_size

    def count_batches(self, num_samples: int, start: int = 0) -> int:
        """Return the number of batches that each rank has left in an epoch.

        Args:
            num_samples: Number of samples in the epoch.
            start: Number of samples that all ranks together have consumed.
        """
        left = max(0, num_samples - start)
        return left // self.batch_size if self.last_batch == "drop" else -(-left // self.batch_size)

    def iter_positions(self, num_samples: int, start: int = 0) -> Iterator[IntArray]:
        """Iterate over the positions [b] of the samples in each batch of this rank.

        Positions of padding are ``num_samples`` or more.

        Args:
            num_samples: Number of samples in the epoch.
            start: Number of samples that all ranks together have consumed.
        """
        for number in range(self.count_batches(num_samples, start)):
            first = start + number * self.batch_size + self.rank * self.rank_batch_size
            end = first + self.rank_batch_size
            yield np.arange(first, min(end, num_samples) if self.last_batch == "short" else end)

    def check_num_samples(self, num_samples: int) -> None:
        """Check that an epoch has at least one batch.

        Raises:
            InvalidInputError: It has none.
        """
        if not self.count_batches(num_samples):
            raise InvalidInputError(
                f"{num_samples} samples do not fill a batch of {self.batch_size}; use a smaller batch_size, "
                "more visits, or last_batch='pad'"
            )


def iter_plan_faults(batch_size: int, rank: int, world_size: int, last_batch: str) -> Iterator[str]:
    """Yield a message for each fault in the values of a ``BatchPlan``."""
    if batch_size < 1:
        yield f"batch_size {batch_size}: must be at least 1"
    if not 0 <= rank < world_size:
        yield f"rank {rank} of {world_size}: must be from 0 to {world_size - 1}"
    elif batch_size > 0 and batch_size % world_size:
        nearest = max(1, round(batch_size / world_size)) * world_size
        yield f"batch_size {batch_size}: {world_size} ranks cannot share it evenly; use {nearest}"
    if last_batch not in get_args(LastBatch):
        yield f"last_batch {last_batch!r}: use one of {', '.join(get_args(LastBatch))}"
    if last_batch == "short" and world_size > 1:
        yield "last_batch='short' would give several ranks unequal batches; use 'drop' or 'pad'"


def split_rows(num_rows: int, num_workers: int) -> list[slice]:
    """Divide the rows of a batch evenly among workers; with fewer rows than workers, one row each."""
    parts = min(num_rows, num_workers)
    bounds = [num_rows * number // parts for number in range(parts + 1)]
    return [slice(first, end) for first, end in pairwise(bounds)]

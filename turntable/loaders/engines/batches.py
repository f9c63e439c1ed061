"""Which samples make which batch: by position in the epoch, so that ranks and workers change nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np

from turntable.errors import InvalidInputError
from turntable.loaders.sampling import IntArray

Last = Literal["drop", "pad", "short"]
"""What becomes of samples that fill no batch on all ranks: they are left out; filled up with the first ones
of the epoch, which ``padding`` marks; or they make a smaller batch (one rank alone)."""


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """How an epoch is divided.

    Raises:
        InvalidInputError: a value cannot be right.
    """

    batch_size: int
    """Samples of all ranks together; a multiple of their number."""
    rank: int = 0
    world_size: int = 1
    last: Last = "drop"

    def __post_init__(self) -> None:
        if faults := list(plan_faults(self.batch_size, self.rank, self.world_size, self.last)):
            raise InvalidInputError("; ".join(faults))

    @property
    def rows(self) -> int:
        """Samples of a batch that this rank gets."""
        return self.batch_size // self.world_size

    def count(self, samples: int, start: int = 0) -> int:
        """Batches of each rank that are left of an epoch when some samples are consumed."""
        left = max(0, samples - start)
        return left // self.batch_size if self.last == "drop" else -(-left // self.batch_size)

    def positions(self, samples: int, start: int = 0) -> Iterator[IntArray]:
        """The positions of this rank's batches in the epoch; those of padding are ``samples`` or more.

        Args:
            samples: of the epoch.
            start: samples that all ranks have consumed.
        """
        for number in range(self.count(samples, start)):
            first = start + number * self.batch_size + self.rank * self.rows
            end = first + self.rows
            yield np.arange(first, min(end, samples) if self.last == "short" else end)

    def check(self, samples: int) -> None:
        """Raises InvalidInputError where an epoch has not one batch."""
        if not self.count(samples):
            raise InvalidInputError(
                f"{samples} samples do not fill a batch of {self.batch_size}; use a smaller batch_size, more "
                "visits, or last='pad'"
            )


def plan_faults(batch_size: int, rank: int, world_size: int, last: str) -> Iterator[str]:
    """Say what cannot be right of a plan; nothing where all can."""
    if batch_size < 1:
        yield f"batch_size {batch_size}: must be at least 1"
    if not 0 <= rank < world_size:
        yield f"rank {rank} of {world_size}: must be from 0 to {world_size - 1}"
    elif batch_size > 0 and batch_size % world_size:
        near = max(1, round(batch_size / world_size)) * world_size
        yield f"batch_size {batch_size}: {world_size} ranks cannot share it evenly; take {near}"
    if last not in get_args(Last):
        yield f"last {last!r}: use one of {', '.join(get_args(Last))}"
    if last == "short" and world_size > 1:
        yield "last='short' with several ranks would give them unequal batches; use 'drop' or 'pad'"


def parts_of(rows: int, workers: int) -> list[slice]:
    """Rows of a batch, shared out evenly; fewer parts where there are fewer rows."""
    parts = min(rows, workers)
    bounds = [rows * number // parts for number in range(parts + 1)]
    return [slice(first, end) for first, end in pairwise(bounds)]

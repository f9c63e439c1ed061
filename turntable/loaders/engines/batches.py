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
    """Samples, of each rank."""
    rank: int = 0
    world_size: int = 1
    last: Last = "drop"

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise InvalidInputError(f"batch_size {self.batch_size}: must be at least 1")
        if not 0 <= self.rank < self.world_size:
            raise InvalidInputError(
                f"rank {self.rank} of {self.world_size}: must be from 0 to {self.world_size - 1}"
            )
        if self.last not in get_args(Last):
            raise InvalidInputError(f"last {self.last!r}: use one of {', '.join(get_args(Last))}")
        if self.last == "short" and self.world_size > 1:
            raise InvalidInputError(
                "last='short' with several ranks would give them unequal batches; use 'drop' or 'pad'"
            )

    @property
    def step(self) -> int:
        """Samples that all ranks together take at once."""
        return self.batch_size * self.world_size

    def count(self, samples: int, start: int = 0) -> int:
        """Batches of each rank that are left of an epoch when some samples are consumed."""
        left = max(0, samples - start)
        return left // self.step if self.last == "drop" else -(-left // self.step)

    def positions(self, samples: int, start: int = 0) -> Iterator[IntArray]:
        """The positions of this rank's batches in the epoch; those of padding are ``samples`` or more.

        Args:
            samples: of the epoch.
            start: samples that all ranks have consumed.
        """
        for number in range(self.count(samples, start)):
            first = start + number * self.step + self.rank * self.batch_size
            end = first + self.batch_size
            yield np.arange(first, min(end, samples) if self.last == "short" else end)

    def check(self, samples: int) -> None:
        """Raises InvalidInputError where an epoch has not one batch."""
        if not self.count(samples):
            raise InvalidInputError(
                f"{samples} samples do not fill a batch of {self.batch_size} for each of {self.world_size} "
                "ranks; use a smaller batch_size, more visits, or last='pad'"
            )


def parts_of(rows: int, workers: int) -> list[slice]:
    """Rows of a batch, shared out evenly; fewer parts where there are fewer rows."""
    parts = min(rows, workers)
    bounds = [rows * number // parts for number in range(parts + 1)]
    return [slice(first, end) for first, end in pairwise(bounds)]

"""Division of a data set's shards among several machines: ``--job 2/5`` makes every fifth shard."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from turntable.errors import InvalidInputError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Job:
    """Job ``number`` of ``num_jobs``, counted from 1."""

    number: int
    num_jobs: int

    @classmethod
    def parse(cls, text: str) -> "Job":
        """Parse a text such as ``2/5``.

        Raises:
            InvalidInputError: The text is something else.
        """
        match = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise InvalidInputError(
                f"--job {text}: give number/count, such as 2/5; jobs are counted from 1, so add 1 to an "
                "index that starts at 0, and the count is that of all jobs, also where one is run again"
            )
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.number}-of-{self.num_jobs}"

    @property
    def option_text(self) -> str:
        """The job as ``--job`` takes it, such as "2/5"."""
        return f"{self.number}/{self.num_jobs}"

    def select_share(self, items: Sequence[T]) -> list[T]:
        """Return this job's share of the items of all jobs."""
        return list(items[self.number - 1 :: self.num_jobs])

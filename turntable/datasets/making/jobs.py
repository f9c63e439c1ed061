"""One run's share of a data set that several machines make: ``--job 2/5`` takes every fifth shard."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from turntable.errors import InvalidInputError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Job:
    """Job ``number`` of ``of``, counted from 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Job":
        """Read ``2/5``.

        Raises:
            InvalidInputError: It is something else.
        """
        match = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise InvalidInputError(
                f"--job {text}: write number/of, counted from 1, such as 2/5 (where 0 is the first: add 1)"
            )
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.number}-of-{self.of}"

    def share(self, items: Sequence[T]) -> list[T]:
        """Its own of all jobs' items."""
        return list(items[self.number - 1 :: self.of])

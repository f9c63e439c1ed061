"""How far a training is, how fast, and how long it still takes."""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TrainProgress:
    """What a run tells its onlooker at every logged step."""

    epoch: int
    epochs: int
    step: int
    """How many are done."""
    steps: int
    """How many there are in all."""
    terms: dict[str, float]
    """The loss and its terms."""
    images_per_second: float
    """Of all ranks, since the last logged step."""
    waiting: float
    """The share of that time in which this rank waited for data, 0 to 1."""
    seconds_left: float | None
    """At the pace so far; None at the end."""


@dataclass(frozen=True, slots=True)
class Lap:
    """What has passed since the lap before."""

    steps_per_second: float
    waiting: float
    """The share of the time that was spent in waiting."""


class Stopwatch:
    """Times the steps of a run, from the one at which it begins or goes on."""

    def __init__(self, step: int) -> None:
        self._first = self._step = step
        self._began = self._moment = time.perf_counter()
        self._waited_s = 0.0

    def waiting_for(self, things: Iterator[T]) -> Generator[T, None, None]:
        """The same things; the time until each is there counts as waiting."""
        while True:
            with self._waiting():
                try:
                    thing = next(things)
                except StopIteration:
                    return
            yield thing

    def lap(self, step: int) -> Lap:
        """Since the last question."""
        now = time.perf_counter()
        seconds = max(now - self._moment, 1e-9)
        lap = Lap((step - self._step) / seconds, min(1.0, self._waited_s / seconds))
        self._step, self._moment, self._waited_s = step, now, 0.0
        return lap

    def seconds_left(self, step: int, steps: int) -> float | None:
        """Until the last of the steps, at the pace of all steps so far."""
        if not self._first < step < steps:
            return None
        return (time.perf_counter() - self._began) / (step - self._first) * (steps - step)

    @contextmanager
    def _waiting(self) -> Generator[None, None, None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self._waited_s += time.perf_counter() - began

"""The progress of a training: its position, its speed and the remaining time."""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TrainProgress:
    """The progress of a run, reported at every logged step."""

    epoch: int
    num_epochs: int
    step: int
    """Number of steps done."""
    num_steps: int
    """Number of steps of the whole run."""
    terms: dict[str, float]
    """The loss and its terms, by name."""
    images_per_second: float
    """Images per second of all ranks together, since the last logged step."""
    wait_fraction: float
    """Fraction of that time in which this rank waited for data, from 0 to 1."""
    seconds_left: float | None
    """Estimate of the remaining time at the average speed; None at the end."""


@dataclass(frozen=True, slots=True)
class Lap:
    """The speed of the steps since the previous lap."""

    steps_per_second: float
    wait_fraction: float
    """Fraction of the time that was spent waiting, from 0 to 1."""


class Stopwatch:
    """A stopwatch for the steps of a run, from the step at which it starts or continues.

    Args:
        step: Number of steps done before.
    """

    def __init__(self, step: int) -> None:
        self._first = self._step = step
        self._began = self._lap_began = time.perf_counter()
        self._waited_s = 0.0

    def iter_timed(self, items: Iterator[T]) -> Generator[T, None, None]:
        """Iterate over items, and count the time until each is available as waiting."""
        while True:
            with self._time_waiting():
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item

    def measure_lap(self, step: int) -> Lap:
        """Return the speed since the previous call, and start a new lap."""
        now = time.perf_counter()
        seconds = max(now - self._lap_began, 1e-9)
        lap = Lap((step - self._step) / seconds, min(1.0, self._waited_s / seconds))
        self._step, self._lap_began, self._waited_s = step, now, 0.0
        return lap

    def estimate_seconds_left(self, step: int, num_steps: int) -> float | None:
        """Estimate the time until the last step, at the average speed of all steps since the start."""
        if not self._first < step < num_steps:
            return None
        return (time.perf_counter() - self._began) / (step - self._first) * (num_steps - step)

    @contextmanager
    def _time_waiting(self) -> Generator[None, None, None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self._waited_s += time.perf_counter() - began

"""How often one asker may ask, and how many may be answered at once."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

MOST_ASKERS = 100_000
"""Remembered; the one that has asked for nothing for longest is forgotten, which gives it a full bucket."""


class Rate:
    """A token bucket for each asker (the leaky bucket as a meter): so many a second, and a burst.

    Args:
        per_second: Requests that come in the long run.
        burst: At once, after a pause.
        clock: Seconds, never back.
    """

    def __init__(
        self, per_second: float, burst: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst = per_second, max(1.0, 2 * per_second if burst is None else burst)
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, asker: str) -> int:
        """Let one request through, or say for how many whole seconds it has to wait; 0: it may."""
        now = self._clock()
        level, since = self._levels.pop(asker, (self._burst, now))
        level = min(self._burst, level + (now - since) * self._rate)
        allowed = level >= 1
        self._levels[asker] = (level - allowed, now)
        if len(self._levels) > MOST_ASKERS:
            self._levels.popitem(last=False)
        return 0 if allowed else max(1, math.ceil((1 - level) / self._rate))


class Gate:
    """So many requests at once, in all and of one asker.

    Args:
        most: In all.
        most_each: Of one asker.
    """

    def __init__(self, most: int, most_each: int) -> None:
        self._most, self._most_each = most, most_each
        self._inside: dict[str, int] = {}
        self.total = 0

    def enter(self, asker: str) -> bool:
        """Whether there is room; who has entered must leave."""
        mine = self._inside.get(asker, 0)
        if self.total >= self._most or mine >= self._most_each:
            return False
        self._inside[asker] = mine + 1
        self.total += 1
        return True

    def leave(self, asker: str) -> None:
        """Make room."""
        self.total -= 1
        if self._inside[asker] == 1:
            del self._inside[asker]
        else:
            self._inside[asker] -= 1

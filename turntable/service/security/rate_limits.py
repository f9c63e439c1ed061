"""Limits of requests per second and of requests at the same time."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

MAX_CLIENTS = 100_000
"""Number of clients that a rate limiter remembers.

The client with the oldest request is forgotten first. It then has a full bucket again, as a new client
has."""


class RateLimiter:
    """A limiter of requests per second, with a token bucket for each client.

    Args:
        per_second: Average number of requests per second.
        burst: Number of requests that may come at once after a pause; by default twice ``per_second``. At
            least 1.
        clock: Function that returns a monotonic time in seconds.
    """

    def __init__(
        self, per_second: float, burst: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second, self._burst = per_second, max(1.0, 2 * per_second if burst is None else burst)
        self._clock = clock
        self._tokens_left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def acquire(self, client_name: str) -> int:
        """Take a token for one request; return 0, or the whole seconds to wait if the bucket is empty."""
        now = self._clock()
        # Popped and put back at the end: so the dictionary is ordered by the time of the last request.
        tokens, since = self._tokens_left.pop(client_name, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._per_second)
        allowed = tokens >= 1
        self._tokens_left[client_name] = (tokens - allowed, now)
        if len(self._tokens_left) > MAX_CLIENTS:
            self._tokens_left.popitem(last=False)
        return 0 if allowed else max(1, math.ceil((1 - tokens) / self._per_second))


class ConcurrencyLimiter:
    """A limiter of requests at the same time, in all and of each client.

    Args:
        max_total: Number of requests in all.
        max_per_client: Number of requests of one client.
    """

    def __init__(self, max_total: int, max_per_client: int) -> None:
        self._max_total, self._max_per_client = max_total, max_per_client
        self._active: dict[str, int] = {}
        self.total = 0

    def acquire(self, client_name: str) -> bool:
        """Return True if one more request of a client may start; ``release`` must follow then."""
        num_active = self._active.get(client_name, 0)
        if self.total >= self._max_total or num_active >= self._max_per_client:
            return False
        self._active[client_name] = num_active + 1
        self.total += 1
        return True

    def release(self, client_name: str) -> None:
        """Count a request of a client as finished."""
        self.total -= 1
        if self._active[client_name] == 1:
            del self._active[client_name]
        else:
            self._active[client_name] -= 1

"""Shards fetched before they are needed, by threads of the trainer's process."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from turntable.loaders.sampling import IntArray

THREADS = 4
"""Fetching at once; a shard is tens of MB, so that more would only share the network."""
AHEAD = 16
"""Shards that are fetched, or wait, before the one in use."""


class Prefetcher:
    """Fetches shards in the order in which an epoch needs them, a bounded number ahead.

    What cannot be fetched is left to whoever needs it, which tries again and says why.

    Args:
        fetch: makes sure that a shard of some number is at hand.
        shards: [S] the shard of each sample, in their order.
        ahead: shards to fetch before they are needed.
    """

    def __init__(self, fetch: Callable[[int], None], shards: IntArray, ahead: int = AHEAD) -> None:
        distinct, first = np.unique(shards, return_index=True)
        order = np.argsort(first)
        self._shards: Sequence[int] = distinct[order].tolist()
        self._first_needed = first[order]
        self._fetch, self._ahead = fetch, ahead
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="prefetch")
        self._futures: list[Future[None]] = []

    def reached(self, position: int) -> None:
        """Tell that the sample at a position is to be loaded now."""
        needed = int(np.searchsorted(self._first_needed, position, side="right"))
        while len(self._futures) < min(needed + self._ahead, len(self._shards)):
            self._futures.append(self._pool.submit(self._fetch, self._shards[len(self._futures)]))

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

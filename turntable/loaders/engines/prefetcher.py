"""Fetching shards before they are needed, in threads of the training process."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from turntable.loaders.sampling import IntArray

NUM_THREADS = 4
"""Number of shards fetched at a time.

A shard has tens of MB, so four downloads fill the network. More would only make each of them slower.
"""
NUM_AHEAD = 16
"""Number of shards that are fetched ahead of the one in use."""


class Prefetcher:
    """Fetches shards in the order in which an epoch needs them, a limited number ahead.

    Errors are ignored here. The reader that needs the shard tries again, and reports the error.

    Args:
        fetch: Function that fetches the shard of a number into the cache.
        shards: [S] number of the shard of each sample, in the order of the samples.
        num_ahead: Number of shards to fetch ahead.
    """

    def __init__(self, fetch: Callable[[int], None], shards: IntArray, num_ahead: int = NUM_AHEAD) -> None:
        distinct, first = np.unique(shards, return_index=True)
        order = np.argsort(first)
        self._shards: Sequence[int] = distinct[order].tolist()
        self._first_needed = first[order]
        self._fetch, self._num_ahead = fetch, num_ahead
        self._pool = ThreadPoolExecutor(NUM_THREADS, thread_name_prefix="prefetch")
        self._futures: list[Future[None]] = []

    def advance_to(self, position: int) -> None:
        """Start fetching the shards that come after the sample at a position."""
        needed = int(np.searchsorted(self._first_needed, position, side="right"))
        while len(self._futures) < min(needed + self._num_ahead, len(self._shards)):
            self._futures.append(self._pool.submit(self._fetch, self._shards[len(self._futures)]))

    def close(self) -> None:
        """Stop: cancel the fetches that have not started. Those that have started end in the background."""
        self._pool.shutdown(wait=False, cancel_futures=True)

"""Queries: the views that match a condition, as a subset that loaders can stream like a data set.

The URL of a subset encodes its condition. So it stays valid when the service is restarted, and on every other
service that serves the same data set.
"""

import asyncio
import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

from turntable.datasets import Manifest
from turntable.datasets.query import ConditionWorker, make_subset_manifest
from turntable.errors import InvalidInputError, TurntableError
from turntable.renderer import LRUCache
from turntable.service.catalog import CatalogEntry
from turntable.service.security import ConcurrencyLimiter

MAX_CACHE_BYTES, MIN_ENTRY_BYTES = 64 << 20, 1 << 20
"""Size of the cache of results, and the least size that one result counts for.

A result is larger in memory than its JSON, above all if the JSON is short."""
NUM_PROCESSES = 2
"""Number of processes that evaluate conditions."""
MAX_WAITING, MAX_WAITING_PER_CLIENT = 64, 4
"""Number of queries that may run or wait at the same time, in all and of one client."""
QUERY_TIMEOUT_S = 5.0
"""Seconds that evaluating a condition may take, by default."""
_Key = tuple[str, tuple[int, int, int], str, tuple[str, ...]]
"""Name and stamp of the data set, condition and splits."""
MAX_CONDITION_LENGTH = 2000
"""Largest number of characters of a condition: the URL of its subset must fit in a request."""


class TooManyQueriesError(TurntableError):
    """A query was refused because too many are running or waiting."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The subset of views that match a condition."""

    manifest: Manifest
    """Manifest of the subset."""
    manifest_json: bytes
    """The same manifest as JSON."""


class QueryService:
    """A service that evaluates conditions over labels, with a cache of the latest results.

    Conditions are evaluated in a few processes, which are killed when a condition takes too long. So neither
    a costly condition nor many of them delay other requests.

    Args:
        timeout_s: Seconds that evaluating a condition may take.
    """

    def __init__(self, timeout_s: float = QUERY_TIMEOUT_S) -> None:
        self._cache = LRUCache[_Key, QueryResult](MAX_CACHE_BYTES)
        self._limiter = ConcurrencyLimiter(MAX_WAITING, MAX_WAITING_PER_CLIENT)
        # As many threads as processes: each thread waits for one process.
        self._threads = ThreadPoolExecutor(NUM_PROCESSES, thread_name_prefix="queries")
        self._idle = SimpleQueue[ConditionWorker]()
        self._workers = tuple(ConditionWorker(timeout_s) for _ in range(NUM_PROCESSES))
        for worker in self._workers:
            self._idle.put(worker)

    async def run_query(
        self, entry: CatalogEntry, condition: str, splits: tuple[str, ...], client_name: str
    ) -> QueryResult:
        """Return the subset of the views that match a condition, from the cache if it is there.

        Args:
            entry: The data set.
            condition: The condition, such as ``floor_hue < 0.5``.
            splits: Names of the splits to search; empty for all.
            client_name: Name of the client, for the limit per client.

        Raises:
            InvalidInputError: The condition is wrong, takes too long, or no view matches it.
            IntegrityError: The table of labels is damaged.
            TooManyQueriesError: Too many queries are running, in all or of this client.
        """
        if len(condition) > MAX_CONDITION_LENGTH:
            raise InvalidInputError(
                f"where: a condition may have at most {MAX_CONDITION_LENGTH} characters, not {len(condition)}"
            )
        # The key has the name and stamp, not the fingerprint: a manifest may claim the fingerprint of another
        # data set.
        key = entry.name, entry.stamp, condition, splits
        cached = self._cache.get(key)
        if cached is not None:
            return cached
        if not self._limiter.acquire(client_name):
            raise TooManyQueriesError("too many queries at once; try again in a second")
        try:
            loop = asyncio.get_running_loop()
            result = await loop.run_in_executor(self._threads, self._run_in_worker, entry, condition, splits)
        finally:
            self._limiter.release(client_name)
        self._cache.put(key, result, max(MIN_ENTRY_BYTES, len(result.manifest_json)))
        return result

    def close(self) -> None:
        """End the threads and processes."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.close()

    def _run_in_worker(self, entry: CatalogEntry, condition: str, splits: tuple[str, ...]) -> QueryResult:
        """Evaluate a condition in an idle process; runs in one of the threads."""
        worker = self._idle.get()
        try:
            manifest = make_subset_manifest(entry.dataset, condition, splits, worker)
        finally:
            self._idle.put(worker)
        return QueryResult(manifest, manifest.to_json().encode("ascii"))


def encode_condition(condition: str, splits: tuple[str, ...]) -> str:
    """Return the part of a subset's URL that encodes its condition and splits."""
    text = json.dumps([condition, *splits], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode("ascii").rstrip("=")


def decode_condition(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the condition and splits that ``encode_condition`` encoded.

    Raises:
        InvalidInputError: The text is not the name of a subset.
    """
    try:
        items = json.loads(base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)))
        if isinstance(items, list) and items and all(isinstance(item, str) for item in items):
            where, *splits = items
            # Base64 and JSON can write the same condition in many ways; only one URL is a subset's.
            if encode_condition(where, tuple(splits)) == name:
                return where, tuple(splits)
    except (ValueError, RecursionError):  # errors of base64 and of lone surrogates are ValueErrors too
        pass
    raise InvalidInputError("this is not the URL of a subset; POST /query returns one")


def compute_etag(data: bytes) -> str:
    """Return the ETag of a response that is generated: the sha256 of its body, in quotes."""
    return f'"{hashlib.sha256(data).hexdigest()}"'

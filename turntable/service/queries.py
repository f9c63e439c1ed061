"""Views by condition: a page of them for people, or a subset that loaders stream as a data set of its own.

A subset's address is its condition, so a service that was started again knows it still, and so does another
one that serves the same data set.
"""

import asyncio
import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

from turntable.datasets import Manifest
from turntable.datasets.query import ConditionWorker, subset_manifest
from turntable.errors import InvalidInputError, TurntableError
from turntable.renderer import Recent
from turntable.service.catalogue import CatalogueEntry
from turntable.service.doors import Gate

MOST_KEPT_BYTES, LEAST_KEPT_BYTES = 64 << 20, 1 << 20
"""The size of all answers that are kept for who asks again; and what each counts for at least."""
PROCESSES = 2
MOST_WAITING, MOST_WAITING_EACH = 64, 4
"""Conditions that are being answered or wait, in all and of one asker."""
SECONDS = 5.0
"""That a condition may take."""
_Key = tuple[str, tuple[int, int, int], str, tuple[str, ...]]
LONGEST_CONDITION = 2000
"""Characters of a condition; its address must fit in a request."""


class TooManyQueriesError(TurntableError):
    """Raised where one more condition is not taken, for too many are being answered."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The views that fulfil a condition."""

    manifest: Manifest
    document: bytes
    """The manifest's JSON."""


class Queries:
    """Answers conditions over labels, and keeps the latest answers.

    In processes that are killed when they take too long, and few at a time: neither a condition nor a crowd
    of them holds up who asks for something else.

    Args:
        seconds: That a condition may take.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._kept = Recent[_Key, Answered](MOST_KEPT_BYTES)
        self._gate = Gate(MOST_WAITING, MOST_WAITING_EACH)
        self._threads = ThreadPoolExecutor(PROCESSES, thread_name_prefix="queries")
        self._idle = SimpleQueue[ConditionWorker]()
        self._workers = tuple(ConditionWorker(seconds) for _ in range(PROCESSES))
        for worker in self._workers:
            self._idle.put(worker)

    async def answer(
        self, entry: CatalogueEntry, where: str, splits: tuple[str, ...], asker: str
    ) -> Answered:
        """Return the manifest of the views that fulfil a condition.

        Args:
            entry: The data set.
            where: The condition.
            splits: Those to choose from; none: all.
            asker: Who asks, for the limits.

        Raises:
            InvalidInputError: It is no condition over these labels, takes too long, or no view fulfils it.
            IntegrityError: The table of labels is damaged.
            TooManyQueriesError: So many are being answered already, or for this asker.
        """
        if len(where) > LONGEST_CONDITION:
            raise InvalidInputError(f"where: {len(where)} characters; at most {LONGEST_CONDITION} are read")
        # By what the owner calls it: a manifest may claim the fingerprint of another data set.
        key = entry.name, entry.stamp, where, splits
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        if not self._gate.enter(asker):
            raise TooManyQueriesError("too many conditions at once; try again in a second")
        try:
            loop = asyncio.get_running_loop()
            made = await loop.run_in_executor(self._threads, self._made, entry, where, splits)
        finally:
            self._gate.leave(asker)
        self._kept.put(key, made, max(LEAST_KEPT_BYTES, len(made.document)))
        return made

    def close(self) -> None:
        """End the processes."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.close()

    def _made(self, entry: CatalogueEntry, where: str, splits: tuple[str, ...]) -> Answered:
        """Ask a process that has nothing else to do; in a thread."""
        worker = self._idle.get()
        try:
            manifest = subset_manifest(entry.dataset, where, splits, worker)
        finally:
            self._idle.put(worker)
        return Answered(manifest, manifest.to_json().encode("ascii"))


def subset_name(where: str, splits: tuple[str, ...]) -> str:
    """The part of an address that stands for a condition."""
    told = json.dumps([where, *splits], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(told.encode()).decode("ascii").rstrip("=")


def condition_of(name: str) -> tuple[str, tuple[str, ...]]:
    """The condition and splits that a part of an address stands for. Raises InvalidInputError."""
    try:
        told = json.loads(base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)))
        if isinstance(told, list) and told and all(isinstance(item, str) for item in told):
            where, *splits = told
            if subset_name(where, tuple(splits)) == name:
                return where, tuple(splits)
    except (ValueError, RecursionError):  # as are those of base64 and of halves of characters
        pass
    raise InvalidInputError("this is the address of no subset; POST /query gives them")


def etag_of(data: bytes) -> str:
    """Of an answer that is made when it is asked for."""
    return f'"{hashlib.sha256(data).hexdigest()}"'

"""Which views of a data set fulfil a condition over their labels, before any shard is opened.

Strangers write conditions, and the tables that they are asked of. So another process looks at both, which may
be killed: nothing that a condition or a table does to it reaches the one that asks.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from turntable.datasets.dataset import Dataset
from turntable.datasets.manifest import Manifest
from turntable.datasets.query.answers import REMEDY, Question
from turntable.datasets.query.conditions import refused
from turntable.datasets.shards import TABLE_NAME
from turntable.datasets.subset import MatchingViews, make_subset
from turntable.errors import IntegrityError, InvalidInputError
from turntable.processes import Worker, WorkerFailedError

MOST_SECONDS = 60.0
MOST_MEMORY_BYTES = 4 << 30
"""Address space of the process; DuckDB holds itself to less."""


class ConditionWorker:
    """Answers conditions in a process of its own, which stays until ``close``. For one thread at a time.

    Args:
        seconds: An answer may take; a process that takes longer is killed.
    """

    def __init__(self, seconds: float = MOST_SECONDS) -> None:
        self._seconds = seconds
        self._worker = Worker("turntable.datasets.query.answers:answerer", memory_bytes=MOST_MEMORY_BYTES)

    def matching(self, dataset: Dataset, splits: Sequence[str], where: str) -> dict[str, MatchingViews]:
        """Return the views that fulfil a condition, by split; there is at least one in all.

        Raises:
            InvalidInputError: It is no such condition, takes too long, or no view fulfils it.
            IntegrityError: The table is missing, damaged, or not of this data set.
            StoreError: The table's place cannot be reached.
            MissingExtraError: DuckDB is not installed.
        """
        manifest = dataset.manifest
        for split in splits:
            if split not in manifest.splits:
                raise InvalidInputError(
                    f"{dataset.place} has no split {split!r}; it has {', '.join(manifest.splits)}"
                )
        with _table(dataset) as table:
            question = Question.of(manifest, where, splits, table, f"{dataset.place}/{TABLE_NAME}")
            try:
                packed: Mapping[str, bytes] = self._worker.ask(question, self._seconds)
            except WorkerFailedError as error:
                raise refused(where, f"it cannot be answered: {error}") from None
        return {split: _unpacked(bits, manifest.views) for split, bits in packed.items()}

    def close(self) -> None:
        """End the process."""
        self._worker.close()


_MOST_TABLE_BYTES, _MOST_ROW_BYTES = 64 << 20, 1 << 10
"""The most of a table that is fetched: in all, and for each view besides."""


def matching_views(dataset: Dataset, split: str, where: str) -> MatchingViews:
    """The views of a split whose labels fulfil a condition.

    Strangers may write it: nothing but the table is read, within bounds of time and memory. Numbers compare
    as float32; nothing is known of a null, so no condition holds for it, and NaN is greater than all else.

    Args:
        dataset: whose ``labels.parquet`` is asked.
        split: its name.
        where: a condition over the factors and the columns of ``table.COLUMNS``, in SQL's words:
            "floor_hue < 0.5 and category in ('chair', 'sofa')".

    Raises:
        InvalidInputError: it is no such condition, no view fulfils it, or there is no such split.
        IntegrityError: the table is missing, damaged, or not of this data set.
        StoreError: the table's place cannot be reached.
        MissingExtraError: DuckDB is not installed.
    """
    with closing(ConditionWorker()) as worker:
        return worker.matching(dataset, (split,), where)[split]


def subset_manifest(
    dataset: Dataset, where: str, splits: Sequence[str] = (), worker: ConditionWorker | None = None
) -> Manifest:
    """The manifest of the views that fulfil a condition; loaders stream it as a data set of its own.

    Args:
        dataset: whose ``labels.parquet`` is asked.
        where: as of :func:`matching_views`.
        splits: those to choose from; none: all.
        worker: asked; None: one that is started for this and ended.

    Raises:
        InvalidInputError: it is no such condition, no view fulfils it, or there is no such split.
        IntegrityError: the table is missing, damaged, or not of this data set.
    """
    if worker is None:
        with closing(ConditionWorker()) as own:
            return subset_manifest(dataset, where, splits, own)
    manifest = dataset.manifest
    found = worker.matching(dataset, tuple(splits) or manifest.splits, where)
    sizes = {split: sum(shard.objects for shard in manifest.shards_of(split)) for split in manifest.splits}
    subset = make_subset(where, manifest.fingerprint, found, sizes, manifest.views)
    return replace(
        manifest,
        splits=tuple(split for split in manifest.splits if len(found.get(split, ()))),
        fingerprint=subset.fingerprint,
        subset=subset,
    )


def _unpacked(bits: bytes, views: int) -> MatchingViews:
    places = np.flatnonzero(np.unpackbits(np.frombuffer(bits, np.uint8)))
    return MatchingViews(*np.divmod(places, views))


@contextmanager
def _table(dataset: Dataset) -> Generator[Path, None, None]:
    """The table's file, which is fetched first where the data set lies elsewhere."""
    manifest = dataset.manifest
    views = manifest.views * sum(shard.objects for shard in manifest.shards)
    with dataset.where.bring(TABLE_NAME, _MOST_TABLE_BYTES + _MOST_ROW_BYTES * views) as path:
        if path is None:
            raise IntegrityError(f"{dataset.place}/{TABLE_NAME}: missing; {REMEDY}")
        yield path

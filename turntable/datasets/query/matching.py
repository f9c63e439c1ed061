"""Selection of the views of a data set whose labels match a condition, before any shard is opened.

Conditions and tables may come from anyone. So another process evaluates them, which can be killed: no
condition and no table can harm the process that asks.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from turntable.datasets.dataset import Dataset
from turntable.datasets.manifest import Manifest
from turntable.datasets.query.conditions import make_condition_error
from turntable.datasets.query.execution import REMEDY, ConditionQuery
from turntable.datasets.shards import LABELS_TABLE_NAME
from turntable.datasets.subset import MatchingViews, make_subset
from turntable.errors import IntegrityError, InvalidInputError
from turntable.processes import IsolatedWorker, WorkerFailedError

MAX_SECONDS = 60.0
MAX_MEMORY_BYTES = 4 << 30
"""Address space of the process. DuckDB limits itself to less."""


class ConditionWorker:
    """A process that evaluates conditions until ``close``. Use it from one thread at a time.

    Args:
        max_seconds: Maximum time of one answer. A process that takes longer is killed.
    """

    def __init__(self, max_seconds: float = MAX_SECONDS) -> None:
        self._seconds = max_seconds
        self._worker = IsolatedWorker(
            "turntable.datasets.query.execution:make_executor", memory_bytes=MAX_MEMORY_BYTES
        )

    def select_matching_views(
        self, dataset: Dataset, splits: Sequence[str], where: str
    ) -> dict[str, MatchingViews]:
        """Return the views that match a condition, by split. There is at least one in all.

        Raises:
            InvalidInputError: The condition is not allowed, takes too long, or no view matches it; or there
                is no such split.
            IntegrityError: The table is missing, damaged, or not that of the data set.
            StoreError: The table cannot be fetched.
            MissingExtraError: DuckDB is not installed.
        """
        manifest = dataset.manifest
        for split in splits:
            if split not in manifest.splits:
                raise InvalidInputError(
                    f"{dataset.path_or_url} has no split {split!r}; it has {', '.join(manifest.splits)}"
                )
        with _open_table(dataset) as table:
            query = ConditionQuery.from_manifest(
                manifest, where, splits, table, f"{dataset.path_or_url}/{LABELS_TABLE_NAME}"
            )
            try:
                packed: Mapping[str, bytes] = self._worker.call(query, self._seconds)
            except WorkerFailedError as error:
                raise make_condition_error(where, f"it cannot be evaluated: {error}") from None
        return {split: _unpack_views(bits, manifest.views) for split, bits in packed.items()}

    def close(self) -> None:
        """End the process."""
        self._worker.close()


def select_matching_views(dataset: Dataset, split: str, where: str) -> MatchingViews:
    """Return the views of a split whose labels match a condition.

    The condition may come from anyone: it can read the table alone, with limited time and memory. Numbers are
    compared as float32. No condition holds for a null, and NaN is greater than all other numbers.

    Args:
        dataset: Data set with a ``labels.parquet``.
        split: Name of the split.
        where: SQL expression over the factors and the other columns of ``labels.parquet``:
            "floor_hue < 0.5 and category in ('chair', 'sofa')".

    Raises:
        InvalidInputError: The condition is not allowed, no view matches it, or there is no such split.
        IntegrityError: The table is missing, damaged, or not that of the data set.
        StoreError: The table cannot be fetched.
        MissingExtraError: DuckDB is not installed.
    """
    with closing(ConditionWorker()) as worker:
        return worker.select_matching_views(dataset, (split,), where)[split]


def make_subset_manifest(
    dataset: Dataset, where: str, splits: Sequence[str] = (), worker: ConditionWorker | None = None
) -> Manifest:
    """Return a manifest of the views that match a condition. Loaders stream it like any data set.

    Args:
        dataset: Data set with a ``labels.parquet``.
        where: Condition, as for :func:`select_matching_views`.
        splits: Names of the splits to choose from; none for all.
        worker: Worker to ask; None starts one for this call.

    Raises:
        InvalidInputError: The condition is not allowed, no view matches it, or there is no such split.
        IntegrityError: The table is missing, damaged, or not that of the data set.
    """
    if worker is None:
        with closing(ConditionWorker()) as new_worker:
            return make_subset_manifest(dataset, where, splits, new_worker)
    manifest = dataset.manifest
    matching = worker.select_matching_views(dataset, tuple(splits) or manifest.splits, where)
    num_objects = {
        split: sum(shard.objects for shard in manifest.select_shards(split)) for split in manifest.splits
    }
    subset = make_subset(where, manifest.fingerprint, matching, num_objects, manifest.views)
    return replace(
        manifest,
        splits=tuple(split for split in manifest.splits if len(matching.get(split, ()))),
        fingerprint=subset.fingerprint,
        subset=subset,
    )


def _unpack_views(bits: bytes, num_views: int) -> MatchingViews:
    positions = np.flatnonzero(np.unpackbits(np.frombuffer(bits, np.uint8)))
    return MatchingViews(*np.divmod(positions, num_views))


@contextmanager
def _open_table(dataset: Dataset) -> Generator[Path, None, None]:
    """Yield the path of the table's file, which is fetched first if the data set is remote."""
    manifest = dataset.manifest
    with dataset.location.open_local_file(LABELS_TABLE_NAME, manifest.max_table_bytes) as path:
        if path is None:
            raise IntegrityError(f"{dataset.path_or_url}/{LABELS_TABLE_NAME}: missing; {REMEDY}")
        yield path

"""Batches of views of a data set, wherever it lies."""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from turntable.choices import check_choice
from turntable.datasets import Dataset, MatchingViews, open_dataset
from turntable.datasets.stores.cache import CacheChoice
from turntable.errors import InvalidInputError
from turntable.loaders.batch_config import BatchConfig, check_config
from turntable.loaders.engines import (
    BatchEngine,
    BatchLoader,
    DataLoaderEngine,
    EngineName,
    Filling,
    HereEngine,
    MadeBatch,
    Order,
    Prefetcher,
    RingEngine,
    Wanted,
)
from turntable.loaders.fields import FieldSource, Named, named_batch, resolve_fields
from turntable.loaders.sampling import (
    IntArray,
    Pairs,
    Samples,
    Selection,
    Sequences,
    chosen_views,
    whole_split,
)

_LOG = logging.getLogger("turntable.loaders")
Window = int | Literal["auto"] | None
REMOTE_WINDOW = 16
"""Shards that are open at once where they must be fetched first."""


class Loader(BatchLoader):
    """Batches of samples of one split: an object and some of its views, with labels by name.

    The order is a pure function of (seed, epoch), divided among ranks and workers by position: any number of
    either gives the same samples. Iterating gives the rest of an epoch and goes on to the next; a state taken
    in its midst (``state_dict``) continues there, also with other ranks, workers or engine.

    A batch has the images, uint8 (``view``; ``view_1`` and ``view_2`` of pairs; ``views`` [B, k, ...] of
    longer samples), the fields asked for, ``category`` and ``object_index`` int64 [B], ``view_index`` int64.
    As tensors images are [..., 3, H, W] in channels-last memory, as numpy arrays [..., H, W, 3]. They may lie
    in memory that workers share, and may be kept.

    Args:
        place: of the data set: a folder, or a URL (https://, s3://, gs://).
        config: what batches are to be.
        engine: "ring" (shared slots, without a copy), or "dataloader" (torch's own workers).
        where: only views whose labels fulfil this: "floor_hue < 0.5 and category in ('chair', 'sofa')".
        window_shards: the order goes through so many shards at a time; None: through all of them at once.
            By default all for a folder, 16 for a URL.
        cache: for shards of a URL: a ShardCache, its folder, None for the usual one, False to keep nothing.
        token: of the URL's server, for its origin alone; by default that of TURNTABLE_TOKEN where
            TURNTABLE_TOKEN_HOST names this origin, or that of ``turntable login``.

    Raises:
        IntegrityError: there is no finished data set.
        InvalidInputError: an argument cannot be right, the data lack a field, or an epoch has not one batch.
        StoreError: the place cannot be reached.
    """

    def __init__(
        self,
        place: str | Path,
        config: BatchConfig = BatchConfig(),
        *,
        engine: EngineName = "ring",
        where: str | None = None,
        window_shards: Window = "auto",
        cache: CacheChoice = None,
        token: str | None = None,
    ) -> None:
        check_choice("engine", engine, get_args(EngineName))
        check_config(config)
        sampler = Pairs() if config.sampler is None else config.sampler
        self.dataset = open_dataset(place, cache=cache, token=token)
        manifest = self.dataset.manifest
        source = FieldSource.of_manifest(manifest, config.image_size)
        selection = _selection(self.dataset, config.split, where, source.sequence_length)
        selection = selection.with_at_least(sampler.views)
        self._filling = Filling(
            self.dataset,
            config.split,
            sampler.views,
            source.image_size_px,
            resolve_fields(config.fields, source, sampler.views, config.quaternion_sign),
            config.augmentation,
            config.seed,
            tolerant=config.max_corrupt_views > 0,
            allowed=None if manifest.subset is None and where is None else selection,
            sequence_length=selection.sequence_length if isinstance(sampler, Sequences) else 0,
        )
        self._lead = self._filling.lead
        self._here = HereEngine(self._filling)
        self._workers, self._engine_name = config.num_workers, engine
        window = _window(window_shards, self.dataset)
        _warn_of_small_cache(self.dataset, config.split, window)
        super().__init__(
            self.dataset.place,
            manifest.fingerprint,
            Order(selection, sampler, config.seed, window, config.split, where),
            config.plan(),
            output=config.output,
            pin_memory=config.pin_memory,
            max_corrupt_views=config.max_corrupt_views,
        )

    def batch_at(self, epoch: int, positions: IntArray) -> dict[str, Any]:
        """The samples at some positions of an epoch, [B] of them, made in this process.

        Raises:
            IntegrityError: one of their views cannot be read, and none may be missing any more.
        """
        made = next(iter(self._here.make([Wanted.at(self.samples(epoch), epoch, positions)])))
        self._count(made.corrupt)
        return self._delivered(self._named(made, len(positions)))

    def _make_engine(self) -> BatchEngine:
        if self._workers == 0:
            return self._here
        if self._engine_name == "dataloader":
            # A forked process cannot use an object store that its parent has used.
            return DataLoaderEngine(self._filling, self._workers, spawn=not self.dataset.is_local)
        return RingEngine(
            "turntable.loaders.engines.filling:ViewFiller",
            {"filling": self._filling},
            self._filling.layout(self._plan.rows),
            self._workers,
            pinned=self._pinned,
        )

    def _named(self, made: MadeBatch, rows: int) -> Named:
        return named_batch(made.arrays, self._lead, self.sampler.naming, rows)

    @contextmanager
    def _ahead_of(self, samples: Samples) -> Generator[Callable[[int], None], None, None]:
        """Fetches shards before they are needed, where they must be fetched."""
        if not self.dataset.is_cached:
            with super()._ahead_of(samples) as nothing:
                yield nothing
            return
        shards = self.dataset.manifest.shards_of(self._filling.split)
        selection = self._order.selection
        of_samples = selection.shards[selection.objects.searchsorted(samples.objects)]
        prefetcher = Prefetcher(lambda number: self.dataset.fetch_shard(shards[number]), of_samples)
        try:
            yield prefetcher.reached
        finally:
            prefetcher.close()


def _window(window_shards: Window, dataset: Dataset) -> int | None:
    if window_shards == "auto":
        return None if dataset.is_local else REMOTE_WINDOW
    if window_shards is not None and window_shards < 1:
        raise InvalidInputError(f"window_shards {window_shards}: must be at least 1, or None for all")
    return window_shards


def _warn_of_small_cache(dataset: Dataset, split: str, window: int | None) -> None:
    sizes = sorted((shard.bytes for shard in dataset.manifest.shards_of(split)), reverse=True)
    needed, room = sum(sizes[:window]), dataset.cache_bytes
    if room is not None and needed > room:
        _LOG.warning(
            "%s: the order goes through %.1f GB of shards at a time, the cache holds %.1f GB: shards will be "
            "fetched again and again; set TURNTABLE_CACHE_GB higher, or give fewer window_shards",
            dataset.place,
            needed / 1e9,
            room / 1e9,
        )


def _selection(dataset: Dataset, split: str, where: str | None, length: int) -> Selection:
    manifest = dataset.manifest
    if split not in manifest.splits:
        raise InvalidInputError(
            f"{dataset.place} has no split {split!r}; it has {', '.join(manifest.splits)}"
        )
    counts = [shard.objects for shard in manifest.shards_of(split)]
    if manifest.subset is None and where is None:
        return whole_split(counts, manifest.views, length)
    found = _found(dataset, split, sum(counts), where)
    return chosen_views(counts, found.rows, found.views, length)


def _found(dataset: Dataset, split: str, objects: int, where: str | None) -> MatchingViews:
    """The views that a condition, the data set's own choice, or both leave."""
    subset, views = dataset.manifest.subset, dataset.manifest.views
    own = None if subset is None else subset.chosen(split, objects, views)
    if where is None:
        assert own is not None
        return own
    from turntable.datasets.query import matching_views

    found = matching_views(dataset, split, where)
    if own is None:
        return found
    both = np.intersect1d(own.rows * views + own.views, found.rows * views + found.views)
    if not len(both):
        raise InvalidInputError(
            f"no view of {split} fulfils both {where!r} and the condition of the subset at {dataset.place}"
        )
    return MatchingViews(*np.divmod(both, views))

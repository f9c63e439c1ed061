"""The loader of stored views: batches from a data set in a folder or behind a URL."""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

from turntable.choices import check_choice
from turntable.datasets import Dataset, Selection, open_dataset
from turntable.datasets.stores.cache import CacheChoice
from turntable.errors import InvalidInputError
from turntable.loaders.argument_checks import check_epoch, check_integer, check_integers, check_type
from turntable.loaders.batch_config import BatchConfig, check_config
from turntable.loaders.engines import (
    BatchEngine,
    BatchLoader,
    BatchSpec,
    DataLoaderEngine,
    EngineName,
    EngineStock,
    InProcessEngine,
    Prefetcher,
    RawBatch,
    SampleOrder,
    SharedMemoryEngine,
)
from turntable.loaders.fields import BatchFields, DataDescription, NamedArrays, name_arrays, resolve_fields
from turntable.loaders.sampling import (
    Fixed,
    IntArray,
    Pairs,
    RelationSampler,
    Sampler,
    Samples,
    Sequences,
    has_several_objects,
)
from turntable.loaders.split_views import select_split_views
from turntable.sizes import format_bytes

_LOG = logging.getLogger("turntable.loaders")
Window = int | Literal["auto"] | None
"""Number of shards in a window; "auto": all for a folder, ``REMOTE_WINDOW`` for a URL; None: all."""
REMOTE_WINDOW = 16
"""Default number of shards in a window of a data set behind a URL, whose shards must be fetched."""


class Loader(BatchLoader):
    """Batches of samples of one split of a data set. A sample is an object and some of its views.

    With the samplers ``Quads`` and ``Edges`` a sample has views of several objects.

    The order of samples is a pure function of (seed, epoch). Samples are divided among ranks and workers by
    position, so their number does not change the order. Each iteration gives the rest of an epoch; the next
    one starts the next epoch. A state taken in the middle of an epoch (``state_dict``) continues there, also
    with another number of ranks or workers, or with another engine.

    A batch has:

    - images, uint8, where the data set has them and ``config.pictures`` is True: ``view``, or ``view_1`` and
      ``view_2`` for pairs, or ``views`` [B, k, ...] for longer samples; tensors are [..., 3, H, W] in
      channels-last memory, numpy arrays are [..., H, W, 3],
    - the fields named in ``config.fields``,
    - parameters of ``config.augmentation``, and crops of the views by ``config.crops``,
    - ``category`` and ``object_index``, int64 [B] (named and shaped as fields of views in samples of several
      objects), and ``view_index``, int64.

    The arrays may lie in memory that is shared with workers. They stay valid for as long as they are kept.

    Args:
        path_or_url: Path or URL (https://, s3://, gs://) of the data set.
        config: Settings of the batches.
        engine: "ring" (workers fill shared memory, no copy) or "dataloader" (a torch DataLoader).
        where: Condition that the labels of a view must meet, such as
            "floor_hue < 0.5 and category in ('chair', 'sofa')"; None: all views.
        window_shards: Number of shards that samples are drawn from at a time; None: all shards at once. By
            default all for a folder, 16 for a URL.
        cache: Cache for the shards of a URL: a ShardCache, the path of its folder, None for the default
            cache, False for no cache.
        token: Token for the URL's server, sent to that origin alone. By default TURNTABLE_TOKEN if
            TURNTABLE_TOKEN_HOST names this origin, otherwise the token saved by ``turntable login``.

    Raises:
        IntegrityError: There is no finished data set.
        InvalidInputError: An argument is wrong, the data lack a field, or an epoch has less than one batch.
        StoreError: The folder or URL cannot be reached.
    """

    def __init__(
        self,
        path_or_url: str | Path,
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
        if where is not None:
            check_type("where", where, str, "give a condition as text, such as 'floor_hue < 0.5'")
        sampler = Pairs() if config.sampler is None else config.sampler
        self.dataset = open_dataset(path_or_url, cache=cache, token=token)
        manifest = self.dataset.manifest
        data = replace(
            DataDescription.from_manifest(manifest, config.image_size, config.clouds, config.graphs),
            positions_noise=float(config.positions_noise),
            noise_seed=config.seed,
        )
        if not (config.pictures and data.has_pictures):
            _check_needs_no_pictures(config)
        selection = select_split_views(
            self.dataset, config.split, config.selection, where, data.sequence_length
        ).with_min_views(_count_views_per_object(sampler))
        if isinstance(sampler, RelationSampler):
            with self.dataset.open_split(config.split) as opened:
                selection = sampler.prepare(selection, opened)
        fields = resolve_fields(config.fields, data, sampler.views, config.quaternion_sign)
        if has_several_objects(sampler):
            _check_fields_of_several(fields)
        is_whole = manifest.subset is None and where is None and config.selection.is_whole
        self._spec = BatchSpec(
            self.dataset,
            config.split,
            sampler.views,
            data.image_size_px,
            fields,
            config.make_draws(manifest.image_size_px, sampler.views),
            replace_corrupt=config.max_corrupt_views > 0,
            allowed_views=None if is_whole else replace(selection, partners=None),
            sequence_length=selection.sequence_length if isinstance(sampler, Sequences) else 0,
            several_objects=has_several_objects(sampler),
            wants_pictures=config.pictures,
        )
        self._leading_axes = self._spec.leading_axes
        self._rows_per_sample = 1
        """Number of rows that a sample has in the arrays of engines."""
        self._item_engines = EngineStock()
        """Engines of ``load_batch``."""
        self._num_workers, self._engine_name = config.num_workers, engine
        window = _resolve_window(window_shards, self.dataset)
        _warn_if_cache_is_small(self.dataset, config.split, window)
        super().__init__(
            self.dataset.path_or_url,
            manifest.fingerprint,
            SampleOrder(
                selection,
                sampler,
                config.seed,
                window,
                config.split,
                _join_conditions(config.selection, where),
            ),
            config.make_plan,
            output=config.output,
            pin_memory=config.pin_memory,
            max_corrupt_views=config.max_corrupt_views,
        )

    def load_batch(self, epoch: int, positions: IntArray) -> dict[str, Any]:
        """Load a batch of chosen samples of an epoch, in this process.

        Args:
            epoch: Number of the epoch, from 0.
            positions: [B] positions of the samples in the epoch.

        Raises:
            IntegrityError: More views are unreadable than ``max_corrupt_views`` allows.
            InvalidInputError: An argument is no whole number.
        """
        epoch, positions = check_epoch(epoch), check_integers("positions", positions, 1)
        request = self._make_request(self.get_samples(epoch), epoch, positions)
        with self._item_engines.lend(self._make_in_process_engine) as engine:
            (raw,) = engine.make_batches([request])
        return self._complete_batch(raw, len(positions))

    def close(self) -> None:
        """End all workers and close all files. An iteration, also one begun before, opens them again."""
        super().close()
        self._item_engines.close()

    def _make_in_process_engine(self) -> BatchEngine:
        return InProcessEngine(self._spec)

    def _make_engine(self) -> BatchEngine:
        if self._num_workers == 0:
            return self._make_in_process_engine()
        if self._engine_name == "dataloader":
            # Clients of object stores have threads and locks that do not survive a fork: spawn for URLs.
            return DataLoaderEngine(self._spec, self._num_workers, spawn=not self.dataset.is_local)
        return SharedMemoryEngine(
            "turntable.loaders.engines.view_filler:ViewFiller",
            {"spec": self._spec},
            self._spec.make_layout(self._plan.rank_batch_size * self._rows_per_sample),
            self._num_workers,
            pinned=self._pin_memory,
        )

    def _name_arrays(self, raw: RawBatch, num_rows: int) -> NamedArrays:
        return name_arrays(raw.arrays, self._leading_axes, self.view_sampler.naming, num_rows)

    @contextmanager
    def _prefetch_samples(self, samples: Samples) -> Generator[Callable[[int], None], None, None]:
        """Fetch shards into the cache before they are needed; without a cache, do nothing."""
        if not self.dataset.is_cached:
            with super()._prefetch_samples(samples) as advance_to:
                yield advance_to
            return
        shards = self.dataset.manifest.select_shards(self._spec.split)
        selection = self._order.selection
        # The objects of a selection are sorted, so a binary search finds the place of each sample's object.
        view_shards = selection.shards[selection.objects.searchsorted(samples.objects)]
        per_sample = view_shards[0].size  # one shard for a sample, or one for each of its views
        prefetcher = Prefetcher(lambda number: self.dataset.fetch_shard(shards[number]), view_shards.ravel())
        try:
            yield lambda position: prefetcher.advance_to((position + 1) * per_sample - 1)
        finally:
            prefetcher.close()


def _count_views_per_object(sampler: Sampler) -> int:
    """Return the least number of views that an object must have to be in a sample."""
    if isinstance(sampler, RelationSampler):
        return sampler.views_per_object
    return 1 if isinstance(sampler, Fixed) and has_several_objects(sampler) else sampler.views


def _check_fields_of_several(fields: BatchFields) -> None:
    """Check that samples of several objects can have some fields.

    Raises:
        InvalidInputError: A field belongs to one object that all views of a sample show.
    """
    if wrong := [item.name for item in fields.computed if item.of_one_object]:
        raise InvalidInputError(
            f"fields {', '.join(wrong)}: they belong to one object, and these samples show several; use "
            "Sequences, Tuples or Pairs"
        )


def _check_needs_no_pictures(config: BatchConfig) -> None:
    """Check that nothing changes pictures, or is cut out of them.

    Raises:
        InvalidInputError: Something is.
    """
    uses = {
        "the augmentation changes pictures": config.augmentation,
        "the crops are cut out of pictures": config.crops,
    }
    if wrong := [text for text, value in uses.items() if value]:
        lacking = (
            "this data set has none; leave it out, or render with --outputs rgb"
            if config.pictures
            else "pictures=False leaves them out"
        )
        raise InvalidInputError(f"{wrong[0]}, and {lacking}")


def _join_conditions(selection: Selection, where: str | None) -> str | None:
    """Return all that decides which views are taken, as text; None for all views."""
    return " and ".join(filter(None, (str(selection), where))) or None


def _resolve_window(window_shards: Window, dataset: Dataset) -> int | None:
    if window_shards == "auto":
        return None if dataset.is_local else REMOTE_WINDOW
    if window_shards is None:
        return None
    return check_integer("window_shards", window_shards, 1, ", or None for all")


def _warn_if_cache_is_small(dataset: Dataset, split: str, window: int | None) -> None:
    """Log a warning if the cache cannot hold the largest window of shards."""
    sizes = sorted((shard.bytes for shard in dataset.manifest.select_shards(split)), reverse=True)
    needed, capacity = sum(sizes[:window]), dataset.max_cache_bytes
    if capacity is not None and needed > capacity:
        _LOG.warning(
            "%s: samples are drawn from %s of shards at a time, but the cache holds %s, so shards "
            "will be fetched again and again; set TURNTABLE_CACHE_GB higher, or give fewer window_shards",
            dataset.path_or_url,
            format_bytes(needed),
            format_bytes(capacity),
        )

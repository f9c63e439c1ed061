"""Storage of a data set's shards: a folder, a store with a cache on this node, or a store without a cache.

Each storage is a frozen value without open files: cheap to make and to pickle.
"""

import fcntl
import hashlib
import os
import resource
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from turntable.datasets.files import FolderFiles
from turntable.datasets.shards.index import ShardIndex, compute_max_index_bytes, decode_index, map_index
from turntable.datasets.shards.reader import ShardReader, make_index_name, make_shard_name
from turntable.datasets.shards.tar import SHARD_REMEDY
from turntable.datasets.shards.writer import ShardRecord
from turntable.datasets.stores import Store, download_to_temporary_file, make_too_long_error
from turntable.datasets.stores.cache import ShardCache, is_writable_by_others
from turntable.errors import IntegrityError, StoreError

MAX_CACHED_OPEN = 64
"""Number of a cache's shards that a reader keeps open at once. The cache cannot evict an open shard."""
_MAX_OPEN_SHARE = 4
"""Fraction of the cache, as 1 / this number, that the open shards may fill."""


class ShardStorage(Protocol):
    """The place that holds a data set's files: a folder, a store, or a store behind a cache."""

    @property
    def name(self) -> str:
        """The storage's path or URL for messages, without secrets."""
        ...

    def compute_max_open_shards(self, shards: tuple[ShardRecord, ...]) -> int | None:
        """Return the number of shards that a reader should keep open at once, or None for all of them.

        Args:
            shards: The shards that will be read.
        """
        ...

    def open_local_file(self, name: str, max_bytes: int) -> AbstractContextManager[Path | None]:
        """Provide a local path of a file that is not a shard, for the duration of the block.

        A file in a store is downloaded first. The path is None if the file is missing.

        Args:
            name: Name of the file in the data set.
            max_bytes: Largest size that is downloaded.

        Raises:
            StoreError: The storage does not give the file, or the file is longer than ``max_bytes``.
        """
        ...

    def open_shard(self, shard: ShardRecord) -> ShardReader:
        """Open a shard whose index is the one that the manifest names.

        Raises:
            IntegrityError: The shard or its index is missing, or is not what was written.
            StoreError: The storage does not give it.
        """
        ...

    def fetch_shard(self, shard: ShardRecord) -> None:
        """Make sure that a shard can be opened without waiting for a network, if the storage can keep it."""
        ...

    def invalidate_shard(self, shard: ShardRecord) -> bool:
        """Drop the cached copy of a damaged shard, and return True if the shard can be read anew."""
        ...

    def check_shards(self, shards: tuple[ShardRecord, ...]) -> None:
        """Raise an error for faults of the shards that can be found without reading them."""
        ...


@dataclass(frozen=True, slots=True)
class FolderStorage:
    """A data set in a folder of this machine."""

    files: FolderFiles

    @property
    def name(self) -> str:
        """The folder's name in messages."""
        return self.files.display_name

    def compute_max_open_shards(self, shards: tuple[ShardRecord, ...]) -> None:
        """Return None: all shards may stay open."""

    @contextmanager
    def open_local_file(self, name: str, max_bytes: int) -> Generator[Path | None, None, None]:
        """Provide the path of a file in the folder, however long the file is."""
        del max_bytes
        yield self.files.find(name)

    def open_shard(self, shard: ShardRecord) -> ShardReader:
        """Open a shard of the folder."""
        return ShardReader.from_folder(self.files, shard)

    def fetch_shard(self, shard: ShardRecord) -> None:
        """Do nothing: the shard is already here."""

    def invalidate_shard(self, shard: ShardRecord) -> bool:
        """Return False: there is no other copy."""
        del shard
        return False

    def check_shards(self, shards: tuple[ShardRecord, ...]) -> None:
        """Check that all shards exist with the sizes in the manifest, and raise the limit of open files."""
        _raise_open_file_limit(3 * len(shards))
        for shard in shards:
            tar = make_shard_name(shard)
            sizes = {name: self.files.get_size(name) for name in (tar, make_index_name(tar))}
            for name, size in sizes.items():
                if size is None:
                    raise IntegrityError(f"{self.files.format_name(name)}: missing; {SHARD_REMEDY}")
            if sizes[tar] != shard.bytes:
                raise IntegrityError(
                    f"{self.files.format_name(tar)}: {sizes[tar]} bytes, manifest.json says {shard.bytes}: "
                    f"cut or edited; {SHARD_REMEDY}"
                )


@dataclass(frozen=True, slots=True)
class IndexSizeLimit:
    """An upper bound on the size of a data set's indices, computed from what its manifest states."""

    num_views: int
    num_labels: int
    num_outputs: int

    def compute_max_bytes(self, shard: ShardRecord) -> int:
        """Return an upper bound on the bytes of a shard's index."""
        return compute_max_index_bytes(shard.objects, self.num_views, self.num_labels, self.num_outputs)


@dataclass(frozen=True, slots=True)
class _StoreStorage:
    """The common part of storages in a store."""

    store: Store
    index_size_limit: IndexSizeLimit

    @property
    def name(self) -> str:
        """The store's URL."""
        return self.store.url

    @contextmanager
    def open_local_file(self, name: str, max_bytes: int) -> Generator[Path | None, None, None]:
        """Download a file of the store to a temporary file and provide its path."""
        file = download_to_temporary_file(self.store, name, max_bytes)
        if file is None:
            yield None
            return
        with file:
            yield Path(file.name)

    def check_shards(self, shards: tuple[ShardRecord, ...]) -> None:
        """Do nothing: every check would need a request."""


@dataclass(frozen=True, slots=True)
class CachedStorage(_StoreStorage):
    """A data set in a store, of which whole shards are kept in a cache on this node."""

    cache: ShardCache

    def compute_max_open_shards(self, shards: tuple[ShardRecord, ...]) -> int:
        """Return a number of shards that leaves most of the cache for other readers."""
        largest = max(1, max((shard.bytes for shard in shards), default=1))
        return max(1, min(MAX_CACHED_OPEN, self.cache.max_bytes // (_MAX_OPEN_SHARE * largest)))

    def open_shard(self, shard: ShardRecord) -> ShardReader:
        """Open a shard. Its index is fetched now if needed, its views when the first one is read."""
        name = make_shard_name(shard)

        def open_descriptor() -> int:
            return self.cache.open_file(self.store, name, shard.bytes, shard.sha256)

        return ShardReader.from_parts(
            f"{self.name}/{name}", self._open_index_with_retry(shard), open_descriptor, shard.bytes
        )

    def fetch_shard(self, shard: ShardRecord) -> None:
        """Fetch a shard and its index."""
        self._open_index_with_retry(shard)
        self.cache.fetch_file(self.store, make_shard_name(shard), shard.bytes, shard.sha256)

    def invalidate_shard(self, shard: ShardRecord) -> bool:
        """Discard what changed of a shard in the cache and return True: it will be fetched again.

        Another process may already have discarded it.
        """
        for digest in (shard.sha256, shard.idx_sha256):
            self.cache.discard_if_changed(digest)
        return True

    def _open_index_with_retry(self, shard: ShardRecord) -> ShardIndex:
        """Return the index of a shard. An index that changed in the cache is fetched again once."""
        try:
            return self._open_index(shard)
        except IntegrityError:
            if not self.cache.discard_if_changed(shard.idx_sha256):
                raise
        return self._open_index(shard)

    def _open_index(self, shard: ShardRecord) -> ShardIndex:
        name = make_index_name(make_shard_name(shard))
        descriptor = self.cache.open_if_cached(shard.idx_sha256)
        if descriptor is None:
            size = self.store.get_size(name)
            if size is None:
                raise IntegrityError(f"{self.name}/{name}: missing; {SHARD_REMEDY}")
            if size > self.index_size_limit.compute_max_bytes(shard):
                raise make_too_long_error(
                    f"{self.name}/{name}", self.index_size_limit.compute_max_bytes(shard)
                )
            descriptor = self.cache.open_file(self.store, name, size, shard.idx_sha256)
        with os.fdopen(descriptor, "rb") as file:
            # A memory map would hold the lock as long as it lives. The lock is not needed: a mapped file can
            # still be read after the cache has evicted it.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            if is_writable_by_others(os.fstat(descriptor)):
                return _copy_index(file, shard.idx_sha256, f"{self.name}/{name}")
            return map_index(file, f"{self.name}/{name}")


@dataclass(frozen=True, slots=True)
class StreamedStorage(_StoreStorage):
    """A data set in a store of which nothing is kept: every view is a request."""

    def compute_max_open_shards(self, shards: tuple[ShardRecord, ...]) -> None:
        """Return None: all shards may stay open."""

    def open_shard(self, shard: ShardRecord) -> ShardReader:
        """Open a shard. Its index is fetched as a whole."""
        max_bytes = self.index_size_limit.compute_max_bytes(shard)
        return ShardReader(make_shard_name(shard), self.store, shard.idx_sha256, max_bytes)

    def fetch_shard(self, shard: ShardRecord) -> None:
        """Do nothing: nothing is kept."""

    def invalidate_shard(self, shard: ShardRecord) -> bool:
        """Return True: the next request may get other bytes."""
        del shard
        return True


def _copy_index(file: BinaryIO, sha256: str, display_name: str) -> ShardIndex:
    """Return an index from a copy of its bytes, for a file that other users may write.

    A memory map of it could change after the digest was checked, and a file cut short would crash the
    process.
    """
    data = file.read()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise IntegrityError(f"{display_name}: changed in the cache while it was read; open it again")
    return decode_index(data, display_name)


def _raise_open_file_limit(num_files: int) -> None:
    """Raise this process's limit of open files, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = num_files + 256  # some for everything else that the process has open
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise StoreError(
            f"{num_files} files must be open at once, but the system allows {hard}; raise the limit "
            "(ulimit -Hn), or make the data set with more objects_per_shard"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))

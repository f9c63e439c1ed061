"""Where a data set's shards lie: in a folder, in a store with a cache on this node, or in a store alone.

Each is a frozen value, cheap to make and to pickle, that holds no open file.
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
from turntable.datasets.shards.index import ShardIndex, map_index, most_index_bytes, parse_index
from turntable.datasets.shards.reader import ShardReader, index_name, shard_name
from turntable.datasets.shards.tar import REMEDY
from turntable.datasets.shards.writer import ShardRecord
from turntable.datasets.stores import Store, spool, too_long
from turntable.datasets.stores.cache import ShardCache, others_may_write
from turntable.errors import IntegrityError, StoreError

MOST_CACHED_OPEN = 64
"""Shards of a cache that a reader keeps open at once; what is open cannot be let go."""
_OPEN_SHARE = 4
"""They take no more than this part of the cache."""


class ShardPlace(Protocol):
    """A place that holds a data set's shards and other files: a folder, a store, or a cache before one."""

    @property
    def name(self) -> str:
        """For messages: a path, or a URL without secrets."""
        ...

    def most_open(self, shards: tuple[ShardRecord, ...]) -> int | None:
        """Of these shards, how many a reader should keep open at once; None: all."""
        ...

    def bring(self, name: str, most_bytes: int) -> AbstractContextManager[Path | None]:
        """The path of a file that is no shard, for a while: fetched first if need be; None: there is none.

        Args:
            name: of the file.
            most_bytes: that are fetched of it.

        Raises:
            StoreError: the place does not give it, or it is longer than that.
        """
        ...

    def open(self, shard: ShardRecord) -> ShardReader:
        """Open a shard, whose index must be the one that the manifest names.

        Raises:
            IntegrityError: it is missing, or not what was written.
            StoreError: the place does not give it.
        """
        ...

    def fetch(self, shard: ShardRecord) -> None:
        """Make sure that it can be opened without waiting for a network, where there is anything to do."""
        ...

    def renew(self, shard: ShardRecord) -> bool:
        """Whether a shard of which a view is not what was written can be had anew."""
        ...

    def check(self, shards: tuple[ShardRecord, ...]) -> None:
        """Complain early about what can be seen at a glance."""
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """A data set in a folder of this machine."""

    files: FolderFiles

    @property
    def name(self) -> str:
        """The folder's name in messages."""
        return self.files.label

    def most_open(self, shards: tuple[ShardRecord, ...]) -> None:
        """All."""

    @contextmanager
    def bring(self, name: str, most_bytes: int) -> Generator[Path | None, None, None]:
        """A file of the folder, however long it is."""
        del most_bytes
        yield self.files.find(name)

    def open(self, shard: ShardRecord) -> ShardReader:
        """Open a shard of the folder."""
        return ShardReader.of_folder(self.files, shard)

    def fetch(self, shard: ShardRecord) -> None:
        """Nothing: it is here."""

    def renew(self, shard: ShardRecord) -> bool:
        """No: there is no other."""
        del shard
        return False

    def check(self, shards: tuple[ShardRecord, ...]) -> None:
        """All shards must be there, and as long as the manifest says."""
        _allow_open_files(3 * len(shards))
        for shard in shards:
            tar = shard_name(shard)
            sizes = {name: self.files.size(name) for name in (tar, index_name(tar))}
            for name, size in sizes.items():
                if size is None:
                    raise IntegrityError(f"{self.files.name_of(name)}: missing; {REMEDY}")
            if sizes[tar] != shard.bytes:
                raise IntegrityError(
                    f"{self.files.name_of(tar)}: {sizes[tar]} bytes, manifest.json says {shard.bytes}: cut "
                    f"or edited; {REMEDY}"
                )


@dataclass(frozen=True, slots=True)
class IndexSize:
    """The length that indices of a data set can have, by what its manifest says."""

    views: int
    labels: int
    outputs: int

    def most_bytes(self, shard: ShardRecord) -> int:
        """Return the most bytes that a shard's index can have."""
        return most_index_bytes(shard.objects, self.views, self.labels, self.outputs)


@dataclass(frozen=True, slots=True)
class _InStore:
    """What data sets in a store have in common."""

    store: Store
    indices: IndexSize

    @property
    def name(self) -> str:
        """The store's URL."""
        return self.store.url

    @contextmanager
    def bring(self, name: str, most_bytes: int) -> Generator[Path | None, None, None]:
        """Bring a file of the store into a temporary one."""
        file = spool(self.store, name, most_bytes)
        if file is None:
            yield None
            return
        with file:
            yield Path(file.name)

    def check(self, shards: tuple[ShardRecord, ...]) -> None:
        """Nothing is to be seen without a request."""


@dataclass(frozen=True, slots=True)
class Cached(_InStore):
    """A data set in a store, of which whole shards are kept on this node."""

    cache: ShardCache

    def most_open(self, shards: tuple[ShardRecord, ...]) -> int:
        """As many as leave room for others."""
        largest = max(1, max((shard.bytes for shard in shards), default=1))
        return max(1, min(MOST_CACHED_OPEN, self.cache.max_bytes // (_OPEN_SHARE * largest)))

    def open(self, shard: ShardRecord) -> ShardReader:
        """Open a shard, of which the index is fetched if need be, and the rest when it is first read."""
        name = shard_name(shard)

        def opened() -> int:
            return self.cache.opened(self.store, name, shard.bytes, shard.sha256)

        return ShardReader.of_parts(f"{self.name}/{name}", self._index(shard), opened, shard.bytes)

    def fetch(self, shard: ShardRecord) -> None:
        """Fetch a shard and its index."""
        self._index(shard)
        self.cache.file(self.store, shard_name(shard), shard.bytes, shard.sha256)

    def renew(self, shard: ShardRecord) -> bool:
        """Yes: what has changed on this node is thrown away. Another process may have done so before."""
        for digest in (shard.sha256, shard.idx_sha256):
            self.cache.discard_altered(digest)
        return True

    def _index(self, shard: ShardRecord) -> ShardIndex:
        """An index, which is had anew if it cannot be read since it is not any more what was hashed."""
        try:
            return self._open_index(shard)
        except IntegrityError:
            if not self.cache.discard_altered(shard.idx_sha256):
                raise
        return self._open_index(shard)

    def _open_index(self, shard: ShardRecord) -> ShardIndex:
        name = index_name(shard_name(shard))
        descriptor = self.cache.opened_if_kept(shard.idx_sha256)
        if descriptor is None:
            size = self.store.size(name)
            if size is None:
                raise IntegrityError(f"{self.name}/{name}: missing; {REMEDY}")
            if size > self.indices.most_bytes(shard):
                raise too_long(f"{self.name}/{name}", self.indices.most_bytes(shard))
            descriptor = self.cache.opened(self.store, name, size, shard.idx_sha256)
        with os.fdopen(descriptor, "rb") as file:
            # Its map would hold the lock as long as it lives, and can be read when the file is let go.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            if others_may_write(os.fstat(descriptor)):
                return _copied_index(file, shard.idx_sha256, f"{self.name}/{name}")
            return map_index(file, f"{self.name}/{name}")


@dataclass(frozen=True, slots=True)
class Streamed(_InStore):
    """A data set in a store, of which nothing is kept: every view is a request."""

    def most_open(self, shards: tuple[ShardRecord, ...]) -> None:
        """All."""

    def open(self, shard: ShardRecord) -> ShardReader:
        """Open a shard; its index comes whole."""
        most_bytes = self.indices.most_bytes(shard)
        return ShardReader(shard_name(shard), self.store, shard.idx_sha256, most_bytes)

    def fetch(self, shard: ShardRecord) -> None:
        """Nothing: there is no place for it."""

    def renew(self, shard: ShardRecord) -> bool:
        """Yes: what came may be another file's next time."""
        del shard
        return True


def _copied_index(file: BinaryIO, sha256: str, where: str) -> ShardIndex:
    """An index that others may change: mapped, it would change after it was hashed, or end this process."""
    data = file.read()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise IntegrityError(f"{where}: changed in the cache while it was read; open it again")
    return parse_index(data, where)


def _allow_open_files(wanted: int) -> None:
    """Raise this process's own limit of open files towards what the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + 256
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise StoreError(
            f"{wanted} files are to be open at once, the system allows {hard}; raise it (ulimit -Hn), or "
            "make the data set with more objects_per_shard"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))

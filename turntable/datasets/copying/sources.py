"""The places that a data set is copied from: a folder, or a store that is read over a network.

Each knows all files of its data set with their digests, and sends a file only after it was compared with its
digest. The manifest is not among the files: it goes last.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Protocol

from turntable.datasets.dataset import Dataset, fetch_manifest
from turntable.datasets.describing import (
    CROISSANT_NAME,
    DESCRIPTION_FILES,
    MAX_DESCRIPTION_BYTES,
    parse_croissant_digests,
)
from turntable.datasets.manifest import MANIFEST_NAME, Manifest, decode_manifest
from turntable.datasets.shards import (
    LABELS_TABLE_NAME,
    ShardRecord,
    make_index_name,
    make_shard_name,
)
from turntable.datasets.stores import LocalStore, Store, make_too_long_error
from turntable.datasets.stores.cache import fetch_to_path
from turntable.errors import IntegrityError

NUM_PARALLEL_REQUESTS = 16
"""Number of requests at once for what takes one short request a file."""

Watcher = Callable[[int], object]
"""A function that is called with the number of bytes of the current file that have arrived."""


@dataclass(frozen=True, slots=True)
class DatasetFile:
    """A file of a data set, as it must arrive."""

    name: str
    num_bytes: int
    sha256: str
    content: bytes | None = field(default=None, repr=False)
    """The bytes of a small file that were read already; None if the file is still to be read."""


class CopySource(Protocol):
    """A place that a data set is copied from."""

    @property
    def place(self) -> str:
        """The source's path or URL, for messages."""
        ...

    @property
    def manifest(self) -> Manifest:
        """The data set's manifest."""
        ...

    def describe_manifest(self) -> DatasetFile:
        """Return the manifest's file as it is now, with its content."""
        ...

    def list_files(self) -> list[DatasetFile]:
        """Return all files that readers need, except the manifest.

        Raises:
            IntegrityError: One of them is missing.
        """
        ...

    def send(self, file: DatasetFile, target: Store, watch: Watcher) -> None:
        """Send a file to a store, which has it only if its digest is right.

        Raises:
            IntegrityError: The file is not what was written.
            StoreError: It cannot be read or written.
        """
        ...


@dataclass(frozen=True, slots=True)
class FolderCopySource:
    """A data set in a folder of this machine."""

    dataset: Dataset

    @property
    def place(self) -> str:
        """The folder's path."""
        return self.dataset.path_or_url

    @property
    def manifest(self) -> Manifest:
        """The data set's manifest."""
        return self.dataset.manifest

    def describe_manifest(self) -> DatasetFile:
        """Return the manifest's file, read again."""
        with self._open(MANIFEST_NAME) as file:
            return _describe_content(MANIFEST_NAME, file.read())

    def list_files(self) -> list[DatasetFile]:
        """Return all files; those beside the shards are hashed for it."""
        return [*self._iter_shard_files(), *self._iter_descriptions()]

    def send(self, file: DatasetFile, target: Store, watch: Watcher) -> None:
        """Send a file, which is hashed first."""
        with self.open_checked(file) as opened:
            target.upload(file.name, self.dataset.files.get_open_path(opened, file.name), file.sha256)
        watch(file.num_bytes)

    @contextmanager
    def open_checked(self, file: DatasetFile) -> Generator[BufferedReader, None, None]:
        """Open a file and compare it with its digest.

        Use the open file from then on: another file may take its name after the comparison.

        Raises:
            IntegrityError: The file is missing, or not what was written.
        """
        with self._open(file.name) as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() != file.sha256:
                raise IntegrityError(
                    f"{self.dataset.files.format_name(file.name)}: not what was written; run turntable "
                    f"verify {self.place} before you publish or copy it"
                )
            opened.seek(0)
            yield opened

    def _iter_shard_files(self) -> Iterator[DatasetFile]:
        for name, digest in iter_shard_files(self.manifest):
            size = self.dataset.files.get_size(name)
            if size is None:
                raise self._make_missing_error(name)
            yield DatasetFile(name, size, digest)

    def _iter_descriptions(self) -> Iterator[DatasetFile]:
        for name in _DESCRIPTIONS:
            opened = self.dataset.files.open(name)
            if opened is not None:
                with opened:
                    digest = hashlib.file_digest(opened, "sha256").hexdigest()
                    yield DatasetFile(name, os.fstat(opened.fileno()).st_size, digest)

    def _open(self, name: str) -> BufferedReader:
        opened = self.dataset.files.open(name)
        if opened is None:
            raise self._make_missing_error(name)
        return opened

    def _make_missing_error(self, name: str) -> IntegrityError:
        return IntegrityError(
            f"{self.dataset.files.format_name(name)}: missing; run turntable verify {self.place}"
        )


@dataclass(frozen=True, slots=True)
class StoreCopySource:
    """A data set in a store: on a web server, in a bucket, or in a user's own store."""

    store: Store
    manifest: Manifest

    @classmethod
    def from_store(cls, store: Store) -> "StoreCopySource":
        """Return the data set of a store.

        Raises:
            IntegrityError: There is no manifest, or it cannot be read.
            StoreError: The store cannot be reached.
        """
        return cls(store, decode_manifest(fetch_manifest(store), f"{store.url}/{MANIFEST_NAME}"))

    @property
    def place(self) -> str:
        """The store's URL."""
        return self.store.url

    def describe_manifest(self) -> DatasetFile:
        """Return the manifest's file, fetched again."""
        return _describe_content(MANIFEST_NAME, fetch_manifest(self.store))

    def list_files(self) -> list[DatasetFile]:
        """Return all files. Their sizes are asked for, and the small ones beside the shards are read."""
        descriptions = list(self._iter_descriptions())
        with ThreadPoolExecutor(NUM_PARALLEL_REQUESTS) as pool:
            shards = list(pool.map(self._list_shard, self.manifest.shards))
        return [*(file for files in shards for file in files), *self._find_table(descriptions), *descriptions]

    def send(self, file: DatasetFile, target: Store, watch: Watcher) -> None:
        """Fetch a file and send it on. Into a folder it is fetched directly, and resumed if it broke off."""
        if file.content is not None:
            target.write(file.name, file.content)
        elif isinstance(target, LocalStore):
            self._fetch(file, target.folder / file.name, watch)
        else:
            with tempfile.TemporaryDirectory(prefix="turntable-copy-") as folder:
                path = Path(folder) / "file"
                self._fetch(file, path, watch)
                target.upload(file.name, path, file.sha256)
        watch(file.num_bytes)

    def _fetch(self, file: DatasetFile, path: Path, watch: Watcher) -> None:
        fetch_to_path(self.store, file.name, path, file.num_bytes, file.sha256, watch)

    def _list_shard(self, shard: ShardRecord) -> tuple[DatasetFile, DatasetFile]:
        tar = make_shard_name(shard)
        index, max_bytes = make_index_name(tar), self.manifest.index_size_limit.compute_max_bytes(shard)
        size = self.store.get_size(index)
        if size is None:
            raise IntegrityError(f"{self.place}/{index}: missing; ask the owner of the data set to verify it")
        if size > max_bytes:
            raise make_too_long_error(f"{self.place}/{index}", max_bytes)
        return DatasetFile(tar, shard.bytes, shard.sha256), DatasetFile(index, size, shard.idx_sha256)

    def _iter_descriptions(self) -> Iterator[DatasetFile]:
        for name in _DESCRIPTIONS:
            data = None if name == LABELS_TABLE_NAME else self.store.read(name, MAX_DESCRIPTION_BYTES)
            if data is not None:
                yield _describe_content(name, data)

    def _find_table(self, descriptions: list[DatasetFile]) -> Iterator[DatasetFile]:
        """Yield the table of labels if there is one. Its digest is the one that the Croissant file states."""
        size = self.store.get_size(LABELS_TABLE_NAME)
        if size is None:
            return
        if size > self.manifest.max_table_bytes:
            raise make_too_long_error(f"{self.place}/{LABELS_TABLE_NAME}", self.manifest.max_table_bytes)
        digest = _find_stated_digest(descriptions) or self.store.get_sha256(LABELS_TABLE_NAME)
        yield DatasetFile(LABELS_TABLE_NAME, size, digest or "")


_DESCRIPTIONS = tuple(name for name in DESCRIPTION_FILES if name != MANIFEST_NAME)


def iter_shard_files(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield the names of all shards and indices, with their hex digests."""
    for shard in manifest.shards:
        tar = make_shard_name(shard)
        yield tar, shard.sha256
        yield make_index_name(tar), shard.idx_sha256


def _describe_content(name: str, data: bytes) -> DatasetFile:
    return DatasetFile(name, len(data), hashlib.sha256(data).hexdigest(), data)


def _find_stated_digest(descriptions: list[DatasetFile]) -> str | None:
    """Return the digest of the table that the Croissant file states, or None if it states none."""
    for file in descriptions:
        if file.name == CROISSANT_NAME and file.content is not None:
            try:
                digests: Mapping[str, str] = parse_croissant_digests(file.content)
            except ValueError:
                return None
            return digests.get(LABELS_TABLE_NAME)
    return None

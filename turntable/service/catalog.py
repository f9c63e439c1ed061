"""The catalog: the data sets of a service, and the files of each that may be downloaded.

Only files that a manifest lists are offered. Data sets may appear, change or disappear while the service
runs: every request checks the manifest with one ``stat``, and the data set is opened again if its manifest
was replaced.
"""

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import MANIFEST_NAME, Dataset, ObjectRecord, Split, open_local_dataset
from turntable.datasets.describing import DESCRIPTION_FILES, Drawing, draw_object
from turntable.datasets.files import FolderFiles
from turntable.datasets.shards import make_index_name, make_shard_name
from turntable.datasets.stores import restore_url
from turntable.errors import IntegrityError, InvalidInputError, TurntableError, format_text
from turntable.home import expand_home
from turntable.service.schemas import DatasetLine

_LOG = logging.getLogger("turntable.service")
_Stamp = tuple[int, int, int]
"""Modification time in nanoseconds, size in bytes and inode of a manifest; zeros if it is missing."""
_T = TypeVar("_T")
_RETRY_FACTOR = 20
"""Factor of the pause after a failed attempt to open a data set: this many times as long as the attempt took.

Without a pause every request would read a damaged data set again."""
_MAX_HASHED_BYTES = 64 << 20
"""Largest size of a file without a checksum in the manifest that is hashed for its ETag.

The ETag of a larger file is made from its device, inode, time and size."""


@dataclass(frozen=True, slots=True)
class OfferedFile:
    """A file that may be downloaded."""

    sha256: str
    """Checksum in the manifest; empty for a file that may change, such as the README."""
    size: int | None
    """Size in bytes in the manifest; None if the manifest does not give it."""


@dataclass(frozen=True, eq=False)
class CatalogEntry:
    """An entry of the catalog: one data set, as it was when its manifest was read."""

    name: str
    """Name of the folder, which is also the last part of the data set's URL."""
    folder: Path
    dataset: Dataset
    files: Mapping[str, OfferedFile]
    """Files that may be downloaded, by their path below the folder, as requests write it."""
    stamp: _Stamp
    """Stamp of the manifest that was read, to notice that it was replaced."""
    _lock: Any = field(default_factory=threading.RLock, repr=False)
    _cached: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    _cache_locks: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)

    @property
    def splits(self) -> Mapping[str, Split]:
        """The splits by name, opened at the first use and kept open.

        Raises:
            IntegrityError: A shard is missing or truncated.
        """
        with self._lock:
            return self._splits

    def find_location(self, key: str) -> tuple[str, int] | None:
        """Return the split and row of an object; None if there is no object with this key."""
        with self._lock:
            return self._locations.get(key)

    def read_record(self, split: str, row: int) -> ObjectRecord:
        """Return the record of an object."""
        with self._lock:
            return self.splits[split].objects[row]

    def read_jpeg(self, split: str, row: int, view: int) -> bytes:
        """Return the JPEG of one view, checked against its checksum.

        Raises:
            IntegrityError: The shard is damaged.
        """
        with self._lock:
            return self.splits[split].read_jpeg(row, view)

    def read_output(self, split: str, row: int, view: int, output: str) -> NDArray[Any]:
        """Return an output of one view other than the picture, as ``Split.read_output`` decodes it.

        Raises:
            IntegrityError: The shard is damaged.
            InvalidInputError: The data set does not store the output.
        """
        with self._lock:
            return self.splits[split].read_output(row, view, output)

    def read_part_pose(self, split: str, row: int) -> NDArray[np.float32] | None:
        """Return the poses of an object's parts in all views, [V, K, 4, 4]; None for one piece.

        Raises:
            IntegrityError: The shard is damaged.
        """
        with self._lock:
            return self.splits[split].read_part_pose(row)

    def read_joint_values(self, split: str, row: int) -> NDArray[np.float32] | None:
        """Return the values of an object's joints in all views, [V, J]; None without joints.

        Raises:
            IntegrityError: The shard is damaged.
        """
        with self._lock:
            return self.splits[split].read_joint_values(row)

    def draw_object(self, split: str, row: int, name: str) -> Drawing:
        """Draw an array of an object, one of ``list_drawings``.

        Raises:
            IntegrityError: The shard is damaged.
        """
        with self._lock:
            return draw_object(self.splits[split], row, name)

    def get_or_make(self, name: str, make: Callable[[], _T]) -> _T:
        """Return the cached value of a name; the first call makes it with ``make``.

        Some responses need all labels of a data set, so they are computed once.
        """
        # One lock for each name: a slow value holds up only the requests for this very value.
        with self._cache_locks.setdefault(name, threading.Lock()):
            if name not in self._cached:
                self._cached[name] = make()
            return cast("_T", self._cached[name])

    @cached_property
    def _splits(self) -> Mapping[str, Split]:
        return {name: self.dataset.open_split(name) for name in self.dataset.splits}

    @cached_property
    def _locations(self) -> Mapping[str, tuple[str, int]]:
        return {
            key: (name, row) for name, split in self._splits.items() for row, key in enumerate(split.keys)
        }

    def summarize(self) -> DatasetLine:
        """Return the data set's line in the list of data sets."""
        manifest = self.dataset.manifest
        description = manifest.recipe.get("description", "")
        return {
            "name": self.name,
            "title": manifest.name,
            "description": description if isinstance(description, str) else "",
            "objects": manifest.totals.objects,
            "images": manifest.totals.images,
            "views": manifest.views,
            "bytes": manifest.totals.bytes,
            "image_size_px": manifest.image_size_px,
            "outputs": list(manifest.outputs),
            "splits": list(manifest.splits),
            "categories": list(manifest.categories),
            "factors": [factor.name for factor in manifest.factors],
            "licence": manifest.source.get("licence", ""),
            "fingerprint": manifest.fingerprint,
        }


class DatasetCatalog:
    """The data sets found in some folders.

    Args:
        folders: Folders that each are a data set or hold some.
        links_under: Folders that symbolic links in the data sets may point into, besides their own and the
            hub's cache.

    Raises:
        InvalidInputError: A folder is a URL or holds no data set, or two data sets have the same name.
        IntegrityError: A folder is a data set whose manifest is damaged.
    """

    def __init__(self, folders: Iterable[str | Path], links_under: Iterable[Path] = ()) -> None:
        self._folders, self._links_under = tuple(map(_parse_folder, folders)), tuple(links_under)
        self._entries: dict[str, CatalogEntry] = {}
        self._problems: dict[str, str] = {}
        self._failed: dict[Path, _FailedEntry] = {}
        self._lock = threading.Lock()
        for folder in self._folders:
            if not _find_dataset_folders(folder):
                raise InvalidInputError(
                    f"{folder} holds no data set (no {MANIFEST_NAME}); make one with turntable render"
                )
        self._refresh(starting=True)
        for name, problem in self._problems.items():
            _LOG.warning("%s is not served: %s", name, problem)

    def __len__(self) -> int:
        return len(self._entries)

    def list_entries(self) -> tuple[CatalogEntry, ...]:
        """Return the data sets that can be served now, sorted by name."""
        with self._lock:
            self._refresh()
            return tuple(self._entries[name] for name in sorted(self._entries))

    def get_problems(self) -> Mapping[str, str]:
        """Return the reason why a data set cannot be served, by its name, as of the last refresh."""
        return dict(self._problems)

    def find_entry(self, name: str) -> CatalogEntry | None:
        """Return a data set as it is now; None if there is no data set of this name.

        Raises:
            IntegrityError: The data set is there, but it cannot be served.
        """
        entry = self._entries.get(name)
        if entry is not None and _get_stamp(entry.folder) == entry.stamp:
            return entry  # unchanged: no need to wait for the lock while another data set is being opened
        with self._lock:
            self._refresh()
            entry = self._entries.get(name)
            if entry is None and name in self._problems:
                raise IntegrityError(self._problems[name])
            return entry

    def _refresh(self, starting: bool = False) -> None:
        """Find the data sets that are there now, and open those that are new or changed.

        A data set that cannot be opened becomes a problem of the catalog. When the service starts, it is an
        error instead if the user named this very folder, or if two data sets have the same name.
        """
        entries, problems = dict[str, CatalogEntry](), dict[str, str]()
        for root in self._folders:
            for folder in _find_dataset_folders(root):
                name = folder.resolve().name
                try:
                    self._check_name(name, folder, entries, starting)
                    entries[name] = self._get_current(name, root, folder)
                except TurntableError as error:
                    if starting and (folder == root or isinstance(error, InvalidInputError)):
                        raise
                    problems[name] = str(error)
        self._entries, self._problems = entries, problems

    def _get_current(self, name: str, root: Path, folder: Path) -> CatalogEntry:
        """Return the known entry of a data set if its manifest is unchanged; otherwise open it again."""
        known, stamp = self._entries.get(name), _get_stamp(folder)
        if known is not None and known.folder == folder and known.stamp == stamp:
            return known
        failed, began = self._failed.get(folder), time.monotonic()
        if failed is not None and failed.stamp == stamp and began < failed.until_s:
            raise IntegrityError(failed.problem)
        try:
            entry = self._open_entry(name, root, folder, stamp)
        except TurntableError as error:
            ended = time.monotonic()
            self._failed[folder] = _FailedEntry(stamp, str(error), ended + _RETRY_FACTOR * (ended - began))
            raise
        self._failed.pop(folder, None)
        return entry

    def _open_entry(self, name: str, root: Path, folder: Path, stamp: _Stamp) -> CatalogEntry:
        """Open a data set. Raises TurntableError if it cannot be served."""
        if folder != root:  # a data set inside a named folder must not be a link to somewhere else
            FolderFiles(root, self._links_under, name).find(f"{folder.name}/{MANIFEST_NAME}")
        return _make_entry(name, FolderFiles(folder, self._links_under, name), stamp)

    def _check_name(
        self, name: str, folder: Path, entries: Mapping[str, CatalogEntry], starting: bool
    ) -> None:
        if name in entries:
            # After the start this message may reach clients, who must not learn where the folders lie.
            where = f"{folder} and {entries[name].folder}" if starting else "two folders"
            raise InvalidInputError(f"{where} have the same name, {name}; rename one")


@dataclass(frozen=True, slots=True)
class _FailedEntry:
    """A data set that could not be opened."""

    stamp: _Stamp
    """Stamp of its manifest at the failed attempt."""
    problem: str
    until_s: float
    """Time on the monotonic clock of the next attempt; a changed manifest is tried at once."""


def build_catalog(folders: Iterable[str | Path], links_under: Iterable[Path] = ()) -> DatasetCatalog:
    """Return the catalog of the data sets in these folders.

    Args:
        folders: Folders that each are a data set or hold some.
        links_under: Folders that symbolic links in the data sets may point into, besides their own and the
            hub's cache.

    Raises:
        InvalidInputError: A folder is a URL or holds no data set, or two data sets have the same name.
        IntegrityError: A folder is a data set whose manifest is damaged.
    """
    return DatasetCatalog(folders, links_under)


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file of a data set, opened for sending."""

    name: str
    """Path below the data set's folder."""
    file: BufferedReader
    size: int
    """Size in bytes."""
    etag: str
    """Value of the header ``ETag``, with its quotes."""


def open_file(entry: CatalogEntry, path: str) -> OpenedFile | None:
    """Open a file of a data set; None if the data set does not offer it.

    Raises:
        IntegrityError: The file is missing, has another size than the manifest says, or lies outside of the
            data set.
        StoreError: The system refuses to read the file.
    """
    offered = entry.files.get(path)
    if offered is None:
        return None
    file = entry.dataset.files.open(path)
    if file is None:
        if not offered.sha256:  # an optional file, such as the README
            return None
        raise IntegrityError(f"{entry.name}: {path} is missing; run turntable verify on the data set")
    status = os.fstat(file.fileno())
    if offered.size is not None and status.st_size != offered.size:
        file.close()
        raise IntegrityError(
            f"{entry.name}: {path} has {status.st_size} bytes, but the manifest says {offered.size}; run "
            "turntable verify on the data set"
        )
    return OpenedFile(path, file, status.st_size, f'"{offered.sha256 or _compute_digest(file, status)}"')


_DIGESTS: dict[tuple[int, int, int, int], str] = {}
"""Known digests by device, inode, time and size of the file."""
_MAX_DIGESTS = 1024
"""Number of digests that are kept."""


def _compute_digest(file: BufferedReader, status: os.stat_result) -> str:
    """Return a hex digest that differs between versions of a file; a file is read once while it is unchanged.

    A large file is not read: a sparse file of many gigabytes takes no room on the disk, but reading it would
    block all requests for files.
    """
    key = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
    if status.st_size > _MAX_HASHED_BYTES:
        return hashlib.sha256(repr(key).encode("ascii")).hexdigest()
    known = _DIGESTS.get(key)
    if known is None:
        if len(_DIGESTS) >= _MAX_DIGESTS:
            _DIGESTS.clear()
        known = _DIGESTS[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return known


def _parse_folder(folder: str | Path) -> Path:
    """Return the path of a folder. Raises InvalidInputError for a bucket or another URL."""
    url = restore_url(folder)
    if url is None or Path(folder).exists():
        return expand_home(folder)
    scheme, _, rest = url.partition("://")
    if scheme == "file":
        raise InvalidInputError(f"{folder}: give the path of the folder, /{rest}")
    name = rest.rstrip("/").rpartition("/")[2] or "my-set"
    raise InvalidInputError(
        f"{format_text(url)}: only folders are served; copy it first: turntable copy {format_text(url)} "
        f"{format_text(name)}, then turntable serve {format_text(name)}"
    )


def _find_dataset_folders(folder: Path) -> list[Path]:
    if (folder / MANIFEST_NAME).exists():
        return [folder]
    return sorted(path.parent for path in folder.glob(f"*/{MANIFEST_NAME}"))


def _get_stamp(folder: Path) -> _Stamp:
    try:
        status = (folder / MANIFEST_NAME).stat()
    except OSError:
        return (0, 0, 0)
    return status.st_mtime_ns, status.st_size, status.st_ino


def _make_entry(name: str, files: FolderFiles, stamp: _Stamp) -> CatalogEntry:
    dataset = open_local_dataset(files)
    offered = {path: OfferedFile("", None) for path in DESCRIPTION_FILES}
    for shard in dataset.manifest.shards:
        tar = make_shard_name(shard)
        offered[tar] = OfferedFile(shard.sha256, shard.bytes)
        offered[make_index_name(tar)] = OfferedFile(shard.idx_sha256, None)
    for path in offered:
        files.find(path)  # raises for a link out of the allowed folders: then nothing of the set is served
    return CatalogEntry(name, files.root, dataset, offered, stamp)

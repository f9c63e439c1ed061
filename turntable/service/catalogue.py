"""Which data sets a service offers, and which of their files: those the manifest answers for, no others.

A data set may change, go or come while the service runs: its manifest is looked at with every request, which
costs one call of the system, and what was read of it is read again when it is another file.
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

from turntable.datasets import MANIFEST_NAME, Dataset, ObjectRecord, Split, open_folder
from turntable.datasets.describing import DESCRIBED
from turntable.datasets.files import FolderFiles
from turntable.datasets.shards import index_name, shard_name
from turntable.errors import IntegrityError, InvalidInputError, TurntableError
from turntable.service.documents import DatasetLine

_LOG = logging.getLogger("turntable.service")
_Stamp = tuple[int, int, int]
_T = TypeVar("_T")
_REST = 20
"""How many times as long as it took is waited before a damaged data set is read again."""
_MOST_HASHED_BYTES = 64 << 20
"""The size up to which a file that the manifest does not know is hashed; a larger one is told apart by its
place, size and time."""


@dataclass(frozen=True, slots=True)
class Offered:
    """One file on offer."""

    sha256: str
    """That the manifest knows; empty for a file that may change."""
    size: int | None
    """In bytes, as the manifest says."""


@dataclass(frozen=True, eq=False)
class CatalogueEntry:
    """An entry of the catalogue: one data set on offer, as it was when its manifest was read."""

    name: str
    """Of its folder; the last part of its address."""
    folder: Path
    dataset: Dataset
    files: Mapping[str, Offered]
    """Path below the folder, as requests give it."""
    stamp: _Stamp
    """Of the manifest's file."""
    _lock: Any = field(default_factory=threading.RLock, repr=False)
    _known: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    _known_locks: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)

    @property
    def splits(self) -> Mapping[str, Split]:
        """Open, for as long as the entry is used. Raises IntegrityError where a shard is missing or cut."""
        with self._lock:
            return self._splits

    def place(self, key: str) -> tuple[str, int] | None:
        """The split and row of an object; None where there is none of this key."""
        with self._lock:
            return self._places.get(key)

    def record(self, split: str, row: int) -> ObjectRecord:
        """What is known of an object."""
        with self._lock:
            return self.splits[split].objects[row]

    def jpeg(self, split: str, row: int, view: int) -> bytes:
        """One view's file, as its checksum says. Raises IntegrityError where the shard is not as written."""
        with self._lock:
            return self.splits[split].read_jpeg(row, view)

    def once(self, name: str, make: Callable[[], _T]) -> _T:
        """Return what ``make`` made when it was first asked for: some answers take all labels."""
        with self._known_locks.setdefault(name, threading.Lock()):
            if name not in self._known:
                self._known[name] = make()
            return cast("_T", self._known[name])

    @cached_property
    def _splits(self) -> Mapping[str, Split]:
        return {name: self.dataset.split(name) for name in self.dataset.splits}

    @cached_property
    def _places(self) -> Mapping[str, tuple[str, int]]:
        return {
            key: (name, row) for name, split in self._splits.items() for row, key in enumerate(split.keys)
        }

    def summary(self) -> DatasetLine:
        """What the catalogue says of it."""
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
            "splits": list(manifest.splits),
            "categories": list(manifest.categories),
            "factors": [factor.name for factor in manifest.factors],
            "licence": manifest.source.get("licence", ""),
            "fingerprint": manifest.fingerprint,
        }


class Catalogue:
    """The data sets in some folders, each of which is one or holds some.

    Args:
        folders: Each is a data set, or holds some.
        links_under: Folders into which links of the data sets may lead, beside their own and the hub's cache.

    Raises:
        InvalidInputError: A folder holds none, or two have the same name.
        IntegrityError: A folder is a data set whose manifest is damaged.
    """

    def __init__(self, folders: Iterable[Path], links_under: Iterable[Path] = ()) -> None:
        self._folders, self._links_under = tuple(folders), tuple(links_under)
        self._entries: dict[str, CatalogueEntry] = {}
        self._problems: dict[str, str] = {}
        self._failed: dict[Path, _Failed] = {}
        self._lock = threading.Lock()
        for folder in self._folders:
            if not _candidates(folder):
                raise InvalidInputError(
                    f"{folder} holds no data set (no {MANIFEST_NAME}); make one with turntable render"
                )
        self._look(starting=True)
        for name, problem in self._problems.items():
            _LOG.warning("%s is not served: %s", name, problem)

    def __len__(self) -> int:
        return len(self._entries)

    def all(self) -> tuple[CatalogueEntry, ...]:
        """All that are there now, by name."""
        with self._lock:
            self._look()
            return tuple(self._entries[name] for name in sorted(self._entries))

    def problems(self) -> Mapping[str, str]:
        """Data sets that cannot be offered, and why, as of the last look."""
        return dict(self._problems)

    def get(self, name: str) -> CatalogueEntry | None:
        """One data set, as its manifest is now; None where there is none of this name.

        Raises:
            IntegrityError: It is there, but its manifest is damaged.
        """
        entry = self._entries.get(name)
        if entry is not None and _stamp(entry.folder) == entry.stamp:
            return entry  # without waiting for whatever is being read of another data set
        with self._lock:
            self._look()
            entry = self._entries.get(name)
            if entry is None and name in self._problems:
                raise IntegrityError(self._problems[name])
            return entry

    def _look(self, starting: bool = False) -> None:
        """See what has come, gone or changed. As the service starts, what the owner named must be there."""
        entries, problems = dict[str, CatalogueEntry](), dict[str, str]()
        for outside in self._folders:
            for folder in _candidates(outside):
                name = folder.resolve().name
                try:
                    self._check_free(name, folder, entries, starting)
                    entries[name] = self._current(name, outside, folder)
                except TurntableError as error:
                    if starting and (folder == outside or isinstance(error, InvalidInputError)):
                        raise
                    problems[name] = str(error)
        self._entries, self._problems = entries, problems

    def _current(self, name: str, outside: Path, folder: Path) -> CatalogueEntry:
        """A data set as it is now; what was read of it before where that still holds."""
        known, stamp = self._entries.get(name), _stamp(folder)
        if known is not None and known.folder == folder and known.stamp == stamp:
            return known
        failed, began = self._failed.get(folder), time.monotonic()
        if failed is not None and failed.stamp == stamp and began < failed.until_s:
            raise IntegrityError(failed.problem)
        try:
            entry = self._opened(name, outside, folder, stamp)
        except TurntableError as error:
            ended = time.monotonic()
            self._failed[folder] = _Failed(stamp, str(error), ended + _REST * (ended - began))
            raise
        self._failed.pop(folder, None)
        return entry

    def _opened(self, name: str, outside: Path, folder: Path, stamp: _Stamp) -> CatalogueEntry:
        """Open a data set. Raises TurntableError where it cannot be offered."""
        if folder != outside:  # nor may what lies in a folder be a link to somewhere else
            FolderFiles(outside, self._links_under, name).find(f"{folder.name}/{MANIFEST_NAME}")
        return _entry(name, FolderFiles(folder, self._links_under, name), stamp)

    def _check_free(
        self, name: str, folder: Path, entries: Mapping[str, CatalogueEntry], starting: bool
    ) -> None:
        if name in entries:
            where = f"{folder} and {entries[name].folder}" if starting else "two folders"
            raise InvalidInputError(f"{where} have the same name, {name}; rename one")


@dataclass(frozen=True, slots=True)
class _Failed:
    """A data set that could not be opened."""

    stamp: _Stamp
    """The stamp of its manifest."""
    problem: str
    until_s: float
    """On the monotonic clock, when it is tried again; sooner where its manifest changes."""


def find_datasets(folders: Iterable[Path], links_under: Iterable[Path] = ()) -> Catalogue:
    """The data sets in these folders: each is one, or holds some.

    Args:
        folders: Each is a data set, or holds some.
        links_under: Folders into which links of the data sets may lead, beside their own and the hub's cache.

    Raises:
        InvalidInputError: A folder holds none, or two have the same name.
        IntegrityError: A folder is a data set whose manifest is damaged.
    """
    return Catalogue(folders, links_under)


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file of a data set, open to be sent."""

    name: str
    file: BufferedReader
    size: int
    etag: str
    """A tag of its content, in quotes."""


def open_file(entry: CatalogueEntry, path: str) -> OpenedFile | None:
    """Open a file of a data set; None where it is not offered.

    Raises:
        IntegrityError: It is not there any more, not as long as it was written, or no file of the data set.
        StoreError: The system refuses to read it.
    """
    offered = entry.files.get(path)
    if offered is None:
        return None
    file = entry.dataset.files.open(path)
    if file is None:
        if not offered.sha256:  # none need be there
            return None
        raise IntegrityError(f"{entry.name}: {path} is gone; run turntable verify on it")
    found = os.fstat(file.fileno())
    if offered.size is not None and found.st_size != offered.size:
        file.close()
        raise IntegrityError(
            f"{entry.name}: {path} has {found.st_size} bytes, {offered.size} were written; run turntable "
            "verify on it"
        )
    return OpenedFile(path, file, found.st_size, f'"{offered.sha256 or _digest(file, found)}"')


_DIGESTS: dict[tuple[int, int, int, int], str] = {}
_MOST_DIGESTS = 1024


def _digest(file: BufferedReader, found: os.stat_result) -> str:
    """Return what tells versions of a file apart; read once while it is the same file.

    Not read where it is large: a file of gigabytes that takes no room on a disk would keep whoever asks for
    any file waiting.
    """
    key = (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
    if found.st_size > _MOST_HASHED_BYTES:
        return hashlib.sha256(repr(key).encode("ascii")).hexdigest()
    known = _DIGESTS.get(key)
    if known is None:
        if len(_DIGESTS) >= _MOST_DIGESTS:
            _DIGESTS.clear()
        known = _DIGESTS[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return known


def _candidates(folder: Path) -> list[Path]:
    if (folder / MANIFEST_NAME).exists():
        return [folder]
    return sorted(path.parent for path in folder.glob(f"*/{MANIFEST_NAME}"))


def _stamp(folder: Path) -> _Stamp:
    try:
        found = (folder / MANIFEST_NAME).stat()
    except OSError:
        return (0, 0, 0)
    return found.st_mtime_ns, found.st_size, found.st_ino


def _entry(name: str, files: FolderFiles, stamp: _Stamp) -> CatalogueEntry:
    dataset = open_folder(files)
    offered = {beside: Offered("", None) for beside in DESCRIBED}
    for shard in dataset.manifest.shards:
        tar = shard_name(shard)
        offered[tar] = Offered(shard.sha256, shard.bytes)
        offered[index_name(tar)] = Offered(shard.idx_sha256, None)
    for path in offered:
        files.find(path)  # a link that leads elsewhere is a reason not to offer any of it
    return CatalogueEntry(name, files.root, dataset, offered, stamp)

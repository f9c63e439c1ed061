"""Which data sets a service offers, and which of their files: those the manifest answers for, no others.

A data set may change, go or come while the service runs: its manifest is looked at with every request, which
costs one call of the system, and what was read of it is read again when it is another file.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from turntable.datasets.assemble import DESCRIBED
from turntable.datasets.dataset import Dataset, open_dataset
from turntable.datasets.digests import file_sha256
from turntable.datasets.manifest import MANIFEST_NAME
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.shard_reader import index_name, shard_name
from turntable.datasets.split import Split
from turntable.errors import IntegrityError, InvalidInputError

_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Offered:
    """One file on offer."""

    sha256: str
    """That the manifest knows; empty for a file that may change."""
    size: int | None
    """In bytes, as the manifest says."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One data set on offer, as it was when its manifest was read."""

    name: str
    """Of its folder; the last part of its address."""
    folder: Path
    dataset: Dataset
    files: Mapping[str, Offered]
    """Path below the folder, as requests give it."""
    stamp: _Stamp
    """Of the manifest's file."""
    _lock: Any = field(default_factory=threading.RLock, repr=False)

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

    @cached_property
    def _splits(self) -> Mapping[str, Split]:
        return {name: self.dataset.split(name) for name in self.dataset.splits}

    @cached_property
    def _places(self) -> Mapping[str, tuple[str, int]]:
        return {
            key: (name, row) for name, split in self._splits.items() for row, key in enumerate(split.keys)
        }

    def summary(self) -> dict[str, object]:
        """What the catalogue says of it."""
        manifest = self.dataset.manifest
        return {
            "name": self.name,
            "title": manifest.name,
            "description": manifest.recipe.get("description", ""),
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

    Raises:
        InvalidInputError: A folder holds none, or two have the same name.
        IntegrityError: A manifest is damaged.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)
        self._entries: dict[str, Entry] = {}
        self._problems: dict[str, str] = {}
        self._lock = threading.Lock()
        for folder in self._folders:
            if not _candidates(folder):
                raise InvalidInputError(
                    f"{folder} holds no data set (no {MANIFEST_NAME}); make one with turntable render"
                )
        self._look(strict=True)

    def __len__(self) -> int:
        return len(self._entries)

    def all(self) -> tuple[Entry, ...]:
        """All that are there now, by name."""
        with self._lock:
            self._look()
            return tuple(self._entries[name] for name in sorted(self._entries))

    def problems(self) -> Mapping[str, str]:
        """Data sets that cannot be offered, and why, as of the last look."""
        return dict(self._problems)

    def get(self, name: str) -> Entry | None:
        """One data set, as its manifest is now; None where there is none of this name.

        Raises:
            IntegrityError: It is there, but its manifest is damaged.
        """
        with self._lock:
            entry = self._entries.get(name)
            if entry is None or _stamp(entry.folder) != entry.stamp:
                self._look()
                entry = self._entries.get(name)
            if entry is None and name in self._problems:
                raise IntegrityError(self._problems[name])
            return entry

    def _look(self, strict: bool = False) -> None:
        """See what has come, gone or changed."""
        entries, problems = dict[str, Entry](), dict[str, str]()
        for folder in (inside for outside in self._folders for inside in _candidates(outside)):
            name, stamp = folder.resolve().name, _stamp(folder)
            try:
                _check_free(name, folder, entries)
                known = self._entries.get(name)
                current = known is not None and known.folder == folder and known.stamp == stamp
                entries[name] = known if known is not None and current else _entry(name, folder, stamp)
            except (IntegrityError, InvalidInputError) as error:
                if strict:
                    raise
                problems[name] = str(error)
        self._entries, self._problems = entries, problems


def find_datasets(folders: Iterable[Path]) -> Catalogue:
    """The data sets in these folders: each is one, or holds some.

    Raises:
        InvalidInputError: A folder holds none, or two have the same name.
        IntegrityError: A manifest is damaged.
    """
    return Catalogue(folders)


def file_facts(entry: Entry, path: str) -> tuple[Path, int, str] | None:
    """Where a file of a data set is, its size, and the ETag of its content; None where it is not offered.

    Raises:
        IntegrityError: It is not there any more, or not as long as it was written.
    """
    offered = entry.files.get(path)
    if offered is None:
        return None
    full = entry.folder / path
    try:
        found = full.stat()
    except OSError:
        if not offered.sha256:  # none need be there
            return None
        raise IntegrityError(f"{entry.name}: {path} is gone; run turntable verify on it") from None
    if offered.size is not None and found.st_size != offered.size:
        raise IntegrityError(
            f"{entry.name}: {path} has {found.st_size} bytes, {offered.size} were written; run turntable "
            "verify on it"
        )
    return full, found.st_size, f'"{offered.sha256 or _digest(full, found.st_mtime_ns, found.st_size)}"'


_DIGESTS: dict[tuple[Path, int, int], str] = {}
_MOST_DIGESTS = 1024


def _digest(path: Path, time_ns: int, size: int) -> str:
    """Of a file that the manifest does not speak of; read once while it is the same file."""
    known = _DIGESTS.get((path, time_ns, size))
    if known is None:
        if len(_DIGESTS) >= _MOST_DIGESTS:
            _DIGESTS.clear()
        known = _DIGESTS[path, time_ns, size] = file_sha256(path)
    return known


def _check_free(name: str, folder: Path, entries: Mapping[str, Entry]) -> None:
    if name in entries:
        raise InvalidInputError(f"{folder} and {entries[name].folder} have the same name; rename one")


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


def _entry(name: str, folder: Path, stamp: _Stamp) -> Entry:
    dataset = open_dataset(folder)
    files = {beside: Offered("", None) for beside in DESCRIBED}
    for shard in dataset.manifest.shards:
        tar = shard_name(shard)
        files[tar] = Offered(shard.sha256, shard.bytes)
        files[index_name(tar)] = Offered(shard.idx_sha256, None)
    return Entry(name, folder, dataset, files, stamp)

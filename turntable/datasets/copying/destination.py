"""The place that a data set is copied to: claimed before the first file, finished with the manifest."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turntable.datasets.copying.sources import NUM_PARALLEL_REQUESTS, CopySource, DatasetFile
from turntable.datasets.files import MAX_MANIFEST_BYTES, compute_json_sha256, parse_json, to_canonical_json
from turntable.datasets.manifest import MANIFEST_NAME, Manifest
from turntable.datasets.stores import LocalStore, Store
from turntable.errors import IntegrityError, InvalidInputError

MARK_NAME = ".turntable-copy.json"
"""Name of the file that says which data set an unfinished copy is of."""
LOCK_NAME = ".turntable-copy.lock"
"""Name of the file that keeps two copies into one folder apart."""
_MAX_MARK_BYTES = 1 << 16
_MAX_SHOWN = 3


@dataclass(frozen=True, slots=True)
class CopyDestination:
    """A place that receives one data set, and holds nothing else."""

    store: Store
    source: CopySource

    def claim(self, files: list[DatasetFile]) -> None:
        """Make sure that this data set may be written here, and mark the place as an unfinished copy of it.

        Args:
            files: The files that will be written.

        Raises:
            InvalidInputError: The place holds something else.
            StoreError: It cannot be written, or has too little space.
        """
        has_manifest = self._check_manifest()
        mark = None if has_manifest else self._check_mark()
        self.store.check_writable(sum(file.num_bytes for file in self._list_missing(files)))
        if not has_manifest and mark is None:
            self._check_empty({file.name for file in files})
            self.store.write(MARK_NAME, f"{to_canonical_json(self._make_mark())}\n".encode())

    def has_file(self, file: DatasetFile) -> bool:
        """Return True if a file is here already, to the byte."""
        return (
            self.store.get_size(file.name) == file.num_bytes
            and self.store.get_sha256(file.name) == file.sha256
        )

    def finish(self, files: list[DatasetFile], manifest: DatasetFile) -> bool:
        """Check that all files are here, and write the manifest. With it the data set is finished.

        Returns:
            True if the manifest was written, and False if it was here already.

        Raises:
            IntegrityError: A file is not as long as it was sent.
        """
        for file in self._list_missing(files):
            raise IntegrityError(
                f"{self.store.url}/{file.name}: its size here is not the size that was sent; run the same "
                "command again"
            )
        is_new = not self.has_file(manifest)
        if is_new:
            self.store.write(MANIFEST_NAME, manifest.content or b"")
        self.store.delete(MARK_NAME)
        return is_new

    def _list_missing(self, files: list[DatasetFile]) -> list[DatasetFile]:
        """Return the files that are missing or have another size."""
        with ThreadPoolExecutor(NUM_PARALLEL_REQUESTS) as pool:
            sizes = pool.map(lambda file: self.store.get_size(file.name), files)
            return [file for file, size in zip(files, sizes, strict=True) if size != file.num_bytes]

    def _check_manifest(self) -> bool:
        """Return True if the place holds the finished data set. Raises InvalidInputError for another one."""
        data = self.store.read(MANIFEST_NAME, MAX_MANIFEST_BYTES)
        if data is None:
            return False
        stored = Manifest.from_json(data.decode("utf-8", "replace"), f"{self.store.url}/{MANIFEST_NAME}")
        manifest = self.source.manifest
        if stored.fingerprint != manifest.fingerprint:
            raise InvalidInputError(
                f"{self.store.url} holds another data set, {stored.name} ({stored.fingerprint[:16]}); choose "
                "another place, since its readers would find files of both data sets there"
            )
        if stored.shards != manifest.shards:
            raise InvalidInputError(
                f"{self.store.url} holds the same data set rendered elsewhere, with other pictures; choose "
                "another place, or remove what is there"
            )
        return True

    def _check_mark(self) -> dict[str, Any] | None:
        """Return the mark of an unfinished copy, or None. Raises InvalidInputError for another data set's."""
        data = self.store.read(MARK_NAME, _MAX_MARK_BYTES)
        if data is None:
            return None
        try:
            mark: Any = parse_json(data)
        except ValueError:
            mark = None
        if mark != self._make_mark():
            raise InvalidInputError(
                f"{self.store.url} holds an unfinished copy of another data set, or of this one before it "
                "was changed; choose another place, or remove what is there and run the same command again"
            )
        return mark

    def _check_empty(self, names: set[str]) -> None:
        others = list(self._iter_other_names(names))
        if others:
            more = f" and {len(others) - _MAX_SHOWN} more" if len(others) > _MAX_SHOWN else ""
            raise InvalidInputError(
                f"{self.store.url} is not empty: it holds {', '.join(others[:_MAX_SHOWN])}{more}; choose an "
                "empty or new place"
            )

    def _iter_other_names(self, names: set[str]) -> Iterator[str]:
        """Yield the names of files that do not belong to the data set."""
        if (
            isinstance(self.store, LocalStore)
            and self.store.folder.exists()
            and not self.store.folder.is_dir()
        ):
            raise InvalidInputError(
                f"{self.store.url} is a file; give the folder that is to hold the data set"
            )
        yield from (name for name in self.store.list() if name not in names and Path(name).name != LOCK_NAME)

    def _make_mark(self) -> dict[str, Any]:
        manifest = self.source.manifest
        digests = [[shard.sha256, shard.idx_sha256] for shard in manifest.shards]
        return {
            "format": "turntable-copy",
            "fingerprint": manifest.fingerprint,
            "shards": compute_json_sha256(digests),
        }

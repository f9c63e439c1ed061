"""The files of a data set in a store, fetched to a temporary folder as the verification asks for them.

Of a verified shard only the labels and descriptions are kept, in a file of the same length, since the table
is compared with them afterwards. So a few shards at a time fit on the disk, and not the whole data set.
"""

import os
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from turntable.datasets.dataset import fetch_manifest
from turntable.datasets.describing import DESCRIPTION_FILES, MAX_DESCRIPTION_BYTES
from turntable.datasets.files import FolderFiles
from turntable.datasets.manifest import MANIFEST_NAME, Manifest
from turntable.datasets.shards import (
    LABELS_TABLE_NAME,
    ShardRecord,
    make_index_name,
    make_shard_name,
    open_folder_index,
)
from turntable.datasets.stores import Store, download_to_temporary_file


@dataclass(frozen=True, slots=True)
class StoredFiles:
    """A temporary folder that stands for a data set in a store."""

    store: Store
    files: FolderFiles

    @classmethod
    @contextmanager
    def open(cls, store: Store) -> Generator["StoredFiles", None, None]:
        """Make the folder with the manifest in it, and remove it when the block ends.

        Raises:
            IntegrityError: There is no manifest.
            StoreError: The store cannot be reached, or the disk of TMPDIR is full.
        """
        with tempfile.TemporaryDirectory(prefix="turntable-verify-") as folder:
            (Path(folder) / MANIFEST_NAME).write_bytes(fetch_manifest(store))
            yield cls(store, FolderFiles(Path(folder), title=store.url))

    def fetch_descriptions(self, manifest: Manifest) -> None:
        """Fetch the files beside the shards. Missing ones stay missing."""
        for name in DESCRIPTION_FILES:
            if name != MANIFEST_NAME:
                is_table = name == LABELS_TABLE_NAME
                self._fetch(name, manifest.max_table_bytes if is_table else MAX_DESCRIPTION_BYTES)

    def fetch_shard(self, manifest: Manifest, shard: ShardRecord) -> None:
        """Fetch a shard and its index into the folder. Missing ones stay missing.

        Raises:
            RejectedResponseError: One of them is longer than it may be.
            StoreError: The store does not give them.
        """
        tar = make_shard_name(shard)
        self._fetch(make_index_name(tar), manifest.index_size_limit.compute_max_bytes(shard))
        self._fetch(tar, shard.bytes)

    def release_shard(self, shard: ShardRecord, *, is_right: bool) -> None:
        """Free the space of a shard.

        Args:
            shard: The shard's record.
            is_right: True if no fault was found in it. Then the members before each object's views are kept,
                in a file of the same length.
        """
        tar = make_shard_name(shard)
        if not is_right:
            (self.files.root / tar).unlink(missing_ok=True)
            return
        index = open_folder_index(self.files, make_index_name(tar))
        spans = zip(index.object_start.tolist(), index.offset[:, 0].tolist(), strict=True)
        _keep_spans(self.files.root / tar, spans)

    def _fetch(self, name: str, max_bytes: int) -> None:
        """Fetch a file if the store has it."""
        file = download_to_temporary_file(self.store, name, max_bytes, self.files.root)
        if file is None:
            return
        path = self.files.root / name
        path.parent.mkdir(exist_ok=True)
        with file:
            os.link(file.name, path)


def _keep_spans(path: Path, spans: Iterable[tuple[int, int]]) -> None:
    """Replace a file by a sparse one of the same length that has only some of its bytes."""
    size = path.stat().st_size
    hollow = path.with_suffix(".hollow")
    with path.open("rb") as file, hollow.open("wb") as kept:
        kept.truncate(size)
        for start, end in spans:
            for other in (file, kept):
                other.seek(start)
            kept.write(file.read(end - start))
    hollow.replace(path)

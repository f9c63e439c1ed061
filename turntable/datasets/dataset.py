"""A finished data set, open for reading: its manifest, and its splits as arrays and JPEGs."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import LabelArray, LabelSchema
from turntable.datasets.manifest import Manifest, read_manifest
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.outputs import EXTRAS, decode_extra
from turntable.datasets.shard_index import texts_of
from turntable.datasets.shard_reader import OpenShard, ShardReader, local_shards
from turntable.errors import IntegrityError, InvalidInputError


class Split:
    """The objects of one split in their order, over all its shards. Like a shard: open it where you read.

    Args:
        folder: of the data set.
        manifest: of the data set.
        name: of the split.
        open_shard: where its shards lie elsewhere than in the folder.
    """

    def __init__(
        self, folder: Path, manifest: Manifest, name: str, open_shard: OpenShard | None = None
    ) -> None:
        self.name = name
        self.manifest = manifest
        open_shard = open_shard or local_shards(folder)
        self._readers = [open_shard(shard) for shard in manifest.shards_of(name)]
        counts = [reader.index.num_objects for reader in self._readers]
        self._first_rows = np.array([0, *np.cumsum(counts)], dtype=np.int64)
        self._starts: list[int] = self._first_rows.tolist()  # bisect is ten times as fast on a list
        self._check(manifest)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all files."""
        for reader in self._readers:
            reader.close()

    @property
    def num_objects(self) -> int:
        """N."""
        return self._starts[-1]

    @property
    def num_views(self) -> int:
        """V, of each object."""
        return self.manifest.views

    @cached_property
    def objects(self) -> tuple[ObjectRecord, ...]:
        """Records of the objects, in order."""
        return tuple(record for reader in self._readers for record in reader.records())

    @cached_property
    def labels(self) -> LabelArray:
        """Float32 [N, V, L], one array over all shards (a copy; ``labels_at`` reads a few without it)."""
        shape = (0, self.num_views, len(self.manifest.factors))
        parts = [reader.latents for reader in self._readers]
        return np.concatenate(parts) if parts else np.empty(shape, dtype=np.float32)

    @cached_property
    def categories(self) -> NDArray[np.int64]:
        """[N] class number of each object: its category's place in the manifest's list."""
        place = {name: number for number, name in enumerate(self.manifest.categories)}
        names = [name for reader in self._readers for name in texts_of(reader.index.categories)]
        return np.array([place[name] for name in names], dtype=np.int64)

    def read_jpeg(self, row: int, view: int) -> bytes:
        """One view's file.

        Args:
            row: of the object in this split.
            view: its number.

        Raises:
            IntegrityError: the shard's bytes are not those that were written.
            InvalidInputError: there is no such object or view.
        """
        reader, local = self._locate(row, view)
        return reader.read(local, view)

    def read_extra(self, row: int, view: int, output: str) -> NDArray[Any]:
        """Another output of a view, decoded: see :func:`turntable.datasets.outputs.decode_extra`.

        Args:
            row: of the object in this split.
            view: its number.
            output: its name, not "rgb".

        Raises:
            IntegrityError: the shard's bytes are not those that were written.
            InvalidInputError: the data set does not keep it, or there is no such object or view.
        """
        if output not in self.manifest.outputs or output not in EXTRAS:
            raise InvalidInputError(
                f"no {output} in this data set, which keeps {', '.join(self.manifest.outputs)}; "
                f"render it with --outputs rgb,{output}"
            )
        reader, local = self._locate(row, view)
        data = reader.read_extra(local, view, output)
        return decode_extra(output, data, self.manifest.image_size_px)

    def points(self, row: int) -> NDArray[np.float32]:
        """An object's point cloud, float32 [P, 6]: places in the object's own frame, and unit normals.

        Raises:
            IntegrityError: the shard's bytes are not those that were written.
            InvalidInputError: the data set has none, or there is no such object.
        """
        if not self.manifest.points:
            raise InvalidInputError("this data set has no point clouds; render it with --points 2048")
        reader, local = self._locate(row, 0)
        return reader.points(local)

    def _locate(self, row: int, view: int) -> tuple[ShardReader, int]:
        """The shard of an object, and its row there."""
        if not (0 <= row < self.num_objects and 0 <= view < self.num_views):
            raise InvalidInputError(
                f"no view {view} of object {row} in {self.name}: "
                f"it has {self.num_objects} objects of {self.num_views} views, counted from 0"
            )
        shard = bisect_right(self._starts, row) - 1
        return self._readers[shard], row - self._starts[shard]

    def labels_at(self, rows: NDArray[np.int64], views: NDArray[np.int64]) -> LabelArray:
        """Labels of chosen views.

        Args:
            rows: [B] of objects in this split.
            views: [B].

        Returns:
            float32 [B, L].
        """
        labels = np.empty((len(rows), len(self.manifest.factors)), dtype=np.float32)
        shards = np.searchsorted(self._first_rows, rows, side="right") - 1
        for shard in np.unique(shards):
            here = shards == shard
            labels[here] = self._readers[shard].latents[rows[here] - self._first_rows[shard], views[here]]
        return labels

    def _check(self, manifest: Manifest) -> None:
        for reader, shard in zip(self._readers, manifest.shards_of(self.name), strict=True):
            index = reader.index
            found = (index.num_objects, index.num_views, index.latents.shape[2], int(index.tar_size))
            stated = (shard.objects, manifest.views, len(manifest.factors), shard.bytes)
            if found != stated:
                raise IntegrityError(
                    f"{reader.path}: its index and manifest.json are not of one data set (objects, views, "
                    f"factors, bytes: {found} and {stated}); fetch both again"
                )


@dataclass(frozen=True, slots=True)
class Dataset:
    """A finished data set. It holds no open file; its splits do."""

    path: Path
    manifest: Manifest

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that hold objects."""
        return self.manifest.splits

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the classes, by class number."""
        return self.manifest.categories

    @property
    def schema(self) -> LabelSchema:
        """The label columns."""
        return self.manifest.schema

    def split(self, name: str) -> Split:
        """Open a split.

        Raises:
            InvalidInputError: there is no such split.
            IntegrityError: one of its shards is missing, cut, or not of this data set.
        """
        if name not in self.splits:
            raise InvalidInputError(f"{self.path} has no split {name!r}; it has {', '.join(self.splits)}")
        return Split(self.path, self.manifest, name)


def open_dataset(folder: str | Path) -> Dataset:
    """Open a finished data set.

    Args:
        folder: that holds ``manifest.json``.

    Raises:
        IntegrityError: there is no manifest, or it cannot be read.
    """
    path = Path(folder)
    return Dataset(path, read_manifest(path))

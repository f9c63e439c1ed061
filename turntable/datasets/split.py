"""One split of a finished data set, open for reading: its objects in their order, over all its shards."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import EXTRAS, LabelArray, decode_extra
from turntable.datasets.manifest import Manifest
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.shards import OpenShard, ShardReader, ShardRecord, texts_of
from turntable.errors import IntegrityError, InvalidInputError

_T = TypeVar("_T")


class Split:
    """The objects of one split in their order, over all its shards. Like a shard: open it where you read.

    A shard is opened when it is first needed.

    Args:
        manifest: of the data set.
        name: of the split.
        open_shard: opens its shards, wherever they lie.
        renew: whether a shard that is not what was written can be had anew; it is opened again then.
        most_open: shards to keep open at once; None: all.
    """

    def __init__(
        self,
        manifest: Manifest,
        name: str,
        open_shard: OpenShard,
        *,
        renew: Callable[[ShardRecord], bool] = lambda _: False,
        most_open: int | None = None,
    ) -> None:
        self.name = name
        self.manifest = manifest
        self._shards = manifest.shards_of(name)
        self._open_shard, self._renew, self._most_open = open_shard, renew, most_open
        self._readers: dict[int, ShardReader] = {}
        self._classes: dict[int, NDArray[np.int64]] = {}
        counts = [shard.objects for shard in self._shards]
        self._first_rows = np.array([0, *np.cumsum(counts)], dtype=np.int64)
        self._starts: list[int] = self._first_rows.tolist()  # bisect is ten times as fast on a list
        self._requests: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all files."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()
        if self._requests is not None:
            self._requests.shutdown(wait=False, cancel_futures=True)
            self._requests = None

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
        return tuple(record for reader in self._all() for record in reader.records())

    @cached_property
    def labels(self) -> LabelArray:
        """Float32 [N, V, L], one array over all shards (a copy; ``labels_at`` reads a few without it)."""
        shape = (0, self.num_views, len(self.manifest.factors))
        parts = [reader.latents for reader in self._all()]
        return np.concatenate(parts) if parts else np.empty(shape, dtype=np.float32)

    @cached_property
    def categories(self) -> NDArray[np.int64]:
        """[N] class number of each object: its category's place in the manifest's list."""
        return self.categories_at(np.arange(self.num_objects))

    def categories_at(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """[B] class numbers of chosen objects."""
        numbers = np.empty(len(rows), dtype=np.int64)
        for shard, here, local in self._by_shard(rows):
            numbers[here] = self._class_numbers(shard)[local]
        return numbers

    @property
    def keys(self) -> list[str]:
        """The objects' names in their shards, in order."""
        return [key for reader in self._all() for key in reader.keys]

    def id_of(self, row: int) -> str:
        """An object's id in its source."""
        reader, local = self._locate(row, 0)
        return texts_of(reader.index.ids[local : local + 1])[0]

    def read_jpeg(self, row: int, view: int) -> bytes:
        """One view's file.

        Args:
            row: of the object in this split.
            view: its number.

        Raises:
            IntegrityError: the shard's bytes are not those that were written.
            InvalidInputError: there is no such object or view.
        """
        return self._patiently(row, view, lambda reader, local: reader.read(local, view))

    def read_jpegs(self, rows: NDArray[np.int64], views: NDArray[np.int64]) -> list[bytes | IntegrityError]:
        """The files of several views; in the place of one that is not as it was written, the error.

        Where a reading is a request, many run at once, and views of one object that lie near each other come
        by one.

        Args:
            rows: [B] of objects in this split.
            views: [B] their numbers.

        Raises:
            IntegrityError: a shard is missing, or not the one that was written.
            StoreError: the shards cannot be reached.
            InvalidInputError: there is no such object or view.
        """
        places = list(zip(rows.tolist(), views.tolist(), strict=True))
        if places and self._locate(*places[0])[0].parallel > 1:
            return self._read_by_requests(places)
        return [self._read_or_error(row, view) for row, view in places]

    def read_extra(self, row: int, view: int, output: str) -> NDArray[Any]:
        """Another output of a view, decoded: see :func:`turntable.datasets.labels.decode_extra`.

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
        data = self._patiently(row, view, lambda reader, local: reader.read_extra(local, view, output))
        return decode_extra(output, data, self.manifest.image_size_px)

    def points(self, row: int) -> NDArray[np.float32]:
        """An object's point cloud, float32 [P, 6]: places in the object's own frame, and unit normals.

        Raises:
            IntegrityError: the shard's bytes are not those that were written.
            InvalidInputError: the data set has none, or there is no such object.
        """
        if not self.manifest.points:
            raise InvalidInputError("this data set has no point clouds; render it with --points 2048")
        cloud = self._patiently(row, 0, lambda reader, local: reader.points(local))
        if len(cloud) != self.manifest.points:
            raise IntegrityError(
                f"{self.name} object {row}: {len(cloud)} points, manifest.json says {self.manifest.points}; "
                "fetch both again"
            )
        return cloud

    def labels_at(self, rows: NDArray[np.int64], views: NDArray[np.int64]) -> LabelArray:
        """Labels of chosen views.

        Args:
            rows: [B] of objects in this split.
            views: [B].

        Returns:
            float32 [B, L].
        """
        labels = np.empty((len(rows), len(self.manifest.factors)), dtype=np.float32)
        for shard, here, local in self._by_shard(rows):
            labels[here] = self._reader(shard).latents[local, views[here]]
        return labels

    def _by_shard(
        self, rows: NDArray[np.int64]
    ) -> Iterator[tuple[int, NDArray[np.bool_], NDArray[np.int64]]]:
        """Shards, which of the rows they have, and the rows' numbers there."""
        shards = np.searchsorted(self._first_rows, rows, side="right") - 1
        for shard in np.unique(shards).tolist():
            here = shards == shard
            yield shard, here, rows[here] - self._first_rows[shard]

    def _locate(self, row: int, view: int) -> tuple[ShardReader, int]:
        """The shard of an object, and its row there."""
        if not (0 <= row < self.num_objects and 0 <= view < self.num_views):
            raise InvalidInputError(
                f"no view {view} of object {row} in {self.name}: "
                f"it has {self.num_objects} objects of {self.num_views} views, counted from 0"
            )
        shard = bisect_right(self._starts, row) - 1
        return self._reader(shard), row - self._starts[shard]

    def _reader(self, number: int) -> ShardReader:
        reader = self._readers.get(number)
        if reader is None:
            while self._most_open is not None and len(self._readers) >= self._most_open:
                self._readers.pop(next(iter(self._readers))).close()  # the one that was opened first
            reader = self._readers[number] = open_as_stated(
                self.manifest, self._shards[number], self._open_shard
            )
        return reader

    def _all(self) -> Iterator[ShardReader]:
        return (self._reader(number) for number in range(len(self._shards)))

    def _class_numbers(self, shard: int) -> NDArray[np.int64]:
        """[objects of the shard]."""
        if shard not in self._classes:
            place = {name: number for number, name in enumerate(self.manifest.categories)}
            reader = self._reader(shard)
            names = texts_of(reader.index.categories)
            unknown = sorted(set(names) - place.keys())
            if unknown:
                raise IntegrityError(
                    f"{reader.path}: manifest.json does not name its categories "
                    f"{', '.join(ascii(name[:80]) for name in unknown[:5])}; fetch both again"
                )
            self._classes[shard] = np.array([place[name] for name in names], dtype=np.int64)
        return self._classes[shard]

    def _renewed(self, row: int) -> bool:
        """Whether the shard of an object is to be opened anew, since it was not what was written."""
        shard = bisect_right(self._starts, row) - 1
        if not self._renew(self._shards[shard]):
            return False
        if shard in self._readers:
            self._readers.pop(shard).close()
        return True

    def _patiently(self, row: int, view: int, read: Callable[[ShardReader, int], _T]) -> _T:
        """What is read of an object, whose shard is had anew once if it is not what was written."""
        reader, local = self._locate(row, view)
        reader.prepare()
        try:
            return read(reader, local)
        except IntegrityError:
            if not self._renewed(row):
                raise
        return read(*self._locate(row, view))

    def _read_or_error(self, row: int, view: int) -> bytes | IntegrityError:
        reader, local = self._locate(row, view)
        reader.prepare()  # what this raises is no single view's fault
        try:
            return reader.read(local, view)
        except IntegrityError:
            return self._once_more(row, view)

    def _once_more(self, row: int, view: int) -> bytes | IntegrityError:
        """A view that came wrong, by itself and from its shard had anew; else the error."""
        try:
            return self.read_jpeg(row, view)
        except IntegrityError as error:
            return error

    def _read_by_requests(self, places: Sequence[tuple[int, int]]) -> list[bytes | IntegrityError]:
        spans = _spans(places)
        readers = [self._locate(*places[span[0]]) for span in spans]  # not in threads: it opens shards
        if self._requests is None:
            self._requests = ThreadPoolExecutor(readers[0][0].parallel, thread_name_prefix="views")
        read = list(
            self._requests.map(_read_span, readers, [[places[at][1] for at in span] for span in spans])
        )
        files: list[bytes | IntegrityError] = [b""] * len(places)
        for span, data in zip(spans, read, strict=True):
            for at, file in zip(span, data, strict=True):
                files[at] = self._once_more(*places[at]) if isinstance(file, IntegrityError) else file
        return files


def open_as_stated(manifest: Manifest, shard: ShardRecord, open_shard: OpenShard) -> ShardReader:
    """Open a shard that holds as much as its manifest states.

    Raises:
        IntegrityError: it does not, or it is missing or cut.
        StoreError: its place does not give it.
    """
    reader = open_shard(shard)
    index = reader.index
    found = (index.num_objects, index.num_views, index.latents.shape[2], int(index.tar_size))
    stated = (shard.objects, manifest.views, len(manifest.factors), shard.bytes)
    if found != stated:
        reader.close()
        raise IntegrityError(
            f"{reader.path}: its index and manifest.json are not of one data set (objects, views, "
            f"factors, bytes: {found} and {stated}); fetch both again"
        )
    return reader


MOST_SPAN_VIEWS = 16
"""Views of one object that are no farther apart come by one request, with those between them."""


def _spans(places: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Which of some (object, view) are to be read together: places in the list, by view."""
    spans: list[list[int]] = []
    for at in sorted(range(len(places)), key=lambda at: places[at]):
        row, view = places[at]
        if spans:
            first_row, first_view = places[spans[-1][0]]
            if row == first_row and view - first_view < MOST_SPAN_VIEWS:
                spans[-1].append(at)
                continue
        spans.append([at])
    return spans


def _read_span(where: tuple[ShardReader, int], views: Sequence[int]) -> list[bytes | IntegrityError]:
    """Views of one object, ascending, by one reading."""
    reader, row = where
    span = reader.read_span(row, views[0], views[-1])
    files: list[bytes | IntegrityError] = []
    for view in views:
        try:
            files.append(reader.checked(row, view, span[view - views[0]]))
        except IntegrityError as error:
            files.append(error)
    return files

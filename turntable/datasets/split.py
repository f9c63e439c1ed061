"""One split of a finished data set, open for reading: its objects in order, over all its shards."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import (
    FIRST_ARRAYS,
    OBJECT_ARRAYS,
    VIEW_ARRAYS,
    VIEWS_AXIS,
    LabelArray,
    decode_output,
)
from turntable.datasets.manifest import Manifest
from turntable.datasets.molecules import MoleculeFacts
from turntable.datasets.objects import ObjectPart, ObjectRecord, list_joints
from turntable.datasets.shards import ShardOpener, ShardReader, ShardRecord, decode_texts
from turntable.errors import IntegrityError, InvalidInputError

_T = TypeVar("_T")


class Split:
    """The objects of one split in order, over all its shards.

    A shard is opened when it is first needed. Open a split in the process that reads it, not before a fork.

    Args:
        manifest: Manifest of the data set.
        name: Name of the split.
        open_shard: Function that opens a shard of the data set.
        renew: Function called with a shard whose bytes are not those that were written. It returns True if
            the shard can be fetched again; then the shard is opened again.
        max_open_shards: Maximum number of shards open at once; None for no limit.
    """

    def __init__(
        self,
        manifest: Manifest,
        name: str,
        open_shard: ShardOpener,
        *,
        renew: Callable[[ShardRecord], bool] = lambda _: False,
        max_open_shards: int | None = None,
    ) -> None:
        self.name = name
        self.manifest = manifest
        self._shards = manifest.select_shards(name)
        self._open_shard, self._renew, self._max_open_shards = open_shard, renew, max_open_shards
        self._readers: dict[int, ShardReader] = {}
        self._category_indices_by_shard: dict[int, NDArray[np.int64]] = {}
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
        """Close all open shards."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()
        if self._requests is not None:
            self._requests.shutdown(wait=False, cancel_futures=True)
            self._requests = None

    @property
    def num_objects(self) -> int:
        """Number of objects N."""
        return self._starts[-1]

    @property
    def num_views(self) -> int:
        """Number of views V of each object."""
        return self.manifest.views

    @cached_property
    def objects(self) -> tuple[ObjectRecord, ...]:
        """The records of the objects, in order."""
        return tuple(record for reader in self._iter_readers() for record in reader.read_records())

    @cached_property
    def labels(self) -> LabelArray:
        """All labels as one array, float32 [N, V, L]. It is a copy; ``get_labels`` reads a few without it."""
        shape = (0, self.num_views, len(self.manifest.factors))
        parts = [reader.labels for reader in self._iter_readers()]
        return np.concatenate(parts) if parts else np.empty(shape, dtype=np.float32)

    @cached_property
    def category_indices(self) -> NDArray[np.int64]:
        """The category index of each object, [N]: the position of its category in the manifest's list."""
        return self.get_category_indices(np.arange(self.num_objects))

    def get_category_indices(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the category indices [B] of the objects in ``rows`` [B]."""
        indices = np.empty(len(rows), dtype=np.int64)
        for shard, here, local in self._iter_rows_by_shard(rows):
            indices[here] = self._read_shard_categories(shard)[local]
        return indices

    @property
    def keys(self) -> list[str]:
        """The objects' names in their shards, in order."""
        return [key for reader in self._iter_readers() for key in reader.keys]

    @cached_property
    def object_ids(self) -> tuple[str, ...]:
        """The ids of the objects in their source, in order; read from the shards' indices alone."""
        return tuple(name for reader in self._iter_readers() for name in decode_texts(reader.index.ids))

    def get_object_id(self, row: int) -> str:
        """Return an object's id in its source."""
        reader, local = self._locate(row, 0)
        return decode_texts(reader.index.ids[local : local + 1])[0]

    def read_record(self, row: int) -> ObjectRecord:
        """Read the record of an object.

        Raises:
            IntegrityError: The shard's bytes are not those that were written.
            InvalidInputError: There is no such object.
        """
        return self._read_with_retry(row, 0, lambda reader, local: reader.read_record(local))

    def read_jpeg(self, row: int, view: int) -> bytes:
        """Read the JPEG file of one view.

        Args:
            row: Row of the object in this split.
            view: Number of the view.

        Raises:
            IntegrityError: The shard's bytes are not those that were written.
            InvalidInputError: There is no such object or view.
        """
        self._check_pictures()
        return self._read_with_retry(row, view, lambda reader, local: reader.read_jpeg(local, view))

    def read_jpegs(self, rows: NDArray[np.int64], views: NDArray[np.int64]) -> list[bytes | IntegrityError]:
        """Read the JPEG files of several views.

        A view whose bytes are not those that were written gets its error in place of its file. If each read
        is a request over a network, many run at once, and neighboring views of one object share a request.

        Args:
            rows: Rows of the objects in this split, [B].
            views: Numbers of the views, [B].

        Raises:
            IntegrityError: A shard is missing, or not the one that was written.
            StoreError: The shards cannot be reached.
            InvalidInputError: There is no such object or view.
        """
        self._check_pictures()
        pairs = list(zip(rows.tolist(), views.tolist(), strict=True))
        if pairs and self._locate(*pairs[0])[0].num_parallel_reads > 1:
            return self._read_by_requests(pairs)
        return [self._read_or_error(row, view) for row, view in pairs]

    def read_output(self, row: int, view: int, output: str) -> NDArray[Any]:
        """Read an output of a view other than the picture, and decode it.

        See :func:`turntable.datasets.labels.decode_output` for its shape and type; arrays such as ``scan``
        have the form that ``turntable.datasets.labels.VIEW_ARRAYS`` says.

        Args:
            row: Row of the object in this split.
            view: Number of the view.
            output: Name of the output, not "rgb".

        Raises:
            IntegrityError: The shard's bytes are not those that were written.
            InvalidInputError: The data set does not store the output, or there is no such object or view.
        """
        if output not in self.manifest.outputs or output == "rgb":
            raise InvalidInputError(
                f"this data set has no output {output}; it has {', '.join(self.manifest.outputs) or 'none'}. "
                f"Render it with --outputs rgb,{output}"
            )
        data = self._read_with_retry(row, view, lambda reader, local: reader.read_output(local, view, output))
        if output not in VIEW_ARRAYS:
            return decode_output(output, data, self.manifest.image_size_px)
        try:
            array = VIEW_ARRAYS[output].decode(data, self.num_views)
            self._check_sizes(VIEW_ARRAYS[output].measure_axes(array))
        except ValueError as error:
            raise IntegrityError(
                f"{self.name} object {row}, view {view}, {output}: {error}; fetch it again"
            ) from None
        return array

    def read_array(self, row: int, name: str) -> NDArray[Any] | None:
        """Read an array of an object, such as its tracks; None if the object has none of this name.

        Args:
            row: Row of the object in this split.
            name: Name of the array; ``turntable.datasets.labels.OBJECT_ARRAYS`` says its form.

        Raises:
            IntegrityError: The shard's bytes are not those that were written.
            InvalidInputError: No object of the data set has this array, or there is no such object.
        """
        if name not in FIRST_ARRAYS and name not in self.manifest.arrays:
            known = ", ".join(self.manifest.arrays) or "none"
            raise InvalidInputError(f"this data set has no array {name}; it has {known}")
        array = self._read_with_retry(row, 0, lambda reader, local: reader.read_array(local, name))
        if array is not None and name not in FIRST_ARRAYS:
            try:
                self._check_sizes(OBJECT_ARRAYS[name].measure_axes(array))
            except ValueError as error:
                raise IntegrityError(f"{self.name} object {row}, {name}: {error}; fetch it again") from None
        return array

    def _check_sizes(self, sizes: Mapping[str, int]) -> None:
        """Raise ValueError if an axis of an array is longer than the manifest says."""
        largest = self.manifest.array_sizes
        for axis, size in sizes.items():
            if axis != VIEWS_AXIS and size > largest.get(axis, 0):
                raise ValueError(f"{size} {axis}; manifest.json says at most {largest.get(axis, 0)}")

    def _check_pictures(self) -> None:
        if not self.manifest.has_pictures:
            raise InvalidInputError(
                "this data set has no pictures; render it with --outputs rgb, or read its other fields"
            )

    def read_points(self, row: int) -> NDArray[np.float32]:
        """Read an object's point cloud, float32 [P, 6]: positions in the object's frame, then unit normals.

        Raises:
            IntegrityError: The shard's bytes are not those that were written.
            InvalidInputError: The data set has no point clouds, or there is no such object.
        """
        if not self.manifest.points:
            raise InvalidInputError("this data set has no point clouds; render it with --points 2048")
        cloud = self.read_array(row, "points")
        if cloud is None or len(cloud) != self.manifest.points:
            num_points = 0 if cloud is None else len(cloud)
            raise IntegrityError(
                f"{self.name} object {row}: {num_points} points, manifest.json says {self.manifest.points}; "
                "fetch both again"
            )
        return cloud

    def read_parts(self, row: int) -> tuple[ObjectPart, ...]:
        """Read the parts of an object; none for an object of one piece.

        Raises:
            IntegrityError: The shard's bytes are not those that were written.
        """
        if not self.manifest.max_parts:
            return ()
        record = self.read_record(row)
        self._check_counts(row, len(record.parts), len(list_joints(record.parts)))
        named = {part.category for part in record.parts} or {record.category}
        if unknown := sorted(named - set(self.manifest.part_categories)):
            raise IntegrityError(
                f"{self.name} object {row}: its parts have categories that manifest.json does not name: "
                f"{', '.join(ascii(name[:80]) for name in unknown[:5])}; fetch both again"
            )
        return record.parts

    def read_molecule(self, row: int) -> MoleculeFacts | None:
        """Read the facts about a molecule; None for an object that is none.

        Raises:
            IntegrityError: The shard's bytes are not those that were written.
        """
        return self._read_with_retry(row, 0, lambda reader, local: reader.read_record(local)).molecule

    def read_part_pose(self, row: int) -> NDArray[np.float32] | None:
        """Read the poses of an object's parts in the world, float32 [V, K, 4, 4]; None for one piece.

        Raises:
            IntegrityError: The shard's bytes are not those that were written.
        """
        if not self.manifest.max_parts:
            return None
        poses = self.read_array(row, "part_pose")
        self._check_counts(row, 0 if poses is None else poses.shape[1], 0)
        return poses

    def read_joint_values(self, row: int) -> NDArray[np.float32] | None:
        """Read the values of an object's joints, float32 [V, J]; None for an object without joints.

        Raises:
            IntegrityError: The shard's bytes are not those that were written.
        """
        if not self.manifest.max_joints:
            return None
        values = self.read_array(row, "joint_values")
        self._check_counts(row, 0, 0 if values is None else values.shape[1])
        return values

    def _check_counts(self, row: int, num_parts: int, num_joints: int) -> None:
        manifest = self.manifest
        if num_parts > manifest.max_parts or num_joints > manifest.max_joints:
            raise IntegrityError(
                f"{self.name} object {row}: {num_parts} parts and {num_joints} joints; manifest.json says at "
                f"most {manifest.max_parts} and {manifest.max_joints}; fetch both again"
            )

    def get_labels(self, rows: NDArray[np.int64], views: NDArray[np.int64]) -> LabelArray:
        """Return the labels of several views.

        Args:
            rows: Rows of the objects in this split, [B].
            views: Numbers of the views, [B].

        Returns:
            float32 [B, L].
        """
        labels = np.empty((len(rows), len(self.manifest.factors)), dtype=np.float32)
        for shard, here, local in self._iter_rows_by_shard(rows):
            labels[here] = self._get_reader(shard).labels[local, views[here]]
        return labels

    def _iter_rows_by_shard(
        self, rows: NDArray[np.int64]
    ) -> Iterator[tuple[int, NDArray[np.bool_], NDArray[np.int64]]]:
        """Yield for each shard its number, a mask of the rows it holds, and those rows' numbers within it."""
        shards = np.searchsorted(self._first_rows, rows, side="right") - 1
        for shard in np.unique(shards).tolist():
            here = shards == shard
            yield shard, here, rows[here] - self._first_rows[shard]

    def _locate(self, row: int, view: int) -> tuple[ShardReader, int]:
        """Return the reader of an object's shard, and the object's row in that shard."""
        if not (0 <= row < self.num_objects and 0 <= view < self.num_views):
            raise InvalidInputError(
                f"no view {view} of object {row} in {self.name}: "
                f"it has {self.num_objects} objects of {self.num_views} views, counted from 0"
            )
        shard = bisect_right(self._starts, row) - 1
        return self._get_reader(shard), row - self._starts[shard]

    def _get_reader(self, number: int) -> ShardReader:
        reader = self._readers.get(number)
        if reader is None:
            while self._max_open_shards is not None and len(self._readers) >= self._max_open_shards:
                # A dict keeps its insertion order, so this is the reader that was opened first.
                self._readers.pop(next(iter(self._readers))).close()
            reader = self._readers[number] = open_checked_shard(
                self.manifest, self._shards[number], self._open_shard
            )
        return reader

    def _iter_readers(self) -> Iterator[ShardReader]:
        return (self._get_reader(number) for number in range(len(self._shards)))

    def _read_shard_categories(self, shard: int) -> NDArray[np.int64]:
        """Return the category indices of one shard's objects, [objects of the shard]."""
        if shard not in self._category_indices_by_shard:
            index_by_name = {name: index for index, name in enumerate(self.manifest.categories)}
            reader = self._get_reader(shard)
            names = decode_texts(reader.index.categories)
            unknown = sorted(set(names) - index_by_name.keys())
            if unknown:
                raise IntegrityError(
                    f"{reader.path}: it has categories that manifest.json does not name: "
                    f"{', '.join(ascii(name[:80]) for name in unknown[:5])}; fetch both again"
                )
            indices = np.array([index_by_name[name] for name in names], dtype=np.int64)
            self._category_indices_by_shard[shard] = indices
        return self._category_indices_by_shard[shard]

    def _renew_shard(self, row: int) -> bool:
        """Ask for an object's shard again; return True if it is to be reopened."""
        shard = bisect_right(self._starts, row) - 1
        if not self._renew(self._shards[shard]):
            return False
        if shard in self._readers:
            self._readers.pop(shard).close()
        return True

    def _read_with_retry(self, row: int, view: int, read: Callable[[ShardReader, int], _T]) -> _T:
        """Read something of an object. If its bytes are wrong, renew its shard and read once more."""
        reader, local = self._locate(row, view)
        reader.prepare()
        try:
            return read(reader, local)
        except IntegrityError:
            if not self._renew_shard(row):
                raise
        return read(*self._locate(row, view))

    def _read_or_error(self, row: int, view: int) -> bytes | IntegrityError:
        reader, local = self._locate(row, view)
        reader.prepare()  # outside of try: an error here concerns the whole shard, not one view
        try:
            return reader.read_jpeg(local, view)
        except IntegrityError:
            return self._retry_jpeg(row, view)

    def _retry_jpeg(self, row: int, view: int) -> bytes | IntegrityError:
        """Read a view again after an error, renewing its shard if possible; return an error that persists."""
        try:
            return self.read_jpeg(row, view)
        except IntegrityError as error:
            return error

    def _read_by_requests(self, pairs: Sequence[tuple[int, int]]) -> list[bytes | IntegrityError]:
        """Read views by requests that run in parallel."""
        spans = _group_spans(pairs)
        # Shards are opened here and not in the threads: the table of readers has no lock.
        readers = [self._locate(*pairs[span[0]]) for span in spans]
        if self._requests is None:
            self._requests = ThreadPoolExecutor(readers[0][0].num_parallel_reads, thread_name_prefix="views")
        read = list(
            self._requests.map(_read_span, readers, [[pairs[at][1] for at in span] for span in spans])
        )
        files: list[bytes | IntegrityError] = [b""] * len(pairs)
        for span, data in zip(spans, read, strict=True):
            for at, file in zip(span, data, strict=True):
                files[at] = self._retry_jpeg(*pairs[at]) if isinstance(file, IntegrityError) else file
        return files


def open_checked_shard(manifest: Manifest, shard: ShardRecord, open_shard: ShardOpener) -> ShardReader:
    """Open a shard and compare its contents with the manifest.

    Raises:
        IntegrityError: They differ, or the shard is missing or truncated.
        StoreError: The store does not deliver the shard.
    """
    reader = open_shard(shard)
    index = reader.index
    found = (index.num_objects, index.num_views, index.latents.shape[2], int(index.tar_size))
    stated = (shard.objects, manifest.views, len(manifest.factors), shard.bytes)
    if found != stated:
        reader.close()
        raise IntegrityError(
            f"{reader.path}: its index and manifest.json disagree (objects, views, factors, bytes: {found} "
            f"and {stated}); fetch both again"
        )
    return reader


MAX_SPAN_VIEWS = 16
"""Maximum length of a span. Views of one object within a span are read by one request, together with the
unwanted views between them, since a request costs more than some views' bytes."""


def _group_spans(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Group (object, view) pairs into spans that are read together.

    Returns:
        For each span the positions of its pairs in the list, sorted by view.
    """
    spans: list[list[int]] = []
    for at in sorted(range(len(pairs)), key=lambda at: pairs[at]):
        row, view = pairs[at]
        if spans:
            first_row, first_view = pairs[spans[-1][0]]
            if row == first_row and view - first_view < MAX_SPAN_VIEWS:
                spans[-1].append(at)
                continue
        spans.append([at])
    return spans


def _read_span(position: tuple[ShardReader, int], views: Sequence[int]) -> list[bytes | IntegrityError]:
    """Read the views of one object, given in ascending order, by one request."""
    reader, row = position
    span = reader.read_jpeg_span(row, views[0], views[-1])
    files: list[bytes | IntegrityError] = []
    for view in views:
        try:
            files.append(reader.check_jpeg(row, view, span[view - views[0]]))
        except IntegrityError as error:
            files.append(error)
    return files

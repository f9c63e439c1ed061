"""Random access to the views of one shard: each view is read with one pread and checked with one checksum."""

import hashlib
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from turntable.datasets.files import (
    MAX_META_BYTES,
    FieldError,
    FolderFiles,
    JsonFields,
    parse_json,
)
from turntable.datasets.labels import OBJECT_ARRAYS, LabelArray
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.shards.byte_source import ByteSource, LocalFile, RemoteFile
from turntable.datasets.shards.index import (
    INDEX_SUFFIX,
    MAX_INDEX_BYTES,
    MemberLocation,
    ShardIndex,
    decode_index,
    decode_texts,
    open_folder_index,
)
from turntable.datasets.shards.tar import BLOCK_BYTES, SHARD_REMEDY, parse_member_size
from turntable.datasets.shards.writer import SHARD_SUFFIX, ShardRecord
from turntable.datasets.stores import Store
from turntable.errors import IntegrityError


class ShardReader:
    """An open shard and its index.

    Do not pickle it or carry it over a fork: open it in the process that reads.

    Args:
        path: Path of the ``.tar`` file; with ``store``, its name in the store.
        store: Store that holds the shard; None: a file of this machine. The index is fetched whole, and each
            view by a request.
        index_sha256: Expected hex digest of the index in the store; None: not checked.
        max_index_bytes: Largest size of the index that is read from the store; see
            ``compute_max_index_bytes``.

    Raises:
        IntegrityError: The shard or its index is missing or is another one, or the shard is not as long as
            its index says.
        StoreError: The store does not give the shard.
    """

    def __init__(
        self,
        path: Path | str,
        store: Store | None = None,
        index_sha256: str | None = None,
        max_index_bytes: int = MAX_INDEX_BYTES,
    ) -> None:
        if store is None:
            files, name = FolderFiles(Path(path).parent), Path(path).name
            self._initialize(
                str(path),
                open_folder_index(files, make_index_name(name)),
                LocalFile.from_folder(files, name),
            )
        else:
            index = _fetch_index(store, make_index_name(str(path)), index_sha256, max_index_bytes)
            self._initialize(f"{store.url}/{path}", index, RemoteFile(store, str(path)))

    @classmethod
    def from_folder(cls, files: FolderFiles, shard: ShardRecord) -> Self:
        """Open a shard of a data set's folder whose index is the one that the manifest names.

        Args:
            files: Files of the data set.
            shard: The shard's record in the manifest.

        Raises:
            IntegrityError: The shard or its index is missing, is another one, or is not a file of the folder.
            StoreError: The system refuses to read it.
        """
        reader, name = cls.__new__(cls), make_shard_name(shard)
        index = open_folder_index(files, make_index_name(name), shard.idx_sha256)
        reader._initialize(files.format_name(name), index, LocalFile.from_folder(files, name))
        return reader

    @classmethod
    def from_parts(cls, path: str, index: ShardIndex, open_descriptor: Callable[[], int], size: int) -> Self:
        """Return a reader of a shard whose index is already open.

        Args:
            path: Name of the shard in messages.
            index: Index of the shard.
            open_descriptor: Function that opens the file and returns its descriptor. It is called at the
                first read; the reader closes the descriptor.
            size: Bytes of the file.

        Raises:
            IntegrityError: The shard is not as long as its index says.
        """
        reader = cls.__new__(cls)
        reader._initialize(path, index, LocalFile(open_descriptor, size))
        return reader

    def _initialize(self, path: str, index: ShardIndex, source: ByteSource) -> None:
        self.path, self.index, self._source = path, index, source
        if source.size != int(index.tar_size):
            self.close()
            raise IntegrityError(
                f"{path}: {source.size} bytes, its index says {int(index.tar_size)}: cut or edited; "
                f"{SHARD_REMEDY}"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Closing twice is not an error."""
        self._source.close()

    def prepare(self) -> None:
        """Make sure that views can be read: a shard of a cache is fetched now if needed.

        Raises:
            IntegrityError: The shard is not what was written.
            StoreError: The store does not give it.
        """
        self._source.prepare()

    @property
    def num_parallel_reads(self) -> int:
        """The number of views that are best read at once: more than one if each is a request."""
        return self._source.num_parallel_reads

    @property
    def keys(self) -> list[str]:
        """The keys of the objects, in order."""
        return decode_texts(self.index.keys)

    @property
    def labels(self) -> LabelArray:
        """The labels, float32 [N, V, L]."""
        return self.index.latents

    def read_jpeg(self, row: int, view: int) -> bytes:
        """Return one view's JPEG.

        Args:
            row: Number of the object in this shard.
            view: Number of the view.

        Raises:
            IntegrityError: The bytes are not those that were written.
        """
        size = int(self.index.size[row, view])
        return self.check_jpeg(row, view, self._read_at(size, int(self.index.offset[row, view])))

    def read_jpeg_span(self, row: int, first: int, last: int) -> list[bytes]:
        """Return the JPEGs of successive views of an object by one read, without checking them.

        Args:
            row: Number of the object in this shard.
            first: Number of the first view.
            last: Number of the last view, inclusive.
        """
        start = int(self.index.offset[row, first])
        end = int(self.index.offset[row, last]) + int(self.index.size[row, last])
        data = self._read_at(end - start, start)
        locations = [
            (int(self.index.offset[row, view]) - start, int(self.index.size[row, view]))
            for view in range(first, last + 1)
        ]
        return [data[offset : offset + size] for offset, size in locations]

    def check_jpeg(self, row: int, view: int, data: bytes) -> bytes:
        """Return a view's JPEG unchanged if it is as it was written.

        Raises:
            IntegrityError: The bytes are not those that were written.
        """
        if zlib.crc32(data) != int(self.index.crc32[row, view]):
            raise IntegrityError(
                f"{self.path}: object {self.keys[row]}, view {view}: wrong checksum: cut or edited; "
                f"{SHARD_REMEDY}"
            )
        return data

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs stored of each view besides its JPEG."""
        return tuple(decode_texts(self.index.extras))

    def read_output(self, row: int, view: int, output: str) -> bytes:
        """Return the bytes of another output of a view.

        Raises:
            IntegrityError: The bytes are not those that were written.
        """
        position = (row, self.outputs.index(output), view)
        index = self.index
        offset, size, crc = (
            index.extra_offset[position],
            index.extra_size[position],
            index.extra_crc32[position],
        )
        location = int(offset), int(size), int(crc)
        return self._read_member(location, f"object {self.keys[row]}, view {view}, {output}")

    def read_array(self, row: int, name: str) -> NDArray[Any] | None:
        """Return an array of an object, of the form that ``OBJECT_ARRAYS`` says; None if it has none.

        Args:
            row: Number of the object in this shard.
            name: Name of the array.

        Raises:
            IntegrityError: The bytes are not those that were written, or not an array of this form.
        """
        location = self.index.locate_array(name, row)
        if location is None:
            return None
        data = self._read_member(location, f"object {self.keys[row]}, {name}")
        try:
            return OBJECT_ARRAYS[name].decode(data, self.index.num_views)
        except ValueError as error:
            raise IntegrityError(
                f"{self.path}: object {self.keys[row]}, {name}: {error}; {SHARD_REMEDY}"
            ) from None

    def _read_member(self, location: MemberLocation, description: str) -> bytes:
        offset, size, crc = location
        data = self._read_at(size, offset)
        if zlib.crc32(data) != crc:
            raise IntegrityError(f"{self.path}: {description}: wrong checksum: cut or edited; {SHARD_REMEDY}")
        return data

    def _read_at(self, size: int, offset: int) -> bytes:
        """Return the bytes at an offset, or nothing if they would reach out of the shard.

        A wrong index can state any position and size. Nothing beyond the shard is requested.
        """
        if size < 0 or offset < 0 or offset + size > self._source.size:
            return b""
        return self._source.read_at(size, offset)

    def read_meta(self, row: int) -> JsonFields:
        """Return the fields of an object's ``.meta.json`` in the shard.

        Raises:
            IntegrityError: The description cannot be read.
        """
        start = int(self.index.object_start[row])
        # An object's members are its labels, its description, then its views. One read gets what stands
        # before the first view; the sizes in the tar headers lead from the labels to the description.
        length = int(self.index.offset[row, 0]) - start
        length = length if self.index.has_pictures else int(self.index.object_length[row])
        max_bytes = self.index.latents[row].nbytes + MAX_META_BYTES
        data = self._read_at(max(0, min(length, max_bytes, self._source.size - start)), start)
        try:
            position = BLOCK_BYTES + parse_member_size(data[:BLOCK_BYTES])
            position += -position % BLOCK_BYTES
            size = parse_member_size(data[position : position + BLOCK_BYTES])
            return JsonFields(parse_json(data[position + BLOCK_BYTES : position + BLOCK_BYTES + size]))
        except ValueError as error:
            raise self._make_description_error(row, error) from None

    def read_record(self, row: int) -> ObjectRecord:
        """Return an object's record.

        Raises:
            IntegrityError: The description cannot be read.
        """
        try:
            return ObjectRecord.from_fields(self.read_meta(row))
        except FieldError as error:
            raise self._make_description_error(row, error) from None

    def _make_description_error(self, row: int, error: ValueError) -> IntegrityError:
        return IntegrityError(
            f"{self.path}: object {self.keys[row]}: its description cannot be read ({error}); {SHARD_REMEDY}"
        )

    def read_records(self) -> tuple[ObjectRecord, ...]:
        """Return the records of all objects, in order."""
        rows = range(self.index.num_objects)
        if self._source.num_parallel_reads == 1:
            return tuple(map(self.read_record, rows))
        with ThreadPoolExecutor(self._source.num_parallel_reads) as pool:
            return tuple(pool.map(self.read_record, rows))


ShardOpener = Callable[[ShardRecord], ShardReader]
"""A function that opens a shard of a data set, wherever the shards lie."""


def make_shard_name(shard: ShardRecord) -> str:
    """Return the name of a shard's archive in the data set: ``<split>/<name>.tar``."""
    return f"{shard.split}/{shard.name}{SHARD_SUFFIX}"


def make_index_name(shard: str) -> str:
    """Return the name of a shard's index from that of its archive."""
    return shard.removesuffix(SHARD_SUFFIX) + INDEX_SUFFIX


def make_folder_opener(folder: Path) -> ShardOpener:
    """Return a function that opens shards in a data set's folder, at ``<split>/<name>.tar``."""
    return partial(ShardReader.from_folder, FolderFiles(folder))


def make_store_opener(store: Store) -> ShardOpener:
    """Return a function that opens shards in a store, at ``<split>/<name>.tar``."""
    return lambda shard: ShardReader(make_shard_name(shard), store)


def _fetch_index(store: Store, name: str, sha256: str | None, max_bytes: int) -> ShardIndex:
    data = store.read(name, max_bytes)
    if data is None:
        raise IntegrityError(f"{store.url}/{name}: missing; {SHARD_REMEDY}")
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise IntegrityError(
            f"{store.url}/{name}: not the index that manifest.json names: edited, or of another data set; "
            f"{SHARD_REMEDY}"
        )
    return decode_index(data, f"{store.url}/{name}")

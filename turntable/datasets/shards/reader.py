"""Reading one shard at random: a view is one pread and one checksum."""

import hashlib
import os
import weakref
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import (
    MOST_META_BYTES,
    FieldError,
    Fields,
    FolderFiles,
    parse_json,
    parse_points,
)
from turntable.datasets.labels import LabelArray
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.shards.index import (
    INDEX_SUFFIX,
    MOST_INDEX_BYTES,
    ShardIndex,
    find_index,
    parse_index,
    texts_of,
)
from turntable.datasets.shards.tar import BLOCK, REMEDY, member_size
from turntable.datasets.shards.writer import SHARD_SUFFIX, ShardRecord
from turntable.datasets.stores import Store
from turntable.errors import IntegrityError


class _Source(Protocol):
    """Where a shard's bytes come from."""

    size: int
    parallel: int
    """How many readings at once are worth it."""

    def prepare(self) -> None:
        """Do now what can be done before the first reading."""
        ...

    def pread(self, size: int, offset: int) -> bytes:
        """Bytes from an offset; fewer where the shard ends before."""
        ...

    def close(self) -> None:
        """Let go of it; twice is no error."""
        ...


class _LocalFile:
    """A file of this machine, opened when it is first read, and closed when nobody holds it any more."""

    parallel = 1

    def __init__(self, opened: Callable[[], int], size: int) -> None:
        self._opened, self.size = opened, size
        self._descriptor = -1

    @classmethod
    def of_folder(cls, files: FolderFiles, name: str) -> Self:
        """Open a file of a folder now."""

        def opened() -> int:
            found = files.open(name)
            if found is None:
                raise IntegrityError(f"{files.name_of(name)}: missing; {REMEDY}")
            with found:
                return os.dup(found.fileno())

        file = cls(opened, 0)
        file.prepare()
        file.size = os.fstat(file._descriptor).st_size
        return file

    def prepare(self) -> None:
        if self._descriptor < 0:
            self._descriptor = self._opened()
            self._close = weakref.finalize(self, os.close, self._descriptor)
            self._close.atexit = False

    def pread(self, size: int, offset: int) -> bytes:
        self.prepare()
        return os.pread(self._descriptor, size, offset)

    def close(self) -> None:
        if self._descriptor >= 0:
            self._close()
            self._descriptor = -1


class _RemoteFile:
    """A file of a store: a reading is a request."""

    parallel = 16

    def __init__(self, store: Store, name: str) -> None:
        size = store.size(name)
        if size is None:
            raise IntegrityError(f"{store.url}/{name}: missing; {REMEDY}")
        self._store, self._name, self.size = store, name, size

    def prepare(self) -> None:
        """Nothing can be."""

    def pread(self, size: int, offset: int) -> bytes:
        return self._store.read_range(self._name, offset, size)

    def close(self) -> None:
        """Nothing is held."""


class ShardReader:
    """A shard and its index, open. Not to be carried over a fork or pickled: open it where you read.

    Args:
        path: of the ``.tar``; in a store, its name there.
        store: where it lies, if it is no file of this machine. Its index is fetched whole, and each view by a
            request of its own.
        index_sha256: of the index in the store, hex, where it is known.
        most_index_bytes: that are read of the index in the store: see ``shard_index.most_index_bytes``.

    Raises:
        IntegrityError: the shard or its index is missing or another one, or the shard is not as long as its
            index says.
        StoreError: the store does not give it.
    """

    def __init__(
        self,
        path: Path | str,
        store: Store | None = None,
        index_sha256: str | None = None,
        most_index_bytes: int = MOST_INDEX_BYTES,
    ) -> None:
        if store is None:
            files, name = FolderFiles(Path(path).parent), Path(path).name
            self._begin(str(path), find_index(files, index_name(name)), _LocalFile.of_folder(files, name))
        else:
            index = _fetch_index(store, index_name(str(path)), index_sha256, most_index_bytes)
            self._begin(f"{store.url}/{path}", index, _RemoteFile(store, str(path)))

    @classmethod
    def of_folder(cls, files: FolderFiles, shard: ShardRecord) -> Self:
        """Open a shard of a data set's folder, whose index must be the one that the manifest names.

        Args:
            files: of the folder.
            shard: its record in the manifest.

        Raises:
            IntegrityError: the shard or its index is missing, another one, or no file of the folder.
            StoreError: the system refuses to read it.
        """
        reader, name = cls.__new__(cls), shard_name(shard)
        index = find_index(files, index_name(name), shard.idx_sha256)
        reader._begin(files.name_of(name), index, _LocalFile.of_folder(files, name))
        return reader

    @classmethod
    def of_parts(cls, path: str, index: ShardIndex, opened: Callable[[], int], size: int) -> Self:
        """A shard whose index was opened before.

        Args:
            path: what messages call it.
            index: of the shard.
            opened: gives a descriptor of the file when it is first read; the reader closes it.
            size: bytes of the file.

        Raises:
            IntegrityError: the shard is not as long as its index says.
        """
        reader = cls.__new__(cls)
        reader._begin(path, index, _LocalFile(opened, size))
        return reader

    def _begin(self, path: str, index: ShardIndex, source: _Source) -> None:
        self.path, self.index, self._source = path, index, source
        if source.size != int(index.tar_size):
            self.close()
            raise IntegrityError(
                f"{path}: {source.size} bytes, its index says {int(index.tar_size)}: cut or edited; {REMEDY}"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice is no error."""
        self._source.close()

    def prepare(self) -> None:
        """Make sure that views can be read: a shard that is kept on this node is fetched now, if need be.

        Raises:
            IntegrityError: it is not what was written.
            StoreError: its place does not give it.
        """
        self._source.prepare()

    @property
    def parallel(self) -> int:
        """How many views are best read at once: each is a request where the shard is elsewhere."""
        return self._source.parallel

    @property
    def keys(self) -> list[str]:
        """Keys of the objects, in order."""
        return texts_of(self.index.keys)

    @property
    def latents(self) -> LabelArray:
        """Float32 [N, V, L]."""
        return self.index.latents

    def read(self, row: int, view: int) -> bytes:
        """One view's JPEG.

        Args:
            row: of the object in this shard.
            view: its number.

        Raises:
            IntegrityError: the bytes are not those that were written.
        """
        size = int(self.index.size[row, view])
        return self.checked(row, view, self._pread(size, int(self.index.offset[row, view])))

    def read_span(self, row: int, first: int, last: int) -> list[bytes]:
        """Several views of an object by one reading: from one to another, and those between; unchecked."""
        start = int(self.index.offset[row, first])
        end = int(self.index.offset[row, last]) + int(self.index.size[row, last])
        data = self._pread(end - start, start)
        places = [
            (int(self.index.offset[row, v]) - start, int(self.index.size[row, v]))
            for v in range(first, last + 1)
        ]
        return [data[at : at + size] for at, size in places]

    def checked(self, row: int, view: int, data: bytes) -> bytes:
        """A view's JPEG as it was read. Raises IntegrityError where it is not as it was written."""
        if zlib.crc32(data) != int(self.index.crc32[row, view]):
            raise IntegrityError(
                f"{self.path}: object {self.keys[row]}, view {view}: wrong checksum: cut or edited; {REMEDY}"
            )
        return data

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """What is kept of each view besides its JPEG."""
        return tuple(texts_of(self.index.extras))

    def read_extra(self, row: int, view: int, output: str) -> bytes:
        """The file of another output of a view. Raises IntegrityError where it is not as it was written."""
        at = (row, self.outputs.index(output), view)
        index = self.index
        place = (index.extra_offset[at], index.extra_size[at], index.extra_crc32[at])
        return self._member(place, f"object {self.keys[row]}, view {view}, {output}")

    def points(self, row: int) -> NDArray[np.float32]:
        """Float32 [P, 6], an object's point cloud. Raises IntegrityError where it was edited."""
        index = self.index
        place = (index.points_offset[row], index.points_size[row], index.points_crc32[row])
        data = self._member(place, f"object {self.keys[row]}, points")
        try:
            return parse_points(data)
        except ValueError as error:
            raise IntegrityError(f"{self.path}: object {self.keys[row]}, points: {error}; {REMEDY}") from None

    def _member(self, place: tuple[np.int64, np.int64, np.uint32], what: str) -> bytes:
        offset, size, crc = (int(number) for number in place)
        data = self._pread(size, offset)
        if zlib.crc32(data) != crc:
            raise IntegrityError(f"{self.path}: {what}: wrong checksum: cut or edited; {REMEDY}")
        return data

    def _pread(self, size: int, offset: int) -> bytes:
        """Nothing where an index points out of the shard: no more is asked for than there can be."""
        if size < 0 or offset < 0 or offset + size > self._source.size:
            return b""
        return self._source.pread(size, offset)

    def meta(self, row: int) -> Fields:
        """Return the shard's description of an object: the fields of its ``.meta.json``.

        Raises:
            IntegrityError: it cannot be read.
        """
        start = int(self.index.object_start[row])
        # The labels come first, the description behind them, then the views: one reading of all before those.
        length = int(self.index.offset[row, 0]) - start
        most = self.index.latents[row].nbytes + MOST_META_BYTES
        before = self._pread(max(0, min(length, most, self._source.size - start)), start)
        try:
            at = BLOCK + member_size(before[:BLOCK])
            at += -at % BLOCK
            size = member_size(before[at : at + BLOCK])
            return Fields(parse_json(before[at + BLOCK : at + BLOCK + size]))
        except ValueError as error:
            raise self._undescribed(row, error) from None

    def record(self, row: int) -> ObjectRecord:
        """An object's record. Raises IntegrityError where it cannot be read."""
        try:
            return ObjectRecord.from_fields(self.meta(row))
        except FieldError as error:
            raise self._undescribed(row, error) from None

    def _undescribed(self, row: int, error: ValueError) -> IntegrityError:
        return IntegrityError(
            f"{self.path}: object {self.keys[row]}: its description cannot be read ({error}); {REMEDY}"
        )

    def records(self) -> tuple[ObjectRecord, ...]:
        """Records of all objects, in order."""
        rows = range(self.index.num_objects)
        if self._source.parallel == 1:
            return tuple(map(self.record, rows))
        with ThreadPoolExecutor(self._source.parallel) as pool:
            return tuple(pool.map(self.record, rows))


OpenShard = Callable[[ShardRecord], ShardReader]
"""How a data set's shards are opened, wherever they lie."""


def shard_name(shard: ShardRecord) -> str:
    """Its path in the data set."""
    return f"{shard.split}/{shard.name}{SHARD_SUFFIX}"


def index_name(shard: str) -> str:
    """The path of its index, from its own."""
    return shard.removesuffix(SHARD_SUFFIX) + INDEX_SUFFIX


def local_shards(folder: Path) -> OpenShard:
    """Shards that lie in a data set's own folder, as ``<split>/<name>.tar``."""
    return partial(ShardReader.of_folder, FolderFiles(folder))


def store_shards(store: Store) -> OpenShard:
    """Shards that lie in a store, as ``<split>/<name>.tar``."""
    return lambda shard: ShardReader(shard_name(shard), store)


def _fetch_index(store: Store, name: str, sha256: str | None, most_bytes: int) -> ShardIndex:
    data = store.read(name, most_bytes)
    if data is None:
        raise IntegrityError(f"{store.url}/{name}: missing; {REMEDY}")
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise IntegrityError(
            f"{store.url}/{name}: not the index that manifest.json names: edited, or of another data set; "
            f"{REMEDY}"
        )
    return parse_index(data, f"{store.url}/{name}")

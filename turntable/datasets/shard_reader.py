"""Reading one shard at random: a view is one pread and one checksum."""

import io
import json
import os
import zlib
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import LabelArray
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.shard_index import INDEX_SUFFIX, ShardIndex, open_index, texts_of
from turntable.datasets.tar import BLOCK, REMEDY, member_size, padding
from turntable.errors import IntegrityError


class ShardReader:
    """A shard and its index, open. Not to be carried over a fork or pickled: open it where you read.

    Args:
        path: of the ``.tar``.

    Raises:
        IntegrityError: the shard or its index is missing, or the shard is not as long as its index says.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.index: ShardIndex = open_index(path.with_suffix(INDEX_SUFFIX))
        try:
            self._descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            raise IntegrityError(f"{path}: missing; {REMEDY}") from None
        length = os.fstat(self._descriptor).st_size
        if length != int(self.index.tar_size):
            self.close()
            raise IntegrityError(
                f"{path}: {length} bytes, its index says {int(self.index.tar_size)}: cut or edited; {REMEDY}"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice is no error."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

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
        data = self._pread(size, int(self.index.offset[row, view]))
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
        return np.load(io.BytesIO(data), allow_pickle=False)

    def _member(self, place: tuple[np.int64, np.int64, np.uint32], what: str) -> bytes:
        offset, size, crc = (int(number) for number in place)
        data = self._pread(size, offset)
        if zlib.crc32(data) != crc:
            raise IntegrityError(f"{self.path}: {what}: wrong checksum: cut or edited; {REMEDY}")
        return data

    def _pread(self, size: int, offset: int) -> bytes:
        return os.pread(self._descriptor, size, offset)

    def meta(self, row: int) -> dict[str, Any]:
        """What the shard says of an object: the table of its ``.meta.json``.

        Raises:
            IntegrityError: it cannot be read.
        """
        start = int(self.index.object_start[row])
        try:
            # The labels come first, the description behind them.
            labels_size = member_size(self._pread(BLOCK, start))
            meta_start = start + BLOCK + labels_size + len(padding(labels_size))
            meta_size = member_size(self._pread(BLOCK, meta_start))
            data = self._pread(meta_size, meta_start + BLOCK)
            return cast("dict[str, Any]", json.loads(data))
        except ValueError:
            raise IntegrityError(
                f"{self.path}: object {self.keys[row]}: its description cannot be read; {REMEDY}"
            ) from None

    def record(self, row: int) -> ObjectRecord:
        """An object's record. Raises IntegrityError where it cannot be read."""
        try:
            return ObjectRecord.from_dict(self.meta(row))
        except KeyError as error:
            raise IntegrityError(
                f"{self.path}: object {self.keys[row]}: no {error} in its description; {REMEDY}"
            ) from None

    def records(self) -> tuple[ObjectRecord, ...]:
        """Records of all objects, in order."""
        return tuple(self.record(row) for row in range(self.index.num_objects))

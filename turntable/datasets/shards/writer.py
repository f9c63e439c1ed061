"""Writing one shard: a temporary file that becomes a shard only when it reads back right."""

import hashlib
import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import (
    MOST_SHARD_OBJECTS,
    MOST_VIEWS,
    PLAIN_NAME,
    Fields,
    canonical_json,
    clear_disk_errors,
    extra_member,
    file_sha256,
    flush_to_disk,
    image_member,
    labels_member,
    meta_member,
    npy_bytes,
    points_member,
    put_in_place,
    remove_temporaries,
    temporary_path,
    write_bytes,
)
from turntable.datasets.labels import LabelArray, LabelSchema
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.shards.index import INDEX_SUFFIX, ShardIndex, open_index, text_array
from turntable.datasets.shards.tar import END_OF_ARCHIVE, REMEDY, padding, ustar_header
from turntable.errors import IntegrityError

SHARD_SUFFIX = ".tar"
_CHUNK = 1 << 20
_MOST_BYTES = 2**50


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """What the manifest says of a shard."""

    name: str
    """Without folder and suffix: "shard-000000"."""
    split: str
    bytes: int
    sha256: str
    objects: int
    views: int
    """Views of each object."""
    idx_sha256: str

    def to_dict(self) -> dict[str, Any]:
        """As a plain table."""
        return asdict(self)

    @classmethod
    def from_fields(cls, fields: Fields) -> "ShardRecord":
        """Read the record from JSON, whoever wrote it: its names become parts of paths. Raises FieldError."""
        record = cls(
            name=fields.text("name", pattern=PLAIN_NAME),
            split=fields.text("split", pattern=PLAIN_NAME),
            bytes=fields.integer("bytes", 1, _MOST_BYTES),
            sha256=fields.digest("sha256"),
            objects=fields.integer("objects", 1, MOST_SHARD_OBJECTS),
            views=fields.integer("views", 1, MOST_VIEWS),
            idx_sha256=fields.digest("idx_sha256"),
        )
        fields.finish()
        return record


_Place = tuple[int, int, int]
"""Offset, size and checksum of a member's data."""


@dataclass(frozen=True, slots=True)
class _Written:
    """Where one object went in the archive."""

    record: ObjectRecord
    latents: LabelArray
    start: int
    length: int
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    crcs: tuple[int, ...]
    extras: dict[str, list[_Place]]
    points: _Place | None


class ShardWriter:
    """Streams the objects of one shard, in the order given.

    Use it as a context manager; without a ``commit`` nothing is left behind::

        with ShardWriter(folder / "train", "shard-000000", schema, label_digest) as writer:
            writer.add(record, latents, jpegs)
            shard = writer.commit()

    Args:
        folder: of the split; made if need be. Its name is the split's.
        name: of the shard, without suffix.
        schema: the label columns.
        label_digest: of the recipe; stored with each object.
    """

    def __init__(self, folder: Path, name: str, schema: LabelSchema, label_digest: str) -> None:
        self.path = folder / f"{name}{SHARD_SUFFIX}"
        self._schema = schema
        self._label_digest = label_digest
        self._objects: list[_Written] = []
        self._hash = hashlib.sha256()
        self._position = 0
        folder.mkdir(parents=True, exist_ok=True)
        remove_temporaries(self.path)
        remove_temporaries(self.path.with_suffix(INDEX_SUFFIX))
        self._temporary = temporary_path(self.path)
        self._file: BinaryIO = self._temporary.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()

    def abandon(self) -> None:
        """Remove what was written, unless it was committed."""
        with suppress(OSError):  # on a full disk the last buffer fails once more; it goes with the file
            self._file.close()
        self._temporary.unlink(missing_ok=True)

    def add(
        self,
        record: ObjectRecord,
        latents: LabelArray,
        jpegs: Sequence[bytes],
        extras: Mapping[str, Sequence[bytes]] | None = None,
        points: NDArray[np.float32] | None = None,
    ) -> None:
        """Append one object.

        Args:
            record: of the object; its split is the folder's.
            latents: float32 [V, L], V the same for every object of a shard.
            jpegs: V encoded views.
            extras: V encoded files of each further output; the same outputs for every object of a shard.
            points: float32 [P, 6], for every object of a shard or for none.

        Raises:
            TurntableError: the disk is full.
        """
        assert record.split == self.path.parent.name, (record.split, self.path)
        assert latents.dtype == np.float32, latents.dtype
        assert latents.shape == (len(jpegs), len(self._schema)), latents.shape
        assert not self._objects or len(self._objects[0].sizes) == len(jpegs), len(jpegs)
        kept = dict(extras or {})
        assert all(len(files) == len(jpegs) for files in kept.values()), record.id
        if self._objects:
            first = self._objects[0]
            assert list(first.extras) == list(kept), kept.keys()
            assert (first.points is None) == (points is None), record.id
        start = self._position
        with clear_disk_errors(self.path):
            self._add_member(labels_member(record.key), npy_bytes(latents))
            self._add_member(meta_member(record.key), self._meta(record))
            offsets = [
                self._add_member(image_member(record.key, view), data) for view, data in enumerate(jpegs)
            ]
            places = {
                name: [
                    self._add_place(extra_member(record.key, view, name), data)
                    for view, data in enumerate(files)
                ]
                for name, files in kept.items()
            }
            cloud = None
            if points is not None:
                cloud = self._add_place(points_member(record.key), npy_bytes(points))
        self._objects.append(
            _Written(
                record,
                latents.copy(),
                start,
                self._position - start,
                tuple(offsets),
                tuple(map(len, jpegs)),
                tuple(map(zlib.crc32, jpegs)),
                places,
                cloud,
            )
        )

    def commit(self) -> ShardRecord:
        """Finish the archive, read it back, write its index, and give both their names.

        The index takes its name first: a shard with a name always has its index.

        Returns:
            What the manifest is to say of the shard.

        Raises:
            IntegrityError: the disk did not give back what was written.
            TurntableError: the disk is full.
        """
        assert self._objects, "a shard has at least one object"
        with clear_disk_errors(self.path):
            self._write(END_OF_ARCHIVE)
            flush_to_disk(self._file)
            self._file.close()
            index = self._index()
            _read_back(self._temporary, index, self.path)
            index_bytes = index.to_bytes()
            write_bytes(self.path.with_suffix(INDEX_SUFFIX), index_bytes)
            put_in_place(self._temporary, self.path)
        return _record(self.path, index, index_bytes)

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self._position += len(data)

    def _add_member(self, name: str, data: bytes) -> int:
        """Append a member and return where its data begins."""
        self._write(ustar_header(name, len(data)))
        offset = self._position
        self._write(data + padding(len(data)))
        return offset

    def _add_place(self, name: str, data: bytes) -> _Place:
        return self._add_member(name, data), len(data), zlib.crc32(data)

    def _meta(self, record: ObjectRecord) -> bytes:
        table = {**record.to_dict(), "factors": self._schema.names, "label_digest": self._label_digest}
        return canonical_json(table).encode("ascii")

    def _index(self) -> ShardIndex:
        objects = self._objects
        return ShardIndex(
            keys=text_array([item.record.key for item in objects]),
            ids=text_array([item.record.id for item in objects]),
            categories=text_array([item.record.category for item in objects]),
            object_start=np.array([item.start for item in objects], dtype="<i8"),
            object_length=np.array([item.length for item in objects], dtype="<i8"),
            offset=np.array([item.offsets for item in objects], dtype="<i8"),
            size=np.array([item.sizes for item in objects], dtype="<i8"),
            crc32=np.array([item.crcs for item in objects], dtype="<u4"),
            latents=np.stack([item.latents for item in objects]).astype("<f4"),
            tar_size=np.array(self._position, dtype="<i8"),
            tar_sha256=np.array(self._hash.hexdigest().encode("ascii")),
            **self._further_places(),
        )

    def _further_places(self) -> dict[str, Any]:
        """The index's arrays of what is kept besides the JPEGs."""
        further: dict[str, Any] = {}
        kinds = {"offset": "<i8", "size": "<i8", "crc32": "<u4"}
        if self._objects[0].extras:
            places = np.array([list(item.extras.values()) for item in self._objects], dtype="<i8")
            further["extras"] = text_array(list(self._objects[0].extras))
            further |= {f"extra_{n}": places[..., i].astype(t) for i, (n, t) in enumerate(kinds.items())}
        if self._objects[0].points is not None:
            clouds = np.array([item.points for item in self._objects], dtype="<i8")
            further |= {f"points_{n}": clouds[:, i].astype(t) for i, (n, t) in enumerate(kinds.items())}
        return further


def committed_shard(folder: Path, name: str) -> ShardRecord | None:
    """The record of a shard an earlier run committed; None where there is none that reads back right.

    Args:
        folder: of the split.
        name: of the shard, without suffix.
    """
    path = folder / f"{name}{SHARD_SUFFIX}"
    if not path.is_file():
        return None
    try:
        index = open_index(path.with_suffix(INDEX_SUFFIX))
        _read_back(path, index, path)
    except IntegrityError:
        return None
    return _record(path, index, path.with_suffix(INDEX_SUFFIX).read_bytes())


def _read_back(path: Path, index: ShardIndex, name: Path) -> None:
    if path.stat().st_size != int(index.tar_size):
        raise IntegrityError(f"{name}: not as long as its index says; {REMEDY}")
    if file_sha256(path) != index.tar_sha256.item().decode("ascii"):
        raise IntegrityError(f"{name}: the disk gave back other bytes than were written; {REMEDY}")
    with path.open("rb") as file:
        for offset, size, crc in index.members():
            if zlib.crc32(os.pread(file.fileno(), size, offset)) != crc:
                raise IntegrityError(
                    f"{name}: a member at byte {offset} is not where its index says; {REMEDY}"
                )


def _record(path: Path, index: ShardIndex, index_bytes: bytes) -> ShardRecord:
    return ShardRecord(
        name=path.stem,
        split=path.parent.name,
        bytes=int(index.tar_size),
        sha256=index.tar_sha256.item().decode("ascii"),
        objects=index.num_objects,
        views=index.num_views,
        idx_sha256=hashlib.sha256(index_bytes).hexdigest(),
    )

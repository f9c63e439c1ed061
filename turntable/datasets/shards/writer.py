"""Writing of one shard: a temporary file that gets its name only after it reads back correctly."""

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
    MAX_SHARD_OBJECTS,
    MAX_VIEWS,
    PLAIN_NAME_PATTERN,
    JsonFields,
    compute_file_sha256,
    convert_disk_full_error,
    encode_npy,
    flush_to_disk,
    make_array_member_name,
    make_image_member_name,
    make_labels_member_name,
    make_meta_member_name,
    make_output_member_name,
    make_temporary_path,
    move_into_place,
    remove_temporaries,
    to_canonical_json,
    write_bytes,
)
from turntable.datasets.labels import (
    FIRST_ARRAYS,
    LabelArray,
    LabelSchema,
    get_output_suffix,
    order_arrays,
)
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.shards.index import (
    INDEX_SUFFIX,
    MemberLocation,
    ShardIndex,
    encode_texts,
    open_index,
)
from turntable.datasets.shards.tar import END_OF_ARCHIVE, SHARD_REMEDY, make_padding, make_ustar_header
from turntable.errors import IntegrityError

SHARD_SUFFIX = ".tar"
_MAX_BYTES = 2**50
"""Largest size of a shard that a manifest may state."""


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """The entry of a shard in the manifest.

    The names of the fields are keys of the manifest and of the journal.
    """

    name: str
    """Name without folder and suffix: "shard-000000"."""
    split: str
    bytes: int
    sha256: str
    objects: int
    """Number of objects."""
    views: int
    """Number of views of each object."""
    idx_sha256: str
    """Hex digest of the index."""

    def to_dict(self) -> dict[str, Any]:
        """Return the record as a plain dictionary."""
        return asdict(self)

    @classmethod
    def from_fields(cls, fields: JsonFields) -> "ShardRecord":
        """Read a record from JSON that anyone may have written: its names become parts of paths.

        Raises:
            FieldError: A field is missing, unknown, or not as it should be.
        """
        record = cls(
            name=fields.get_text("name", pattern=PLAIN_NAME_PATTERN),
            split=fields.get_text("split", pattern=PLAIN_NAME_PATTERN),
            bytes=fields.get_integer("bytes", 1, _MAX_BYTES),
            sha256=fields.get_digest("sha256"),
            objects=fields.get_integer("objects", 1, MAX_SHARD_OBJECTS),
            views=fields.get_integer("views", 1, MAX_VIEWS),
            idx_sha256=fields.get_digest("idx_sha256"),
        )
        fields.check_all_read()
        return record


@dataclass(frozen=True, slots=True)
class _WrittenObject:
    """The positions of one object in the archive."""

    record: ObjectRecord
    labels: LabelArray
    start: int
    length: int
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    crcs: tuple[int, ...]
    extras: dict[str, list[MemberLocation]]
    arrays: dict[str, MemberLocation]


class ShardWriter:
    """A writer of one shard, which appends objects in the order given.

    Use it as a context manager. Without a ``commit`` nothing is left behind::

        with ShardWriter(folder / "train", "shard-000000", schema, label_digest) as writer:
            writer.add(record, labels, jpegs)
            shard = writer.commit()

    Args:
        folder: Folder of the split, created if needed. Its name is the split's.
        name: Name of the shard, without suffix.
        schema: The label columns.
        label_digest: Label digest of the recipe, which is stored with each object.
    """

    def __init__(self, folder: Path, name: str, schema: LabelSchema, label_digest: str) -> None:
        self.path = folder / f"{name}{SHARD_SUFFIX}"
        self._schema = schema
        self._label_digest = label_digest
        self._objects: list[_WrittenObject] = []
        self._hash = hashlib.sha256()
        self._position = 0
        folder.mkdir(parents=True, exist_ok=True)
        remove_temporaries(self.path)
        remove_temporaries(self.path.with_suffix(INDEX_SUFFIX))
        self._temporary = make_temporary_path(self.path)
        self._file: BinaryIO = self._temporary.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()

    def abandon(self) -> None:
        """Close and remove the temporary file, unless it was committed."""
        with suppress(OSError):  # on a full disk, flushing the last buffer fails once more
            self._file.close()
        self._temporary.unlink(missing_ok=True)

    def add(
        self,
        record: ObjectRecord,
        labels: LabelArray,
        jpegs: Sequence[bytes],
        extras: Mapping[str, Sequence[bytes]] | None = None,
        arrays: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        """Append one object.

        Args:
            record: Record of the object, of the folder's split.
            labels: float32 [V, L] with the same V for every object of a shard.
            jpegs: V encoded views; none in a data set without pictures.
            extras: V encoded files of each further output, by its name; the same outputs for every object of
                a shard.
            arrays: Arrays of the object, of the names and forms of ``OBJECT_ARRAYS``; points for every object
                of a shard or for none.

        Raises:
            StoreError: The disk is full.
        """
        assert record.split == self.path.parent.name, (record.split, self.path)
        assert labels.dtype == np.float32, labels.dtype
        num_views = len(labels)
        assert labels.shape == (num_views, len(self._schema)), labels.shape
        assert len(jpegs) in (0, num_views), len(jpegs)
        outputs, named = dict(extras or {}), dict(arrays or {})
        assert all(len(files) == num_views for files in outputs.values()), record.id
        if self._objects:
            first = self._objects[0]
            assert first.labels.shape == labels.shape, labels.shape
            assert len(first.sizes) == len(jpegs), len(jpegs)
            assert list(first.extras) == list(outputs), outputs.keys()
            assert ("points" in first.arrays) == ("points" in named), record.id
        start = self._position
        with convert_disk_full_error(self.path):
            self._add_member(make_labels_member_name(record.key), encode_npy(labels))
            self._add_member(make_meta_member_name(record.key), self._encode_meta(record))
            offsets = [
                self._add_member(make_image_member_name(record.key, view), data)
                for view, data in enumerate(jpegs)
            ]
            locations = {
                name: [
                    self._add_located_member(
                        make_output_member_name(record.key, view, name, get_output_suffix(name)), data
                    )
                    for view, data in enumerate(files)
                ]
                for name, files in outputs.items()
            }
            array_locations = {
                name: self._add_located_member(
                    make_array_member_name(record.key, name), encode_npy(named[name])
                )
                for name in order_arrays(named)
            }
        self._objects.append(
            _WrittenObject(
                record,
                labels.copy(),
                start,
                self._position - start,
                tuple(offsets),
                tuple(map(len, jpegs)),
                tuple(map(zlib.crc32, jpegs)),
                locations,
                array_locations,
            )
        )

    def commit(self) -> ShardRecord:
        """Finish the archive, read it back, write its index, and give both their names.

        The index gets its name first, so that a shard that has its name always has its index.

        Returns:
            The shard's record for the manifest.

        Raises:
            IntegrityError: The disk did not give back what was written.
            StoreError: The disk is full.
        """
        assert self._objects, "a shard has at least one object"
        with convert_disk_full_error(self.path):
            self._write(END_OF_ARCHIVE)
            flush_to_disk(self._file)
            self._file.close()
            index = self._build_index()
            _check_written_shard(self._temporary, index, self.path)
            index_bytes = index.to_bytes()
            write_bytes(self.path.with_suffix(INDEX_SUFFIX), index_bytes)
            move_into_place(self._temporary, self.path)
        return _make_record(self.path, index, index_bytes)

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self._position += len(data)

    def _add_member(self, name: str, data: bytes) -> int:
        """Append a member and return where its data begins."""
        self._write(make_ustar_header(name, len(data)))
        offset = self._position
        self._write(data + make_padding(len(data)))
        return offset

    def _add_located_member(self, name: str, data: bytes) -> MemberLocation:
        return self._add_member(name, data), len(data), zlib.crc32(data)

    def _encode_meta(self, record: ObjectRecord) -> bytes:
        table = {**record.to_dict(), "factors": self._schema.names, "label_digest": self._label_digest}
        return to_canonical_json(table).encode("ascii")

    def _build_index(self) -> ShardIndex:
        objects = self._objects
        return ShardIndex(
            keys=encode_texts([item.record.key for item in objects]),
            ids=encode_texts([item.record.id for item in objects]),
            categories=encode_texts([item.record.category for item in objects]),
            object_start=np.array([item.start for item in objects], dtype="<i8"),
            object_length=np.array([item.length for item in objects], dtype="<i8"),
            offset=self._locate_pictures("offsets", "<i8"),
            size=self._locate_pictures("sizes", "<i8"),
            crc32=self._locate_pictures("crcs", "<u4"),
            latents=np.stack([item.labels for item in objects]).astype("<f4"),
            tar_size=np.array(self._position, dtype="<i8"),
            tar_sha256=np.array(self._hash.hexdigest().encode("ascii")),
            **self._build_optional_arrays(),
        )

    def _locate_pictures(self, name: str, dtype: str) -> NDArray[Any]:
        """Return one number [N, V] of each JPEG; zeros in a shard without pictures."""
        num_views = len(self._objects[0].labels)
        return np.array([getattr(item, name) or (0,) * num_views for item in self._objects], dtype=dtype)

    def _build_optional_arrays(self) -> dict[str, Any]:
        """Return the index's arrays of what is stored besides the JPEGs."""
        arrays: dict[str, Any] = {}
        dtypes = {"offset": "<i8", "size": "<i8", "crc32": "<u4"}
        if self._objects[0].extras:
            locations = np.array([list(item.extras.values()) for item in self._objects], dtype="<i8")
            arrays["extras"] = encode_texts(list(self._objects[0].extras))
            arrays |= {
                f"extra_{name}": locations[..., column].astype(dtype)
                for column, (name, dtype) in enumerate(dtypes.items())
            }
        others = order_arrays({name for item in self._objects for name in item.arrays} - set(FIRST_ARRAYS))
        if others:
            table = [[item.arrays.get(name, (0, 0, 0)) for name in others] for item in self._objects]
            locations = np.array(table, dtype="<i8")
            arrays["arrays"] = encode_texts(others)
            arrays |= {
                f"array_{name}": locations[..., column].astype(dtype)
                for column, (name, dtype) in enumerate(dtypes.items())
            }
        for array in FIRST_ARRAYS:
            if any(array in item.arrays for item in self._objects):
                rows = [item.arrays.get(array, (0, 0, 0)) for item in self._objects]
                arrays |= {
                    f"{array}_{name}": np.array(column, dtype)
                    for (name, dtype), column in zip(dtypes.items(), zip(*rows, strict=True), strict=True)
                }
        return arrays


def find_committed_shard(folder: Path, name: str) -> ShardRecord | None:
    """Return the record of a shard that an earlier run committed, or None if none reads back correctly.

    Args:
        folder: Folder of the split.
        name: Name of the shard, without suffix.
    """
    path = folder / f"{name}{SHARD_SUFFIX}"
    if not path.is_file():
        return None
    try:
        index = open_index(path.with_suffix(INDEX_SUFFIX))
        _check_written_shard(path, index, path)
    except IntegrityError:
        return None
    return _make_record(path, index, path.with_suffix(INDEX_SUFFIX).read_bytes())


def _check_written_shard(path: Path, index: ShardIndex, name: Path) -> None:
    if path.stat().st_size != int(index.tar_size):
        raise IntegrityError(f"{name}: not as long as its index says; {SHARD_REMEDY}")
    if compute_file_sha256(path) != index.tar_sha256.item().decode("ascii"):
        raise IntegrityError(f"{name}: the disk gave back other bytes than were written; {SHARD_REMEDY}")
    with path.open("rb") as file:
        for offset, size, crc in index.iter_members():
            if zlib.crc32(os.pread(file.fileno(), size, offset)) != crc:
                raise IntegrityError(
                    f"{name}: a member at byte {offset} is not where its index says; {SHARD_REMEDY}"
                )


def _make_record(path: Path, index: ShardIndex, index_bytes: bytes) -> ShardRecord:
    return ShardRecord(
        name=path.stem,
        split=path.parent.name,
        bytes=int(index.tar_size),
        sha256=index.tar_sha256.item().decode("ascii"),
        objects=index.num_objects,
        views=index.num_views,
        idx_sha256=hashlib.sha256(index_bytes).hexdigest(),
    )

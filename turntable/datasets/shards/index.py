"""The index of a shard, stored beside it: position, checksum and labels of each view, as plain arrays.

The file is an uncompressed .npz, which ``np.load(path, allow_pickle=False)`` opens. turntable maps it into
memory, so that all workers that open the same index share its pages.
"""

import hashlib
import io
import mmap
import os
import zipfile
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import FolderFiles, decode_npy_at
from turntable.datasets.labels import FIRST_ARRAYS, OBJECT_ARRAYS, order_arrays
from turntable.datasets.shards.tar import SHARD_REMEDY
from turntable.errors import IntegrityError

INDEX_SUFFIX = ".idx"
MemberLocation = tuple[int, int, int]
"""Offset, size and checksum of a member's data."""
_ALIGNMENT = 64
"""Alignment in bytes of each array in the file, so that a memory map gives aligned arrays."""
_LOCAL_HEADER_BYTES = 30
"""Size of a zip entry's fixed local header.

Name and extra field follow; their lengths are at bytes 26 and 28.
"""
_UNREADABLE_ERRORS = (
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    OverflowError,
    NotImplementedError,
    zipfile.BadZipFile,
)
"""Errors that zipfile and numpy raise for bytes that are not an archive of arrays."""
_LOCATION_BYTES = 20
"""Bytes of an offset, a size and a checksum."""
_MAX_HEADER_BYTES = 64 << 10
"""Bytes of the headers of the archive and of its arrays, a few hundred for each array."""
_MAX_TEXT_BYTES = 8 << 10
"""Bytes of an object's key, id and category. Each is as wide as the longest one of the shard."""
MAX_INDEX_BYTES = 1 << 30
"""Bytes of any index, whatever is stated about its shard: enough for ten million views."""
_EXTRA_ID = b"tt"
"""Identifier of our padding in a zip entry's extra field, which readers skip."""


@dataclass(frozen=True, slots=True, eq=False)
class ShardIndex:
    """The index of a shard with N objects of V views, L labels per view and E further outputs.

    The names of the fields are the names of the arrays in the file.
    """

    keys: NDArray[np.bytes_]
    """[N] ASCII."""
    ids: NDArray[np.bytes_]
    """[N] UTF-8."""
    categories: NDArray[np.bytes_]
    """[N] UTF-8."""
    object_start: NDArray[np.int64]
    """[N] Offset of the object's first tar header."""
    object_length: NDArray[np.int64]
    """[N] Bytes from there to the next object: one range request fetches the whole object."""
    offset: NDArray[np.int64]
    """[N, V] Offset of each JPEG's first byte."""
    size: NDArray[np.int64]
    """[N, V] Bytes of each JPEG."""
    crc32: NDArray[np.uint32]
    """[N, V] Checksum of each JPEG."""
    latents: NDArray[np.float32]
    """[N, V, L] Labels in the order of the schema."""
    tar_size: NDArray[np.int64]
    """[] Bytes of the whole shard."""
    tar_sha256: NDArray[np.bytes_]
    """[] Hex digest of the whole shard."""
    extras: NDArray[np.bytes_] = field(default_factory=lambda: np.empty(0, dtype="S1"))
    """[E] Names of the outputs stored beside the JPEGs."""
    extra_offset: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 0, 0), dtype="<i8"))
    """[N, E, V] Offset of the first byte of each output's file."""
    extra_size: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 0, 0), dtype="<i8"))
    """[N, E, V] Bytes of each output's file."""
    extra_crc32: NDArray[np.uint32] = field(default_factory=lambda: np.empty((0, 0, 0), dtype="<u4"))
    """[N, E, V] Checksum of each output's file."""
    points_offset: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype="<i8"))
    """[N] Offset of each point cloud's file; [0] in a shard without point clouds."""
    points_size: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype="<i8"))
    """[N] Bytes of each point cloud's file."""
    points_crc32: NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, dtype="<u4"))
    """[N] Checksum of each point cloud's file."""
    part_pose_offset: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype="<i8"))
    """[N] Offset of each file of part poses; [0] in a shard without any. All of an object without are 0."""
    part_pose_size: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype="<i8"))
    """[N] Bytes of each file of part poses."""
    part_pose_crc32: NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, dtype="<u4"))
    """[N] Checksum of each file of part poses."""
    joint_values_offset: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype="<i8"))
    """[N] Offset of each file of joint values; [0] in a shard without any. All of an object without are 0."""
    joint_values_size: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype="<i8"))
    """[N] Bytes of each file of joint values."""
    joint_values_crc32: NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, dtype="<u4"))
    """[N] Checksum of each file of joint values."""

    arrays: NDArray[np.bytes_] = field(default_factory=lambda: np.empty(0, dtype="S1"))
    """[A] Names of the other arrays that objects of the shard have, sorted."""
    array_offset: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 0), dtype="<i8"))
    """[N, A] Offset of each such array's file. All of an array that an object does not have are 0."""
    array_size: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 0), dtype="<i8"))
    """[N, A] Bytes of each such array's file."""
    array_crc32: NDArray[np.uint32] = field(default_factory=lambda: np.empty((0, 0), dtype="<u4"))
    """[N, A] Checksum of each such array's file."""

    def locate_array(self, name: str, row: int) -> MemberLocation | None:
        """Return offset, size and checksum of an object's array; None if the object has none."""
        if name in FIRST_ARRAYS:
            place: tuple[int, ...] = (row,)
            columns = tuple(getattr(self, f"{name}_{item}") for item in _LOCATION)
        else:
            names = decode_texts(self.arrays)
            if name not in names:
                return None
            place, columns = (row, names.index(name)), (self.array_offset, self.array_size, self.array_crc32)
        if not columns[0].size or not columns[1][place]:
            return None
        offset, size, crc = (int(column[place]) for column in columns)
        return offset, size, crc

    def list_arrays(self, row: int) -> list[str]:
        """Return the names of the arrays that an object has, in the order of its members."""
        names = order_arrays((*FIRST_ARRAYS, *decode_texts(self.arrays)))
        return [name for name in names if self.locate_array(name, row) is not None]

    @property
    def has_pictures(self) -> bool:
        """True if there are JPEGs, which all views have or none."""
        return bool(self.size.any())

    def iter_members(self) -> Iterator[MemberLocation]:
        """Yield offset, size and checksum of every member that the index locates."""
        for prefix in ("", "extra_", "array_", *(f"{name}_" for name in FIRST_ARRAYS)):
            arrays = (getattr(self, f"{prefix}{name}").flat for name in _LOCATION)
            yield from ((int(a), int(b), int(c)) for a, b, c in zip(*arrays, strict=True))

    @property
    def num_objects(self) -> int:
        """Number of objects, N."""
        return self.offset.shape[0]

    @property
    def num_views(self) -> int:
        """Number of views of each object, V."""
        return self.offset.shape[1]

    def to_bytes(self) -> bytes:
        """Return the bytes of the index file. The same arrays always give the same bytes."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for item in fields(self):
                if item.name in _OPTIONAL and not getattr(self, item.name).size:
                    continue
                _add_array(archive, buffer, f"{item.name}.npy", getattr(self, item.name))
        return buffer.getvalue()


_LOCATION = ("offset", "size", "crc32")
"""Names of what locates a member."""
_TEXTS = frozenset({"keys", "ids", "categories", "tar_sha256", "extras", "arrays"})
"""Arrays of texts."""
_CHECKSUMS = ("crc32", "extra_crc32", "array_crc32", *(f"{name}_crc32" for name in FIRST_ARRAYS))
_DTYPES = {"latents": "<f4", **dict.fromkeys(_CHECKSUMS, "<u4")}
"""Types of the arrays that are neither texts nor "<i8"."""
_OPTIONAL = frozenset(item.name for item in fields(ShardIndex) if item.default_factory is not MISSING)
"""Arrays that are left out of the file when they are empty."""


def compute_max_index_bytes(num_objects: int, num_views: int, num_labels: int, num_outputs: int) -> int:
    """Return an upper bound on the bytes of a shard's index, at most ``MAX_INDEX_BYTES``.

    Args:
        num_objects: Number of objects in the shard.
        num_views: Number of views of each object.
        num_labels: Number of labels of each view.
        num_outputs: Number of outputs stored of each view besides its JPEG.
    """
    bytes_per_view = _LOCATION_BYTES * (1 + num_outputs) + 4 * num_labels
    total = _MAX_HEADER_BYTES + num_objects * (
        _MAX_TEXT_BYTES + (1 + len(OBJECT_ARRAYS)) * _LOCATION_BYTES + num_views * bytes_per_view
    )
    return min(total, MAX_INDEX_BYTES)


def encode_texts(texts: list[str]) -> NDArray[np.bytes_]:
    """Return texts as an array [N] of fixed-width UTF-8, which needs no pickle."""
    return np.array([text.encode("utf-8") for text in texts], dtype=np.bytes_)


def decode_texts(array: NDArray[np.bytes_]) -> list[str]:
    """Return the texts of an array made by ``encode_texts``.

    Bytes that are not UTF-8 become U+FFFD, which no text of a data set contains.
    """
    return [cast("bytes", item).decode("utf-8", "replace") for item in array.tolist()]


def open_index(path: Path) -> ShardIndex:
    """Map an index file into memory, read-only. The errors are those of ``open_folder_index``."""
    return open_folder_index(FolderFiles(path.parent), path.name)


def open_folder_index(files: FolderFiles, name: str, sha256: str | None = None) -> ShardIndex:
    """Map an index of a data set's folder into memory, read-only.

    Args:
        files: Files of the data set.
        name: Name of the index in the data set.
        sha256: Expected hex digest; None: not checked.

    Raises:
        IntegrityError: The index is missing, cut, not an index, or not the one with that digest.
        StoreError: The system refuses to read it.
    """
    file = files.open(name)
    if file is None:
        raise IntegrityError(f"{files.format_name(name)}: missing; {SHARD_REMEDY}")
    with file:
        if sha256 is not None and hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise IntegrityError(
                f"{files.format_name(name)}: not the index that manifest.json names: edited, or of another "
                f"data set; {SHARD_REMEDY}"
            )
        return map_index(file, files.format_name(name))


def map_index(file: BinaryIO, display_name: str) -> ShardIndex:
    """Map an open index file into memory, read-only. The file may be closed afterwards.

    Args:
        file: The index, open, with a file descriptor.
        display_name: Name of the index in error messages.

    Raises:
        IntegrityError: The file is cut, or not an index.
    """
    size = os.fstat(file.fileno()).st_size
    # An empty file cannot be mapped.
    view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    return _build_index(file, view, display_name)


def decode_index(data: bytes, display_name: str) -> ShardIndex:
    """Return an index from its bytes, which its arrays refer to.

    Arguments and errors are those of ``map_index``.
    """
    return _build_index(io.BytesIO(data), data, display_name)


def _build_index(file: BinaryIO, view: mmap.mmap | bytes, display_name: str) -> ShardIndex:
    """Return an index from its file and from memory that holds the same bytes."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
        arrays = {entry.filename.removesuffix(".npy"): _read_array(view, entry) for entry in entries}
        names = [item.name for item in fields(ShardIndex)]
        index = ShardIndex(
            **{name: arrays[name] for name in names if name in arrays or name not in _OPTIONAL}
        )
    except _UNREADABLE_ERRORS as error:
        raise IntegrityError(
            f"{display_name}: not a whole index of a shard ({error}); {SHARD_REMEDY}"
        ) from None
    _check_shapes(index, display_name)
    return index


def _add_array(archive: zipfile.ZipFile, buffer: io.BytesIO, name: str, array: NDArray[Any]) -> None:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix, whatever system writes it: the bytes must not depend on it
    entry.external_attr = 0o644 << 16
    # Pad the entry's header so that the array's header starts at a multiple of 64. The length of an array's
    # header is a multiple of 64 too, so the data are aligned as well.
    data_start = buffer.tell() + _LOCAL_HEADER_BYTES + len(name) + 4
    fill = -data_start % _ALIGNMENT
    entry.extra = _EXTRA_ID + fill.to_bytes(2, "little") + bytes(fill)
    content = io.BytesIO()
    np.lib.format.write_array(content, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)
    archive.writestr(entry, content.getvalue())


def _read_array(view: mmap.mmap | bytes, entry: zipfile.ZipInfo) -> NDArray[Any]:
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{entry.filename} is compressed")
    start = entry.header_offset
    name_and_extra = sum(
        int.from_bytes(view[start + field_offset : start + field_offset + 2], "little")
        for field_offset in (26, 28)
    )
    try:
        return decode_npy_at(view, start + _LOCAL_HEADER_BYTES + name_and_extra)
    except ValueError as error:
        raise ValueError(f"{entry.filename} is {error}") from None


def _check_shapes(index: ShardIndex, display_name: str) -> None:
    views = index.offset.shape
    extras = (*views[:1], len(index.extras), *views[1:]) if len(index.extras) else (0, 0, 0)
    arrays = (*views[:1], len(index.arrays)) if len(index.arrays) else (0, 0)
    fits = (
        len(views) == 2
        and index.keys.shape == index.ids.shape == index.categories.shape == views[:1]
        and index.object_start.shape == index.object_length.shape == views[:1]
        and index.size.shape == index.crc32.shape == index.latents.shape[:2] == views
        and index.latents.ndim == 3
        and index.extra_offset.shape == index.extra_size.shape == index.extra_crc32.shape == extras
        and index.array_offset.shape == index.array_size.shape == index.array_crc32.shape == arrays
        and all(_has_array_shapes(index, name) for name in FIRST_ARRAYS)
        and index.tar_size.shape == index.tar_sha256.shape == ()
        and all(_has_dtype(index, item.name) for item in fields(ShardIndex))
    )
    if not fits:
        raise IntegrityError(
            f"{display_name}: the shapes or types of its arrays do not fit each other; {SHARD_REMEDY}"
        )


def _has_array_shapes(index: ShardIndex, name: str) -> bool:
    """Return True if the arrays that locate an object's array have a row for each object, or none."""
    shapes = {getattr(index, f"{name}_{item}").shape for item in _LOCATION}
    return len(shapes) == 1 and shapes <= {(0,), index.offset.shape[:1]}


def _has_dtype(index: ShardIndex, name: str) -> bool:
    dtype: np.dtype[Any] = getattr(index, name).dtype
    return dtype.kind == "S" if name in _TEXTS else dtype == np.dtype(_DTYPES.get(name, "<i8"))

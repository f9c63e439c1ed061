"""The sidecar of a shard: where each view's bytes are, their checksums and labels, as plain arrays.

The file is an uncompressed .npz: ``np.load(path, allow_pickle=False)`` opens it, and so does a memory map,
which is how we read it: workers that open the same index share its pages.
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

from turntable.datasets.files import FolderFiles, array_in
from turntable.datasets.shards.tar import REMEDY
from turntable.errors import IntegrityError

INDEX_SUFFIX = ".idx"
_ALIGNMENT = 64
_LOCAL_HEADER = 30
"""Bytes of a zip entry's fixed local header; its name and extra field follow, their lengths at 26 and 28."""
_UNREADABLE = (
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    OverflowError,
    NotImplementedError,
    zipfile.BadZipFile,
)
"""What zipfile and numpy raise, between them, for bytes that are no archive of arrays."""
_PLACE_BYTES = 20
"""An offset, a size and a checksum."""
_MOST_HEADER_BYTES = 64 << 10
"""Headers of the archive and of its arrays, a few hundred bytes for each array."""
_MOST_TEXT_BYTES = 8 << 10
"""An object's key, id and category, each as wide as the longest of the shard."""
MOST_INDEX_BYTES = 1 << 30
"""The most of any index, whatever is said of its shard: ten million views."""
_EXTRA_ID = b"tt"
"""Marks our padding in a zip entry's extra field, which readers skip."""


@dataclass(frozen=True, slots=True, eq=False)
class ShardIndex:
    """N objects of V views with L labels each."""

    keys: NDArray[np.bytes_]
    """[N] ASCII."""
    ids: NDArray[np.bytes_]
    """[N] UTF-8."""
    categories: NDArray[np.bytes_]
    """[N] UTF-8."""
    object_start: NDArray[np.int64]
    """[N] offset of the object's first tar header."""
    object_length: NDArray[np.int64]
    """[N] bytes up to the next object: one range request fetches it whole."""
    offset: NDArray[np.int64]
    """[N, V] offset of each JPEG's first byte."""
    size: NDArray[np.int64]
    """[N, V] bytes of each JPEG."""
    crc32: NDArray[np.uint32]
    """[N, V] of each JPEG."""
    latents: NDArray[np.float32]
    """[N, V, L] in schema order."""
    tar_size: NDArray[np.int64]
    """[] bytes of the whole shard."""
    tar_sha256: NDArray[np.bytes_]
    """[] hex digest of the whole shard."""
    extras: NDArray[np.bytes_] = field(default_factory=lambda: np.empty(0, dtype="S1"))
    """[E] names of the outputs kept beside the JPEGs."""
    extra_offset: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 0, 0), dtype="<i8"))
    """[N, E, V] offset of each one's first byte."""
    extra_size: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 0, 0), dtype="<i8"))
    """[N, E, V]."""
    extra_crc32: NDArray[np.uint32] = field(default_factory=lambda: np.empty((0, 0, 0), dtype="<u4"))
    """[N, E, V]."""
    points_offset: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype="<i8"))
    """[N] offset of each point cloud's file; [0] where there are none."""
    points_size: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype="<i8"))
    """[N]."""
    points_crc32: NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, dtype="<u4"))
    """[N]."""

    def members(self) -> Iterator[tuple[int, int, int]]:
        """Offset, size and checksum of everything the index can find."""
        for kind in ("", "extra_", "points_"):
            arrays = (getattr(self, f"{kind}{what}").flat for what in ("offset", "size", "crc32"))
            yield from ((int(a), int(b), int(c)) for a, b, c in zip(*arrays, strict=True))

    @property
    def num_objects(self) -> int:
        """N."""
        return self.offset.shape[0]

    @property
    def num_views(self) -> int:
        """V."""
        return self.offset.shape[1]

    def to_bytes(self) -> bytes:
        """The file: the same arrays always give the same bytes."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for item in fields(self):
                if item.name in _OPTIONAL and not getattr(self, item.name).size:
                    continue
                _add_array(archive, buffer, f"{item.name}.npy", getattr(self, item.name))
        return buffer.getvalue()


_TEXTS = frozenset({"keys", "ids", "categories", "tar_sha256", "extras"})
_DTYPES = {"latents": "<f4", **dict.fromkeys(("crc32", "extra_crc32", "points_crc32"), "<u4")}
"""Types of the arrays that are neither texts nor "<i8"."""
_OPTIONAL = frozenset(item.name for item in fields(ShardIndex) if item.default_factory is not MISSING)
"""Written only where there is something to say."""


def most_index_bytes(objects: int, views: int, labels: int, outputs: int) -> int:
    """Return the most bytes that the index of a shard can have, at most ``MOST_INDEX_BYTES``.

    Args:
        objects: N, in the shard.
        views: V, of each object.
        labels: L, of each view.
        outputs: E, kept of each view besides its JPEG.
    """
    numbers = _PLACE_BYTES * (1 + outputs) + 4 * labels
    whole = _MOST_HEADER_BYTES + objects * (_MOST_TEXT_BYTES + 2 * _PLACE_BYTES + views * numbers)
    return min(whole, MOST_INDEX_BYTES)


def text_array(texts: list[str]) -> NDArray[np.bytes_]:
    """[N] fixed-width UTF-8: an array of texts that needs no pickle."""
    return np.array([text.encode("utf-8") for text in texts], dtype=np.bytes_)


def texts_of(array: NDArray[np.bytes_]) -> list[str]:
    """The texts of such an array; bytes that are no text become U+FFFD, which no text of ours has."""
    return [cast("bytes", item).decode("utf-8", "replace") for item in array.tolist()]


def open_index(path: Path) -> ShardIndex:
    """Map an index file into memory, read-only. Errors are those of ``find_index``."""
    return find_index(FolderFiles(path.parent), path.name)


def find_index(files: FolderFiles, name: str, sha256: str | None = None) -> ShardIndex:
    """Map an index of a data set's folder into memory, read-only.

    Args:
        files: of the folder.
        name: of the index there.
        sha256: its hex digest, where it is known.

    Raises:
        IntegrityError: it is missing, cut, not an index, or not the one with that digest.
        StoreError: the system refuses to read it.
    """
    file = files.open(name)
    if file is None:
        raise IntegrityError(f"{files.name_of(name)}: missing; {REMEDY}")
    with file:
        if sha256 is not None and hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise IntegrityError(
                f"{files.name_of(name)}: not the index that manifest.json names: edited, or of another data "
                f"set; {REMEDY}"
            )
        return map_index(file, files.name_of(name))


def map_index(file: BinaryIO, where: str) -> ShardIndex:
    """Map an open index file into memory, read-only; it can be closed then.

    Args:
        file: with a descriptor.
        where: what error messages call it.

    Raises:
        IntegrityError: it is cut, or not an index.
    """
    size = os.fstat(file.fileno()).st_size
    # Nothing cannot be mapped.
    view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    return _index_of(file, view, where)


def parse_index(data: bytes, where: str) -> ShardIndex:
    """An index from its bytes, which it holds on to. Arguments and errors as of ``map_index``."""
    return _index_of(io.BytesIO(data), data, where)


def _index_of(file: BinaryIO, view: mmap.mmap | bytes, where: str) -> ShardIndex:
    """An index from its file and the memory that has the same bytes."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
        arrays = {entry.filename.removesuffix(".npy"): _array_at(view, entry) for entry in entries}
        names = [item.name for item in fields(ShardIndex)]
        index = ShardIndex(
            **{name: arrays[name] for name in names if name in arrays or name not in _OPTIONAL}
        )
    except _UNREADABLE as error:
        raise IntegrityError(f"{where}: not a whole index of a shard ({error}); {REMEDY}") from None
    _check_shapes(index, where)
    return index


def _add_array(archive: zipfile.ZipFile, buffer: io.BytesIO, name: str, array: NDArray[Any]) -> None:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # as on Unix, wherever it is written
    entry.external_attr = 0o644 << 16
    # Pad the entry's header so that the array's own header begins on a multiple of 64, and so its data.
    data_start = buffer.tell() + _LOCAL_HEADER + len(name) + 4
    fill = -data_start % _ALIGNMENT
    entry.extra = _EXTRA_ID + fill.to_bytes(2, "little") + bytes(fill)
    content = io.BytesIO()
    np.lib.format.write_array(content, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)
    archive.writestr(entry, content.getvalue())


def _array_at(view: mmap.mmap | bytes, entry: zipfile.ZipInfo) -> NDArray[Any]:
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{entry.filename} is compressed")
    start = entry.header_offset
    name_and_extra = sum(int.from_bytes(view[start + at : start + at + 2], "little") for at in (26, 28))
    try:
        return array_in(view, start + _LOCAL_HEADER + name_and_extra)
    except ValueError as error:
        raise ValueError(f"{entry.filename} is {error}") from None


def _check_shapes(index: ShardIndex, where: str) -> None:
    views = index.offset.shape
    extras = (*views[:1], len(index.extras), *views[1:]) if len(index.extras) else (0, 0, 0)
    clouds = index.points_offset.shape
    fits = (
        len(views) == 2
        and index.keys.shape == index.ids.shape == index.categories.shape == views[:1]
        and index.object_start.shape == index.object_length.shape == views[:1]
        and index.size.shape == index.crc32.shape == index.latents.shape[:2] == views
        and index.latents.ndim == 3
        and index.extra_offset.shape == index.extra_size.shape == index.extra_crc32.shape == extras
        and index.points_size.shape == index.points_crc32.shape == clouds
        and clouds in ((0,), views[:1])
        and index.tar_size.shape == index.tar_sha256.shape == ()
        and all(_has_dtype(index, item.name) for item in fields(ShardIndex))
    )
    if not fits:
        raise IntegrityError(f"{where}: its arrays do not fit each other; {REMEDY}")


def _has_dtype(index: ShardIndex, name: str) -> bool:
    dtype: np.dtype[Any] = getattr(index, name).dtype
    return dtype.kind == "S" if name in _TEXTS else dtype == np.dtype(_DTYPES.get(name, "<i8"))

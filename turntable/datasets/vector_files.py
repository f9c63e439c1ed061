"""Files that hold one vector for every view of a split.

``vectors.npy`` is float32 [N, V, D], which any program with numpy's format reads. ``vectors.json`` names the
data set, the split and the part of the embedding. It is written last, so whoever finds it finds a whole
array.
"""

import hashlib
import json
import mmap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib.format import write_array
from numpy.typing import NDArray

from turntable.datasets.files import (
    MAX_OBJECTS,
    MAX_VIEWS,
    PLAIN_NAME_PATTERN,
    FieldError,
    FolderFiles,
    JsonFields,
    compute_file_sha256,
    compute_json_sha256,
    decode_npy_at,
    is_digest,
    open_atomic_file,
    parse_json,
    write_text,
)
from turntable.errors import IntegrityError, InvalidInputError
from turntable.home import expand_home

ARRAY_NAME, DESCRIPTION_NAME = "vectors.npy", "vectors.json"
FORMAT_VERSION = 1
_MAX_DESCRIPTION_BYTES = 1 << 16
_MAX_METHOD_LENGTH = 200
_MAX_VECTOR_LENGTH = 1 << 20
"""Maximum number of values of a vector."""


@dataclass(frozen=True, slots=True, eq=False)
class ViewVectors:
    """A vector for every view of a split, with what it was computed from."""

    values: NDArray[np.float32]
    """The vectors, [N, V, D], with objects and views in the order of the split."""
    split: str
    """Name of the split."""
    part: str
    """The part of the embedding: "representation", "equivariant"."""
    method: str
    """The method that computed them."""
    fingerprint: str
    """The fingerprint of the data set."""
    objects: str
    """The digest of the ids of the split's objects, by ``digest_ids``."""


@dataclass(frozen=True, slots=True)
class _Description:
    """The contents of ``vectors.json``."""

    split: str
    part: str
    method: str
    fingerprint: str
    objects: str
    shape: tuple[int, int, int]
    sha256: str
    """The digest of ``vectors.npy``."""


def digest_ids(ids: Sequence[str]) -> str:
    """Return the sha256 of objects' ids in their order."""
    return compute_json_sha256(list(ids))


def write_vectors(folder: Path | str, vectors: ViewVectors) -> Path:
    """Write vectors to a folder. They replace vectors that are there already.

    Args:
        folder: Folder for ``vectors.npy`` and ``vectors.json``, created if it does not exist.
        vectors: Vectors of all views of a split, finite.

    Returns:
        The folder.

    Raises:
        InvalidInputError: The array is not [N, V, D] of finite numbers, or the description is malformed.
        StoreError: The disk is full.
    """
    folder = expand_home(folder)
    values = np.asarray(vectors.values, np.dtype("<f4"), order="C")
    _check_values(values)
    _check_names(vectors)
    # The old description goes before its array does, so that it never stands beside another array.
    (folder / DESCRIPTION_NAME).unlink(missing_ok=True)
    with open_atomic_file(folder / ARRAY_NAME) as file:
        written = _HashingFile(file)
        write_array(written, values, version=(1, 0), allow_pickle=False)
    texts = {name: getattr(vectors, name) for name in ("split", "part", "method", "fingerprint", "objects")}
    description = _Description(**texts, shape=_to_shape(values.shape), sha256=written.digest.hexdigest())
    table = {"format_version": FORMAT_VERSION, **asdict(description)}
    write_text(folder / DESCRIPTION_NAME, json.dumps(table, indent=1) + "\n")
    return folder


def read_vectors(
    folder: Path | str,
    fingerprint: str | None = None,
    *,
    verify: bool = False,
    links_under: Sequence[Path] = (),
) -> ViewVectors:
    """Read vectors that ``write_vectors`` wrote. The files may come from anyone.

    The array is mapped from its file and cannot be written to.

    Args:
        folder: Folder with ``vectors.npy`` and ``vectors.json``.
        fingerprint: Fingerprint of the data set they must belong to; None accepts any.
        verify: True to compare the whole array with its digest, which reads every byte.
        links_under: Folders into which symbolic links may lead, besides the folder itself.

    Raises:
        InvalidInputError: The folder has no vectors.
        IntegrityError: The files are not what was written, or belong to another data set.
        StoreError: The system refuses to read them.
    """
    files = FolderFiles(expand_home(folder), tuple(links_under))
    stated = _read_description(files)
    if fingerprint is not None and stated.fingerprint != fingerprint:
        raise IntegrityError(
            f"{files.format_name(ARRAY_NAME)}: vectors of another data set (fingerprint "
            f"{stated.fingerprint[:12]}, not {fingerprint[:12]}); write them again with --vectors on this one"
        )
    file = files.open(ARRAY_NAME)
    if file is None:
        raise _make_damage_error(files.format_name(ARRAY_NAME), "it is missing")
    with file:
        values = _map_array(file, stated.shape, files.format_name(ARRAY_NAME))
        if verify and compute_file_sha256(files.get_open_path(file, ARRAY_NAME)) != stated.sha256:
            raise _make_damage_error(
                files.format_name(ARRAY_NAME), "its bytes are not those that were written"
            )
    return ViewVectors(values, stated.split, stated.part, stated.method, stated.fingerprint, stated.objects)


class _HashingFile:
    """A file that hashes the bytes written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return self._file.write(data)


def _check_values(values: NDArray[np.float32]) -> None:
    if values.ndim != 3 or not values.size:
        raise InvalidInputError(
            f"the vectors have the shape {values.shape}; give [N, V, D]: objects, views, numbers"
        )
    # One object at a time: isfinite of the whole array would need a quarter of its memory once more.
    if not all(np.isfinite(object_values).all() for object_values in values):
        raise InvalidInputError(
            "the vectors contain NaN or infinity: look at the run's losses, and train again"
        )


def _check_names(vectors: ViewVectors) -> None:
    if not (PLAIN_NAME_PATTERN.fullmatch(vectors.split) and PLAIN_NAME_PATTERN.fullmatch(vectors.part)):
        raise InvalidInputError(
            f"split {vectors.split!r}, part {vectors.part!r}: use names of letters, digits, - and _"
        )
    if not (is_digest(vectors.fingerprint) and is_digest(vectors.objects)):
        raise InvalidInputError("fingerprint and objects must be sha256, 64 hexadecimal digits in lower case")
    if not vectors.method.isprintable() or len(vectors.method) > _MAX_METHOD_LENGTH:
        raise InvalidInputError(
            f"the method's name must be printable and have at most {_MAX_METHOD_LENGTH} characters"
        )


def _read_description(files: FolderFiles) -> _Description:
    display_name = files.format_name(DESCRIPTION_NAME)
    data = files.read(DESCRIPTION_NAME, _MAX_DESCRIPTION_BYTES)
    if data is None:
        raise InvalidInputError(
            f"{files.display_name} has no {DESCRIPTION_NAME}, so there are no vectors; "
            "turntable evaluate RUN DATASET --vectors writes some to RUN/vectors"
        )
    try:
        fields = JsonFields(parse_json(data))
        version = fields.get_integer("format_version", 0, 2**31)
        if version != FORMAT_VERSION:
            raise FieldError(f"format_version is {version}; this version reads {FORMAT_VERSION}")  # noqa: TRY301
        stated = _Description(
            split=fields.get_text("split", pattern=PLAIN_NAME_PATTERN),
            part=fields.get_text("part", pattern=PLAIN_NAME_PATTERN),
            method=fields.get_text("method", _MAX_METHOD_LENGTH),
            fingerprint=fields.get_digest("fingerprint"),
            objects=fields.get_digest("objects"),
            shape=_to_shape(fields.get_integers("shape", 3, 1, MAX_OBJECTS)),
            sha256=fields.get_digest("sha256"),
        )
        if stated.shape[1] > MAX_VIEWS or stated.shape[2] > _MAX_VECTOR_LENGTH:
            fields.raise_error("shape", f"at most {MAX_VIEWS:,} views of {_MAX_VECTOR_LENGTH:,} numbers")
        fields.check_all_read()
    except FieldError as error:
        raise _make_damage_error(display_name, str(error)) from None
    return stated


def _map_array(file: BufferedReader, shape: tuple[int, int, int], display_name: str) -> NDArray[np.float32]:
    try:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # an empty file raises ValueError
        values = decode_npy_at(mapped, 0, len(mapped))
    except ValueError as error:
        raise _make_damage_error(display_name, str(error)) from None
    if values.dtype != np.dtype("<f4") or values.shape != shape or not values.flags.c_contiguous:
        raise _make_damage_error(
            display_name, f"it holds {values.dtype} {values.shape}, {DESCRIPTION_NAME} says float32 {shape}"
        )
    return values


def _to_shape(sides: Sequence[int]) -> tuple[int, int, int]:
    num_objects, num_views, width = sides
    return int(num_objects), int(num_views), int(width)


def _make_damage_error(display_name: str, fault: str) -> IntegrityError:
    return IntegrityError(
        f"{display_name}: {fault}; write the vectors again with --vectors, or fetch them again"
    )

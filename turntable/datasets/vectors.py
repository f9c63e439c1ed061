"""Vectors of a split as plain files: an array of every view's, and beside it what it is of.

``vectors.npy`` is float32 [N, V, D], to be read by anything; ``vectors.json`` says of which data set, split
and part it is, and is written last: whoever sees it sees the whole.
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
    MOST_OBJECTS,
    MOST_VIEWS,
    PLAIN_NAME,
    FieldError,
    Fields,
    FolderFiles,
    array_in,
    atomic_file,
    file_sha256,
    is_digest,
    parse_json,
    sha256_of,
    write_text,
)
from turntable.errors import IntegrityError, InvalidInputError

ARRAY, DESCRIPTION = "vectors.npy", "vectors.json"
FORMAT_VERSION = 1
_MOST_DESCRIPTION_BYTES = 1 << 16
_LONGEST_METHOD = 200
_WIDEST = 1 << 20
"""Numbers of a vector."""


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """A vector of every view of a split, and what it is of."""

    values: NDArray[np.float32]
    """[N, V, D], objects and views in the order of the split."""
    split: str
    part: str
    """The part of the embedding: "representation", "equivariant"."""
    method: str
    """The method that made them."""
    fingerprint: str
    """The fingerprint of the data set."""
    objects: str
    """``digest_ids`` of the split's objects."""


@dataclass(frozen=True, slots=True)
class _Description:
    split: str
    part: str
    method: str
    fingerprint: str
    objects: str
    shape: tuple[int, int, int]
    sha256: str
    """The digest of the array's file."""


def digest_ids(ids: Sequence[str]) -> str:
    """Return the sha256 of objects' ids in their order."""
    return sha256_of(list(ids))


def write_vectors(folder: Path | str, vectors: Vectors) -> Path:
    """Write vectors; what lay in the folder of others before is replaced.

    Args:
        folder: Gets ``vectors.npy`` and ``vectors.json``; made if need be.
        vectors: Of all views of a split, finite.

    Returns:
        The folder.

    Raises:
        InvalidInputError: They are no [N, V, D] of finite numbers, or their description cannot be right.
        StoreError: The disk is full.
    """
    folder = Path(folder)
    values = np.asarray(vectors.values, np.dtype("<f4"), order="C")
    _check_values(values)
    _check_words(vectors)
    (folder / DESCRIPTION).unlink(missing_ok=True)  # it says what the array that goes now was of
    with atomic_file(folder / ARRAY) as file:
        written = _Hashed(file)
        write_array(written, values, version=(1, 0), allow_pickle=False)
    words = {name: getattr(vectors, name) for name in ("split", "part", "method", "fingerprint", "objects")}
    stated = _Description(**words, shape=_three(values.shape), sha256=written.digest.hexdigest())
    table = {"format_version": FORMAT_VERSION, **asdict(stated)}
    write_text(folder / DESCRIPTION, json.dumps(table, indent=1) + "\n")
    return folder


def read_vectors(
    folder: Path | str,
    fingerprint: str | None = None,
    *,
    verify: bool = False,
    links_under: Sequence[Path] = (),
) -> Vectors:
    """Read vectors that ``write_vectors`` wrote, whoever did; the array is mapped from its file, read-only.

    Args:
        folder: With ``vectors.npy`` and ``vectors.json``.
        fingerprint: Of the data set that they must be of; None: of any.
        verify: Whether every byte is compared with its digest, which takes a reading of all.
        links_under: Folders into which links may lead, beside the folder itself.

    Raises:
        InvalidInputError: The folder has no vectors.
        IntegrityError: They are not what was written, or of another data set.
        StoreError: The system refuses to read them.
    """
    files = FolderFiles(Path(folder), tuple(links_under))
    stated = _read_description(files)
    if fingerprint is not None and stated.fingerprint != fingerprint:
        raise IntegrityError(
            f"{files.name_of(ARRAY)}: vectors of another data set (fingerprint {stated.fingerprint[:12]}, not"
            f" {fingerprint[:12]}); write them again with --vectors on this one"
        )
    file = files.open(ARRAY)
    if file is None:
        raise _damaged(files.name_of(ARRAY), "it is missing")
    with file:
        values = _mapped(file, stated.shape, files.name_of(ARRAY))
        if verify and file_sha256(files.path_of(file, ARRAY)) != stated.sha256:
            raise _damaged(files.name_of(ARRAY), "its bytes are not those that were written")
    words = (stated.split, stated.part, stated.method, stated.fingerprint, stated.objects)
    return Vectors(values, *words)


class _Hashed:
    """A file that hashes what is written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return self._file.write(data)


def _check_values(values: NDArray[np.float32]) -> None:
    if values.ndim != 3 or not values.size:
        raise InvalidInputError(
            f"vectors of shape {values.shape}: give [N, V, D], of objects, views, numbers"
        )
    if not all(np.isfinite(of_object).all() for of_object in values):
        raise InvalidInputError(
            "vectors that are no finite numbers: look at the run's losses, and train again"
        )


def _check_words(vectors: Vectors) -> None:
    if not (PLAIN_NAME.fullmatch(vectors.split) and PLAIN_NAME.fullmatch(vectors.part)):
        raise InvalidInputError(
            f"split {vectors.split!r}, part {vectors.part!r}: give names of letters, digits, - and _"
        )
    if not (is_digest(vectors.fingerprint) and is_digest(vectors.objects)):
        raise InvalidInputError("fingerprint and objects must be sha256, 64 hexadecimal digits in lower case")
    if not vectors.method.isprintable() or len(vectors.method) > _LONGEST_METHOD:
        raise InvalidInputError(f"a method's name is printable, of at most {_LONGEST_METHOD} characters")


def _read_description(files: FolderFiles) -> _Description:
    where = files.name_of(DESCRIPTION)
    data = files.read(DESCRIPTION, _MOST_DESCRIPTION_BYTES)
    if data is None:
        raise InvalidInputError(
            f"{files.label} has no {DESCRIPTION}, so there are no vectors; turntable evaluate RUN DATASET"
            " --vectors writes some to RUN/vectors"
        )
    try:
        fields = Fields(parse_json(data))
        version = fields.integer("format_version", 0, 2**31)
        if version != FORMAT_VERSION:
            raise FieldError(f"format_version is {version}; this version reads {FORMAT_VERSION}")  # noqa: TRY301
        stated = _Description(
            split=fields.text("split", pattern=PLAIN_NAME),
            part=fields.text("part", pattern=PLAIN_NAME),
            method=fields.text("method", _LONGEST_METHOD),
            fingerprint=fields.digest("fingerprint"),
            objects=fields.digest("objects"),
            shape=_three(fields.integers("shape", 3, 1, MOST_OBJECTS)),
            sha256=fields.digest("sha256"),
        )
        if stated.shape[1] > MOST_VIEWS or stated.shape[2] > _WIDEST:
            fields.refuse("shape", f"at most {MOST_VIEWS:,} views of {_WIDEST:,} numbers")
        fields.finish()
    except FieldError as error:
        raise _damaged(where, str(error)) from None
    return stated


def _mapped(file: BufferedReader, shape: tuple[int, int, int], where: str) -> NDArray[np.float32]:
    try:
        view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # an empty file raises ValueError
        values = array_in(view, 0, len(view))
    except ValueError as error:
        raise _damaged(where, str(error)) from None
    if values.dtype != np.dtype("<f4") or values.shape != shape or not values.flags.c_contiguous:
        raise _damaged(where, f"it holds {values.dtype} {values.shape}, {DESCRIPTION} says float32 {shape}")
    return values


def _three(sides: Sequence[int]) -> tuple[int, int, int]:
    objects, views, width = sides
    return int(objects), int(views), int(width)


def _damaged(where: str, fault: str) -> IntegrityError:
    return IntegrityError(f"{where}: {fault}; write the vectors again with --vectors, or fetch them again")

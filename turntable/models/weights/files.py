"""Reading of files written by ``torch.save``, safe for files of unknown origin.

Only weights and plain values are read, and no code in a file is executed. Memory stays proportional to the
size of the file: compressed records, overlapping records and sizes larger than the data are refused before
torch reads the file.
"""

import argparse
import pickle
import re
import stat
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import torch

from turntable.errors import IntegrityError, InvalidInputError, format_text
from turntable.models.weights.pickle_check import check_pickle

MAX_RECORDS = 100_000
"""Largest number of records in a file."""
_RECORD = re.compile(r"[^/]+/(data\.pkl|byteorder|version|data/(?P<key>[^/]+))")
_ARCHIVE_FOLDER = "weights"
_TORCH_ERRORS = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError, OSError)
"""Errors that torch raises on damaged files, in addition to pickle's."""


def read_weight_file(path: Path) -> dict[Any, Any]:
    """Read a dictionary of tensors and plain values.

    Args:
        path: Path of a file in the zip format, which ``torch.save`` writes since version 1.6.

    Raises:
        InvalidInputError: There is no such file, or it is not a regular file.
        IntegrityError: It is damaged, or holds something else; nothing in it was executed.
    """
    with _open_archive(path) as archive:
        try:
            checked = _copy_records(archive, path)
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError) as error:
            raise IntegrityError(f"{_format_damage(path)} ({format_text(str(error))})") from error
    try:
        # SIE's code saves its command line options, an argparse.Namespace, beside the weights.
        with torch.serialization.safe_globals([argparse.Namespace]):
            state: Any = torch.load(checked, map_location="cpu", weights_only=True)
    except (*_TORCH_ERRORS, pickle.UnpicklingError) as error:
        raise IntegrityError(f"{_format_damage(path)} ({format_text(str(error))})") from error
    if not isinstance(state, dict):
        raise IntegrityError(f"{path} holds no dictionary of weights")
    return cast("dict[Any, Any]", state)


def _open_archive(path: Path) -> zipfile.ZipFile:
    try:
        is_regular = stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        raise InvalidInputError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{path}: cannot be read ({format_text(str(error))})") from error
    if not is_regular:
        raise InvalidInputError(f"{path} is not a regular file; give a file that torch.save has written")
    try:
        return zipfile.ZipFile(path)
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read ({error.strerror})") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise IntegrityError(
            f"{_format_damage(path)}: it is not a zip archive, which torch.save writes since version 1.6;"
            " save an older file, or one of safetensors, again with torch.save"
        ) from error


def _copy_records(archive: zipfile.ZipFile, path: Path) -> BytesIO:
    """Check the records of weights, and copy them to a new archive in memory.

    Python and torch could read different records from an ambiguous archive. Torch gets this copy, so that it
    reads exactly the records that were checked.
    """
    entries = _list_records(archive, path)
    records = {key: info.file_size for name, info in entries.items() if (key := _parse_key(name)) is not None}
    pickled = next((info for name, info in entries.items() if name.endswith("/data.pkl")), None)
    if pickled is None:
        raise IntegrityError(f"{_format_damage(path)}: it has no data.pkl")
    try:
        check_pickle(archive.read(pickled), records)
    except IntegrityError as error:
        raise IntegrityError(f"{_format_damage(path)}: {error}") from error
    checked = BytesIO()
    with zipfile.ZipFile(checked, "w") as copy:
        for name, info in entries.items():
            data = archive.read(info)  # raises BadZipFile if the checksum is wrong
            copy.writestr(f"{_ARCHIVE_FOLDER}/{name.partition('/')[2]}", data)
    checked.seek(0)
    return checked


def _list_records(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the records of weights by name, after a check that none is compressed or overlaps another."""
    infos = archive.infolist()
    records = {info.filename: info for info in infos if _RECORD.fullmatch(info.filename)}
    total = sum(info.file_size for info in infos)
    is_odd = len(infos) > MAX_RECORDS or len({info.filename for info in infos}) < len(infos)
    is_compressed = any(info.compress_type != zipfile.ZIP_STORED for info in infos)
    # Together, uncompressed records that are larger than the file must share bytes.
    if is_odd or is_compressed or total > path.stat().st_size:
        raise IntegrityError(
            f"{_format_damage(path)}: its {len(infos):,} records of {total:,} bytes are too many, compressed"
            " or overlapping, which torch.save never writes"
        )
    return records


def _format_damage(path: Path) -> str:
    return f"{path} is damaged or holds more than weights"


def _parse_key(name: str) -> str | None:
    match = _RECORD.fullmatch(name)
    return match["key"] if match else None

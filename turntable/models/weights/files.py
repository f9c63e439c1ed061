"""Files that ``torch.save`` has written, read as weights and plain values: from strangers too.

Nothing in them is executed, and memory stays in proportion to the bytes of the file: what is packed, what
overlaps, and what claims more than there is, is refused before torch sees it.
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

from turntable.errors import IntegrityError, InvalidInputError, shown
from turntable.models.weights.pickle_check import check_pickle

MOST_RECORDS = 100_000
_RECORD = re.compile(r"[^/]+/(data\.pkl|byteorder|version|data/(?P<key>[^/]+))")
_NAME = "weights"
_TORCH_RAISES = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError, OSError)
"""Errors that torch has raised over broken files, beside those of pickles."""


def read_weight_file(path: Path) -> dict[Any, Any]:
    """Read a dictionary of tensors and plain values.

    Args:
        path: A file in the zip format, which ``torch.save`` writes since version 1.6.

    Raises:
        InvalidInputError: There is no such file, or it is no ordinary one.
        IntegrityError: It is damaged, or holds something else; nothing of it was executed.
    """
    with _opened(path) as archive:
        try:
            plain = _copied(archive, path)
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError) as error:
            raise IntegrityError(f"{_words(path)} ({shown(str(error))})") from error
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):  # options, which SIE's code saves too
            state: Any = torch.load(plain, map_location="cpu", weights_only=True)
    except (*_TORCH_RAISES, pickle.UnpicklingError) as error:
        raise IntegrityError(f"{_words(path)} ({shown(str(error))})") from error
    if not isinstance(state, dict):
        raise IntegrityError(f"{path} holds no named weights")
    return cast("dict[Any, Any]", state)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        ordinary = stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        raise InvalidInputError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{path}: cannot be read ({shown(str(error))})") from error
    if not ordinary:
        raise InvalidInputError(f"{path} is no ordinary file; give a file that torch.save has written")
    try:
        return zipfile.ZipFile(path)
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read ({error.strerror})") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise IntegrityError(
            f"{_words(path)}: it is no zip archive, as torch.save writes since version 1.6; save an older "
            "file, or one of safetensors, anew by torch.save"
        ) from error


def _copied(archive: zipfile.ZipFile, path: Path) -> BytesIO:
    """Copy the records that weights are made of into an archive that can be read in one way only."""
    entries = _entries(archive, path)
    records = {key: info.file_size for name, info in entries.items() if (key := _key(name)) is not None}
    pickled = next((info for name, info in entries.items() if name.endswith("/data.pkl")), None)
    if pickled is None:
        raise IntegrityError(f"{_words(path)}: it has no data.pkl")
    try:
        check_pickle(archive.read(pickled), records)
    except IntegrityError as error:
        raise IntegrityError(f"{_words(path)}: {error}") from error
    plain = BytesIO()
    with zipfile.ZipFile(plain, "w") as copy:
        for name, info in entries.items():
            copy.writestr(f"{_NAME}/{name.partition('/')[2]}", archive.read(info))  # checksums are compared
    plain.seek(0)
    return plain


def _entries(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """Find the records of weights, as they are stored: not packed, nor in one another's bytes."""
    infos = archive.infolist()
    found = {info.filename: info for info in infos if _RECORD.fullmatch(info.filename)}
    total = sum(info.file_size for info in infos)
    odd = len(infos) > MOST_RECORDS or len({info.filename for info in infos}) < len(infos)
    if odd or any(info.compress_type != zipfile.ZIP_STORED for info in infos) or total > path.stat().st_size:
        raise IntegrityError(
            f"{_words(path)}: {len(infos):,} records of {total:,} bytes, packed or in one another's place, "
            "as torch.save writes none"
        )
    return found


def _words(path: Path) -> str:
    return f"{path} is damaged and cannot be read as weights alone"


def _key(name: str) -> str | None:
    match = _RECORD.fullmatch(name)
    return match["key"] if match else None

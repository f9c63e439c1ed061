"""Plain arrays as .npy files: always written the same way, and read without trusting their headers."""

import io
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files.folder_files import FolderFiles

MAX_LIST_BYTES = 1 << 30
"""Bytes of a file with a list of objects."""
_MAX_HEADER_LENGTH = 1000
# numpy parses a header as a Python expression. This takes fifty times as long and allows more than we write.
_HEADER = re.compile(
    rb"\s*\{\s*'descr':\s*'([<>|=][A-Za-z]\d{1,9})',\s*'fortran_order':\s*(True|False),\s*"
    rb"'shape':\s*\(([\d, ]*)\),?\s*\}\s*"
)
_MAGIC = {b"\x93NUMPY\x01\x00": 2, b"\x93NUMPY\x02\x00": 4}
"""Number of bytes that hold the header's length, by the first eight bytes of the file (version 1 or 2).
"""


def encode_npy(array: NDArray[Any]) -> bytes:
    """Return an array as the bytes of a .npy file of version 1.0.

    The same array always gives the same bytes.
    """
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def decode_npy_at(data: Any, start: int = 0, end: int | None = None) -> NDArray[Any]:
    """Return the array of a .npy file that lies in memory, as a view of that memory.

    Args:
        data: Bytes or a memory map that holds the file.
        start: Offset of the file's first byte.
        end: Offset of the file's end if it must end there; None: more bytes may follow.

    Raises:
        ValueError: The bytes are not a plain array, or the array is not as long as its header says.
    """
    num_length_bytes = _MAGIC.get(bytes(data[start : start + 8]), 0)
    header_start = start + 8 + num_length_bytes
    header_length = int.from_bytes(data[start + 8 : header_start], "little")
    header = _HEADER.fullmatch(
        bytes(data[header_start : header_start + min(header_length, _MAX_HEADER_LENGTH)])
    )
    if not num_length_bytes or header is None:
        raise ValueError("not a plain array")
    dtype = _parse_dtype(header[1].decode("ascii"))
    shape = tuple(int(side) for side in header[3].replace(b",", b" ").split())
    # math.prod of Python integers cannot overflow, however large the sides are that a header claims.
    num_items, data_start = math.prod(shape), header_start + header_length
    if num_items * dtype.itemsize > len(data) - data_start or (
        end is not None and data_start + num_items * dtype.itemsize != end
    ):
        raise ValueError("not a plain array of the length that its header says")
    array = np.frombuffer(data, dtype=dtype, count=num_items, offset=data_start)
    return array.reshape(shape[::-1]).T if header[2] == b"True" else array.reshape(shape)


def decode_npy(data: bytes) -> NDArray[Any]:
    """Return the array of a .npy file from its bytes.

    Nothing is unpickled, and no further memory is reserved.

    Raises:
        ValueError: The bytes are not a plain array, or the array is not as long as its header says.
    """
    return decode_npy_at(data, 0, len(data))


def read_npy(path: Path, max_bytes: int) -> NDArray[Any]:
    """Read an array from a .npy file that a user named.

    Args:
        path: Path of the file.
        max_bytes: Largest size of the file that is accepted.

    Raises:
        ValueError: The file is not a plain array.
        IntegrityError: The file is not an ordinary file, or is larger than ``max_bytes``.
        StoreError: The system refuses to read it.
        FileNotFoundError: The file is missing.
    """
    data = FolderFiles(path.parent).read(path.name, max_bytes)
    if data is None:
        raise FileNotFoundError(path)
    return decode_npy(data)


def _parse_dtype(text: str) -> "np.dtype[Any]":
    try:
        dtype = np.dtype(text)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"not a plain array (of {text})") from None
    if dtype.kind not in "biufcSU" or not dtype.itemsize:
        raise ValueError(f"not a plain array (of {text})")
    return dtype

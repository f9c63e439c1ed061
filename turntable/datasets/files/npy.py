"""Plain arrays as .npy files: written the same way every time, read without believing their claims."""

import io
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files.folder_files import FolderFiles

MOST_LIST_BYTES = 1 << 30
"""The size of a list of objects, at most."""
_LONGEST_HEADER = 1000
# numpy reads a header as an expression of Python, which takes fifty times as long and is more than is needed.
_HEADER = re.compile(
    rb"\s*\{\s*'descr':\s*'([<>|=][A-Za-z]\d{1,9})',\s*'fortran_order':\s*(True|False),\s*"
    rb"'shape':\s*\(([\d, ]*)\),?\s*\}\s*"
)
_MAGIC = {b"\x93NUMPY\x01\x00": 2, b"\x93NUMPY\x02\x00": 4}
"""How long the length of the header is, by what the file begins with."""


def npy_bytes(array: NDArray[Any]) -> bytes:
    """Write an array as a .npy file of version 1.0; the same array always gives the same bytes."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def array_in(data: Any, start: int = 0, end: int | None = None) -> NDArray[Any]:
    """Return the array of a .npy file that lies in memory, as a view of that memory.

    Args:
        data: What holds the file: bytes, or a memory map.
        start: Where it begins.
        end: Where it ends, if it must end there; None: there may be more behind.

    Raises:
        ValueError: It is no plain array, or not as long as its header says.
    """
    digits = _MAGIC.get(bytes(data[start : start + 8]), 0)
    begin = start + 8 + digits
    length = int.from_bytes(data[start + 8 : begin], "little")
    found = _HEADER.fullmatch(bytes(data[begin : begin + min(length, _LONGEST_HEADER)]))
    if not digits or found is None:
        raise ValueError("not a plain array")
    dtype = _plain_dtype(found[1].decode("ascii"))
    shape = tuple(int(side) for side in found[3].replace(b",", b" ").split())
    count, offset = math.prod(shape), begin + length
    if count * dtype.itemsize > len(data) - offset or (
        end is not None and offset + count * dtype.itemsize != end
    ):
        raise ValueError("not a plain array of the length that its header says")
    array = np.frombuffer(data, dtype=dtype, count=count, offset=offset)
    return array.reshape(shape[::-1]).T if found[2] == b"True" else array.reshape(shape)


def parse_npy(data: bytes) -> NDArray[Any]:
    """Read an array from the bytes of a .npy file. Nothing is unpickled, and no memory taken but the file's.

    Raises:
        ValueError: It is no plain array, or not as long as its header says.
    """
    return array_in(data, 0, len(data))


def read_npy(path: Path, most_bytes: int) -> NDArray[Any]:
    """Read an array from a .npy file that somebody named.

    Raises:
        ValueError: It is no plain array.
        IntegrityError: It is no ordinary file, or larger than ``most_bytes``.
        StoreError: The system refuses to read it.
        FileNotFoundError: There is none.
    """
    data = FolderFiles(path.parent).read(path.name, most_bytes)
    if data is None:
        raise FileNotFoundError(path)
    return parse_npy(data)


def parse_points(data: bytes) -> NDArray[np.float32]:
    """Read a point cloud, float32 [P, 6]. Raises ValueError where the file is none."""
    points = parse_npy(data)
    if points.dtype != np.dtype("<f4") or points.ndim != 2 or points.shape[1] != 6:
        raise ValueError(f"{points.dtype} {points.shape}, not a cloud of points and normals")
    return points.astype(np.float32)  # an array of its own, which may be written to


def _plain_dtype(text: str) -> "np.dtype[Any]":
    try:
        dtype = np.dtype(text)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"not a plain array (of {text})") from None
    if dtype.kind not in "biufcSU" or not dtype.itemsize:
        raise ValueError(f"not a plain array (of {text})")
    return dtype

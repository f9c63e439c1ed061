"""Plain arrays as .npy files: written the same way every time, read without believing their claims."""

import io
import math
import tokenize
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.folder_files import FolderFiles

MOST_LIST_BYTES = 1 << 30
"""Of a list of objects."""
UNREADABLE = (
    *(ValueError, KeyError, TypeError, EOFError, OverflowError, NotImplementedError),
    *(SyntaxError, tokenize.TokenError, RecursionError, MemoryError),
)
"""What numpy raises, between its versions, for bytes that are no header of an array."""
_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def npy_bytes(array: NDArray[Any]) -> bytes:
    """Write an array as a .npy file of version 1.0; the same array always gives the same bytes."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def parse_npy(data: bytes) -> NDArray[Any]:
    """Read an array from the bytes of a .npy file. Nothing is unpickled, and no memory taken but the file's.

    Raises:
        ValueError: It is no plain array, or not as long as its header says.
    """
    file = io.BytesIO(data)
    try:
        shape, fortran, dtype = _READERS[np.lib.format.read_magic(file)](file)
        count = math.prod(int(side) for side in shape)
        plain = not (dtype.hasobject or dtype.names or dtype.shape)
    except UNREADABLE as error:
        raise ValueError(f"not a plain array ({type(error).__name__})") from None
    if not plain or min(shape, default=0) < 0 or count * dtype.itemsize != len(data) - file.tell():
        raise ValueError("not a plain array of the length that its header says")
    array = np.frombuffer(data, dtype=dtype, count=count, offset=file.tell())
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def read_npy(path: Path, most_bytes: int) -> NDArray[Any]:
    """Read an array from a .npy file that somebody named.

    Raises:
        ValueError: It is no plain array, or larger than ``most_bytes``.
        IntegrityError: It is no ordinary file.
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

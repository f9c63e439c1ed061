"""Arrays from files that claim anything."""

import io
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turntable.datasets.files import decode_npy, encode_npy
from turntable.datasets.labels import OBJECT_ARRAYS

POINTS = np.arange(12, dtype=np.float32).reshape(2, 6)


@pytest.mark.parametrize(
    "array",
    [
        POINTS,
        np.asfortranarray(POINTS),
        np.array("x"),
        np.array(["a/b", "ä"]),
        np.empty((0, 6), "<f4"),
        np.float64(3),
    ],
)
def test_plain_arrays_come_back(array: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, array)
    np.testing.assert_array_equal(decode_npy(buffer.getvalue()), array)
    np.testing.assert_array_equal(decode_npy(encode_npy(array)), array)


def claimed(header: str, data: bytes = b"") -> bytes:
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


HOSTILE = [
    b"",
    b"PK\x03\x04" + bytes(100),
    encode_npy(POINTS)[:-1],
    encode_npy(POINTS) + b"x",
    claimed("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 6), }"),
    claimed("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 6), }"),
    claimed("{'descr': '<f4', 'fortran_order': False, 'shape': (10**30, 6), }"),
    claimed(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 99999999999999999999), }"
    ),
    claimed("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"\x80\x04K\x01."),
    claimed("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", bytes(4)),
    claimed("{'descr': '<f4', 'fortran_order': False, 'shape': " + "(" * 50 + "}"),
    claimed("__import__('os').system('true')"),
    b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535,
    b"\x93NUMPY\x03\x00" + bytes(200),
    b"\x93NUMPY\x01\x00\xe7\x03{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"1" * 900 + b"x",
    b"\x93NUMPY\x01\x00\xe7\x03{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"1, " * 300 + b"x",
    b"\x93NUMPY\x01\x00\xe7\x03" + b" " * 999,
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_plain_array_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a plain array"):
        decode_npy(data)
    with pytest.raises(ValueError, match="not a plain array"):
        OBJECT_ARRAYS["points"].decode(data, 1)


def test_a_cloud_is_points_with_normals() -> None:
    form = OBJECT_ARRAYS["points"]
    assert form.decode(encode_npy(POINTS), 1).flags.writeable
    for other in (POINTS.astype(np.float64), POINTS[:, :5], POINTS.ravel()):
        with pytest.raises(ValueError, match=r"not float32 \[points, 6\]"):
            form.decode(encode_npy(other), 1)


@given(st.binary(max_size=200), st.integers(0, 140))
def test_damaged_bytes_are_refused_or_are_arrays_of_their_length(noise: bytes, at: int) -> None:
    data = encode_npy(POINTS)
    damaged = data[:at] + noise + data[at + len(noise) :]
    with suppress(ValueError):
        assert decode_npy(damaged).nbytes <= len(damaged)

"""Files of weights that are broken on purpose: archives of pickles, written instruction by instruction."""

import io
import struct
import zipfile
from collections.abc import Mapping

PROTOCOL, MARK, STOP, TUPLE, REDUCE = b"\x80\x02", b"(", b".", b"t", b"R"
EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE, SET_ITEM, APPEND, BUILD = b"}", b"]", b")", b"s", b"a", b"b"
PUT, GET, TUPLE_1, TUPLE_2, FALSE = b"q", b"h", b"\x85", b"\x86", b"\x89"
FLOATS = ("torch", "FloatStorage")


def text(value: str) -> bytes:
    """Push a text."""
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    """Push a whole number."""
    size = value.bit_length() // 8 + 1
    return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)


def named(module: str, name: str) -> bytes:
    """Push a class or function."""
    return f"c{module}\n{name}\n".encode()


def called(module: str, name: str, *arguments: bytes) -> bytes:
    """Push what a call gives."""
    return named(module, name) + MARK + b"".join(arguments) + TUPLE + REDUCE


def numbers(*values: int) -> bytes:
    """Push a tuple of whole numbers."""
    return MARK + b"".join(map(number, values)) + TUPLE


def storage(key: str = "0", count: int = 1, kind: tuple[str, str] = FLOATS) -> bytes:
    """Push a storage of this many numbers, by its own word."""
    return MARK + text("storage") + named(*kind) + text(key) + text("cpu") + number(count) + TUPLE + b"Q"


def tensor(of: bytes, size: bytes, stride: bytes, offset: int = 0) -> bytes:
    """Push a tensor over a storage."""
    hooks = named("collections", "OrderedDict") + EMPTY_TUPLE + REDUCE
    return called("torch._utils", "_rebuild_tensor_v2", of, number(offset), size, stride, FALSE, hooks)


def weights(**values: bytes) -> bytes:
    """A pickle of a dictionary."""
    items = b"".join(text(name) + value + SET_ITEM for name, value in values.items())
    return PROTOCOL + EMPTY_DICT + items + STOP


def archive(
    pickled: bytes, records: Mapping[str, bytes] | None = None, compression: int = zipfile.ZIP_STORED
) -> bytes:
    """A file as ``torch.save`` writes it, of this pickle."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        file.writestr("archive/data.pkl", pickled)
        file.writestr("archive/byteorder", "little")
        for key, data in (records or {"0": struct.pack("<f", 1.0)}).items():
            file.writestr(f"archive/data/{key}", data)
        file.writestr("archive/version", "3\n")
    return out.getvalue()


def doubled(first: bytes, make: bytes, times: int = 60) -> bytes:
    """Push what holds two of what holds two, and so on: as many instructions double it as often."""
    step = b"".join(PUT + bytes([n]) + GET + bytes([n]) + make for n in range(times))
    return first + step

"""The header of a PLY file: its elements, their properties, and comments that matter."""

import re
from dataclasses import dataclass
from typing import NoReturn

from turntable.errors import format_text
from turntable.renderer.meshes.formats.files import decode_name
from turntable.renderer.meshes.limits import raise_mesh_error

MAX_HEADER_BYTES = 2**18
"""Bytes in which a header must end."""

_NUMBER_TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32", "long"), "i4"),
    **dict.fromkeys(("uint", "uint32", "ulong"), "u4"),
    **dict.fromkeys(("int64", "longlong"), "i8"),
    **dict.fromkeys(("uint64", "ulonglong"), "u8"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
    **dict.fromkeys(("half", "float16"), "f2"),
}
"""Types of numbers, as numpy writes them, by the names that files use."""
_BYTE_ORDERS = {b"ascii": "=", b"binary_little_endian": "<", b"binary_big_endian": ">"}
"""Byte order by the name of the format."""


@dataclass(frozen=True, slots=True)
class PlyProperty:
    """A number, or a list of numbers, that each record of an element has."""

    name: str
    """Name of the property, in lower case."""
    type: str
    """Type of its numbers, as numpy writes it, without byte order."""
    count_type: str = ""
    """Type of the count before a list; empty for a single number."""

    @property
    def is_list(self) -> bool:
        """True for a list."""
        return bool(self.count_type)


@dataclass(frozen=True, slots=True)
class PlyElement:
    """A table of the file: so many records, all with the same properties."""

    name: str
    """Name of the element, in lower case."""
    count: int
    """Number of records."""
    properties: tuple[PlyProperty, ...]
    """Properties of each record, in the order of the file."""


@dataclass(frozen=True, slots=True)
class PlyHeader:
    """The header of a PLY file."""

    byte_order: str
    """Byte order of the numbers as numpy writes it, or "=" for a file of text."""
    elements: tuple[PlyElement, ...]
    """Elements in the order of the file."""
    texture_names: tuple[str, ...]
    """Names of image files, from comments."""
    facts: dict[str, str]
    """Words of the ``obj_info`` lines: the first word in lower case, and the rest."""
    size: int
    """Number of bytes of the header, with the end of its last line."""

    @property
    def is_text(self) -> bool:
        """True if the numbers are written as text."""
        return self.byte_order == "="


def parse_ply_header(data: bytes, location: str) -> PlyHeader:
    """Parse the header of a PLY file.

    Args:
        data: Content of the file.
        location: File, for messages.

    Raises:
        MeshError: There is no header of a PLY file, or it cannot be understood.
    """
    # Keywords are recognized in any case, behind a byte-order mark and blanks, with any kind of line ends.
    head = data[:MAX_HEADER_BYTES]
    end = re.compile(rb"[\r\n][ \t]*end_header[ \t]*(\r\n|\n|\r|$)", re.IGNORECASE).search(head)
    if not re.match(rb"(?:\xef\xbb\xbf)?\s*ply\s", head, re.IGNORECASE) or end is None:
        raise_mesh_error(f"{location}: it has no header of a PLY file", "unreadable")
    size = end.end()
    if end[1] == b"\r\n" and b"\r\n" not in head[: end.start() + 2]:
        size -= 1  # lines end with CR alone, and the body begins with a byte that looks like LF
    return _HeaderParser(location).parse(re.split(rb"\r\n|\r|\n", head[: end.start()]), size)


class _HeaderParser:
    """A parser of the lines of a header."""

    def __init__(self, location: str) -> None:
        self._location = location
        self._byte_order = ""
        self._elements: list[tuple[str, int, list[PlyProperty]]] = []
        self._texture_names: list[str] = []
        self._facts: dict[str, str] = {}

    def parse(self, lines: list[bytes], size: int) -> PlyHeader:
        """Parse all lines but the first and the last."""
        for line in lines[1:]:
            words = line.split()
            keyword = words[0].lower() if words else b""
            if keyword == b"format":
                self._byte_order = _BYTE_ORDERS.get(words[1].lower() if len(words) > 1 else b"", "")
                if not self._byte_order:
                    self._raise_unreadable(line)
            elif keyword == b"element":
                self._add_element(words, line)
            elif keyword == b"property":
                self._add_property(words, line)
            elif keyword in (b"comment", b"obj_info"):
                self._note(keyword, line.strip()[len(keyword) :].strip())
        if not self._byte_order:
            raise_mesh_error(
                f"{self._location}: its header does not say how numbers are stored", "unreadable"
            )
        elements = tuple(PlyElement(name, count, tuple(rows)) for name, count, rows in self._elements)
        return PlyHeader(self._byte_order, elements, tuple(self._texture_names), self._facts, size)

    def _add_element(self, words: list[bytes], line: bytes) -> None:
        """Add an element without properties."""
        if len(words) != 3 or not re.fullmatch(rb"\d{1,18}", words[2]):
            self._raise_unreadable(line)
        self._elements.append((decode_name(words[1]).lower(), int(words[2]), []))

    def _add_property(self, words: list[bytes], line: bytes) -> None:
        """Add a property to the last element."""
        *types, name = [decode_name(word).lower() for word in words[1:]] or [""]
        is_list = types[:1] == ["list"]
        known = [_NUMBER_TYPES[word] for word in types[is_list:] if word in _NUMBER_TYPES]
        if not self._elements or len(known) != 1 + is_list or len(types) != 1 + 2 * is_list:
            self._raise_unreadable(line)
        self._elements[-1][2].append(PlyProperty(name, known[-1], known[0] if is_list else ""))

    def _note(self, keyword: bytes, text: bytes) -> None:
        """Keep the name of an image, or a fact about the object."""
        word, _, rest = text.partition(b" ")
        if word.lower() == b"texturefile":
            self._texture_names.append(decode_name(rest.strip().strip(b'"')))
        elif keyword == b"obj_info":
            self._facts[decode_name(word).lower()] = decode_name(rest.strip())

    def _raise_unreadable(self, line: bytes) -> NoReturn:
        """Raise for a line that cannot be understood."""
        text = format_text(decode_name(line.strip()), 80)
        raise_mesh_error(f"{self._location}: its header has an invalid line, '{text}'", "unreadable")

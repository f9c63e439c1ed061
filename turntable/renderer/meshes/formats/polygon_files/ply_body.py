"""The tables of a PLY file, read with numpy from bytes or from text.

Text is parsed into 64-bit numbers first, and these are read like the body of a binary file. A table whose
lists are all equally long is a plain array. Otherwise one pass over its records finds where each begins.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from turntable.errors import format_text
from turntable.renderer.meshes.formats.polygon_files.number_text import parse_numbers
from turntable.renderer.meshes.formats.polygon_files.ply_header import PlyElement, PlyHeader, PlyProperty
from turntable.renderer.meshes.limits import raise_mesh_error

AnyArray = NDArray[np.number]
"""Numbers of any type."""
_STRUCT_CODES = {
    "i1": "b",
    "u1": "B",
    "i2": "h",
    "u2": "H",
    "i4": "i",
    "u4": "I",
    "i8": "q",
    "u8": "Q",
    "f2": "e",
    "f4": "f",
    "f8": "d",
}
"""Types of numbers, as the module struct writes them."""
_Step = tuple[int, int, int, Callable[[memoryview, int], tuple[float]]]
"""A step to a list of a record, from the end of the list before it.

The bytes before its length, the bytes before its numbers, the bytes of a number, and a reader of the length.
"""


@dataclass(frozen=True, slots=True, eq=False)
class PlyList:
    """The lists of one property."""

    values: AnyArray
    """[C] numbers of all lists, one after the other."""
    sizes: NDArray[np.intp]
    """[N] length of each list."""


@dataclass(frozen=True, eq=False)
class PlyTable:
    """The records of one element."""

    element: PlyElement
    """Name, count and properties of the element."""
    data: memoryview
    """Bytes of the body, from the first record on."""
    byte_order: str
    """Byte order of the numbers."""
    stored: tuple[PlyProperty, ...]
    """Properties with the types that are stored, which differ from the file's for text."""
    starts: NDArray[np.intp] | None
    """[N] offset of each record in ``data``; None if all records are equally long."""
    sizes: NDArray[np.intp]
    """[N, L] lengths of the lists of each record; [1, L] if they are the same in all records."""

    @cached_property
    def names(self) -> dict[str, int]:
        """Index of each property by its name."""
        return {item.name: number for number, item in reversed([*enumerate(self.element.properties)])}

    def get_property(self, name: str) -> PlyProperty:
        """Return a property as the file declares it."""
        return self.element.properties[self.names[name]]

    @cached_property
    def size(self) -> int:
        """Number of bytes of all records."""
        if self.starts is None:
            return self.element.count * int(self._compute_offsets(len(self.stored))[0])
        ends = self.starts + self._compute_offsets(len(self.stored))
        return int(ends[-1]) if len(ends) else 0

    def read_numbers(self, name: str) -> AnyArray:
        """Return the numbers [N] of a property that is no list."""
        number = self.names[name]
        dtype = self._get_dtype(number)
        offsets = self._compute_offsets(number)
        if self.starts is None:
            return self._view(dtype, (self.element.count,), int(offsets[0]), (self._stride,))
        return self._view_everywhere(dtype)[self.starts + offsets]

    def read_lists(self, name: str) -> PlyList:
        """Return the lists of a property."""
        number = self.names[name]
        dtype, count_width = self._get_dtype(number), np.dtype(self.stored[number].count_type).itemsize
        sizes = self.sizes[:, self._count_lists(number)]
        first = self._compute_offsets(number) + count_width
        if self.starts is None:
            length = int(sizes[0])
            shape, strides = (self.element.count, length), (self._stride, dtype.itemsize)
            values = self._view(dtype, shape, int(first[0]), strides)
            return PlyList(values.reshape(-1), np.full(self.element.count, length, dtype=np.intp))
        begins = np.repeat(self.starts + first, sizes)
        steps = np.arange(len(begins)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return PlyList(self._view_everywhere(dtype)[begins + steps * dtype.itemsize], sizes)

    @cached_property
    def _stride(self) -> int:
        """Number of bytes of each record, if all are equally long."""
        return int(self._compute_offsets(len(self.stored))[0])

    def _get_dtype(self, number: int) -> np.dtype[np.number]:
        """Return the type of the stored numbers of a property."""
        return np.dtype(self.byte_order + self.stored[number].type)

    def _count_lists(self, number: int) -> int:
        """Count the lists before a property."""
        return sum(item.is_list for item in self.stored[:number])

    def _compute_offsets(self, number: int) -> NDArray[np.intp]:
        """Return the offset of a property within its record, [N] or [1]."""
        offsets = np.zeros(len(self.sizes), dtype=np.intp)
        lists = 0
        for item in self.stored[:number]:
            width = np.dtype(item.type).itemsize
            if item.is_list:
                offsets += np.dtype(item.count_type).itemsize + width * self.sizes[:, lists]
                lists += 1
            else:
                offsets += width
        return offsets

    def _view(
        self, dtype: np.dtype[np.number], shape: tuple[int, ...], offset: int, strides: tuple[int, ...]
    ) -> AnyArray:
        """Return an array that looks at the bytes."""
        if 0 in shape:
            return np.empty(shape, dtype)
        return np.ndarray(shape, dtype, self.data, offset, strides)

    def _view_everywhere(self, dtype: np.dtype[np.number]) -> AnyArray:
        """Return the numbers that begin at each byte."""
        return np.ndarray((max(len(self.data) - dtype.itemsize + 1, 0),), dtype, self.data, 0, (1,))


@dataclass(frozen=True, slots=True, eq=False)
class PlyBody:
    """Everything after the header of a PLY file."""

    tables: dict[str, PlyTable]
    """Tables by the name of their element."""
    rest: memoryview
    """Bytes that follow the last record."""


def read_ply_body(data: bytes, header: PlyHeader, location: str) -> PlyBody:
    """Find the tables of a file.

    Args:
        data: Content of the file.
        header: Its header.
        location: File, for messages.

    Raises:
        MeshError: The file is cut off, or the tables are not as the header says.
    """
    _check_size(data, header, location)
    body, byte_order = memoryview(data)[header.size :], header.byte_order
    if header.is_text:
        try:
            body = parse_numbers(data[header.size :]).data.cast("B")
        except ValueError as error:
            raise_mesh_error(
                f"{location}: {format_text(str(error))!r} stands where its header says there is a number",
                "unreadable",
            )
    tables: dict[str, PlyTable] = {}
    for element in header.elements:
        stored = element.properties
        if header.is_text:
            stored = tuple(replace(item, type="f8", count_type=item.count_type and "f8") for item in stored)
        table = _RecordFinder(element, stored, body, byte_order, location).find()
        tables.setdefault(element.name, table)
        body = body[table.size :]
    return PlyBody(tables, body)


def _check_size(data: bytes, header: PlyHeader, location: str) -> None:
    """Raise if the records that the header claims do not fit into the file."""
    num_bytes = 0
    for element in header.elements:
        # A list takes at least the bytes of its length; a number in text at least a digit and a blank.
        widths = (
            2 if header.is_text else np.dtype(item.count_type or item.type).itemsize
            for item in element.properties
        )
        num_bytes += element.count * sum(widths)
    present = len(data) - header.size
    if num_bytes > present + header.is_text:
        raise_mesh_error(
            f"{location}: its header claims at least {num_bytes:,} bytes, and {present:,} follow; the file "
            "is cut off",
            "cut off",
        )


@dataclass(frozen=True, slots=True, eq=False)
class _RecordFinder:
    """A search for the records of one element."""

    element: PlyElement
    """Element to find the records of."""
    stored: tuple[PlyProperty, ...]
    """Its properties with the types that are stored."""
    data: memoryview
    """Bytes from the first record on."""
    byte_order: str
    """Byte order of the numbers."""
    location: str
    """File, for messages."""

    def find(self) -> PlyTable:
        """Find the records.

        Raises:
            MeshError: The bytes end before the last record, or the length of a list is not a length.
        """
        lists = [item for item in self.stored if item.is_list]
        sizes = np.zeros((1, len(lists)), dtype=np.intp)
        if lists and self.element.count:
            sizes[0] = self._find_first_sizes()
        table = self._make_table(None, sizes)
        if table.size > len(self.data) or not self._is_uniform(table):
            table = self._make_table(*self._find_all())
        if table.size > len(self.data):
            self._raise_cut_off()
        return table

    def _make_table(self, starts: NDArray[np.intp] | None, sizes: NDArray[np.intp]) -> PlyTable:
        """Make the table."""
        return PlyTable(self.element, self.data, self.byte_order, self.stored, starts, sizes)

    def _find_first_sizes(self) -> list[int]:
        """Find the lengths of the lists of the first record."""
        return self._find_records(1)[1]

    def _is_uniform(self, table: PlyTable) -> bool:
        """Return True if the lists of every record are as long as those of the first."""
        stride, offset, lists = int(table.size // max(self.element.count, 1)), 0, 0
        for item in self.stored:
            if not item.is_list:
                offset += np.dtype(item.type).itemsize
                continue
            dtype = np.dtype(self.byte_order + item.count_type)
            counts = np.ndarray((self.element.count,), dtype, self.data, offset, (stride,))
            length = int(table.sizes[0, lists])
            if not (counts == length).all():
                return False
            offset += dtype.itemsize + length * np.dtype(item.type).itemsize
            lists += 1
        return True

    def _find_all(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find where each record begins [N], and the lengths of its lists [N, L]."""
        starts, sizes = self._find_records(self.element.count)
        return np.array(starts, dtype=np.intp), np.array(sizes, dtype=np.intp).reshape(len(starts), -1)

    def _find_records(self, count: int) -> tuple[list[int], list[int]]:
        """Find where the first records begin, and the lengths of all their lists in turn."""
        steps, tail = self._list_steps()
        data, offset, sizes, starts = self.data, 0, list[int](), list[int]()
        try:
            for _ in range(count):
                starts.append(offset)
                for before, after, width, read in steps:
                    (length,) = read(data, offset + before)
                    size = int(length)
                    if size < 0 or size != length:
                        self._raise_no_length(len(starts))
                    sizes.append(size)
                    offset += after + width * size
                offset += tail
        except struct.error:
            self._raise_cut_off()
        except (ValueError, OverflowError):  # NaN or infinity
            self._raise_no_length(len(starts))
        return starts, sizes

    def _list_steps(self) -> tuple[list[_Step], int]:
        """List the steps from list to list of a record, and the number of bytes after the last one."""
        steps, gap = list[_Step](), 0
        for item in self.stored:
            width = np.dtype(item.type).itemsize
            if item.is_list:
                read = struct.Struct(self.byte_order + _STRUCT_CODES[item.count_type]).unpack_from
                steps.append((gap, gap + np.dtype(item.count_type).itemsize, width, read))
                gap = 0
            else:
                gap += width
        return steps, gap

    def _raise_no_length(self, number: int) -> NoReturn:
        """Raise because the length of a list is not one."""
        raise_mesh_error(
            f"{self.location}: {format_text(self.element.name, 40)} number {number} has a list whose length "
            "is no whole number; its header does not describe what follows",
            "unreadable",
        )

    def _raise_cut_off(self) -> NoReturn:
        """Raise because bytes are missing."""
        raise_mesh_error(
            f"{self.location}: it ends before the last of {self.element.count:,} records of "
            f"{format_text(self.element.name, 40)}; the file is cut off",
            "cut off",
        )

"""Primitives of glTF files that are compressed with Draco, unpacked by the library ``DracoPy``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MissingExtraError
from turntable.extras import explain_import_errors
from turntable.renderer.meshes.formats.gltf.packed_data import make_broken_error, make_library_error
from turntable.renderer.meshes.limits import TOO_LARGE, ScaledLimit, raise_mesh_error

MAX_TRIANGLES = ScaledLimit(400_000, 16)
"""Triangles that compressed bytes may unpack to. Real meshes have fewer than two a byte."""
_HEADER_BYTES = 11
"""Bytes of a Draco file before the counts: its name, version, kinds and flags."""


@dataclass(frozen=True, slots=True, eq=False)
class DracoData:
    """An unpacked primitive."""

    corners: NDArray[np.int64]
    """[3 * T] corners of the triangles."""
    num_vertices: int
    """Number of vertices."""
    attributes: Mapping[int, NDArray[np.generic]]
    """[N, width] values of the attributes, by the number that the file gives each."""


@dataclass(frozen=True, slots=True)
class DracoCounts:
    """The size of a primitive."""

    triangles: int
    """Number of triangles."""
    vertices: int
    """Number of vertices. Vertices that attributes split are counted once in compressed data."""


def read_draco_counts(data: memoryview) -> DracoCounts | None:
    """Read the counts in the header of Draco data, or return None if it is not a mesh in Draco's format."""
    if len(data) < _HEADER_BYTES or bytes(data[:5]) != b"DRACO" or data[5] < 2 or data[7] != 1:
        return None
    reader = _HeaderReader(data, _HEADER_BYTES)
    try:
        if data[10] & 0x80:
            reader.skip_metadata()
        if data[8] == 0:  # the sequential method
            triangles = reader.read_varint()
            return DracoCounts(triangles, reader.read_varint())
        reader.skip(1)  # the kind of traversal of the edgebreaker method
        vertices = reader.read_varint()
        return DracoCounts(reader.read_varint(), vertices)
    except IndexError:
        return None


@dataclass(slots=True)
class _HeaderReader:
    """A reader of the numbers at the beginning of Draco data. Beyond the end it raises ``IndexError``."""

    data: memoryview
    """The compressed bytes."""
    place: int
    """Index of the next byte."""

    def read_varint(self) -> int:
        """Read a number of variable length."""
        value = 0
        for shift in range(0, 35, 7):
            byte = self.data[self.place]
            self.place += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise IndexError("a number that does not end")

    def skip(self, count: int) -> None:
        """Skip bytes."""
        self.place += count

    def skip_metadata(self) -> None:
        """Skip the metadata of attributes and of the mesh: names and values, which may be nested."""
        for _ in range(self.read_varint()):
            self.read_varint()  # the attribute
            self._skip_entries()
        self._skip_entries()

    def _skip_entries(self) -> None:
        """Skip the names and values of one element, and those of all elements below it."""
        remaining = [1]
        while remaining:
            if not remaining[-1]:
                remaining.pop()
                continue
            remaining[-1] -= 1
            if len(remaining) > 1:
                self._skip_name()
            for _ in range(self.read_varint()):
                self._skip_name()
                self.skip(self.read_varint())
            remaining.append(self.read_varint())

    def _skip_name(self) -> None:
        """Skip a name, whose length is its first byte."""
        self.skip(1 + self.data[self.place])


def unpack_draco(data: memoryview, largest: DracoCounts, location: str) -> DracoData:
    """Unpack a primitive.

    Args:
        data: Compressed bytes.
        largest: Most triangles and vertices expected, by the file's JSON.
        location: File and buffer view, for messages.

    Raises:
        MeshError: The library is not installed, or the data is broken or too large.
    """
    try:
        with explain_import_errors("DracoPy"):
            import DracoPy
    except MissingExtraError as error:
        raise make_library_error(location, "Draco (KHR_draco_mesh_compression)") from error
    _check_counts(data, largest, location)
    try:
        mesh: Any = DracoPy.decode(bytes(data))
        corners = np.asarray(mesh.faces).astype(np.int64).reshape(-1)
        attributes = {int(table["unique_id"]): np.asarray(table["data"]) for table in mesh.attributes}
    except Exception as error:  # the library has exceptions of its own
        raise make_broken_error(location, error) from error
    return DracoData(corners, len(mesh.points), attributes)


def _check_counts(data: memoryview, largest: DracoCounts, location: str) -> None:
    """Compare the counts in the header with those of the JSON, before memory is spent on them.

    Raises:
        MeshError: The data is no Draco mesh, or is larger than the JSON says or the limit allows.
    """
    counts, limit = read_draco_counts(data), MAX_TRIANGLES.compute_max(len(data))
    if counts is None:
        raise_mesh_error(f"{location} is no mesh in Draco's format", "unreadable")
    if counts.triangles > limit or counts.vertices > 3 * limit:
        raise_mesh_error(
            f"{location} unpacks {len(data):,} bytes to {counts.triangles:,} triangles of "
            f"{counts.vertices:,} vertices, and at most {limit:,} triangles are read",
            TOO_LARGE,
        )
    if counts.triangles > largest.triangles or counts.vertices > largest.vertices:
        raise_mesh_error(
            f"{location} unpacks to {counts.triangles:,} triangles of {counts.vertices:,} vertices, where "
            f"its accessors have {largest.triangles:,} and {largest.vertices:,}",
            "unreadable",
        )

"""Primitives of glTF meshes: their vertices and triangles, compressed or not."""

from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes.formats.gltf.accessors import (
    count_elements,
    is_normalized,
    is_sparse,
    read_floats,
    read_indices,
    to_floats,
)
from turntable.renderer.meshes.formats.gltf.draco import DracoCounts, DracoData, unpack_draco
from turntable.renderer.meshes.formats.gltf.extensions import DRACO
from turntable.renderer.meshes.formats.gltf.file import GltfFile, JsonObject
from turntable.renderer.meshes.formats.gltf.scene.triangles import (
    TRIANGLES,
    AssembledTriangles,
    assemble_triangles,
    count_triangles,
)
from turntable.renderer.meshes.limits import TOO_LARGE

_ATTRIBUTE_PREFIXES = ("POSITION", "NORMAL", "TEXCOORD_", "COLOR_0", "JOINTS_", "WEIGHTS_")
"""Prefixes of the names of the attributes that are read."""

Rows = NDArray[np.int64] | None
"""[K] vertices to read; None for all."""


@dataclass(frozen=True, slots=True, eq=False)
class PrimitiveData:
    """The data of one primitive."""

    file: GltfFile
    """File with the data."""
    primitive: JsonObject
    """The primitive in the JSON of the file."""
    attributes: JsonObject
    """Accessors by attribute."""
    num_vertices: int
    """Number of vertices."""
    unpacked: DracoData | None = None
    """Data of a compressed primitive. None if the accessors have it."""
    unpacked_names: JsonObject = field(default_factory=dict)
    """Numbers of the attributes in the unpacked data, by name."""

    @property
    def mode(self) -> int:
        """Mode of the triangles: a list, a strip or a fan."""
        return TRIANGLES if self.unpacked else self.file.get_int(self.primitive, "mode", TRIANGLES)

    def count_corners(self) -> int:
        """Return the number of corners that the triangles are made from."""
        if self.unpacked:
            return len(self.unpacked.corners)
        indices = self.primitive.get("indices")
        return self.num_vertices if indices is None else count_elements(self.file, indices)

    def count_triangles(self) -> int:
        """Return the number of triangles at most."""
        return count_triangles(self.mode, self.count_corners())

    def has_unused_vertices(self) -> bool:
        """Return True if the primitive cannot use all of its vertices, because it has fewer indices.

        This is common where many primitives share one vertex buffer. The vertices used are then selected
        before the attributes are read. Sparse accessors are always read as a whole, so they do not count.
        """
        if self.unpacked or self.primitive.get("indices") is None:
            return False
        if self.count_corners() >= self.num_vertices:
            return False
        return not any(
            is_sparse(self.file, index)
            for name, index in self.attributes.items()
            if name.startswith(_ATTRIBUTE_PREFIXES)
        )

    def read_triangles(self) -> AssembledTriangles:
        """Read the triangles."""
        restart = None
        if self.unpacked:
            corners = self.unpacked.corners
        elif self.primitive.get("indices") is None:
            corners = np.arange(self.num_vertices)
        else:
            corners, restart = read_indices(self.file, self.primitive["indices"])
        return assemble_triangles(corners, self.mode, self.num_vertices, restart)

    def read(self, name: str, width: int, rows: Rows) -> NDArray[np.float64] | None:
        """Read an attribute of all vertices [N, width], or of ``rows`` [K, width].

        Returns:
            The values. None if there are none, with a warning if they cannot be read.
        """
        if self.unpacked and name in self.unpacked_names and name in self.attributes:
            return self._read_unpacked(self.unpacked, name, width, rows)
        return (
            self.read_accessor(self.attributes[name], name, width, rows) if name in self.attributes else None
        )

    def read_accessor(self, index: object, name: str, width: int, rows: Rows) -> NDArray[np.float64] | None:
        """Read an accessor that has a value for each vertex, as :meth:`read` does."""
        try:
            num_elements = count_elements(self.file, index)
            if num_elements == self.num_vertices:
                return read_floats(self.file, index, width, rows)
            detail = f"{name} has {num_elements:,} elements for {self.num_vertices:,} vertices"
        except MeshError as error:
            if error.reason != "unreadable":
                raise
            detail = f"{name} cannot be read ({self.file.describe(error)})"
        self.file.log.add("reference-skipped", detail, "the mesh is drawn without it")
        return None

    def _read_unpacked(
        self, unpacked: DracoData, name: str, width: int, rows: Rows
    ) -> NDArray[np.float64] | None:
        """Read an attribute of a compressed primitive."""
        values = unpacked.attributes.get(cast("int", self.unpacked_names[name]))
        if values is None or values.ndim != 2 or values.shape[1] < width or len(values) != self.num_vertices:
            detail = f"{name} is missing in the compressed data"
            self.file.log.add("reference-skipped", detail, "the mesh is drawn without it")
            return None
        chosen = values[:, :width] if rows is None else values[rows, :width]
        return to_floats(chosen, normalized=is_normalized(self.file, self.attributes.get(name)))


@dataclass(slots=True)
class PrimitiveReader:
    """The primitives of a file, each unpacked once."""

    file: GltfFile
    """File with the primitives."""
    _unpacked: dict[int, DracoData | None] = field(default_factory=dict)
    """Unpacked data, by buffer view. None where the accessors have the data and unpacking failed."""

    def open(self, primitive: JsonObject) -> PrimitiveData:
        """Open a primitive.

        Raises:
            MeshError: It has no positions, or its data cannot be read.
        """
        attributes = self.file.get_dict(primitive, "attributes")
        packing = self.file.get_extension(primitive, DRACO) if "extensions" in primitive else None
        unpacked = None if packing is None else self._unpack(primitive, attributes, packing)
        if packing is None or unpacked is None:
            count = count_elements(self.file, attributes.get("POSITION"))
            return PrimitiveData(self.file, primitive, attributes, count)
        names = self.file.get_dict(packing, "attributes")
        return PrimitiveData(self.file, primitive, attributes, unpacked.num_vertices, unpacked, names)

    def _unpack(self, primitive: JsonObject, attributes: JsonObject, packing: JsonObject) -> DracoData | None:
        """Unpack a primitive. Return None if that fails and its accessors have the data too."""
        view = self.file.get_int(packing, "bufferView")
        if view not in self._unpacked:
            try:
                self._unpacked[view] = self._unpack_once(primitive, attributes, view)
            except MeshError as error:
                if error.reason == TOO_LARGE or not self._has_fallback(primitive, attributes):
                    raise
                self._unpacked[view] = None
        return self._unpacked[view]

    def _unpack_once(self, primitive: JsonObject, attributes: JsonObject, view: int) -> DracoData:
        """Unpack the data of a buffer view."""
        file, limits = self.file, self.file.object_files.limits
        vertices = file.get_int(file.get_item("accessors", attributes.get("POSITION")), "count")
        indices = primitive.get("indices")
        corners = vertices if indices is None else file.get_int(file.get_item("accessors", indices), "count")
        mode = file.get_int(primitive, "mode", TRIANGLES)
        largest = DracoCounts(count_triangles(mode, corners), vertices)
        limits.check("vertices", largest.vertices, str(file.path), "vertices")
        limits.check("triangles", largest.triangles, str(file.path), "triangles")
        data, _ = file.get_buffer_view(view)
        unpacked = unpack_draco(data, largest, f"{file.path}: buffer view {view}")
        # Whatever was unpacked counts as if the file had it, so that limits by bytes hold as for other files.
        file.object_files.bytes_read += 4 * len(unpacked.corners)
        file.object_files.bytes_read += sum(values.nbytes for values in unpacked.attributes.values())
        limits.check("object_bytes", file.object_files.bytes_read, str(file.path), "bytes of data")
        return unpacked

    def _has_fallback(self, primitive: JsonObject, attributes: JsonObject) -> bool:
        """Return True if the accessors of a compressed primitive have uncompressed data."""
        indices = primitive.get("indices")
        accessors = [attributes.get("POSITION"), *([] if indices is None else [indices])]
        return all("bufferView" in self.file.get_item("accessors", index) for index in accessors)

"""Buffer views of glTF files that are compressed with meshoptimizer, unpacked by the library ``meshopt``."""

from dataclasses import dataclass
from typing import Any

from turntable.errors import MissingExtraError
from turntable.extras import explain_import_errors
from turntable.renderer.meshes.formats.gltf.packed_data import make_broken_error, make_library_error
from turntable.renderer.meshes.limits import TOO_LARGE, ScaledLimit, raise_mesh_error

NAMES = ("EXT_meshopt_compression", "KHR_meshopt_compression")
"""Names of the extension: the older one and the one that followed it."""
MAX_UNPACKED_BYTES = ScaledLimit(2**24, 256)
"""Bytes that compressed bytes may unpack to. Real meshes stay below a tenth of it."""


@dataclass(frozen=True, slots=True)
class MeshoptLayout:
    """The contents of a compressed buffer view, by the file's JSON."""

    count: int
    """Number of elements."""
    stride: int
    """Bytes of an element."""
    mode: str
    """Encoding: "ATTRIBUTES", "TRIANGLES" or "INDICES"."""
    filter: str
    """Filter applied after unpacking; "NONE" for none."""

    @property
    def num_bytes(self) -> int:
        """Number of bytes once unpacked."""
        return self.count * self.stride


def unpack_meshopt(data: memoryview, layout: MeshoptLayout, location: str) -> bytes:
    """Unpack a compressed buffer view.

    Args:
        data: Compressed bytes.
        layout: Contents of the view.
        location: File and buffer view, for messages.

    Raises:
        MeshError: The library is not installed, or the data is broken or too large.
    """
    try:
        with explain_import_errors("meshopt"):
            import meshopt as library
    except MissingExtraError as error:
        raise make_library_error(location, "meshoptimizer (EXT_meshopt_compression)") from error
    limit = MAX_UNPACKED_BYTES.compute_max(len(data))
    if layout.num_bytes > limit:
        raise_mesh_error(
            f"{location} unpacks {len(data):,} bytes to {layout.num_bytes:,}, and at most {limit:,} are read",
            TOO_LARGE,
        )
    meshopt: Any = library  # which knows modes and filters as literals; these are the file's words
    if not layout.count:
        return b""
    try:
        unpacked = meshopt.decode_gltf_buffer(
            bytes(data), layout.count, layout.stride, layout.mode, layout.filter
        )
    except (ValueError, TypeError, OverflowError) as error:
        raise make_broken_error(location, error) from error
    return unpacked.tobytes()

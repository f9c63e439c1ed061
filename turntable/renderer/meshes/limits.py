"""Limits on what the files of one object may ask for, because mesh files are not trusted."""

from dataclasses import dataclass
from typing import NoReturn

from turntable.errors import MeshError

TOO_LARGE = "too large"
"""The reason that a ``MeshError`` carries when a limit is exceeded."""


@dataclass(frozen=True, slots=True)
class ScaledLimit:
    """A limit that grows with the size of the files.

    It bounds what costs a file few bytes, such as a node that places the same mesh once more.
    """

    base: int
    """Amount allowed to files of any size."""
    per_byte: float
    """Amount allowed on top for each byte."""

    def compute_max(self, num_bytes: int) -> int:
        """Return the largest amount allowed to files of ``num_bytes`` bytes."""
        return self.base + int(self.per_byte * num_bytes)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one object, checked before memory is spent.

    They are far above what real objects need and far below what hurts a machine.
    """

    file_bytes: int = 512 * 2**20
    """Bytes of one file, or of one file embedded in another."""
    object_bytes: int = 1024 * 2**20
    """Bytes of all files of an object together."""
    vertices: int = 20_000_000
    """Vertices of an object."""
    triangles: int = 20_000_000
    """Triangles of an object."""
    texture_pixels: int = 64 * 2**20
    """Pixels of one image. A larger image is left out with a warning."""
    object_pixels: int = 512 * 2**20
    """Pixels of all images of an object together. Images beyond the limit are left out with a warning."""
    placed_vertices: ScaledLimit = ScaledLimit(1_000_000, 1 / 2)
    """Vertices of a glTF scene, where a mesh counts once for each node that places it.

    A vertex takes at least 6 bytes, so a file that places each mesh once stays below half a vertex a byte.
    """
    placed_triangles: ScaledLimit = ScaledLimit(400_000, 1 / 4)
    """Triangles of a glTF scene, counted likewise. A triangle takes at least 6 bytes."""
    placed_parts: ScaledLimit = ScaledLimit(3_000, 1 / 250)
    """Primitives of a glTF scene, counted likewise. A primitive takes at least 300 bytes."""
    pixels: ScaledLimit = ScaledLimit(64 * 2**20, 32)
    """Pixels of all images of an object. Images beyond the limit are left out with a warning."""
    failed_lookups: int = 8_192
    """Folders and names looked up without success. What a file names after that counts as missing."""
    listed_entries: int = 200_000
    """Files and folders below the root that are listed, once, to search for files that are not where a mesh
    says. A larger root is not searched beyond the object's own folder."""
    warnings: int = 100
    """Warnings kept about missing textures and materials. The rest are only counted."""

    def check(self, name: str, value: int, location: str, unit: str) -> None:
        """Compare a value with the limit of this name.

        Args:
            name: Name of a field of ``Limits`` that holds a number.
            value: Amount the files ask for.
            location: File or object, for the message.
            unit: Noun the message counts, such as "vertices".

        Raises:
            MeshError: The value exceeds the limit.
        """
        max_value = int(getattr(self, name))
        if value > max_value:
            raise_mesh_error(f"{location}: {value:,} {unit}, and at most {max_value:,} are read", TOO_LARGE)

    def check_scaled(self, name: str, value: int, num_bytes: int, location: str, unit: str) -> None:
        """Compare a value with a limit that depends on the size of the files.

        Args:
            name: Name of a field of ``Limits`` that holds a ``ScaledLimit``.
            value: Amount the files ask for.
            num_bytes: Size of the files.
            location: File or object, for the message.
            unit: Noun the message counts, such as "vertices".

        Raises:
            MeshError: The value exceeds the limit.
        """
        limit: ScaledLimit = getattr(self, name)
        max_value = limit.compute_max(num_bytes)
        if value > max_value:
            raise_mesh_error(
                f"{location}: {value:,} {unit} from {num_bytes:,} bytes, which may have at most "
                f"{max_value:,}",
                TOO_LARGE,
            )


LIMITS = Limits()
"""The default limits."""


def raise_mesh_error(message: str, reason: str) -> NoReturn:
    """Refuse an object, with advice appended to the message.

    Args:
        message: Description of the fault, with the path.
        reason: Short reason that runs count and report, such as "cut off".

    Raises:
        MeshError: Always.
    """
    raise MeshError(f"{message}; leave this object out, or export it again", reason=reason)

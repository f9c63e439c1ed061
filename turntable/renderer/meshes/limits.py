"""How much of anything one object's files may ask for: mesh files are not trusted."""

from dataclasses import dataclass
from typing import NoReturn

from turntable.errors import MeshError

TOO_LARGE = "too large"
"""The reason of whatever a limit refuses."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """An amount that grows with the size of the files: a few bytes can name the same data very often."""

    free: int
    """Allowed to files of any size."""
    per_byte: float
    """Allowed on top for each byte."""

    def most(self, num_bytes: int) -> int:
        """Return what files of this size may ask for."""
        return self.free + int(self.per_byte * num_bytes)


@dataclass(frozen=True, slots=True)
class Limits:
    """Far above what real objects need, far below what hurts a machine; kept before memory is spent."""

    file_bytes: int = 512 * 2**20
    """Of one file, and of one that is embedded in another."""
    object_bytes: int = 1024 * 2**20
    """Of all files of an object together."""
    vertices: int = 20_000_000
    triangles: int = 20_000_000
    texture_pixels: int = 64 * 2**20
    """Of one image; a larger one is left out, with a warning."""
    object_pixels: int = 512 * 2**20
    """Of all images of an object together; those beyond are left out, with a warning."""
    placed_vertices: Allowance = Allowance(1_000_000, 1 / 2)
    """Vertices of a glTF scene, a mesh counted wherever a node puts it; each has 6 bytes and more."""
    placed_triangles: Allowance = Allowance(400_000, 1 / 4)
    """Triangles likewise, of 6 bytes and more."""
    placed_parts: Allowance = Allowance(3_000, 1 / 250)
    """Primitives of a glTF scene likewise, of 300 bytes and more."""
    pixels: Allowance = Allowance(64 * 2**20, 32)
    """Pixels of all images of an object; those beyond are left out, with a warning."""
    missing_steps: int = 8_192
    """Folders and names that are looked for in vain; what a file names beyond counts as missing."""
    notes: int = 100
    """Warnings about missing textures and materials; how many more there are is said."""

    def check(self, name: str, value: int, where: str, what: str) -> None:
        """Compare with the limit of this name.

        Raises:
            MeshError: There is more than the limit allows.
        """
        most = int(getattr(self, name))
        if value > most:
            refuse(f"{where}: {value:,} {what}, and at most {most:,} are read", TOO_LARGE)

    def check_paid(self, name: str, value: int, num_bytes: int, where: str, what: str) -> None:
        """Compare with what the limit of this name allows to files of a size.

        Raises:
            MeshError: There is more than that.
        """
        allowance: Allowance = getattr(self, name)
        most = allowance.most(num_bytes)
        if value > most:
            refuse(
                f"{where}: {value:,} {what} from {num_bytes:,} bytes, which may have at most {most:,}",
                TOO_LARGE,
            )


LIMITS = Limits()


def refuse(what: str, reason: str) -> NoReturn:
    """Refuse an object.

    Raises:
        MeshError: Always.
    """
    raise MeshError(f"{what}; leave this object out, or make it anew", reason=reason)

"""How much of anything one object's files may ask for: mesh files are not trusted."""

from dataclasses import dataclass
from typing import NoReturn

from turntable.errors import MeshError

TOO_LARGE = "too large"
"""The reason of whatever a limit refuses."""


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

    def check(self, name: str, value: int, where: str, what: str) -> None:
        """Compare with the limit of this name.

        Raises:
            MeshError: There is more than the limit allows.
        """
        most = int(getattr(self, name))
        if value > most:
            refuse(f"{where}: {value:,} {what}, and at most {most:,} are read", TOO_LARGE)


LIMITS = Limits()


def refuse(what: str, reason: str) -> NoReturn:
    """Refuse an object.

    Raises:
        MeshError: Always.
    """
    raise MeshError(f"{what}; leave this object out, or make it anew", reason=reason)

"""The files of one object, and no others: what a mesh file names is looked for below the object's root."""

import stat
from dataclasses import dataclass, field
from pathlib import Path

from turntable.errors import MeshError
from turntable.renderer.meshes.limits import LIMITS, TOO_LARGE, Limits, refuse

LONGEST_NAME = 4096
"""Characters of a path, as Linux has it: to look for a longer one takes time that grows with its square."""


@dataclass(slots=True)
class Confined:
    """Reads the files of an object and remembers them; one loading, one of these."""

    root: Path
    """No path leaves it, symbolic links included."""
    limits: Limits = LIMITS
    beside: tuple[Path, ...] = ()
    """Folders below the root where textures lie that are not where a file says: tried with the bare name."""
    files: list[Path] = field(default_factory=list)
    """Every file read so far."""
    bytes_read: int = 0
    _found: dict[tuple[Path, str], Path | None] = field(default_factory=dict)
    _steps: int = 0
    """Folders and names that were looked for in vain."""

    def find(self, folder: Path, name: str) -> Path | None:
        """The ordinary file that ``name`` means, seen from ``folder``; None where there is none in reach."""
        if len(name) > LONGEST_NAME:
            return None
        key = folder, name.replace("\\", "/")
        if key not in self._found:
            self._found[key] = self._look(*key)
        return self._found[key]

    def _look(self, folder: Path, name: str) -> Path | None:
        if self._steps > self.limits.missing_steps:
            return None
        bare = name.rpartition("/")[2]
        places = (folder / name, *(place / bare for place in self.beside))
        found = next(filter(None, map(self._inside, places)), None)
        if found is None:
            self._steps += name.count("/") + len(places)
        return found

    def _inside(self, path: Path) -> Path | None:
        try:
            resolved = path.resolve()
            inside = resolved.is_relative_to(self.root.resolve())
            return resolved if inside and stat.S_ISREG(resolved.stat().st_mode) else None
        except (
            OSError,
            RuntimeError,
            ValueError,
        ):  # none there, a name too long or with NUL, links in a circle
            return None

    def mesh_file(self, path: Path) -> bytes:
        """The object's main file.

        Raises:
            MeshError: It is missing, no ordinary file, outside the root, or too large.
        """
        try:
            resolved = path.resolve(strict=True)
            ordinary = stat.S_ISREG(resolved.stat().st_mode)
        except (OSError, RuntimeError, ValueError) as error:
            words = getattr(error, "strerror", None) or str(error)
            raise MeshError(
                f"{path}: cannot be read ({words}); check the path and its permissions", reason="file missing"
            ) from error
        if not resolved.is_relative_to(self.root.resolve()):
            refuse(f"{path} is a link that leads out of {self.root}; put the file itself there", "outside")
        if not ordinary:
            refuse(f"{path} is no ordinary file", "file missing")
        return self.read(resolved)

    def read(self, path: Path) -> bytes:
        """A file that was found.

        Raises:
            MeshError: It is too large, or cannot be read.
        """
        try:
            with path.open("rb") as file:
                # Not trusting the size that the folder gives: the file may still grow.
                data = file.read(self.limits.file_bytes + 1)
        except OSError as error:
            raise MeshError(
                f"{path}: cannot be read ({error.strerror}); check the path and its permissions",
                reason="file missing",
            ) from error
        if len(data) > self.limits.file_bytes:
            refuse(f"{path} has more than {self.limits.file_bytes:,} bytes", TOO_LARGE)
        self.bytes_read += len(data)
        self.limits.check("object_bytes", self.bytes_read, str(path), "bytes in all files of the object")
        if path not in self.files:
            self.files.append(path)
        return data

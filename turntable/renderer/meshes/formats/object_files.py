"""File access for one object, confined to the object's root folder.

A mesh file names other files: materials, textures, buffers. They are looked up below the root and nowhere
else, so that a downloaded mesh cannot make the loader read other files of the machine.
"""

import stat
from dataclasses import dataclass, field
from pathlib import Path

from turntable.errors import MeshError, format_text
from turntable.renderer.meshes.limits import LIMITS, TOO_LARGE, Limits, raise_mesh_error
from turntable.renderer.meshes.mesh_warnings import WarningLog

MAX_NAME_LENGTH = 4096
"""Longest path looked up, in characters, as on Linux. The time to resolve a path grows with its square."""


@dataclass(slots=True)
class ObjectFiles:
    """The files of one object. One instance serves one load and remembers which files were read."""

    root: Path
    """Folder that contains all files of the object. No path may leave it, not even by a symbolic link."""
    limits: Limits = LIMITS
    """Limits on the size of the files."""
    texture_folders: tuple[Path, ...] = ()
    """Folders below the root that are searched, by bare file name, for textures missing where a file says."""
    log: WarningLog = field(default_factory=lambda: WarningLog(""))
    """Warnings about the object. Readers add to it, and put its warnings into the mesh."""
    paths_read: list[Path] = field(default_factory=list)
    """Paths of all files read so far."""
    bytes_read: int = 0
    """Bytes read so far."""
    _lookups: dict[tuple[Path, str], Path | None] = field(default_factory=dict)
    """Results of ``find``, by folder and name."""
    _failed_lookups: int = 0
    """Path components looked up without success, compared with ``Limits.failed_lookups``."""

    def find(self, folder: Path, name: str) -> Path | None:
        """Find the regular file that ``name`` refers to, relative to ``folder``.

        Returns:
            The resolved path. None if there is no such file below the root.
        """
        if len(name) > MAX_NAME_LENGTH:
            return None
        key = folder, name.replace("\\", "/")
        if key not in self._lookups:
            self._lookups[key] = self._find_uncached(*key)
        return self._lookups[key]

    def find_or_warn(self, folder: Path, name: str, noun: str, shown: str) -> Path | None:
        """Find a file as :meth:`find` does, and add a warning if there is none.

        Args:
            folder: Folder that the name is relative to.
            name: Path of the file as the mesh file gives it.
            noun: Noun for the file in the warning: "texture".
            shown: Description of what is shown without the file: "the material's own color is used".
        """
        path = self.find(folder, name)
        if path is None:
            self.log.add("file-missing", f"{noun} {format_text(name)} is missing", shown)
        return path

    def format_path(self, path: Path) -> str:
        """Return the path relative to the root, for warnings; its last part if it lies elsewhere."""
        return format_text(
            path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.name
        )

    def _find_uncached(self, folder: Path, name: str) -> Path | None:
        """Find a file by looking at the disk, first where it is named, then in the texture folders."""
        if self._failed_lookups > self.limits.failed_lookups:
            return None
        file_name = name.rpartition("/")[2]
        candidates = (folder / name, *(other / file_name for other in self.texture_folders))
        path = next(filter(None, map(self._resolve_inside, candidates)), None)
        if path is None:
            # Resolving a path takes a step for each folder in it, so a long name counts for more.
            self._failed_lookups += name.count("/") + len(candidates)
        return path

    def _resolve_inside(self, path: Path) -> Path | None:
        """Return the resolved path if it is a regular file below the root, else None."""
        try:
            resolved = path.resolve()
            inside = resolved.is_relative_to(self.root.resolve())
            return resolved if inside and stat.S_ISREG(resolved.stat().st_mode) else None
        except (OSError, RuntimeError, ValueError):
            # No such file; a name that is too long or contains NUL; symbolic links in a circle.
            return None

    def read_mesh_file(self, path: Path) -> bytes:
        """Read the main file of the object.

        Raises:
            MeshError: The file is missing, not a regular file, outside the root, or too large.
        """
        try:
            resolved = path.resolve(strict=True)
            is_regular = stat.S_ISREG(resolved.stat().st_mode)
        except (OSError, RuntimeError, ValueError) as error:
            cause = getattr(error, "strerror", None) or str(error)
            raise MeshError(
                f"{path}: cannot be read ({cause}); check the path and its permissions", reason="file missing"
            ) from error
        if not resolved.is_relative_to(self.root.resolve()):
            raise_mesh_error(
                f"{path} is a link to a file outside {self.root}; put the file itself there", "outside"
            )
        if not is_regular:
            raise_mesh_error(f"{path} is not a regular file", "file missing")
        self.log.file = self.format_path(path)
        self.log.max_per_kind = self.limits.warnings
        return self.read(resolved)

    def read(self, path: Path) -> bytes:
        """Read a file that was found.

        Raises:
            MeshError: The file is too large or cannot be read, or the files of the object together are too
                large.
        """
        try:
            with path.open("rb") as file:
                # One byte more than the limit is requested, instead of asking for the size first: the file
                # may still be growing.
                data = file.read(self.limits.file_bytes + 1)
        except OSError as error:
            raise MeshError(
                f"{path}: cannot be read ({error.strerror}); check the path and its permissions",
                reason="file missing",
            ) from error
        if len(data) > self.limits.file_bytes:
            raise_mesh_error(f"{path} has more than {self.limits.file_bytes:,} bytes", TOO_LARGE)
        self.bytes_read += len(data)
        self.limits.check("object_bytes", self.bytes_read, str(path), "bytes in all files of the object")
        if path not in self.paths_read:
            self.paths_read.append(path)
        return data

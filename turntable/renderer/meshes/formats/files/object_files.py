"""File access for one object, confined to the root that the user gave.

A mesh file names other files: materials, textures, buffers. They are looked up below the root and nowhere
else, so that a downloaded mesh cannot make the loader read other files of the machine.
"""

import stat
from dataclasses import dataclass, field
from pathlib import Path

from turntable.errors import MeshError, format_text
from turntable.renderer.meshes.formats.files.file_search import SearchPlace, SearchResult, search_file
from turntable.renderer.meshes.limits import LIMITS, TOO_LARGE, Limits, raise_mesh_error
from turntable.renderer.meshes.mesh_warnings import WarningLog
from turntable.renderer.meshes.root_folder import Place, RootFolder, open_root

MAX_NAME_LENGTH = 4096
"""Longest path looked up, in characters, as on Linux. The time to resolve a path grows with its square."""


@dataclass(slots=True)
class ObjectFiles:
    """The files of one object. One instance serves one load and remembers which files were read."""

    root: Path | RootFolder
    """Folder that contains all files of the object. No path may leave it, not even by a symbolic link."""
    limits: Limits = LIMITS
    """Limits on the size of the files."""
    texture_folders: tuple[Path, ...] = ()
    """Folders below the root that are searched, by bare file name, for textures missing where a file says."""
    object_folder: Path | None = None
    """Folder of the object, if it has one: no file outside it stands in for a missing one."""
    log: WarningLog = field(default_factory=lambda: WarningLog(""))
    """Warnings about the object. Readers add to it, and put its warnings into the mesh."""
    paths_read: list[Path] = field(default_factory=list)
    """Paths of all files read so far."""
    bytes_read: int = 0
    """Bytes read so far."""
    _root_folder: RootFolder = field(init=False)
    """The root, taken apart once."""
    _mesh_path: Path | None = None
    """Path of the object's main file, once it is read."""
    _lookups: dict[tuple[Path, str], tuple[Place, Path]] = field(default_factory=dict)
    """Results of literal lookups, by folder and name."""
    _searches: dict[tuple[Path, str], SearchResult] = field(default_factory=dict)
    """Results of searches, by folder and name."""
    _failed_lookups: int = 0
    """Path components looked up without success, compared with ``Limits.failed_lookups``."""

    def __post_init__(self) -> None:
        self._root_folder = open_root(self.root)

    def find(self, folder: Path, name: str) -> Path | None:
        """Find the regular file that ``name`` refers to, relative to ``folder``, exactly where it says.

        Returns:
            The resolved path. None if there is no such file below the root.
        """
        place, path = self._locate(folder, name)
        return path if place == "inside" else None

    def find_or_warn(self, folder: Path, name: str, noun: str, shown: str) -> Path | None:
        """Find a file as :meth:`find` does, or by a search, with a warning unless it lies where it should.

        Args:
            folder: Folder that the name is relative to.
            name: Path of the file as the mesh file gives it.
            noun: Noun for the file in the warning: "texture".
            shown: Description of what is shown without the file: "the material's own color is used".
        """
        place, path = self._locate(folder, name)
        if place == "inside":
            return path
        result, file = self._search(folder, name), f"{noun} {format_text(name)}"
        if result.path is not None:
            self.log.add(
                "file-elsewhere",
                f"{file} is not where it should be",
                f"{self.format_path(result.path)} is used",
            )
        elif result.outcome == "ambiguous":
            self.log.add("file-ambiguous", f"{file} is missing, and several files have its name", shown)
        elif place == "outside" or result.outcome == "outside":
            self.log.add("file-outside", f"{file} lies outside --meshes and is not opened", shown)
        else:
            more = "" if result.is_complete else " (--meshes holds too many files to search all of them)"
            self.log.add("file-missing", f"{file} is missing{more}", shown)
        return result.path

    def format_path(self, path: Path) -> str:
        """Return the path relative to the root, for warnings; its last part if it lies elsewhere."""
        return self._root_folder.format_path(path)

    def format_error(self, error: MeshError) -> str:
        """Return the message of an error for a warning, with paths relative to the root."""
        roots = dict.fromkeys((self._root_folder.path, self._root_folder.resolved))
        text = error.message
        for root in roots:
            text = text.replace(f"{root}/", "")
        return text

    def _locate(self, folder: Path, name: str) -> tuple[Place, Path]:
        """Find out where a name leads, exactly as it says. Each name is looked up once."""
        if len(name) > MAX_NAME_LENGTH:
            return "missing", folder
        key = folder, name.replace("\\", "/")
        if key not in self._lookups:
            self._lookups[key] = self._locate_uncached(*key)
        return self._lookups[key]

    def _locate_uncached(self, folder: Path, name: str) -> tuple[Place, Path]:
        """Look at the disk, first where a name says, then in the texture folders."""
        if self._failed_lookups > self.limits.failed_lookups:
            return "missing", folder
        file_name = name.rpartition("/")[2]
        first = self._root_folder.locate(folder / name)
        places = (first, *(self._root_folder.locate(other / file_name) for other in self.texture_folders))
        found = next((place for place in places if place[0] == "inside"), None)
        if found is None:
            # Resolving a path takes a step for each folder in it, so a long name counts for more.
            self._failed_lookups += name.count("/") + len(places)
        return found or first

    def _search(self, folder: Path, name: str) -> SearchResult:
        """Search for a file that is not where its name says. Each name is searched once."""
        if len(name) > MAX_NAME_LENGTH or self._failed_lookups > self.limits.failed_lookups:
            return SearchResult("missing")
        key = folder, name
        if key not in self._searches:
            mesh_path = self._mesh_path or folder / "unknown"
            limit = self._root_folder.resolved
            if self.object_folder is not None:
                limit = self._root_folder.resolve_folder(self.object_folder)
            place = SearchPlace(
                self._root_folder,
                limit,
                mesh_path.parent,
                mesh_path.stem,
                self.limits.listed_entries,
            )
            self._searches[key] = search_file(place, self._root_folder.resolve_folder(folder), name)
            if self._searches[key].path is None:
                self._failed_lookups += 1
        return self._searches[key]

    def read_mesh_file(self, path: Path) -> bytes:
        """Read the main file of the object.

        Raises:
            MeshError: The file is missing, not a regular file, outside the root, or too large.
        """
        try:
            resolved = path.resolve(strict=True)
            is_inside = self._root_folder.contains(resolved)
            is_regular = is_inside and stat.S_ISREG(resolved.stat().st_mode)
            named = self._root_folder.restore_name(path, resolved) if is_inside else None
        except (OSError, RuntimeError, ValueError) as error:
            raise _make_read_error(path, error) from error
        if not is_inside or named is None:
            raise_mesh_error(
                f"{path} is a link to a file outside {self._root_folder.path}; put the file itself there, or "
                "give --links-under with the folder that the file lies in",
                "outside",
            )
        if not is_regular:
            raise_mesh_error(f"{path} is not a regular file", "file missing")
        self.log.file = self.format_path(path)
        self.log.max_per_kind = self.limits.warnings
        self._mesh_path = named
        return self.read(self._mesh_path)

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
            raise _make_read_error(path, error) from error
        if len(data) > self.limits.file_bytes:
            raise_mesh_error(f"{path} has more than {self.limits.file_bytes:,} bytes", TOO_LARGE)
        self.bytes_read += len(data)
        self.limits.check("object_bytes", self.bytes_read, str(path), "bytes in all files of the object")
        if path not in self.paths_read:
            self.paths_read.append(path)
        return data


def _make_read_error(path: Path, error: Exception) -> MeshError:
    """Return the error of a file that cannot be read."""
    cause = getattr(error, "strerror", None) or str(error)
    reason = "unreadable" if isinstance(error, PermissionError) else "file missing"
    return MeshError(f"{path}: cannot be read ({cause}); check the path and its permissions", reason)

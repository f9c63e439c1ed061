"""A source for a folder of mesh files: OBJ, GLB, glTF, PLY, STL and OFF, in folders by category or in one."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turntable.errors import InvalidInputError, MeshError, format_text
from turntable.renderer.meshes.formats import SUFFIXES, forget_indices, load_mesh_file
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.mesh_warnings import WarningLog
from turntable.renderer.meshes.root_folder import RootFolder, decode_disk_path, find_disk_path, open_root
from turntable.renderer.meshes.sources.folder_walk import iter_files_below, scan_folder
from turntable.renderer.meshes.sources.mesh_transforms import scale_to_unit
from turntable.renderer.meshes.sources.source import (
    UNKNOWN_CATEGORY,
    SourceObject,
    check_folder,
    compute_files_digest,
    describe_objects,
    resolve_object_path,
)

LICENSE_FILES = ("LICENSE", "LICENSE.txt", "LICENCE", "LICENCE.txt")
"""Names of files that give the license of the meshes beside them."""
LEFT_OUT = "the object is left out"
"""Text about what is shown instead of an object that is not listed."""
MAX_LICENSE_CHARACTERS = 200
"""Most characters taken from a license file."""


@dataclass(frozen=True, slots=True)
class FolderSource:
    """The mesh files below a folder.

    The first folder is the category, and the path without its suffix is the id. OBJ and glTF are y-up by
    specification and are rotated to z-up; the other formats are taken as z-up. Every mesh is scaled to a
    bounding-box diagonal of 1, the unit of the scene. A mesh file may refer to files anywhere below
    the folder.
    """

    root: Path
    """Folder of the mesh files."""
    name: str = "folder"
    """Name of the source."""
    license: str = "as given by the owner of the files"
    """License of the meshes as a whole."""
    limits: Limits = LIMITS
    """Limits on what an object's files may ask for."""
    links_under: tuple[Path, ...] = ()
    """Folders that links below the root may lead into, besides the root."""
    with_parts: bool = False
    """True for assemblies of what the animations and skins of glTF files move."""

    def list_objects(self) -> tuple[SourceObject, ...]:
        """Return an object for every mesh file.

        Raises:
            InvalidInputError: The root is not a folder, or holds no mesh files.
        """
        root = check_folder(self.root, "a folder of mesh files")
        forget_indices()
        ids = list_ids(root, iter_files_below(self._folder, SUFFIXES))
        if not ids:
            raise InvalidInputError(f"{root} holds no mesh files ({', '.join(SUFFIXES)})")
        return tuple(SourceObject(name, _category_from_id(name)) for name in sorted(ids))

    def load(self, object_id: str) -> Mesh:
        """Load a mesh file and scale the mesh to a diagonal of 1."""
        path = self._resolve_path(object_id)
        return scale_to_unit(
            load_mesh_file(path, self._folder, self.limits, with_parts=self.with_parts), path
        )

    def compute_digest(self, object_id: str, mesh: Mesh) -> str:  # noqa: ARG002
        """Return the SHA-256 of the files the mesh was read from."""
        return compute_files_digest(mesh.files, self.root, self._folder)

    def get_license(self, object_id: str) -> str:
        """Return the first line of a license file beside the object, or the license of the source."""
        return find_license(self._resolve_path(object_id).parent, self._folder) or self.license

    def find_mesh_file(self, object_id: str) -> Path | None:
        """Return the path of the mesh file."""
        return self._resolve_path(object_id)

    def describe(self) -> dict[str, Any]:
        """Return the numbers of objects and categories."""
        return describe_objects(self.list_objects())

    @property
    def _folder(self) -> RootFolder:
        """The root, and where its links may lead."""
        return open_root(self.root, self.links_under)

    def _resolve_path(self, object_id: str) -> Path:
        """Return the path of the mesh file, with the suffix that the id may leave out."""
        exact = resolve_object_path(self.root, object_id)
        if exact.suffix.lower() in SUFFIXES and exact.is_file():
            return exact
        for suffix in (*SUFFIXES, *(suffix.upper() for suffix in SUFFIXES)):
            path = exact.with_name(exact.name + suffix)
            if path.is_file():
                return path
        path = self._search_folder(object_id)
        if path is None:
            raise MeshError(f"{exact}: the mesh file is gone", reason="file missing")
        return path

    def _search_folder(self, object_id: str) -> Path | None:
        """Return the path of the mesh file, of whatever case its suffix is, and in whatever encoding."""
        folder, _, name = object_id.rpartition("/")
        entries = scan_folder(find_disk_path(self.root, folder), self._folder)
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = Path(entry.path)
            names = (decode_disk_path(path.name), decode_disk_path(path.stem))
            if name in names and _is_mesh_file(path) and entry.is_file():
                return path
        return None


def find_license(folder: Path, root: RootFolder) -> str | None:
    """Return the first line with text of a license file in this folder, or None if there is none.

    Args:
        folder: Folder of the file.
        root: Folder that a link may not leave.
    """
    for name in LICENSE_FILES:
        path = folder / name
        if root.locate(path)[0] == "inside" and os.access(path, os.R_OK):
            with path.open(encoding="utf-8-sig", errors="replace") as file:
                lines = (line.strip() for line in file.read(4096).splitlines())
            return next((format_text(line, MAX_LICENSE_CHARACTERS) for line in lines if line), None)
    return None


def _is_mesh_file(path: Path) -> bool:
    """Return True if a file has the suffix of a mesh file."""
    # macOS leaves files such as "._model.obj" beside the real ones on foreign disks and in archives.
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def list_ids(root: Path, paths: Iterable[Path], problems: WarningLog | None = None) -> dict[str, Path]:
    """Return the paths of mesh files by the ids of their objects.

    A name that is not UTF-8 on the disk is decoded as Latin-1. If another file has that name already, the
    object is left out.

    Args:
        root: Folder of the mesh files.
        paths: Paths of the mesh files.
        problems: Log that gets a warning for each object left out.
    """
    start = len(f"{root}/") if str(root) != "." else 0
    files = {str(path)[start:]: path for path in paths}
    decoded = {name: decode_disk_path(name) for name in files if not name.isascii()}
    for name, text in decoded.items():
        if text != name and text in files:
            del files[name]
            if problems is not None:
                detail = "its name is not UTF-8, and in Latin-1 it is that of another file"
                problems.add("name-undecodable", detail, LEFT_OUT, format_text(text))
    names = {decoded.get(name, name): path for name, path in files.items()}
    stem_counts = Counter(map(_remove_suffix, names))
    return {
        stem if stem_counts[stem] == 1 else name: path
        for name, path in names.items()
        for stem in (_remove_suffix(name),)
    }


def _remove_suffix(name: str) -> str:
    """Return a path without the suffix of its file."""
    return name.rpartition(".")[0]


def _category_from_id(object_id: str) -> str:
    """Return the first folder of an id as the category."""
    category, slash, _ = object_id.partition("/")
    return category if slash else UNKNOWN_CATEGORY

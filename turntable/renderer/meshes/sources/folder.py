"""A source for a folder of mesh files: OBJ, GLB, glTF, PLY, STL and OFF, in folders by category or in one."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turntable.errors import InvalidInputError, MeshError, format_text
from turntable.renderer.meshes.formats import SUFFIXES, load_mesh_file
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.sources.mesh_transforms import scale_to_unit
from turntable.renderer.meshes.sources.source import (
    UNKNOWN_CATEGORY,
    SourceObject,
    check_folder,
    compute_files_digest,
    describe_objects,
    iter_files_below,
    resolve_object_path,
)

LICENSE_FILES = ("LICENSE", "LICENSE.txt", "LICENCE", "LICENCE.txt")
"""Names of files that give the license of the meshes beside them."""
MAX_LICENSE_CHARACTERS = 200
"""Most characters taken from a license file."""


@dataclass(frozen=True, slots=True)
class FolderSource:
    """The mesh files below a folder.

    The first folder is the category, and the path without its suffix is the id. OBJ and glTF are y-up by
    specification and are rotated to z-up; the other formats are taken as z-up. Every mesh is scaled to a
    bounding-box diagonal of 1, the unit of the scene. A mesh file may refer to files in its own folder only.
    """

    root: Path
    """Folder of the mesh files."""
    name: str = "folder"
    """Name of the source."""
    license: str = "as given by the owner of the files"
    """License of the meshes as a whole."""
    limits: Limits = LIMITS
    """Limits on what an object's files may ask for."""

    def list_objects(self) -> tuple[SourceObject, ...]:
        """Return an object for every mesh file.

        Raises:
            InvalidInputError: The root is not a folder, or holds no mesh files.
        """
        root = check_folder(self.root, "a folder of mesh files")
        files = [path.relative_to(root) for path in iter_files_below(root) if _is_mesh_file(path)]
        if not files:
            raise InvalidInputError(f"{root} holds no mesh files ({', '.join(SUFFIXES)})")
        stem_counts = Counter(path.with_suffix("") for path in files)
        objects = (SourceObject(_make_id(path, stem_counts), _category_from_path(path)) for path in files)
        return tuple(sorted(objects, key=lambda item: item.id))

    def load(self, object_id: str) -> Mesh:
        """Load a mesh file and scale the mesh to a diagonal of 1."""
        path = self._resolve_path(object_id)
        return scale_to_unit(load_mesh_file(path, limits=self.limits), path)

    def compute_digest(self, object_id: str, mesh: Mesh) -> str:  # noqa: ARG002
        """Return the SHA-256 of the files the mesh was read from."""
        return compute_files_digest(mesh.files, self.root)

    def get_license(self, object_id: str) -> str:
        """Return the first line of a license file beside the object, or the license of the source."""
        return find_license(self._resolve_path(object_id).parent) or self.license

    def find_mesh_file(self, object_id: str) -> Path | None:
        """Return the path of the mesh file."""
        return self._resolve_path(object_id)

    def describe(self) -> dict[str, Any]:
        """Return the numbers of objects and categories."""
        return describe_objects(self.list_objects())

    def _resolve_path(self, object_id: str) -> Path:
        """Return the path of the mesh file, with the suffix that the id may leave out."""
        exact = resolve_object_path(self.root, object_id)
        if exact.suffix.lower() in SUFFIXES and exact.is_file():
            return exact
        for suffix in (*SUFFIXES, *(suffix.upper() for suffix in SUFFIXES)):
            path = exact.with_name(exact.name + suffix)
            if path.is_file():
                return path
        raise MeshError(f"{exact}: the mesh file is gone", reason="file missing")


def find_license(folder: Path) -> str | None:
    """Return the first line with text of a license file in this folder, or None if there is none."""
    for name in LICENSE_FILES:
        path = folder / name
        if path.is_file() and not path.is_symlink():
            with path.open(encoding="utf-8", errors="replace") as file:
                lines = (line.strip() for line in file.read(4096).splitlines())
            return next((format_text(line, MAX_LICENSE_CHARACTERS) for line in lines if line), None)
    return None


def _is_mesh_file(path: Path) -> bool:
    """Return True if a file has the suffix of a mesh file."""
    # macOS leaves files such as "._model.obj" beside the real ones on foreign disks and in archives.
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _make_id(path: Path, stem_counts: Counter[Path]) -> str:
    """Return the path without its suffix, or with it if two files differ in nothing else."""
    stem = path.with_suffix("")
    return (stem if stem_counts[stem] == 1 else path).as_posix()


def _category_from_path(path: Path) -> str:
    """Return the first folder of a path as the category."""
    return path.parts[0] if len(path.parts) > 1 else UNKNOWN_CATEGORY

"""A folder of mesh files of any size: OBJ, GLB, glTF, PLY, STL, OFF, in folders by category or not."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turntable.errors import InvalidInputError, MeshError, shown
from turntable.renderer.meshes.formats import SUFFIXES, load_file
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.sources.shapes import scaled_to_unit
from turntable.renderer.meshes.sources.source import (
    UNSORTED,
    SourceObject,
    below,
    described,
    existing_folder,
    files_below,
    files_digest,
)

LICENCE_FILES = ("LICENSE", "LICENSE.txt", "LICENCE", "LICENCE.txt")
MOST_LICENCE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Mesh files below a folder. The first folder is the category; the path without its suffix is the id.

    OBJ and glTF are y-up by their own rules and are turned to z-up; the others are taken as z-up. Every mesh
    is scaled to a bounding-box diagonal of 1, the unit of the scene. An object's root is its file's folder.
    """

    root: Path
    name: str = "folder"
    licence: str = "as given by the owner of the files"
    limits: Limits = LIMITS

    def objects(self) -> tuple[SourceObject, ...]:
        """Every mesh file."""
        root = existing_folder(self.root, "a folder of mesh files")
        files = [path.relative_to(root) for path in files_below(root) if _is_mesh(path)]
        if not files:
            raise InvalidInputError(f"{root} holds no mesh files ({', '.join(SUFFIXES)})")
        twins = Counter(path.with_suffix("") for path in files)
        found = (SourceObject(_id(path, twins), _category(path)) for path in files)
        return tuple(sorted(found, key=lambda item: item.id))

    def load(self, object_id: str) -> Mesh:
        """Read a file and scale the mesh to the scene's unit."""
        path = self._path(object_id)
        return scaled_to_unit(load_file(path, limits=self.limits), path)

    def digest(self, object_id: str, mesh: Mesh) -> str:  # noqa: ARG002
        """sha256 over the files it was read from."""
        return files_digest(mesh.files, self.root)

    def licence_of(self, object_id: str) -> str:
        """The beginning of a file LICENSE or LICENSE.txt beside the object."""
        return licence_beside(self._path(object_id).parent) or self.licence

    def mesh_file(self, object_id: str) -> Path | None:
        """The file."""
        return self._path(object_id)

    def describe(self) -> dict[str, Any]:
        """Counts."""
        return described(self.objects())

    def _path(self, object_id: str) -> Path:
        exact = below(self.root, object_id)
        if exact.suffix.lower() in SUFFIXES and exact.is_file():
            return exact
        for suffix in (*SUFFIXES, *(suffix.upper() for suffix in SUFFIXES)):
            path = exact.with_name(exact.name + suffix)
            if path.is_file():
                return path
        raise MeshError(f"{exact}: the mesh file is gone", reason="file missing")


def licence_beside(folder: Path) -> str | None:
    """The first line of a licence in this folder that says something."""
    for name in LICENCE_FILES:
        path = folder / name
        if path.is_file() and not path.is_symlink():
            with path.open(encoding="utf-8", errors="replace") as file:
                lines = (line.strip() for line in file.read(4096).splitlines())
            return next((shown(line, MOST_LICENCE_CHARACTERS) for line in lines if line), None)
    return None


def _is_mesh(path: Path) -> bool:
    # Names that begin with a dot are what other systems leave behind ("._model.obj").
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _id(path: Path, twins: Counter[Path]) -> str:
    """The path without its suffix, or with it where two files differ in nothing else."""
    stem = path.with_suffix("")
    return (stem if twins[stem] == 1 else path).as_posix()


def _category(path: Path) -> str:
    return path.parts[0] if len(path.parts) > 1 else UNSORTED

"""A folder of mesh files of any size: OBJ, GLB, glTF, PLY, STL, in folders by category or not."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from turntable.errors import InvalidInputError, MeshError
from turntable.renderer.meshes.mesh import Mesh, diagonal
from turntable.renderer.meshes.obj import load_obj
from turntable.renderer.meshes.source import SourceObject, existing_folder, files_digest
from turntable.renderer.meshes.trimesh_files import load_with_trimesh

SUFFIXES = (".obj", ".glb", ".gltf", ".ply", ".stl")
UNSORTED = "unsorted"
"""The category of files that lie in no folder of their own."""


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Mesh files below a folder. The first folder is the category; the path without its suffix is the id.

    OBJ and glTF are y-up by their own rules and are turned to z-up; PLY and STL are taken as z-up. Every mesh
    is scaled to a bounding-box diagonal of 1, the unit of the scene.
    """

    root: Path
    name: str = "folder"
    licence: str = "as given by the owner of the files"

    def objects(self) -> tuple[SourceObject, ...]:
        """Every mesh file."""
        root = existing_folder(self.root, "a folder of mesh files")
        files = [
            path.relative_to(root)
            for path in root.rglob("*")
            if path.suffix.lower() in SUFFIXES and path.is_file()
        ]
        if not files:
            raise InvalidInputError(f"{root} holds no mesh files ({', '.join(SUFFIXES)})")
        twins = Counter(path.with_suffix("") for path in files)
        found = (SourceObject(_id(path, twins), _category(path)) for path in files)
        return tuple(sorted(found, key=lambda item: item.id))

    def load(self, object_id: str) -> Mesh:
        """Read a file and scale the mesh to the scene's unit."""
        path = self._path(object_id)
        return scaled_to_unit(
            load_obj(path) if path.suffix.lower() == ".obj" else load_with_trimesh(path), path
        )

    def digest(self, object_id: str, mesh: Mesh) -> str:  # noqa: ARG002
        """sha256 over the file and, for an OBJ, the materials and images of its folder."""
        path = self._path(object_id)
        beside = path.parent.glob("*") if path.suffix.lower() in {".obj", ".gltf"} else ()
        companions = {".mtl", ".bin", ".png", ".jpg", ".jpeg"}
        return files_digest(
            [path, *(item for item in beside if item.suffix.lower() in companions)], self.root
        )

    def _path(self, object_id: str) -> Path:
        exact = self.root / object_id
        if exact.suffix.lower() in SUFFIXES and exact.is_file():
            return exact
        for path in exact.parent.glob(f"{exact.name}.*"):
            if path.suffix.lower() in SUFFIXES and path.stem == exact.name:
                return path
        raise MeshError(f"{exact}: the mesh file is gone", reason="file missing")


def _id(path: Path, twins: Counter[Path]) -> str:
    """The path without its suffix, or with it where two files differ in nothing else."""
    stem = path.with_suffix("")
    return (stem if twins[stem] == 1 else path).as_posix()


def _category(path: Path) -> str:
    return path.parts[0] if len(path.parts) > 1 else UNSORTED


def scaled_to_unit(mesh: Mesh, path: Path) -> Mesh:
    """The mesh with a bounding-box diagonal of 1."""
    length = diagonal(mesh)
    if length <= 0:
        raise MeshError(f"{path}: all vertices lie in one point; leave this object out", reason="no extent")
    return replace(mesh, positions=(mesh.positions / length).astype(np.float32))

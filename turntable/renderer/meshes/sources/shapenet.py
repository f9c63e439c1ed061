"""ShapeNetCore as it is unpacked.

v2: ``{synset}/{model}/models/model_normalized.obj``, or GLB files in folders by category name. v1:
``{synset}/{model}/model.obj``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turntable.errors import MeshError
from turntable.renderer.meshes.formats import load_file
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Mesh, diagonal
from turntable.renderer.meshes.sources.known_shapenet import synsets
from turntable.renderer.meshes.sources.shapenet_layout import (
    V1_MODEL,
    V2_MODEL,
    Version,
    glb_files,
    read_layout,
)
from turntable.renderer.meshes.sources.shapes import scaled_to_unit
from turntable.renderer.meshes.sources.source import SourceObject, below, files_digest

LEAST_DIAGONAL, MOST_DIAGONAL = 0.05, 4.0
"""Of a bounding box: ShapeNet's is 1. Beyond these one sees a speck, or the camera is inside."""


@dataclass(frozen=True, slots=True)
class ShapeNetSource:
    """A folder in ShapeNet's layout. Ids are ``synset/model``, categories the synsets, in every layout.

    v2's OBJ files are taken in their own scale; v1 and the GLB files are scaled to its diagonal of 1.
    """

    root: Path
    version: Version = "v2"
    licence: str = "ShapeNet terms of use (non-commercial research); see shapenet.org/terms"
    limits: Limits = LIMITS

    @property
    def name(self) -> str:
        """Either shapenet or shapenet-v1."""
        return "shapenet" if self.version == "v2" else "shapenet-v1"

    def objects(self) -> tuple[SourceObject, ...]:
        """Every model that has a mesh.

        Raises:
            InvalidInputError: The folder is of the other version, or not whole, or something else.
        """
        layout = read_layout(self.root, self.version)
        return tuple(SourceObject(f"{synset}/{model}", synset) for synset, model in layout.models)

    def load(self, object_id: str) -> Mesh:
        """Read an object; its textures lie beside ``models``, never outside the object's folder."""
        path = self._path(object_id)
        if path.suffix.lower() == ".glb":
            folder = path.parent if path.parent.name == object_id.rpartition("/")[2] else None
            return scaled_to_unit(load_file(path, folder, self.limits), path)
        mesh = load_file(path, below(self.root, object_id), self.limits)
        return to_scale(mesh, path) if self.version == "v2" else scaled_to_unit(mesh, path)

    def digest(self, object_id: str, mesh: Mesh) -> str:
        """sha256 over the mesh file, its materials and textures."""
        glb = self._path(object_id).suffix.lower() == ".glb"
        return files_digest(mesh.files, self.root if glb else below(self.root, object_id))

    def licence_of(self, object_id: str) -> str:  # noqa: ARG002
        """That of all."""
        return self.licence

    def mesh_file(self, object_id: str) -> Path | None:
        """The OBJ or GLB file."""
        return self._path(object_id)

    def describe(self) -> dict[str, Any]:
        """Version and layout, counts, and what is missing."""
        layout = read_layout(self.root, self.version)
        there = {synset for synset, _ in layout.models}
        return {
            "version": layout.version,
            "layout": layout.kind,
            "objects": len(layout.models),
            "categories": len(there),
            "synsets_missing": sorted(synsets(layout.version) - there),
            "models_missing": len(layout.missing),
            "known_empty": layout.known_empty,
            "still_zipped": list(layout.zipped),
        }

    def _path(self, object_id: str) -> Path:
        folder = below(self.root, object_id)
        path = folder / (V2_MODEL if self.version == "v2" else V1_MODEL)
        if self.version == "v2" and not path.is_file() and self.root.is_dir():
            synset, _, model = object_id.partition("/")
            return next(glb_files(self.root, synset, model), path)
        return path


def to_scale(mesh: Mesh, path: Path) -> Mesh:
    """The mesh, if it fits the scene: nothing is scaled, so that every object is as large as in ShapeNet.

    Raises:
        MeshError: It does not.
    """
    length = diagonal(mesh)
    if not LEAST_DIAGONAL <= length <= MOST_DIAGONAL:
        raise MeshError(
            f"{path}: a bounding box with a diagonal of {length:.3g}, where ShapeNet's has 1; scale the "
            "mesh, or give --source folder, which scales every mesh",
            reason="not to scale",
        )
    return mesh

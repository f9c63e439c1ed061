"""A source for ShapeNetCore in the layouts of its archives.

v2: ``{synset}/{model}/models/model_normalized.obj``, or GLB files in folders by category name. v1:
``{synset}/{model}/model.obj``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turntable.errors import MeshError
from turntable.renderer.meshes.formats import forget_indices, load_mesh_file
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Mesh, compute_diagonal
from turntable.renderer.meshes.root_folder import RootFolder, open_root
from turntable.renderer.meshes.sources.mesh_transforms import scale_to_unit
from turntable.renderer.meshes.sources.shapenet_facts import list_synsets
from turntable.renderer.meshes.sources.shapenet_layout import (
    V1_MODEL,
    V2_MODEL,
    ShapeNetVersion,
    iter_glb_files,
    read_layout,
)
from turntable.renderer.meshes.sources.source import SourceObject, compute_files_digest, resolve_object_path

MIN_DIAGONAL, MAX_DIAGONAL = 0.05, 4.0
"""Bounding-box diagonals that fit the scene. ShapeNet's is 1.

A smaller object is a speck in the image; with a larger one, the camera may be inside it.
"""


@dataclass(frozen=True, slots=True)
class ShapeNetSource:
    """A folder in a layout of ShapeNetCore. In every layout, ids are ``synset/model`` and categories synsets.

    The OBJ files of v2 keep their scale. Those of v1 and the GLB files are scaled to a diagonal of 1.
    """

    root: Path
    """Folder of the synsets."""
    version: ShapeNetVersion = "v2"
    """Version of ShapeNetCore."""
    license: str = "ShapeNet terms of use (non-commercial research); see shapenet.org/terms"
    """License of the meshes as a whole."""
    limits: Limits = LIMITS
    """Limits on what an object's files may ask for."""
    links_under: tuple[Path, ...] = ()
    """Folders that links below the root may lead into, besides the root."""

    @property
    def name(self) -> str:
        """Name of the source: "shapenet" for v2, "shapenet-v1" for v1."""
        return "shapenet" if self.version == "v2" else "shapenet-v1"

    def list_objects(self) -> tuple[SourceObject, ...]:
        """Return every model that has a mesh.

        Raises:
            InvalidInputError: The folder is another version, incomplete, or not ShapeNetCore.
        """
        forget_indices()
        layout = read_layout(self._folder, self.version)
        return tuple(SourceObject(f"{synset}/{model}", synset) for synset, model in layout.models)

    def load(self, object_id: str) -> Mesh:
        """Load an object. Its textures lie beside ``models``; none of another object stands in for one."""
        path = self._resolve_path(object_id)
        if path.suffix.lower() == ".glb":
            return scale_to_unit(load_mesh_file(path, self._folder, self.limits, path.parent), path)
        folder = resolve_object_path(self.root, object_id)
        mesh = load_mesh_file(path, self._folder, self.limits, folder)
        return check_scale(mesh, path) if self.version == "v2" else scale_to_unit(mesh, path)

    def compute_digest(self, object_id: str, mesh: Mesh) -> str:
        """Return the SHA-256 of the mesh file, its materials and textures."""
        glb = self._resolve_path(object_id).suffix.lower() == ".glb"
        folder = self.root if glb else resolve_object_path(self.root, object_id)
        return compute_files_digest(mesh.files, folder, self._folder)

    def get_license(self, object_id: str) -> str:  # noqa: ARG002
        """Return the license of ShapeNet."""
        return self.license

    def find_mesh_file(self, object_id: str) -> Path | None:
        """Return the path of the OBJ or GLB file."""
        return self._resolve_path(object_id)

    def describe(self) -> dict[str, Any]:
        """Return the version and layout, counts, and what is missing."""
        layout = read_layout(self._folder, self.version)
        synsets = {synset for synset, _ in layout.models}
        return {
            "version": layout.version,
            "layout": layout.kind,
            "objects": len(layout.models),
            "categories": len(synsets),
            "synsets_missing": sorted(list_synsets(layout.version) - synsets),
            "models_missing": len(layout.missing_models),
            "known_empty": layout.num_known_empty,
            "still_zipped": list(layout.archives),
        }

    @property
    def _folder(self) -> RootFolder:
        """The root, and where its links may lead."""
        return open_root(self.root, self.links_under)

    def _resolve_path(self, object_id: str) -> Path:
        """Return the path of the object's file, where it is expected if there is none."""
        folder = resolve_object_path(self.root, object_id)
        path = folder / (V2_MODEL if self.version == "v2" else V1_MODEL)
        if self.version == "v2" and not path.is_file() and self.root.is_dir():
            synset, _, model = object_id.partition("/")
            return next(iter_glb_files(self._folder, synset, model), path)
        return path


def check_scale(mesh: Mesh, path: Path) -> Mesh:
    """Return the mesh if its size fits the scene. Nothing is scaled, so objects keep their size in ShapeNet.

    Args:
        mesh: Mesh to check.
        path: Path of its file, for the message.

    Raises:
        MeshError: The bounding-box diagonal is not between ``MIN_DIAGONAL`` and ``MAX_DIAGONAL``.
    """
    length = compute_diagonal(mesh)
    if not MIN_DIAGONAL <= length <= MAX_DIAGONAL:
        raise MeshError(
            f"{path}: its bounding box has a diagonal of {length:.3g}, where ShapeNet's is 1; scale the "
            "mesh, or give --source folder, which scales every mesh",
            reason="not to scale",
        )
    return mesh

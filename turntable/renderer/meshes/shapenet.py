"""ShapeNetCore v2 as it is unpacked: ``{synset}/{model}/models/model_normalized.obj``."""

from dataclasses import dataclass
from pathlib import Path

from turntable.errors import InvalidInputError, MeshError
from turntable.renderer.meshes.mesh import Mesh, diagonal
from turntable.renderer.meshes.obj import load_obj
from turntable.renderer.meshes.source import SourceObject, existing_folder, files_digest

MODEL = Path("models") / "model_normalized.obj"

LEAST_DIAGONAL, MOST_DIAGONAL = 0.05, 4.0
"""Of a bounding box: ShapeNet's is 1. Beyond these one sees a speck, or the camera is inside."""


@dataclass(frozen=True, slots=True)
class ShapeNetSource:
    """A folder in ShapeNet's layout. Ids are ``synset/model``, categories the synsets."""

    root: Path
    name: str = "shapenet"
    licence: str = "ShapeNet terms of use (non-commercial research); see shapenet.org/terms"

    def objects(self) -> tuple[SourceObject, ...]:
        """Every model folder that holds an OBJ file."""
        root = existing_folder(self.root, "the folder of ShapeNet's synsets")
        found = sorted(path.relative_to(root).parts[:2] for path in root.glob(f"*/*/{MODEL.as_posix()}"))
        if not found:
            raise InvalidInputError(
                f"{root} holds no {{synset}}/{{model}}/{MODEL.as_posix()}; for other meshes set "
                "source = 'folder' in the recipe, or give --source folder"
            )
        return tuple(SourceObject(f"{synset}/{model}", synset) for synset, model in found)

    def load(self, object_id: str) -> Mesh:
        """Read an object; its textures lie beside ``models``, never outside the object's folder."""
        path = self._path(object_id)
        return to_scale(load_obj(path, root=self.root / object_id), path)

    def digest(self, object_id: str, mesh: Mesh) -> str:  # noqa: ARG002
        """sha256 over the OBJ, its materials and textures."""
        folder = self.root / object_id
        files = [
            path for part in ("models", "images") for path in (folder / part).glob("*") if path.is_file()
        ]
        return files_digest(files, folder)

    def _path(self, object_id: str) -> Path:
        return self.root / object_id / MODEL


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

"""Google Scanned Objects as they are unpacked: ``{name}/meshes/model.obj``."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from turntable.errors import InvalidInputError, shown
from turntable.renderer.meshes.formats import load_obj
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.sources.shapes import scaled_to_unit, turned
from turntable.renderer.meshes.sources.source import (
    UNSORTED,
    SourceObject,
    below,
    described,
    existing_folder,
    files_digest,
)

MODEL = Path("meshes") / "model.obj"
TEXTURES = Path("materials") / "textures"
TABLE = "metadata.pbtxt"
MOST_TABLE_BYTES = 2**20

AS_WRITTEN = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
"""Undoes the turn that OBJ files get: these are z-up already."""

_CATEGORY = re.compile(
    # Possessive where blanks could be shared out in many ways: a file may have a million of them.
    r"categor(?:y|ies)\s*+:?\s*+\{[^{}]*?(?:first|name)\s*+:\s*+\"([^\"]+)\"|category\s*+:\s*+\"([^\"]+)\""
)


@dataclass(frozen=True, slots=True)
class GsoSource:
    """Scans in metres, z-up, scaled to a diagonal of 1. Ids are the names of the folders."""

    root: Path
    name: str = "gso"
    licence: str = "CC-BY-4.0 (Google Scanned Objects)"
    limits: Limits = LIMITS

    def objects(self) -> tuple[SourceObject, ...]:
        """Every folder with a model; its category where ``metadata.pbtxt`` has one."""
        root = existing_folder(self.root, "the folder of Google's scanned objects")
        names = sorted(path.relative_to(root).parts[0] for path in root.glob(f"*/{MODEL.as_posix()}"))
        if names:
            return tuple(SourceObject(name, _category(root / name / TABLE)) for name in names)
        if next(root.glob("*.zip"), None) is not None:
            raise InvalidInputError(f"{root} is still zipped: unpack every archive into a folder of its name")
        if (root / MODEL).is_file():
            raise InvalidInputError(f"{root} is one object's folder; give the folder above, {root.parent}")
        raise InvalidInputError(
            f"{root} holds no {{name}}/{MODEL.as_posix()}; for other meshes give --source folder"
        )

    def load(self, object_id: str) -> Mesh:
        """Read an object; its texture may lie among the materials."""
        folder = below(self.root, object_id)
        path = folder / MODEL
        mesh = load_obj(path, folder, self.limits, (folder / TEXTURES,))
        return scaled_to_unit(turned(mesh, AS_WRITTEN), path)

    def digest(self, object_id: str, mesh: Mesh) -> str:
        """sha256 over the mesh file, its materials and textures."""
        return files_digest(mesh.files, below(self.root, object_id))

    def licence_of(self, object_id: str) -> str:  # noqa: ARG002
        """That of all."""
        return self.licence

    def mesh_file(self, object_id: str) -> Path | None:
        """The OBJ file."""
        return below(self.root, object_id) / MODEL

    def describe(self) -> dict[str, Any]:
        """Counts."""
        return described(self.objects())


def _category(path: Path) -> str:
    if not path.is_file():
        return UNSORTED
    with path.open(encoding="utf-8", errors="replace") as file:
        match = _CATEGORY.search(file.read(MOST_TABLE_BYTES))
    return shown(match[1] or match[2]) if match else UNSORTED

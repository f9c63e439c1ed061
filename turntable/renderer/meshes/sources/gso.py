"""A source for Google Scanned Objects as its archives unpack: ``{name}/meshes/model.obj``."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from turntable.errors import InvalidInputError, format_text
from turntable.renderer.meshes.formats import forget_indices, load_obj
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.root_folder import RootFolder, decode_disk_path, open_root
from turntable.renderer.meshes.sources.folder_walk import is_folder_inside, scan_folder
from turntable.renderer.meshes.sources.mesh_transforms import rotate_mesh, scale_to_unit
from turntable.renderer.meshes.sources.source import (
    UNKNOWN_CATEGORY,
    SourceObject,
    check_folder,
    compute_files_digest,
    describe_objects,
    resolve_object_path,
)

MODEL_PATH = Path("meshes") / "model.obj"
"""Path of the mesh file in an object's folder."""
TEXTURES_PATH = Path("materials") / "textures"
"""Path of the textures in an object's folder."""
TABLE_NAME = "metadata.pbtxt"
"""File of an object's folder that may name its category."""
MAX_TABLE_BYTES = 2**20
"""Most bytes read of the file."""

Z_UP_ROTATION = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
"""Rotation that undoes the one from y-up to z-up, which every OBJ file gets. GSO's files are z-up already."""

_CATEGORY = re.compile(
    # Possessive quantifiers (*+): a file may have a million blanks, which ordinary quantifiers would split up
    # in every possible way before giving up.
    r"categor(?:y|ies)\s*+:?\s*+\{[^{}]*?(?:first|name)\s*+:\s*+\"([^\"]+)\"|category\s*+:\s*+\"([^\"]+)\""
)
"""The category in ``metadata.pbtxt``, in either of two notations."""


@dataclass(frozen=True, slots=True)
class GsoSource:
    """Scans in meters, z-up, scaled to a diagonal of 1. Ids are the names of the folders."""

    root: Path
    """Folder of the objects."""
    name: str = "gso"
    """Name of the source."""
    license: str = "CC-BY-4.0 (Google Scanned Objects)"
    """License of the meshes as a whole."""
    limits: Limits = LIMITS
    """Limits on what an object's files may ask for."""
    links_under: tuple[Path, ...] = ()
    """Folders that links below the root may lead into, besides the root."""

    def list_objects(self) -> tuple[SourceObject, ...]:
        """Return every folder with a model. Its category comes from ``metadata.pbtxt``, if it has one.

        Raises:
            InvalidInputError: The folder holds no models; the message says what it seems to be.
        """
        forget_indices()
        root = check_folder(self.root, "the folder of Google's scanned objects")
        root_folder = self._folder
        folders = {
            decode_disk_path(entry.name): Path(entry.path)
            for entry in scan_folder(root, root_folder)
            if is_folder_inside(entry, root_folder) and os.path.isfile(f"{entry.path}/{MODEL_PATH}")  # noqa: PTH113
        }
        if folders:
            return tuple(
                SourceObject(name, _read_category(folders[name] / TABLE_NAME, root_folder))
                for name in sorted(folders)
            )
        if next(root.glob("*.zip"), None) is not None:
            raise InvalidInputError(f"{root} is still zipped: unpack every archive into a folder of its name")
        if (root / MODEL_PATH).is_file():
            raise InvalidInputError(f"{root} is one object's folder; give the folder above, {root.parent}")
        raise InvalidInputError(
            f"{root} holds no {{name}}/{MODEL_PATH.as_posix()}; for other meshes give --source folder"
        )

    def load(self, object_id: str) -> Mesh:
        """Load an object. Its texture may lie beside the mesh or in ``materials/textures``."""
        folder = resolve_object_path(self.root, object_id)
        path = folder / MODEL_PATH
        mesh = load_obj(path, self._folder, self.limits, (folder / TEXTURES_PATH,), object_folder=folder)
        return scale_to_unit(rotate_mesh(mesh, Z_UP_ROTATION), path)

    def compute_digest(self, object_id: str, mesh: Mesh) -> str:
        """Return the SHA-256 of the mesh file, its materials and textures."""
        return compute_files_digest(mesh.files, resolve_object_path(self.root, object_id), self._folder)

    def get_license(self, object_id: str) -> str:  # noqa: ARG002
        """Return the license of Google Scanned Objects."""
        return self.license

    def find_mesh_file(self, object_id: str) -> Path | None:
        """Return the path of the OBJ file."""
        return resolve_object_path(self.root, object_id) / MODEL_PATH

    def describe(self) -> dict[str, Any]:
        """Return the numbers of objects and categories."""
        return describe_objects(self.list_objects())

    @property
    def _folder(self) -> RootFolder:
        """The root, and where its links may lead."""
        return open_root(self.root, self.links_under)


def _read_category(path: Path, root: RootFolder) -> str:
    """Read the category of an object from its metadata, which a link may not take from outside the root."""
    if root.locate(path)[0] != "inside" or not os.access(path, os.R_OK):
        return UNKNOWN_CATEGORY
    with path.open(encoding="utf-8", errors="replace") as file:
        match = _CATEGORY.search(file.read(MAX_TABLE_BYTES))
    return format_text(match[1] or match[2]) if match else UNKNOWN_CATEGORY

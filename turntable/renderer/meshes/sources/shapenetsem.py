"""A source for ShapeNetSem as its archives unpack: a folder of OBJ files, one of textures, and a table."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError, MeshError, format_text
from turntable.renderer.meshes.formats import forget_indices, load_obj
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.root_folder import RootFolder, open_root
from turntable.renderer.meshes.sources.mesh_transforms import (
    compute_upright_rotation,
    rotate_mesh,
    scale_to_unit,
)
from turntable.renderer.meshes.sources.source import (
    UNKNOWN_CATEGORY,
    SourceObject,
    check_folder,
    compute_files_digest,
    describe_objects,
    resolve_object_path,
)

MODEL_FOLDERS = ("models-OBJ/models", "models-OBJ", "models")
"""Folders where the OBJ files may lie. The first that has any is used."""
TEXTURE_FOLDERS = ("models-textures/textures", "textures", "models-OBJ/textures", "models/textures")
"""Folders where the textures may lie."""
TABLE_NAME = "metadata.csv"
"""Table of the categories and orientations."""
MAX_TABLE_BYTES = 64 * 2**20
"""Most bytes of the table."""

DEFAULT_UP, DEFAULT_FRONT = (0.0, 0.0, 1.0), (0.0, -1.0, 0.0)
"""Up and front of objects for which the table gives none."""


@dataclass(frozen=True, slots=True)
class _MetadataRow:
    """An object's row of the table."""

    category: str = UNKNOWN_CATEGORY
    """First category of the object."""
    up: tuple[float, ...] = DEFAULT_UP
    """Direction of the object's up axis in the file."""
    front: tuple[float, ...] = DEFAULT_FRONT
    """Direction of the object's front in the file."""


@dataclass(frozen=True, slots=True)
class ShapeNetSemSource:
    """``models-OBJ/models/{id}.obj`` with materials beside them, and categories from ``metadata.csv``.

    Meshes are in meters, inches or any other unit, so all are scaled to a diagonal of 1. The table's up
    becomes +z and its front +y, the orientation of ShapeNetCore's objects.
    """

    root: Path
    """Folder of ShapeNetSem."""
    name: str = "shapenetsem"
    """Name of the source."""
    license: str = "ShapeNet terms of use (non-commercial research); see shapenet.org/terms"
    """License of the meshes as a whole."""
    limits: Limits = LIMITS
    """Limits on what an object's files may ask for."""
    links_under: tuple[Path, ...] = ()
    """Folders that links below the root may lead into, besides the root."""

    def list_objects(self) -> tuple[SourceObject, ...]:
        """Return an object for every OBJ file. Objects without a category in the table are "unsorted".

        Raises:
            InvalidInputError: The folder holds no OBJ files, or the table cannot be read.
        """
        forget_indices()
        folder, rows = self._resolve_models_folder(), self._read_rows()
        ids = sorted(path.stem for path in folder.glob("*.obj") if not path.name.startswith("."))
        if not ids:
            raise InvalidInputError(f"{folder} holds no OBJ files; unpack models-OBJ.zip there")
        return tuple(SourceObject(name, rows.get(name, _MetadataRow()).category) for name in ids)

    def load(self, object_id: str) -> Mesh:
        """Load an object, turn it upright and scale it."""
        path, row = self._resolve_path(object_id), self._read_rows().get(object_id, _MetadataRow())
        texture_folders = tuple(self.root / name for name in TEXTURE_FOLDERS)
        mesh = load_obj(path, self._folder, self.limits, texture_folders)
        up, front = (_axis_to_world(axis) for axis in (row.up, row.front))
        return scale_to_unit(rotate_mesh(mesh, compute_upright_rotation(up, front)), path)

    def compute_digest(self, object_id: str, mesh: Mesh) -> str:  # noqa: ARG002
        """Return the SHA-256 of the mesh file, its materials and textures."""
        return compute_files_digest(mesh.files, self.root, self._folder)

    def get_license(self, object_id: str) -> str:  # noqa: ARG002
        """Return the license of ShapeNet."""
        return self.license

    def find_mesh_file(self, object_id: str) -> Path | None:
        """Return the path of the OBJ file."""
        return self._resolve_path(object_id)

    def describe(self) -> dict[str, Any]:
        """Return counts, and the number of objects in the table."""
        objects = self.list_objects()
        return describe_objects(
            objects, in_table=len({item.id for item in objects}.intersection(self._read_rows()))
        )

    @property
    def _folder(self) -> RootFolder:
        """The root, and where its links may lead."""
        return open_root(self.root, self.links_under)

    def _resolve_models_folder(self) -> Path:
        """Return the folder of the OBJ files."""
        root = check_folder(self.root, "the folder of ShapeNetSem")
        for name in MODEL_FOLDERS:
            if next((root / name).glob("*.obj"), None) is not None:
                return root / name
        if next(root.glob("*.zip"), None) is not None:
            raise InvalidInputError(
                f"{root} is still zipped: unpack models-OBJ.zip and models-textures.zip there"
            )
        raise InvalidInputError(
            f"{root} holds no {MODEL_FOLDERS[0]}/{{id}}.obj; give the folder of ShapeNetSem"
        )

    def _resolve_path(self, object_id: str) -> Path:
        """Return the path of the object's OBJ file."""
        resolve_object_path(self.root, object_id)  # refuses ids that lead outside the root
        for name in MODEL_FOLDERS:
            path = self.root / name / f"{object_id}.obj"
            if path.is_file():
                return path
        raise MeshError(f"{self.root}: the OBJ file of {object_id} is gone", reason="file missing")

    def _read_rows(self) -> Mapping[str, _MetadataRow]:
        """Return the rows of the table by id, empty if there is no table."""
        path = self.root / TABLE_NAME
        return _read_table(path, path.stat().st_mtime_ns) if path.is_file() else {}


@lru_cache(maxsize=2)
def _read_table(path: Path, modified_ns: int) -> Mapping[str, _MetadataRow]:  # noqa: ARG001
    """Read the rows of the table by id.

    Args:
        path: Path of the table.
        modified_ns: Time of its last change. As part of the cache key, it makes an edited table be read
            again.
    """
    try:
        reader = csv.DictReader(StringIO(_read_text(path), newline=""), escapechar="\\")
        return {
            str(row.get("fullId", "")).rpartition(".")[2]: _MetadataRow(
                format_text((row.get("category") or "").partition(",")[0].strip()) or UNKNOWN_CATEGORY,
                _parse_axis(row.get("up"), DEFAULT_UP),
                _parse_axis(row.get("front"), DEFAULT_FRONT),
            )
            for row in reader
        }
    except csv.Error as error:
        raise InvalidInputError(
            f"{path} is not a CSV table ({error}); get it again from its source"
        ) from error


def _read_text(path: Path) -> str:
    """Read the text of the table."""
    with path.open("rb") as file:
        data = file.read(MAX_TABLE_BYTES + 1)
    if len(data) > MAX_TABLE_BYTES:
        raise InvalidInputError(f"{path} has more than {MAX_TABLE_BYTES:,} bytes; is it ShapeNetSem's?")
    return data.decode("utf-8-sig", "replace")


def _parse_axis(text: str | None, default: tuple[float, ...]) -> tuple[float, ...]:
    """Parse a direction such as "0.0,0.0,1.0", or return the default if there is none of nonzero length."""
    try:
        numbers = tuple(float(word) for word in re.split(r"[\s,]+", (text or "").strip()))
    except ValueError:
        return default
    usable = len(numbers) == 3 and np.isfinite(numbers).all() and any(numbers)
    return numbers if usable else default


def _axis_to_world(axis: tuple[float, ...]) -> NDArray[np.float64]:
    """Rotate a direction from the file to the world, as ``y_up_to_z_up`` does with the mesh."""
    x, y, z = axis
    return np.array([x, -z, y])

"""ShapeNetSem as it is unpacked: OBJ files of all objects in one folder, textures in another, one table."""

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

from turntable.errors import InvalidInputError, MeshError, shown
from turntable.renderer.meshes.formats import load_obj
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.sources.shapes import scaled_to_unit, turned, upright
from turntable.renderer.meshes.sources.source import (
    UNSORTED,
    SourceObject,
    below,
    described,
    existing_folder,
    files_digest,
)

MODELS = ("models-OBJ/models", "models-OBJ", "models")
TEXTURES = ("models-textures/textures", "textures", "models-OBJ/textures", "models/textures")
TABLE = "metadata.csv"
MOST_TABLE_BYTES = 64 * 2**20

UP, FRONT = (0.0, 0.0, 1.0), (0.0, -1.0, 0.0)
"""Where the table says nothing."""


@dataclass(frozen=True, slots=True)
class _Row:
    """What the table says of an object."""

    category: str = UNSORTED
    up: tuple[float, ...] = UP
    front: tuple[float, ...] = FRONT


@dataclass(frozen=True, slots=True)
class ShapeNetSemSource:
    """``models-OBJ/models/{id}.obj`` with materials beside, categories from ``metadata.csv``.

    Meshes are in metres or inches, however each was drawn: all are scaled to a diagonal of 1. The table's up
    becomes +z and its front +y, as ShapeNetCore's objects stand.
    """

    root: Path
    name: str = "shapenetsem"
    licence: str = "ShapeNet terms of use (non-commercial research); see shapenet.org/terms"
    limits: Limits = LIMITS

    def objects(self) -> tuple[SourceObject, ...]:
        """Every OBJ file; objects of which the table knows no category are "unsorted"."""
        folder, rows = self._folder(), self._rows()
        ids = sorted(path.stem for path in folder.glob("*.obj") if not path.name.startswith("."))
        if not ids:
            raise InvalidInputError(f"{folder} holds no OBJ files; unpack models-OBJ.zip there")
        return tuple(SourceObject(name, rows.get(name, _Row()).category) for name in ids)

    def load(self, object_id: str) -> Mesh:
        """Read an object, set it upright and scale it."""
        path, row = self._path(object_id), self._rows().get(object_id, _Row())
        beside = tuple(self.root / name for name in TEXTURES)
        mesh = load_obj(path, self.root, self.limits, beside)
        up, front = (_world(axis) for axis in (row.up, row.front))
        return scaled_to_unit(turned(mesh, upright(up, front)), path)

    def digest(self, object_id: str, mesh: Mesh) -> str:  # noqa: ARG002
        """sha256 over the mesh file, its materials and textures."""
        return files_digest(mesh.files, self.root)

    def licence_of(self, object_id: str) -> str:  # noqa: ARG002
        """That of all."""
        return self.licence

    def mesh_file(self, object_id: str) -> Path | None:
        """The OBJ file."""
        return self._path(object_id)

    def describe(self) -> dict[str, Any]:
        """Counts, and how many objects the table knows."""
        objects = self.objects()
        return described(objects, in_table=len({item.id for item in objects}.intersection(self._rows())))

    def _folder(self) -> Path:
        root = existing_folder(self.root, "the folder of ShapeNetSem")
        for name in MODELS:
            if next((root / name).glob("*.obj"), None) is not None:
                return root / name
        if next(root.glob("*.zip"), None) is not None:
            raise InvalidInputError(
                f"{root} is still zipped: unpack models-OBJ.zip and models-textures.zip there"
            )
        raise InvalidInputError(f"{root} holds no {MODELS[0]}/{{id}}.obj; give the folder of ShapeNetSem")

    def _path(self, object_id: str) -> Path:
        below(self.root, object_id)
        for name in MODELS:
            path = self.root / name / f"{object_id}.obj"
            if path.is_file():
                return path
        raise MeshError(f"{self.root}: the OBJ file of {object_id} is gone", reason="file missing")

    def _rows(self) -> Mapping[str, _Row]:
        path = self.root / TABLE
        return _read_table(path, path.stat().st_mtime_ns) if path.is_file() else {}


@lru_cache(maxsize=2)
def _read_table(path: Path, changed: int) -> Mapping[str, _Row]:  # noqa: ARG001
    """The rows by id; ``changed`` makes an edited file be read again."""
    try:
        reader = csv.DictReader(StringIO(_text(path), newline=""), escapechar="\\")
        return {
            str(row.get("fullId", "")).rpartition(".")[2]: _Row(
                shown((row.get("category") or "").partition(",")[0].strip()) or UNSORTED,
                _axis(row.get("up"), UP),
                _axis(row.get("front"), FRONT),
            )
            for row in reader
        }
    except csv.Error as error:
        raise InvalidInputError(f"{path} is no table ({error}); get it again from its source") from error


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MOST_TABLE_BYTES + 1)
    if len(data) > MOST_TABLE_BYTES:
        raise InvalidInputError(f"{path} has more than {MOST_TABLE_BYTES:,} bytes; is it ShapeNetSem's?")
    return data.decode("utf-8", "replace")


def _axis(text: str | None, default: tuple[float, ...]) -> tuple[float, ...]:
    """Three numbers, as "0.0,0.0,1.0"; the default where there are none of any length."""
    try:
        numbers = tuple(float(word) for word in re.split(r"[\s,]+", (text or "").strip()))
    except ValueError:
        return default
    usable = len(numbers) == 3 and np.isfinite(numbers).all() and any(numbers)
    return numbers if usable else default


def _world(axis: tuple[float, ...]) -> NDArray[np.float64]:
    """A direction of the file where ``y_up_to_z_up`` moves it, which loading an OBJ does."""
    x, y, z = axis
    return np.array([x, -z, y])

"""Objaverse 1.0 as its own library stores it: ``{uid}.glb`` in ``glbs/000-xxx/``, tables beside."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from turntable.errors import InvalidInputError, MeshError, shown
from turntable.renderer.meshes.formats import load_gltf
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.sources.shapes import scaled_to_unit
from turntable.renderer.meshes.sources.source import (
    UNSORTED,
    SourceObject,
    described,
    existing_folder,
    files_below,
    files_digest,
)

CATEGORIES = "lvis-annotations.json"
PATHS = "object-paths.json"
ANNOTATIONS = ("metadata", "annotations.json")
MOST_TABLE_BYTES = 512 * 2**20
MOST_UNPACKED_BYTES, MOST_UNPACKED = 16 * 2**20, 20
"""Bytes that a packed table may have, and how many more for each of its own; tables pack to a tenth."""

LICENCES = {
    "by": "CC-BY-4.0",
    "by-sa": "CC-BY-SA-4.0",
    "by-nd": "CC-BY-ND-4.0",
    "by-nc": "CC-BY-NC-4.0",
    "by-nc-sa": "CC-BY-NC-SA-4.0",
    "by-nc-nd": "CC-BY-NC-ND-4.0",
    "cc0": "CC0-1.0",
}
"""What the annotations call a licence, and its SPDX name."""


@dataclass(frozen=True, slots=True)
class ObjaverseSource:
    """GLB files anywhere below a folder; ids are their names without suffix, as Objaverse's uids.

    Categories come from ``lvis-annotations.json``, licences from ``metadata/000-xxx.json`` or
    ``annotations.json`` (each may end in .gz), where they are there. Meshes are scaled to a diagonal of 1.
    """

    root: Path
    name: str = "objaverse"
    licence: str = "Creative Commons, by object (Objaverse)"
    limits: Limits = LIMITS

    def objects(self) -> tuple[SourceObject, ...]:
        """Every GLB file."""
        root = existing_folder(self.root, "the folder of Objaverse's GLB files")
        _index.cache_clear()
        found = _index(root)
        if not found:
            raise InvalidInputError(f"{root} holds no GLB files; for other meshes give --source folder")
        table = _table(root, CATEGORIES).items()
        category = {uid: shown(name) for name, uids in table for uid in _texts(uids)}
        return tuple(SourceObject(uid, category.get(uid, UNSORTED)) for uid in sorted(found))

    def load(self, object_id: str) -> Mesh:
        """Read an object and scale it; its root is the folder of its file."""
        path = self._path(object_id)
        return scaled_to_unit(load_gltf(path, limits=self.limits), path)

    def digest(self, object_id: str, mesh: Mesh) -> str:
        """sha256 over the file."""
        return files_digest(mesh.files, self._path(object_id).parent)

    def licence_of(self, object_id: str) -> str:
        """As the annotations say, by its SPDX name."""
        said = _licences(self.root, self._path(object_id).parent.name).get(object_id)
        return self.licence if said is None else LICENCES.get(said, said)

    def mesh_file(self, object_id: str) -> Path | None:
        """The GLB file."""
        return self._path(object_id)

    def describe(self) -> dict[str, Any]:
        """Counts, and how many objects the list of paths names."""
        listed = _table(self.root, PATHS)
        return described(self.objects(), **({"listed": len(listed)} if listed else {}))

    def _path(self, object_id: str) -> Path:
        found = _index(self.root).get(object_id)
        if found is None or not found.is_file():
            raise MeshError(f"{self.root}: the GLB file of {object_id} is gone", reason="file missing")
        return found


@lru_cache(maxsize=2)
def _index(root: Path) -> Mapping[str, Path]:
    """All GLB files by name: one walk a process, since an id does not say which folder has it."""
    found: dict[str, Path] = {}
    for path in _glb_files(root):
        if path.stem in found:
            raise InvalidInputError(f"{path} and {found[path.stem]} have one name; Objaverse's names are ids")
        found[path.stem] = path
    return found


def _glb_files(root: Path) -> Iterator[Path]:
    for path in sorted(files_below(root)):
        if path.suffix.lower() == ".glb" and not path.name.startswith("."):
            yield path


@lru_cache(maxsize=8)
def _licences(root: Path, folder: str) -> Mapping[str, str]:
    """Licences by uid, from the table of the folder that a file lies in, or from the table of all."""
    first, second = ANNOTATIONS
    tables = {**_table(root, second), **_table(root, f"{first}/{folder}.json")}
    return {
        uid: shown(str(cast("dict[str, Any]", table)["license"]))
        for uid, table in tables.items()
        if isinstance(table, dict) and "license" in table
    }


def _table(root: Path, name: str) -> Mapping[str, Any]:
    """A JSON object from a file of this name below the root, packed or not; empty where there is none."""
    for folder in (root, root / "hf-objaverse-v1", root.parent):
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return _read_json(path)
    return {}


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        packed = path.suffix == ".gz"
        most = _most_unpacked(path.stat().st_size) if packed else MOST_TABLE_BYTES
        with gzip.open(path) if packed else path.open("rb") as file:
            text = file.read(most + 1)
        if len(text) > most:
            raise InvalidInputError(f"{path} has more than {most:,} bytes; is it Objaverse's?")
        table = json.loads(text)
    except (OSError, EOFError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"{path} cannot be read ({error}); get it again from its source") from error
    if not isinstance(table, dict):
        raise InvalidInputError(f"{path} is no table of objects; get it again from its source")
    return cast("Mapping[str, Any]", table)


def _most_unpacked(packed_bytes: int) -> int:
    return min(MOST_UNPACKED_BYTES + MOST_UNPACKED * packed_bytes, MOST_TABLE_BYTES)


def _texts(value: object) -> list[str]:
    return [str(item) for item in cast("list[Any]", value)] if isinstance(value, list) else []

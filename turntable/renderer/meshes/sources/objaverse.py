"""A source for Objaverse 1.0 as its Python package stores it: ``glbs/000-xxx/{uid}.glb``, and tables."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from turntable.errors import InvalidInputError, MeshError, format_text
from turntable.renderer.meshes.formats import forget_indices, load_gltf
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.root_folder import RootFolder, decode_disk_path, open_root
from turntable.renderer.meshes.sources.folder_walk import iter_files_below
from turntable.renderer.meshes.sources.mesh_transforms import scale_to_unit
from turntable.renderer.meshes.sources.source import (
    UNKNOWN_CATEGORY,
    SourceObject,
    check_folder,
    compute_files_digest,
    describe_objects,
)

CATEGORIES_FILE = "lvis-annotations.json"
"""Table of the LVIS categories: lists of uids by category."""
PATHS_FILE = "object-paths.json"
"""Table of the paths of all objects."""
ANNOTATION_TABLES = ("metadata", "annotations.json")
"""Folder of the annotations by part, and file of the annotations of selected objects."""
MAX_TABLE_BYTES = 512 * 2**20
"""Most bytes of a table, unpacked."""
MAX_UNPACKED_BYTES, MAX_UNPACK_RATIO = 16 * 2**20, 20
"""Most bytes that a packed table may unpack to: a base amount, and so many more for each packed byte.

Real tables pack to about a tenth of their size.
"""

SPDX_LICENSES = {
    "by": "CC-BY-4.0",
    "by-sa": "CC-BY-SA-4.0",
    "by-nd": "CC-BY-ND-4.0",
    "by-nc": "CC-BY-NC-4.0",
    "by-nc-sa": "CC-BY-NC-SA-4.0",
    "by-nc-nd": "CC-BY-NC-ND-4.0",
    "cc0": "CC0-1.0",
}
"""SPDX names of licenses by their names in the annotations."""


@dataclass(frozen=True, slots=True)
class ObjaverseSource:
    """GLB files anywhere below a folder. Ids are the file names without suffix, which are Objaverse's uids.

    Categories come from ``lvis-annotations.json``, licenses from ``metadata/000-xxx.json`` or
    ``annotations.json`` (each may end in .gz), if these files exist. Meshes are scaled to a diagonal of 1.
    """

    root: Path
    """Folder of the GLB files."""
    name: str = "objaverse"
    """Name of the source."""
    license: str = "Creative Commons, by object (Objaverse)"
    """License of the meshes as a whole."""
    limits: Limits = LIMITS
    """Limits on what an object's files may ask for."""
    links_under: tuple[Path, ...] = ()
    """Folders that links below the root may lead into, besides the root."""
    with_parts: bool = False
    """True for assemblies of what the animations and skins of glTF files move."""

    def list_objects(self) -> tuple[SourceObject, ...]:
        """Return an object for every GLB file.

        Raises:
            InvalidInputError: The folder holds no GLB files, two have the same name, or a table cannot be
                read.
        """
        forget_indices()
        root = check_folder(self.root, "the folder of Objaverse's GLB files")
        # Listing always looks at the disk again; loading then uses what it found.
        _index_glb_files.cache_clear()
        paths = _index_glb_files(self._folder)
        if not paths:
            raise InvalidInputError(f"{root} holds no GLB files; for other meshes give --source folder")
        table = _read_table(root, CATEGORIES_FILE).items()
        category = {uid: format_text(name) for name, uids in table for uid in _to_strings(uids)}
        return tuple(SourceObject(uid, category.get(uid, UNKNOWN_CATEGORY)) for uid in sorted(paths))

    def load(self, object_id: str) -> Mesh:
        """Load an object and scale it."""
        path = self._resolve_path(object_id)
        return scale_to_unit(
            load_gltf(path, self._folder, self.limits, object_folder=path.parent, with_parts=self.with_parts),
            path,
        )

    def compute_digest(self, object_id: str, mesh: Mesh) -> str:
        """Return the SHA-256 of the files the mesh was read from."""
        return compute_files_digest(mesh.files, self._resolve_path(object_id).parent, self._folder)

    def get_license(self, object_id: str) -> str:
        """Return the license in the annotations, by its SPDX name, or that of the source."""
        name = _read_licenses(self.root, self._resolve_path(object_id).parent.name).get(object_id)
        return self.license if name is None else SPDX_LICENSES.get(name, name)

    def find_mesh_file(self, object_id: str) -> Path | None:
        """Return the path of the GLB file."""
        return self._resolve_path(object_id)

    def describe(self) -> dict[str, Any]:
        """Return counts, and the number of objects in the table of paths."""
        listed = _read_table(self.root, PATHS_FILE)
        return describe_objects(self.list_objects(), **({"listed": len(listed)} if listed else {}))

    @property
    def _folder(self) -> RootFolder:
        """The root, and where its links may lead."""
        return open_root(self.root, self.links_under)

    def _resolve_path(self, object_id: str) -> Path:
        """Return the path of the GLB file."""
        path = _index_glb_files(self._folder).get(object_id)
        if path is None or not path.is_file():
            raise MeshError(f"{self.root}: the GLB file of {object_id} is gone", reason="file missing")
        return path


@lru_cache(maxsize=2)
def _index_glb_files(root: RootFolder) -> Mapping[str, Path]:
    """Return the paths of all GLB files by name.

    The folder is searched once for each process, because an id does not say which subfolder holds its file.
    """
    paths: dict[str, Path] = {}
    for path in _iter_glb_files(root):
        name = decode_disk_path(path.stem)
        if name in paths:
            raise InvalidInputError(
                f"{format_text(str(path), 500)} and {format_text(str(paths[name]), 500)} have the same name; "
                "in Objaverse names are ids, so keep one of them"
            )
        paths[name] = path
    return paths


def _iter_glb_files(root: RootFolder) -> Iterator[Path]:
    """Iterate over the GLB files below the root, sorted, without hidden ones."""
    yield from sorted(iter_files_below(root, (".glb",)))


@lru_cache(maxsize=8)
def _read_licenses(root: Path, folder: str) -> Mapping[str, str]:
    """Read the licenses of objects by uid.

    Args:
        root: Folder of the GLB files.
        folder: Name of the subfolder of an object. Its table comes before the one for all objects.
    """
    first, second = ANNOTATION_TABLES
    tables = {**_read_table(root, second), **_read_table(root, f"{first}/{folder}.json")}
    return {
        uid: format_text(str(cast("dict[str, Any]", table)["license"]))
        for uid, table in tables.items()
        if isinstance(table, dict) and "license" in table
    }


def _read_table(root: Path, name: str) -> Mapping[str, Any]:
    """Read a JSON object from the file of this name, packed or not; empty if there is none.

    The file may lie in the root, in its folder ``hf-objaverse-v1``, or beside the root.
    """
    for folder in (root, root / "hf-objaverse-v1", root.parent):
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return _read_json(path)
    return {}


def _read_json(path: Path) -> Mapping[str, Any]:
    """Read a JSON object from a file, packed or not."""
    try:
        packed = path.suffix == ".gz"
        max_bytes = _compute_max_unpacked(path.stat().st_size) if packed else MAX_TABLE_BYTES
        with gzip.open(path) if packed else path.open("rb") as file:
            text = file.read(max_bytes + 1)
        if len(text) > max_bytes:
            raise InvalidInputError(f"{path} has more than {max_bytes:,} bytes; is it Objaverse's?")
        table = json.loads(text)
    except (OSError, EOFError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"{path} cannot be read ({error}); get it again from its source") from error
    if not isinstance(table, dict):
        raise InvalidInputError(f"{path} is not a table of objects; get it again from its source")
    return cast("Mapping[str, Any]", table)


def _compute_max_unpacked(packed_bytes: int) -> int:
    """Return the most bytes that a table of ``packed_bytes`` may unpack to."""
    return min(MAX_UNPACKED_BYTES + MAX_UNPACK_RATIO * packed_bytes, MAX_TABLE_BYTES)


def _to_strings(value: object) -> list[str]:
    """Convert a list of the JSON to strings; empty for anything else."""
    return [str(item) for item in cast("list[Any]", value)] if isinstance(value, list) else []

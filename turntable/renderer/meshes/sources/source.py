"""The protocol of a source of meshes, and functions that all sources share.

A source lists its objects and loads the mesh of each.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from turntable.datasets.files import compute_file_sha256
from turntable.errors import InvalidInputError, MeshError, TurntableError, format_text
from turntable.renderer.meshes.coincident_faces import mark_coincident_faces
from turntable.renderer.meshes.mesh import Mesh

UNKNOWN_CATEGORY = "unsorted"
"""Category of objects whose category is not known."""
MAX_DEPTH = 32
"""Most folders within folders that are searched."""


@dataclass(frozen=True, slots=True)
class SourceObject:
    """An object that a source can load."""

    id: str
    """Id of the object, unique in its source."""
    category: str
    """Category of the object."""


class MeshSource(Protocol):
    """A source of meshes.

    A source is cheap to make and to send to another process: it reads nothing until it is asked.
    """

    @property
    def name(self) -> str:
        """Name of the source in recipes and manifests."""
        ...

    @property
    def license(self) -> str:
        """License of the meshes as a whole."""
        ...

    def list_objects(self) -> tuple[SourceObject, ...]:
        """Return every object, sorted by id.

        Raises:
            InvalidInputError: The folder holds no objects, is incomplete, or is not of this source.
        """
        ...

    def load(self, object_id: str) -> Mesh:
        """Load the mesh of an object.

        Raises:
            MeshError: The mesh cannot be used. Other objects are not affected.
        """
        ...

    def compute_digest(self, object_id: str, mesh: Mesh) -> str:
        """Return the SHA-256 (hex) of the data that the mesh, as loaded, was made from."""
        ...

    def get_license(self, object_id: str) -> str:
        """Return the license of one object, or that of the source if the object's is not known."""
        ...

    def find_mesh_file(self, object_id: str) -> Path | None:
        """Return the path of the object's main file, or None if the mesh is generated."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return facts about the whole source for the manifest, as JSON values without paths."""
        ...


def load_mesh(source: MeshSource, object_id: str) -> Mesh:
    """Load the mesh of an object, ready to be rendered. Any error of a parser becomes a ``MeshError``.

    Raises:
        MeshError: The mesh cannot be used.
        MemoryError: The mesh does not fit into memory.
    """
    if not object_id.isprintable():  # a data set accepts only printable ids
        raise MeshError(
            f"{object_id!r:.200}: the name contains characters that cannot be printed; rename it",
            reason="unreadable",
        )
    try:
        return mark_coincident_faces(source.load(object_id))
    except (TurntableError, MemoryError):
        raise
    except Exception as error:
        cause = f"{type(error).__name__}: {format_text(str(error), 200)}"
        raise MeshError(
            f"{object_id}: cannot be read ({cause}); leave it out", reason="unreadable"
        ) from error


def compute_files_digest(paths: Iterable[Path], root: Path) -> str:
    """Return the SHA-256 (hex) of the names and contents of files below ``root``."""
    digest = hashlib.sha256()
    resolved = root.resolve()
    for path in sorted(item.resolve() for item in paths):
        digest.update(f"{path.relative_to(resolved).as_posix()}\0{compute_file_sha256(path)}\n".encode())
    return digest.hexdigest()


def iter_files_below(root: Path) -> Iterator[Path]:
    """Iterate over the regular files below a folder. Links to files are followed, links to folders are not.

    Raises:
        InvalidInputError: A folder lies deeper than ``MAX_DEPTH``, which no collection of meshes needs.
    """
    stack = [(root, 0)]
    while stack:
        folder, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise InvalidInputError(
                f"{root} has folders {depth} deep within one another ({format_text(str(folder))}); give the "
                "folder that holds the meshes"
            )
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append((Path(entry.path), depth + 1))
                elif _is_file(entry):
                    yield Path(entry.path)


def _is_file(entry: "os.DirEntry[str]") -> bool:
    """Return True if an entry is a regular file or a link to one."""
    try:
        return entry.is_file()
    except OSError:  # symbolic links in a circle
        return False


def check_folder(path: Path, description: str) -> Path:
    """Return the path if it is a folder.

    Args:
        path: Path to check.
        description: Noun phrase for the message, such as "a folder of mesh files".

    Raises:
        InvalidInputError: The path is not a folder.
    """
    if not path.is_dir():
        state = "is not a folder" if path.exists() else "does not exist"
        raise InvalidInputError(f"{path} {state}; --meshes takes {description}")
    return path


def resolve_object_path(root: Path, object_id: str) -> Path:
    """Return the path of an object's id below the root.

    Raises:
        MeshError: The id is empty or leads outside the root.
    """
    parts = PurePosixPath(object_id).parts
    if not parts or "\0" in object_id or object_id.startswith("/") or ".." in parts:
        raise MeshError(
            f"{object_id!r} is not the id of an object; turntable inspect lists the ids", "file missing"
        )
    return root / object_id


def describe_objects(objects: Iterable[SourceObject], **more: Any) -> dict[str, Any]:
    """Count the objects and categories, for ``MeshSource.describe``.

    Args:
        objects: Objects of the source.
        **more: Further facts.
    """
    items = tuple(objects)
    return {"objects": len(items), "categories": len({item.category for item in items}), **more}

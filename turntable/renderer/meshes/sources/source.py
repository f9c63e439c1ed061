"""The protocol of a source of meshes, and functions that all sources share.

A source lists its objects and loads the mesh of each.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from turntable.datasets.files import compute_file_sha256
from turntable.datasets.molecules import MoleculeFacts
from turntable.errors import InvalidInputError, MeshError, TurntableError, format_text
from turntable.renderer.meshes.coincident_faces import mark_coincident_faces
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.root_folder import RootFolder, find_disk_path, open_root
from turntable.renderer.meshes.symmetry import SymmetryFacts

UNKNOWN_CATEGORY = "unsorted"
"""Category of objects whose category is not known."""


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


@runtime_checkable
class SymmetryFinder(Protocol):
    """A source that tells the symmetry of its objects."""

    def find_symmetry(self, object_id: str, mesh: Mesh, digest: str) -> SymmetryFacts | None:
        """Return the symmetry facts of an object, or None if they are not known.

        Args:
            object_id: Id of the object.
            mesh: Mesh of the object, as ``load`` returned it.
            digest: Digest of the mesh.
        """
        ...


@runtime_checkable
class ArrayFinder(Protocol):
    """A source that has further arrays of its objects, such as the atoms of molecules."""

    def find_arrays(self, object_id: str) -> Mapping[str, NDArray[Any]]:
        """Return the arrays of an object by name, of the forms of ``OBJECT_ARRAYS``.

        Args:
            object_id: Id of the object.

        Raises:
            MeshError: The object's arrays cannot be had.
        """
        ...


@runtime_checkable
class MoleculeFinder(Protocol):
    """A source that knows facts about molecules."""

    def find_molecule(self, object_id: str) -> MoleculeFacts | None:
        """Return the facts about an object, or None if it is no molecule.

        Raises:
            MeshError: The object cannot be read.
        """
        ...


@runtime_checkable
class SplitFinder(Protocol):
    """A source that says itself which objects belong together and are held out together."""

    @property
    def split_text(self) -> str:
        """The rule of the splits, as the manifest names it."""
        ...

    def find_split(self, object_id: str, val_fraction: float, split_seed: int) -> str:
        """Return the split of an object, which does not depend on other objects.

        Args:
            object_id: Id of the object.
            val_fraction: Share held out, in [0, 1).
            split_seed: Seed of the choice.
        """
        ...


def find_molecule_facts(source: MeshSource, object_id: str) -> MoleculeFacts | None:
    """Return the facts that a source has about a molecule; None if it has none. Errors are its own."""
    return source.find_molecule(object_id) if isinstance(source, MoleculeFinder) else None


def find_source_arrays(source: MeshSource, object_id: str) -> Mapping[str, NDArray[Any]]:
    """Return the arrays that a source has of an object by name; none if it has none. Errors are its own."""
    return source.find_arrays(object_id) if isinstance(source, ArrayFinder) else {}


def load_mesh(source: MeshSource, object_id: str) -> Mesh:
    """Load the mesh of an object, ready to be rendered. Any error of a parser becomes a ``MeshError``.

    Raises:
        MeshError: The mesh cannot be used.
        MemoryError: The mesh does not fit into memory.
    """
    return read_mesh(source, object_id, mark_coincident_faces)


def read_mesh(
    source: MeshSource, object_id: str, prepare: Callable[[Mesh], Mesh] = lambda mesh: mesh
) -> Mesh:
    """Load the mesh of an object and prepare it. Any error of a parser becomes a ``MeshError``.

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
        return prepare(source.load(object_id))
    except (TurntableError, MemoryError):
        raise
    except Exception as error:
        cause = f"{type(error).__name__}: {format_text(str(error), 200)}"
        raise MeshError(
            f"{object_id}: cannot be read ({cause}); leave it out", reason="unreadable"
        ) from error


def compute_files_digest(paths: Iterable[Path], folder: Path, root: RootFolder) -> str:
    """Return the SHA-256 (hex) of the names and contents of files, by their paths relative to a folder.

    A file elsewhere in the folder of the meshes has a path with "..". A content of a Hugging Face cache has
    the path of the link to it, and so has what a link out of the root leads to. So a cache and links have the
    digests of a plain folder.

    Args:
        paths: Paths of the files.
        folder: Folder of the object.
        root: Folder of the meshes.
    """
    digest = hashlib.sha256()
    resolved = root.resolve_folder(folder)
    # Through links, a file may have been read by two paths, such as "a/../b" and "b": it counts once.
    named = {
        (Path(os.path.normpath(path)), path) for item in paths for path in (_resolve_below(item, resolved),)
    }
    lines: dict[bytes, None] = {}
    for name, path in sorted(named):
        relative = os.path.relpath(name, resolved).encode("utf-8", "surrogateescape")
        lines[relative + f"\0{compute_file_sha256(path)}\n".encode()] = None
    digest.update(b"".join(lines))
    return digest.hexdigest()


def _resolve_below(path: Path, root: Path) -> Path:
    """Return the path without symbolic links if it then lies below the root, else as it is."""
    resolved = path.resolve()
    return resolved if resolved.is_relative_to(root) else path


def open_source_root(source: MeshSource) -> RootFolder | None:
    """Return the root of a source, with where its links may lead; None for one without a folder ``root``."""
    root = getattr(source, "root", None)
    return open_root(root, getattr(source, "links_under", ())) if isinstance(root, Path) else None


def check_folder(path: Path, description: str) -> Path:
    """Return the path if it is a folder.

    Args:
        path: Path to check.
        description: Noun phrase for the message, such as "a folder of mesh files".

    Raises:
        InvalidInputError: The path is not a folder, or cannot be read.
    """
    try:
        os.scandir(path).close()
    except NotADirectoryError:
        raise InvalidInputError(f"{path} is not a folder; --meshes takes {description}") from None
    except FileNotFoundError:
        raise InvalidInputError(f"{path} does not exist; --meshes takes {description}") from None
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
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
    return find_disk_path(root, object_id)


def describe_objects(objects: Iterable[SourceObject], **more: Any) -> dict[str, Any]:
    """Count the objects and categories, for ``MeshSource.describe``.

    Args:
        objects: Objects of the source.
        **more: Further facts.
    """
    items = tuple(objects)
    return {"objects": len(items), "categories": len({item.category for item in items}), **more}

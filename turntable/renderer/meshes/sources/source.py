"""Where meshes come from: a source lists its objects and loads any of them."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from turntable.datasets.files import file_sha256
from turntable.errors import InvalidInputError, MeshError, TurntableError, shown
from turntable.renderer.meshes.coincident import settled
from turntable.renderer.meshes.mesh import Mesh

UNSORTED = "unsorted"
"""The category of objects of which none is known."""
MOST_DEPTH = 32
"""The depth of folders within folders that are looked into."""


@dataclass(frozen=True, slots=True)
class SourceObject:
    """An object one can ask a source for."""

    id: str
    category: str


class MeshSource(Protocol):
    """Cheap to make and to send to another process; nothing is read before it is asked for."""

    @property
    def name(self) -> str:
        """As recipes and manifests call it."""
        ...

    @property
    def licence(self) -> str:
        """What may be said of all of its meshes."""
        ...

    def objects(self) -> tuple[SourceObject, ...]:
        """Every object, in the order of the ids.

        Raises:
            InvalidInputError: There is nothing to be found, or it is not what it should be.
        """
        ...

    def load(self, object_id: str) -> Mesh:
        """The mesh of an object.

        Raises:
            MeshError: It cannot be used; others are not affected.
        """
        ...

    def digest(self, object_id: str, mesh: Mesh) -> str:
        """sha256 (hex) of what the mesh, as loaded, was made from."""
        ...

    def licence_of(self, object_id: str) -> str:
        """What is known of one object's licence; that of the source where nothing is."""
        ...

    def mesh_file(self, object_id: str) -> Path | None:
        """The object's main file; None where it is made, not read."""
        ...

    def describe(self) -> dict[str, Any]:
        """Facts about the whole source for the manifest, as JSON has them; no paths."""
        ...


def load_mesh(source: MeshSource, object_id: str) -> Mesh:
    """The mesh of an object, whatever its parser stumbles over: files come from anywhere.

    Raises:
        MeshError: It cannot be used.
        MemoryError: There is no memory for it.
    """
    if not object_id.isprintable():  # as ids of a data set must be
        raise MeshError(
            f"{object_id!r:.200}: a name with characters that cannot be printed; rename it",
            reason="unreadable",
        )
    try:
        return settled(source.load(object_id))
    except (TurntableError, MemoryError):
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {shown(str(error), 200)}"
        raise MeshError(f"{object_id}: cannot be read ({what}); leave it out", reason="unreadable") from error


def files_digest(paths: Iterable[Path], root: Path) -> str:
    """sha256 over names and contents of files below ``root``."""
    digest = hashlib.sha256()
    whole = root.resolve()
    for path in sorted(item.resolve() for item in paths):
        digest.update(f"{path.relative_to(whole).as_posix()}\0{file_sha256(path)}\n".encode())
    return digest.hexdigest()


def files_below(root: Path) -> Iterator[Path]:
    """Give every ordinary file below a folder, those that links mean too; folders are not followed by links.

    Raises:
        InvalidInputError: A folder lies deeper than ``MOST_DEPTH``, as no collection of meshes has it.
    """
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise InvalidInputError(
                f"{root} has folders {depth} deep within one another ({shown(str(folder))}); give the folder "
                "that holds the meshes"
            )
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((Path(entry.path), depth + 1))
                elif _is_file(entry):
                    yield Path(entry.path)


def _is_file(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_file()
    except OSError:  # links in a circle
        return False


def existing_folder(path: Path, what: str) -> Path:
    """The path, if it is a folder.

    Raises:
        InvalidInputError: It is not.
    """
    if not path.is_dir():
        state = "is not a folder" if path.exists() else "does not exist"
        raise InvalidInputError(f"{path} {state}; --meshes takes {what}")
    return path


def below(root: Path, object_id: str) -> Path:
    """The place of an object's id below the root.

    Raises:
        MeshError: It would be elsewhere.
    """
    parts = PurePosixPath(object_id).parts
    if not parts or "\0" in object_id or object_id.startswith("/") or ".." in parts:
        raise MeshError(
            f"{object_id!r} is no object's id; ids are listed by turntable inspect", "file missing"
        )
    return root / object_id


def described(objects: Iterable[SourceObject], **more: Any) -> dict[str, Any]:
    """Counts, as ``MeshSource.describe`` gives them, with what else there is to say."""
    items = tuple(objects)
    return {"objects": len(items), "categories": len({item.category for item in items}), **more}

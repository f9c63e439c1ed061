"""Where meshes come from: a source lists its objects and loads any of them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from turntable.datasets.digests import file_sha256
from turntable.errors import InvalidInputError, MeshError, TurntableError
from turntable.renderer.meshes.coincident import settled
from turntable.renderer.meshes.mesh import Mesh


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
            InvalidInputError: There is nothing to be found.
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


def load_mesh(source: MeshSource, object_id: str) -> Mesh:
    """The mesh of an object, whatever its parser stumbles over: files come from anywhere.

    Raises:
        MeshError: It cannot be used.
    """
    try:
        return settled(source.load(object_id))
    except TurntableError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise MeshError(f"{object_id}: cannot be read ({what}); leave it out", reason="unreadable") from error


def files_digest(paths: list[Path], root: Path) -> str:
    """sha256 over names and contents of files below ``root``."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path.relative_to(root).as_posix()}\0{file_sha256(path)}\n".encode())
    return digest.hexdigest()


def existing_folder(path: Path, what: str) -> Path:
    """The path, if it is a folder.

    Raises:
        InvalidInputError: It is not.
    """
    if not path.is_dir():
        state = "is not a folder" if path.exists() else "does not exist"
        raise InvalidInputError(f"{path} {state}; --meshes takes {what}")
    return path

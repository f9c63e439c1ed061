"""Sources by the name that recipes and the command line give them."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

from turntable.choices import SourceName, check_choice
from turntable.errors import InvalidInputError
from turntable.renderer.meshes.sources.folder import FolderSource
from turntable.renderer.meshes.sources.gso import GsoSource
from turntable.renderer.meshes.sources.objaverse import ObjaverseSource
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource
from turntable.renderer.meshes.sources.shapenetsem import ShapeNetSemSource
from turntable.renderer.meshes.sources.source import MeshSource
from turntable.renderer.meshes.sources.zoo import ZooSource

_OF_FOLDERS: dict[str, Callable[[Path], MeshSource]] = {
    "shapenet": ShapeNetSource,
    "shapenet-v1": lambda root: ShapeNetSource(root, version="v1"),
    "shapenetsem": ShapeNetSemSource,
    "objaverse": ObjaverseSource,
    "gso": GsoSource,
    "folder": FolderSource,
}
DEFAULT_ZOO_OBJECTS = 320


def open_source(name: str, meshes: Path | None, objects: int | None = None) -> MeshSource:
    """A source of meshes.

    Args:
        name: One of ``choices.SourceName``.
        meshes: The folder of the meshes; the zoo needs none.
        objects: How many objects the zoo is to have.

    Raises:
        InvalidInputError: No source has this name, or it needs a folder that was not given.
    """
    if name == "zoo":
        if meshes is not None:
            raise InvalidInputError(
                f"the zoo makes its own meshes and reads none from {meshes}; leave --meshes out, "
                "or choose a recipe whose source is shapenet or folder"
            )
        return ZooSource(DEFAULT_ZOO_OBJECTS if objects is None else objects)
    check_choice("source of meshes", name, get_args(SourceName))
    if meshes is None:
        raise InvalidInputError(f"source {name!r} needs the folder of its meshes: give --meshes DIR")
    return _OF_FOLDERS[name](meshes)

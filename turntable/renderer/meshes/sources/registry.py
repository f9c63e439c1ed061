"""The sources of meshes by the names that recipes and the command line use."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import get_args

from turntable.choices import GENERATED_SOURCES, SourceName, check_choice
from turntable.errors import InvalidInputError
from turntable.home import expand_home
from turntable.renderer.meshes.sources.folder import FolderSource
from turntable.renderer.meshes.sources.gso import GsoSource
from turntable.renderer.meshes.sources.objaverse import ObjaverseSource
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource
from turntable.renderer.meshes.sources.shapenetsem import ShapeNetSemSource
from turntable.renderer.meshes.sources.solids import SolidsSource
from turntable.renderer.meshes.sources.source import MeshSource
from turntable.renderer.meshes.sources.zoo import ZooSource

_FOLDER_SOURCES: dict[str, Callable[..., MeshSource]] = {
    "shapenet": ShapeNetSource,
    "shapenet-v1": partial(ShapeNetSource, version="v1"),
    "shapenetsem": ShapeNetSemSource,
    "objaverse": ObjaverseSource,
    "gso": GsoSource,
    "folder": FolderSource,
}
"""Sources that read a folder, by name."""
DEFAULT_ZOO_OBJECTS = 320
"""Number of objects of the zoo if none is given."""
DEFAULT_SOLIDS_OBJECTS = 275
"""Number of solids if none is given: 25 instances of each."""


def open_source(
    name: str,
    meshes_path: Path | None,
    num_objects: int | None = None,
    *,
    links_under: Iterable[str | Path] = (),
) -> MeshSource:
    """Open a source of meshes.

    Args:
        name: Name of the source, one of ``choices.SourceName``.
        meshes_path: Folder of the meshes. The zoo and the solids need none.
        num_objects: Number of objects of the zoo or of the solids. Other sources ignore it.
        links_under: Folders that links below the folder of the meshes may lead into, besides that folder.

    Raises:
        InvalidInputError: No source has this name, the folder is missing, or one was given that is not read.
    """
    if name in GENERATED_SOURCES:
        if meshes_path is not None:
            raise InvalidInputError(
                f"the source {name} generates its meshes and reads none from {meshes_path}; leave --meshes "
                "out, or choose a recipe whose source is shapenet or folder"
            )
        return _make_generated_source(name, num_objects)
    check_choice("source of meshes", name, get_args(SourceName))
    if meshes_path is None:
        raise InvalidInputError(f"source {name!r} needs the folder of its meshes: give --meshes DIR")
    return _FOLDER_SOURCES[name](expand_home(meshes_path), links_under=tuple(map(expand_home, links_under)))


def _make_generated_source(name: str, num_objects: int | None) -> MeshSource:
    if name == "solids":
        return SolidsSource(DEFAULT_SOLIDS_OBJECTS if num_objects is None else num_objects)
    return ZooSource(DEFAULT_ZOO_OBJECTS if num_objects is None else num_objects)

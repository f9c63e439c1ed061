"""Problems of the folders of a source: what lies in them and is not listed, or cannot be read."""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from turntable.errors import format_text
from turntable.renderer.meshes.mesh_suffixes import SUFFIXES, UNSUPPORTED_SUFFIXES
from turntable.renderer.meshes.mesh_warnings import MeshWarning, WarningLog
from turntable.renderer.meshes.root_folder import RootFolder
from turntable.renderer.meshes.sources.folder import LEFT_OUT, FolderSource, list_ids
from turntable.renderer.meshes.sources.folder_walk import (
    NOT_LISTED,
    follow_link,
    iter_files_below,
    scan_folder,
)
from turntable.renderer.meshes.sources.gso import GsoSource
from turntable.renderer.meshes.sources.scene_source import SceneSource
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource
from turntable.renderer.meshes.sources.shapenetsem import ShapeNetSemSource
from turntable.renderer.meshes.sources.source import MeshSource, open_source_root
from turntable.renderer.meshes.sources.symmetry_source import SymmetrySource

_LEVELS: dict[type, int] = {ShapeNetSource: 2, ShapeNetSemSource: 2, GsoSource: 1}
"""Levels of folders of the sources whose layout is known, down to the folders of the objects.

They are not searched to the ground, because they may hold hundreds of thousands of folders.
"""


def find_folder_problems(source: MeshSource) -> tuple[MeshWarning, ...]:
    """Find what lies below the root of a source and is not listed, or cannot be read.

    Returns:
        Warnings, each with a path relative to the root. None for a source without a folder ``root``.
    """
    if isinstance(source, SymmetrySource):
        source = source.source
    if isinstance(source, SceneSource):
        source = source.base
    root = open_source_root(source)
    if root is None or not os.path.isdir(root.path):  # noqa: PTH112  it answers for unreadable paths
        return ()
    problems = WarningLog("")
    levels = _LEVELS.get(type(source))
    if levels is None:
        _check_files(root, isinstance(source, FolderSource), problems)
    else:
        _check_levels(root, levels, problems)
    return problems.warnings


def _check_levels(root: RootFolder, levels: int, problems: WarningLog) -> None:
    """Check the folders of the first levels below the root."""
    folders = [str(root.path)]
    for level in range(levels):
        folders = [path for folder in folders for path in _iter_folders(folder, root, problems)]
        if level == levels - 1:
            for path in folders:
                if not os.access(path, os.R_OK | os.X_OK):
                    detail = "the folder cannot be read (Permission denied)"
                    problems.add("folder-unreadable", detail, NOT_LISTED, root.format_path(Path(path)))


def _iter_folders(folder: str, root: RootFolder, problems: WarningLog) -> Iterator[str]:
    """Iterate over the folders in a folder, and those that its links lead to."""
    for entry in scan_folder(folder, root, problems):
        if entry.is_dir(follow_symlinks=False) or (
            entry.is_symlink() and not os.path.isfile(entry.path) and follow_link(entry, root, problems)  # noqa: PTH113
        ):
            yield entry.path


def _check_files(root: RootFolder, has_path_ids: bool, problems: WarningLog) -> None:
    """Check all files below the root.

    Args:
        root: Root of the source.
        has_path_ids: True if ids are paths, so that files of any format are objects.
        problems: Log of the warnings.
    """
    meshes: list[Path] = []
    unsupported: defaultdict[str, list[Path]] = defaultdict(list)
    for path in iter_files_below(root, SUFFIXES + UNSUPPORTED_SUFFIXES, problems):
        name = path.name.lower()
        if name.endswith(SUFFIXES):
            meshes.append(path)
        elif has_path_ids:
            unsupported[next(item for item in UNSUPPORTED_SUFFIXES if name.endswith(item))].append(path)
    for path in sorted(meshes):
        if not os.access(path, os.R_OK):
            detail = "the file cannot be read (Permission denied)"
            problems.add("folder-unreadable", detail, LEFT_OUT, root.format_path(path))
    if has_path_ids:
        for object_id in sorted(list_ids(root.path, meshes, problems)):
            if not object_id.isprintable():
                detail = "its name contains characters that cannot be printed"
                problems.add("name-undecodable", detail, LEFT_OUT, format_text(object_id))
    for suffix, paths in sorted(unsupported.items()):
        problems.add(
            "format-unsupported",
            f"{len(paths):,} files end in {suffix}, such as this one"
            if len(paths) > 1
            else f"it ends in {suffix}",
            "it is not read" if len(paths) == 1 else "none of them is read",
            root.format_path(min(paths)),
        )

"""Detection of the source that can read a folder, from the names of its files and folders."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from turntable.renderer.meshes.sources import gso, shapenetsem
from turntable.renderer.meshes.sources.shapenet_facts import find_synset
from turntable.renderer.meshes.sources.shapenet_layout import V1_MODEL, V2_MODEL
from turntable.renderer.meshes.sources.source import check_folder

_MODEL_ID = re.compile(r"[0-9a-f]{24,32}|u[0-9a-f-]{36}")
"""Model ids of ShapeNet: hexadecimal digits, or "u" and a UUID."""
MAX_FOLDERS_CHECKED = 64
"""Most folders or files that are examined. More than one, because the first may be incomplete."""


def detect_source(path: Path) -> str:
    """Return the name of the source that reads this folder, or "folder" if it is none of the known ones.

    Raises:
        InvalidInputError: The path is not a folder.
    """
    root = check_folder(path, "a folder of meshes")
    if _has_match(root, f"*/{gso.MODEL_PATH.as_posix()}"):
        return "gso"
    if any(_has_match(root, f"{name}/*.obj") for name in shapenetsem.MODEL_FOLDERS[:2]):
        return "shapenetsem"
    if _has_match(root, f"*/*/{V2_MODEL.as_posix()}"):
        return "shapenet"
    synsets = [folder for folder in _list_folders(root) if find_synset(folder.name)]
    if any(folder.name.isdigit() and _has_match(folder, f"*/{V1_MODEL.name}") for folder in synsets):
        return "shapenet-v1"
    if any(folder.name.isdigit() for folder in synsets) or _is_misplaced_shapenet(root):
        return "shapenet"  # listing its objects will report what is wrong with the folder
    if _is_objaverse(root):
        return "objaverse"
    if synsets and all(_has_models(folder) for folder in synsets):
        return "shapenet"  # GLB files in folders by category name
    return "folder"


def _has_models(folder: Path) -> bool:
    """Return True if a file or folder in a category's folder has the name of a ShapeNet model."""
    names = [
        path.stem if path.suffix == ".glb" else path.name
        for path in islice(folder.glob("*"), MAX_FOLDERS_CHECKED)  # nothing of a folder that is unreadable
    ]
    return any(_MODEL_ID.fullmatch(name) for name in names)


def _is_misplaced_shapenet(root: Path) -> bool:
    """Return True if the folder is ShapeNet one level off, or still zipped."""
    has_synset_archive = any(
        path.stem.isdigit() and len(path.stem) == 8
        for path in islice(root.glob("*.zip"), MAX_FOLDERS_CHECKED)
    )
    return (
        has_synset_archive
        or _has_match(root, f"*/{V2_MODEL.as_posix()}")
        or _has_match(root, f"*/*/*/{V2_MODEL.as_posix()}")
    )


def _is_objaverse(root: Path) -> bool:
    """Return True if the folder has GLB files in folders named as in Objaverse."""
    folders = (root, root / "glbs", root / "hf-objaverse-v1", root / "hf-objaverse-v1" / "glbs")
    return any(_has_match(folder, "000-[0-9][0-9][0-9]/*.glb") for folder in folders if folder.is_dir())


def _has_match(root: Path, pattern: str) -> bool:
    """Return True if a path below the root matches the pattern."""
    return next(iter(_iter_first_match(root, pattern)), None) is not None


def _iter_first_match(root: Path, pattern: str) -> Iterator[Path]:
    """Return an iterator over at most one path that matches the pattern."""
    return islice(root.glob(pattern), 1)


def _list_folders(root: Path) -> list[Path]:
    """List the folders directly below the root, without hidden ones."""
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))

"""Which source a folder is made for, judged by the names in it."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from turntable.renderer.meshes.sources import gso, shapenetsem
from turntable.renderer.meshes.sources.known_shapenet import synset_named
from turntable.renderer.meshes.sources.shapenet_layout import V1_MODEL, V2_MODEL
from turntable.renderer.meshes.sources.source import existing_folder

_MODEL_ID = re.compile(r"[0-9a-f]{24,32}|u[0-9a-f-]{36}")
LOOKED_AT = 64
"""So many folders are looked into: the first may be incomplete."""


def detect_source(path: Path) -> str:
    """The name of the source that reads this folder; "folder" where it is none of the known ones.

    Raises:
        InvalidInputError: It is no folder.
    """
    root = existing_folder(path, "a folder of meshes")
    if _has(root, f"*/{gso.MODEL.as_posix()}"):
        return "gso"
    if any(_has(root, f"{name}/*.obj") for name in shapenetsem.MODELS[:2]):
        return "shapenetsem"
    if _has(root, f"*/*/{V2_MODEL.as_posix()}"):
        return "shapenet"
    synsets = [folder for folder in _folders(root) if synset_named(folder.name)]
    if any(folder.name.isdigit() and _has(folder, f"*/{V1_MODEL.name}") for folder in synsets):
        return "shapenet-v1"
    if any(folder.name.isdigit() for folder in synsets) or _is_shapenet_in_disguise(root):
        return "shapenet"  # which says what is wrong with it
    if _is_objaverse(root):
        return "objaverse"
    if synsets and all(_has_models(folder) for folder in synsets):
        return "shapenet"  # as GLB files, by category name
    return "folder"


def _has_models(folder: Path) -> bool:
    """Whether what lies in a category's folder is called as ShapeNet's models are."""
    names = [
        path.stem if path.suffix == ".glb" else path.name for path in islice(folder.iterdir(), LOOKED_AT)
    ]
    return any(_MODEL_ID.fullmatch(name) for name in names)


def _is_shapenet_in_disguise(root: Path) -> bool:
    """One level off, or packed."""
    numbered = any(
        path.stem.isdigit() and len(path.stem) == 8 for path in islice(root.glob("*.zip"), LOOKED_AT)
    )
    return numbered or _has(root, f"*/{V2_MODEL.as_posix()}") or _has(root, f"*/*/*/{V2_MODEL.as_posix()}")


def _is_objaverse(root: Path) -> bool:
    inner = (root, root / "glbs", root / "hf-objaverse-v1", root / "hf-objaverse-v1" / "glbs")
    return any(_has(folder, "000-[0-9][0-9][0-9]/*.glb") for folder in inner if folder.is_dir())


def _has(root: Path, pattern: str) -> bool:
    return next(iter(_some(root, pattern)), None) is not None


def _some(root: Path, pattern: str) -> Iterator[Path]:
    return islice(root.glob(pattern), 1)


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))

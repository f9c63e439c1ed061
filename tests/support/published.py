"""The published layout: how many views its small sets have here, and their lists."""

from pathlib import Path

import numpy as np

VIEWS = 3


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def lists(folder: Path) -> list[Path]:
    return [folder / f"{split}_images.npy" for split in ("train", "val")]


def write_list(path: Path, *ids: str) -> Path:
    np.save(path, np.array([f"/{name}" for name in ids]))
    return path

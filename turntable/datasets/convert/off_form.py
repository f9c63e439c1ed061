"""Surface graphs as OFF files in ModelNet's layout: ``CATEGORY/train|test/NAME.off``, and split lists."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import make_object_key
from turntable.datasets.manifest import Manifest
from turntable.datasets.objects import TRAIN
from turntable.datasets.split import Split


def explain_missing_surfaces(manifest: Manifest) -> str:
    """Return what a data set lacks for OFF files, and what to do; "" if it has surface graphs."""
    if "vertices" in manifest.arrays and "faces" in manifest.arrays:
        return ""
    return (
        "this data set has no surface graphs, which OFF files hold; render one with 'graphs', or with a "
        "table [graph]"
    )


def write_off_files(split: Split, folder: Path) -> int:
    """Write the surface of each object of a split as an OFF file, and the list of the files.

    The split ``val`` is written as ModelNet's ``test``. ``train.txt`` and ``test.txt`` list the files, one a
    line, in the order of the data set. A file is named by the object's key in its shard.

    Args:
        split: Split of a data set with surface graphs.
        folder: Folder of the export.

    Returns:
        The number of files.
    """
    name = "train" if split.name == TRAIN else "test"
    paths: list[str] = []
    for row, record in enumerate(split.objects):
        vertices, faces = split.read_array(row, "vertices"), split.read_array(row, "faces")
        if vertices is None or faces is None:
            continue
        path = f"{make_object_key(record.category)}/{name}/{record.key}.off"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(format_off(vertices[:, :3], faces), encoding="ascii")
        paths.append(path)
    (folder / f"{name}.txt").write_text("".join(f"{path}\n" for path in paths), encoding="ascii")
    return len(paths)


def format_off(places: NDArray[np.float32], faces: NDArray[np.integer]) -> str:
    """Return an OFF file's text. Nine digits give each float32 back exactly.

    Args:
        places: [n, 3] places of the vertices.
        faces: [F, 3] corners.
    """
    lines = ["OFF", f"{len(places)} {len(faces)} 0"]
    lines += [" ".join(f"{value:.9g}" for value in place) for place in places.tolist()]
    lines += [f"3 {a} {b} {c}" for a, b, c in faces.tolist()]
    return "\n".join(lines) + "\n"

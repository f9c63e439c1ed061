"""The export form "kitti": scans in the folders of SemanticKITTI, with boxes as OpenPCDet reads them.

SPLIT/sequences/NNNNNN/ is one sequence of one object, with ``velodyne/FFFFFF.bin`` (float32 [n, 4]),
``labels/FFFFFF.label`` (uint32 [n]: instance << 16 | class), ``flow/FFFFFF.bin`` (float32 [n, 3], not in the
last frame), ``boxes/FFFFFF.txt`` (x y z l w h yaw category), ``poses.txt`` and ``calib.txt``. Beside the
sequences, ``classes.txt`` has the classes and ``sequences.txt`` the object of each sequence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import CLUTTER_INSTANCE, GROUND_INSTANCE, POLE, WALL
from turntable.datasets.manifest import Manifest
from turntable.datasets.split import Split

GROUND_CLASS, CLUTTER_CLASS = 40, 52  # SemanticKITTI's road and other-structure
_KNOWN_CLASSES = {"bicycle": 11, "bus": 13, "car": 10, "truck": 18}
"""Numbers of categories that SemanticKITTI has too (Behley et al., ICCV 2019)."""
_FIRST_OWN_CLASS = 300
"""Number of the first category that it does not have; its own are below."""


@dataclass(frozen=True, slots=True, eq=False)
class _Frames:
    """The frames of one sequence of an object."""

    row: int
    """Row of the object in its split."""
    views: Sequence[int]
    """Numbers of the views."""
    categories: Sequence[str]
    """Category of each instance."""


def explain_missing_scans(manifest: Manifest) -> str:
    """Return what a data set lacks for this form, and what to do; "" if it has scans."""
    if "scan" in manifest.outputs:
        return ""
    return (
        "this data set has no scans, which KITTI's folders hold; render one with 'street' or 'scan-objects'"
    )


def write_kitti_folders(split: Split, folder: Path) -> int:
    """Write the sequences of a split, and return its number of objects."""
    root = folder / split.name
    classes = number_classes(_list_categories(split.manifest))
    length = int((split.manifest.recipe.get("sequence") or {}).get("length", 1))
    names: list[str] = []
    for row in range(split.num_objects):
        record = split.objects[row]
        parts = split.read_parts(row)
        categories = [part.category for part in parts] or [record.category]
        for first in range(0, split.num_views, length):
            name = f"{len(names):06d}"
            frames = _Frames(row, range(first, first + length), categories)
            _write_sequence(split, frames, classes, root / "sequences" / name)
            names.append(f"{name} {record.id} {first}")
    root.mkdir(exist_ok=True)
    _write_lines(root / "sequences.txt", names)
    _write_lines(root / "classes.txt", [f"{number} {name}" for name, number in classes.items()])
    return split.num_objects


def _list_categories(manifest: Manifest) -> Sequence[str]:
    """Return the categories that returns can have; those of walls and poles are clutter."""
    clutter = (WALL, POLE) if "street" in manifest.recipe else ()
    return [name for name in manifest.part_categories or manifest.categories if name not in clutter]


def number_classes(categories: Sequence[str]) -> dict[str, int]:
    """Return the number of each category's class: SemanticKITTI's, or one from 300 on in their order."""
    own = [name for name in sorted(categories) if name not in _KNOWN_CLASSES]
    numbers = {name: _FIRST_OWN_CLASS + place for place, name in enumerate(own)}
    return {name: _KNOWN_CLASSES.get(name) or numbers[name] for name in sorted(categories)} | {
        "(ground)": GROUND_CLASS,
        "(clutter)": CLUTTER_CLASS,
    }


def _write_sequence(split: Split, frames: _Frames, classes: dict[str, int], folder: Path) -> None:
    for name in ("velodyne", "labels", "flow", "boxes"):
        (folder / name).mkdir(parents=True)
    boxes, poses = (split.read_array(frames.row, name) for name in ("boxes", "ego_pose"))
    assert boxes is not None
    assert poses is not None
    for frame, view in enumerate(frames.views):
        scan = split.read_output(frames.row, view, "scan").astype("<f4")
        scan[:, :4].tofile(folder / "velodyne" / f"{frame:06d}.bin")
        if frame + 1 < len(frames.views):
            scan[:, 5:].tofile(folder / "flow" / f"{frame:06d}.bin")
        labels = _label_returns(scan[:, 4].astype(np.int64), frames.categories, classes)
        labels.tofile(folder / "labels" / f"{frame:06d}.label")
        _write_lines(folder / "boxes" / f"{frame:06d}.txt", _format_boxes(boxes[view], frames.categories))
    start, *_ = taken = poses[list(frames.views)].astype(np.float64)
    _write_lines(folder / "poses.txt", map(_format_matrix, np.linalg.inv(start) @ taken))
    names = ("P0", "P1", "P2", "P3", "Tr")
    _write_lines(folder / "calib.txt", [f"{name}: {_format_matrix(np.eye(4))}" for name in names])


def _label_returns(
    instances: NDArray[np.int64], categories: Sequence[str], classes: dict[str, int]
) -> NDArray[np.uint32]:
    """Return the labels [n] of returns: the instance, from 1 for objects, in the upper 16 bits."""
    by_instance = {number: classes.get(name, CLUTTER_CLASS) for number, name in enumerate(categories)}
    by_instance |= {GROUND_INSTANCE: GROUND_CLASS, CLUTTER_INSTANCE: CLUTTER_CLASS}
    known, place = np.unique(instances, return_inverse=True)
    kinds = np.array([by_instance[number] for number in known.tolist()], dtype=np.int64)
    return (np.maximum(instances + 1, 0) << 16 | kinds[place]).astype("<u4")


def _format_boxes(boxes: NDArray[np.float32], categories: Sequence[str]) -> list[str]:
    return [
        " ".join([*(f"{value:.6f}" for value in box), category])
        for box, category in zip(boxes.tolist(), categories, strict=False)
    ]


def _format_matrix(matrix: NDArray[np.floating]) -> str:
    """Return the first three rows of a matrix [4, 4], as text."""
    return " ".join(f"{value:.9g}" for value in matrix[:3].ravel().tolist())


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

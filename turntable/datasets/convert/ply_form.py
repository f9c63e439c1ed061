"""Point clouds as PLY files: ``CATEGORY/SPLIT/KEY.ply``, lists of the files, and a table of the labels."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.files import make_object_key
from turntable.datasets.manifest import Manifest
from turntable.datasets.objects import get_rest_poses
from turntable.datasets.split import Split

_PLACE_AND_NORMAL = ("x", "y", "z", "nx", "ny", "nz")
_POINT = np.dtype([*((name, "<f4") for name in _PLACE_AND_NORMAL), ("part", "u1")])
"""Form of a point in a file."""
_PROPERTIES = (*(f"property float {name}" for name in _PLACE_AND_NORMAL), "property uchar part")


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the export, and the object and the views whose cloud it holds."""

    path: str
    row: int
    views: range


def explain_missing_points(manifest: Manifest) -> str:
    """Return what a data set lacks for PLY files, and what to do; "" if it has point clouds."""
    if manifest.points:
        return ""
    return "this data set has no point clouds, which PLY files hold; render it with --points 2048"


def explain_missing_posed_points(manifest: Manifest) -> str:
    """Return what a data set lacks for PLY files of views, and what to do; "" if it lacks nothing."""
    if manifest.points and manifest.max_parts and "point_parts" not in manifest.arrays:
        return (
            "this data set of assemblies was rendered by an earlier version, whose point clouds do not tell "
            "which part each point moves with; render it again, or export the form ply"
        )
    return explain_missing_points(manifest)


def write_ply_files(split: Split, folder: Path) -> int:
    """Write the cloud of each object as it is stored, and return the number of objects.

    Beside the files ``SPLIT.txt`` lists them, one a line, and ``SPLIT-views.csv`` has the labels and the pose
    of every view. Points are in the object's frame, and an assembly is at rest.

    Args:
        split: Split of a data set with point clouds.
        folder: Folder of the export.
    """
    files: list[_File] = []
    for row in range(split.num_objects):
        path = _write_cloud(split, folder, row, "", split.read_points(row), _read_parts(split, row))
        files.append(_File(path, row, range(split.num_views)))
    _write_tables(split, folder, files)
    return split.num_objects


def write_posed_ply_files(split: Split, folder: Path) -> int:
    """Write the cloud of each view, posed in the world as the view shows the object; ``KEY.VIEW.ply``.

    Args and result are those of ``write_ply_files``.
    """
    files: list[_File] = []
    for row in range(split.num_objects):
        parts = _read_parts(split, row)
        for view, cloud in enumerate(pose_views(split, row, parts)):
            path = _write_cloud(split, folder, row, f".{view:03d}", cloud, parts)
            files.append(_File(path, row, range(view, view + 1)))
    _write_tables(split, folder, files)
    return split.num_objects


def pose_views(split: Split, row: int, parts: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the cloud of an object as each of its views shows it, [V, P, 6] in the world.

    Args:
        split: Split of the object.
        row: Row of the object.
        parts: [P] part of each point.
    """
    cloud, poses = split.read_points(row), split.read_part_pose(row)
    if poses is None:
        return geometry.move_cloud(cloud, _compute_poses(split, row))
    to_rest = geometry.invert_pose(get_rest_poses(split.read_parts(row)))
    return geometry.move_cloud_parts(cloud, parts, poses.astype(np.float64) @ to_rest)


def _compute_poses(split: Split, row: int) -> NDArray[np.float64]:
    schema, labels = split.manifest.schema, _get_labels(split, row)
    return geometry.make_pose(schema.compute_rotations(labels), schema.get_translations(labels))


def _get_labels(split: Split, row: int) -> NDArray[np.float32]:
    views = np.arange(split.num_views)
    return split.get_labels(np.full(len(views), row), views)


def _read_parts(split: Split, row: int) -> NDArray[np.uint8]:
    stored = split.read_array(row, "point_parts") if "point_parts" in split.manifest.arrays else None
    return np.zeros(split.manifest.points, np.uint8) if stored is None else stored


def _write_cloud(
    split: Split,
    folder: Path,
    row: int,
    suffix: str,
    cloud: NDArray[np.floating],
    parts: NDArray[np.uint8],
) -> str:
    """Write a cloud, and return its path in the export."""
    record = split.objects[row]
    path = f"{make_object_key(record.category)}/{split.name}/{record.key}{suffix}.ply"
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(encode_ply(cloud, parts))
    return path


def encode_ply(cloud: NDArray[np.floating], parts: NDArray[np.uint8]) -> bytes:
    """Return a cloud as a binary PLY file.

    Args:
        cloud: [P, 6] places and normals.
        parts: [P] part of each point.
    """
    rows = np.empty(len(cloud), _POINT)
    for column, name in enumerate(_PLACE_AND_NORMAL):
        rows[name] = cloud[:, column]
    rows["part"] = parts
    head = ["ply", "format binary_little_endian 1.0", f"element vertex {len(cloud)}", *_PROPERTIES]
    return "\n".join([*head, "end_header\n"]).encode("ascii") + rows.tobytes()


def _write_tables(split: Split, folder: Path, files: Sequence[_File]) -> None:
    """Write the list of the files, and the table of the views with the file of each."""
    (folder / f"{split.name}.txt").write_text("".join(f"{file.path}\n" for file in files), encoding="ascii")
    pose = [f"pose_{row}{column}" for row in range(4) for column in range(4)]
    with (folder / f"{split.name}-views.csv").open("w", encoding="utf-8", newline="") as text:
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["file", "object", "category", "view", *split.manifest.schema.names, *pose])
        for file in files:
            table.writerows(_iter_view_rows(split, file))


def _iter_view_rows(split: Split, file: _File) -> Iterator[list[Any]]:
    record = split.objects[file.row]
    labels, poses = _get_labels(split, file.row), _compute_poses(split, file.row)
    for view in file.views:
        numbers = [f"{value:.9g}" for value in (*labels[view].tolist(), *poses[view].ravel().tolist())]
        yield [file.path, record.id, record.category, view, *numbers]

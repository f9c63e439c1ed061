"""The parts and joints of an object, and where a view has them, for the JSON responses.

In a data set with assemblies, or with the output ``parts``, an object of one piece is one part.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.objects import ObjectPart, ObjectRecord, list_joints
from turntable.errors import IntegrityError
from turntable.service.catalog import CatalogEntry
from turntable.service.output_colors import get_part_color
from turntable.service.overlays import compute_part_overlays
from turntable.service.schemas import JointLine, PartLine, PartOverlay


@dataclass(frozen=True, slots=True, eq=False)
class MovingParts:
    """The K parts of an object and their motion in V views."""

    parts: tuple[ObjectPart, ...]
    part_pose: NDArray[np.float32] | None
    """[V, K, 4, 4] poses in the world; None for an object of one piece, which has that of the object."""
    joint_values: NDArray[np.float32]
    """[V, J] values of the joints."""


def read_assembly(entry: CatalogEntry, split: str, row: int) -> MovingParts | None:
    """Read the parts of an object; None if its data set has no parts.

    Raises:
        IntegrityError: The shard is damaged, or its parts and their poses do not agree.
    """
    manifest, record = entry.dataset.manifest, entry.read_record(split, row)
    if not manifest.max_parts and "parts" not in manifest.outputs:
        return None
    if not record.parts:
        return MovingParts((_make_only_part(record),), None, np.empty((manifest.views, 0), dtype=np.float32))
    num_joints = len(list_joints(record.parts))
    poses, values = entry.read_part_pose(split, row), entry.read_joint_values(split, row)
    values = np.empty((manifest.views, 0), dtype=np.float32) if values is None else values
    if poses is None or (poses.shape[1], values.shape[1]) != (len(record.parts), num_joints):
        raise IntegrityError(
            f"{entry.name}: object {record.key} has {len(record.parts)} parts and {num_joints} joints, but "
            "not as many poses and values in its shard; run turntable verify --deep on the data set"
        )
    return MovingParts(record.parts, poses, values)


def list_part_lines(assembly: MovingParts | None) -> list[PartLine] | None:
    """Return the name, category, color and joint of each part; None if there is no assembly."""
    if assembly is None:
        return None
    return [
        {
            "name": part.name,
            "category": part.category,
            "color": get_part_color(index),
            "joint": _describe_joint(part),
        }
        for index, part in enumerate(assembly.parts)
    ]


def list_part_overlays(
    entry: CatalogEntry, assembly: MovingParts | None, view: int, label: NDArray[np.floating]
) -> list[PartOverlay] | None:
    """Return the lines of each part over the picture of a view; None for an object of one piece.

    Args:
        entry: The data set.
        assembly: The parts.
        view: Number of the view.
        label: [L] values of all columns.
    """
    if assembly is None or assembly.part_pose is None:
        return None
    return compute_part_overlays(entry.dataset.manifest, label, assembly.parts, assembly.part_pose[view])


def _make_only_part(record: ObjectRecord) -> ObjectPart:
    return ObjectPart(record.category, record.category)


def _describe_joint(part: ObjectPart) -> JointLine | None:
    joint = part.joint
    if joint is None:
        return None
    unit = "rad" if joint.kind == "hinge" else "diagonals"
    return {"kind": joint.kind, "unit": unit, "low": joint.low, "high": joint.high}

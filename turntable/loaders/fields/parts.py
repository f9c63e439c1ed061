"""Parts and joints as fields: poses and values in each view, and what an object's record says of them.

Objects have different numbers of parts and joints. Their fields are padded to the largest numbers of the data
set, and ``part_count`` and ``joint_count`` say how many are real. In a data set with assemblies an object of
one piece is one part: its pose is the object's, and its category the object's own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.objects import Joint, ObjectPart
from turntable.loaders.fields.batch_field import DataDescription, FieldScope, SampledViews
from turntable.loaders.fields.field_table import TableProvider

_PartFunction = Callable[[DataDescription, SampledViews], NDArray[Any]]
"""A function that computes the values of a field of parts or joints."""


@dataclass(frozen=True, slots=True)
class _PartField:
    """A field of the parts of objects, or of their joints."""

    name: str
    per: FieldScope
    dtype: str
    width: tuple[int, ...] | None
    """Shape of the value of one part or joint; None if the field has one value for all together."""
    compute: _PartFunction

    @property
    def needs_joints(self) -> bool:
        """True for fields of joints."""
        return self.name.startswith("joint")

    @property
    def axes(self) -> tuple[int | str, ...]:
        """Size of each axis of a value, the first of which is the largest number of parts or joints."""
        return () if self.width is None else ("joints" if self.needs_joints else "parts", *self.width)

    def get_sizes(self, data: DataDescription) -> Mapping[str, int]:
        """Return the largest numbers of parts and joints of an object."""
        return {"parts": data.max_parts, "joints": data.max_joints}

    def find_fault(self, data: DataDescription) -> str | None:
        """Return a message that says why the data lack the field, and what to do; None if they have it."""
        if data.max_joints if self.needs_joints else data.max_parts:
            return None
        recipes = "'articulated'" if self.needs_joints else "'articulated' or 'scenes'"
        if not data.num_views:
            return (
                "views that are rendered during training have no poses of parts; render a data "
                f"set with {recipes}"
            )
        lacking = "joints" if data.max_parts else "parts"
        return f"no object of this data set has {lacking}; render a data set with {recipes}"


class PartProvider(TableProvider):
    """The provider of the poses and categories of parts, and of the values, axes and ranges of joints."""

    def __init__(self) -> None:
        super().__init__(_FIELDS)

    def explain_missing(self, names: Sequence[str], data: DataDescription) -> str:
        """Return one message for all names, with the recipes whose data sets have every one of them."""
        named = [item for item in _FIELDS if item.name in names]
        # What gives an object joints gives it parts too, so the fault of a field of joints covers the others.
        strictest = max(named, key=lambda item: item.needs_joints)
        return f"no {' and no '.join(names)}: {strictest.find_fault(data)}"


def _compute_part_poses(data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
    """Return the poses [B, k, K, 4, 4] of the parts in the world; identities where padded."""
    pose = sampled.labels.pose
    poses = np.empty((*pose.shape[:2], data.max_parts, 4, 4), np.float32)
    poses[:] = np.eye(4, dtype=np.float32)
    for row, stored in enumerate(sampled.part_poses):
        stored_or_own = pose[row, :, None] if stored is None else stored
        poses[row, :, : stored_or_own.shape[1]] = stored_or_own
    return poses


def _compute_joint_values(data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
    """Return the values [B, k, J] of the joints; 0 where padded."""
    values = np.zeros((*sampled.labels.pose.shape[:2], data.max_joints), np.float32)
    for row, stored in enumerate(sampled.joint_values):
        if stored is not None:
            values[row, :, : stored.shape[1]] = stored
    return values


def _count_parts(data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
    del data
    return np.array([max(1, len(parts)) for parts in sampled.parts])


def _find_part_categories(data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
    """Return the indices [B, K] of the parts' categories; -1 where padded."""
    index = {name: position for position, name in enumerate(data.part_categories)}
    rows = (
        [index[part.category] for part in parts] or [index[category]]
        for parts, category in zip(sampled.parts, sampled.categories, strict=True)
    )
    return _pad(rows, (data.max_parts,), -1)


def _count_joints(data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
    del data
    return np.array([len(_list_jointed(parts)) for parts in sampled.parts])


def _compute_of_joints(
    get_value: Callable[[ObjectPart, int], Any],
    width: tuple[int, ...],
    padding: int,
    data: DataDescription,
    sampled: SampledViews,
) -> NDArray[Any]:
    """Return a value [B, J, *width] of each joint, by a function of the part it moves and of its index."""
    rows = ([get_value(part, index) for index, part in _list_jointed(parts)] for parts in sampled.parts)
    return _pad(rows, (data.max_joints, *width), padding)


def _list_jointed(parts: Sequence[ObjectPart]) -> list[tuple[int, ObjectPart]]:
    """Return the parts that have a joint with their indices, in the order of the joints."""
    return [(index, part) for index, part in enumerate(parts) if part.joint is not None]


def _pad(rows: Iterable[list[Any]], shape: tuple[int, ...], padding: int) -> NDArray[Any]:
    """Return lists of numbers as one array [B, *shape], with the padding after the end of each list."""
    padded: list[NDArray[Any]] = []
    for row in rows:
        values = np.full(shape, padding, dtype=np.float64)
        values[: len(row)] = np.array(row, dtype=np.float64).reshape(len(row), *shape[1:])
        padded.append(values)
    return np.stack(padded)


def _get_joint(part: ObjectPart) -> Joint:
    assert part.joint is not None
    return part.joint


def _get_axis(part: ObjectPart, _: int) -> tuple[float, ...]:
    return _get_joint(part).axis


def _get_origin(part: ObjectPart, _: int) -> tuple[float, ...]:
    return _get_joint(part).origin


def _get_range(part: ObjectPart, _: int) -> tuple[float, float]:
    joint = _get_joint(part)
    return joint.low, joint.high


def _get_index(_: ObjectPart, index: int) -> int:
    return index


def _get_parent(part: ObjectPart, _: int) -> int | None:
    return part.parent


def _make_joint_field(
    name: str, dtype: str, width: tuple[int, ...], padding: int, get_value: Callable[[ObjectPart, int], Any]
) -> _PartField:
    return _PartField(name, "object", dtype, width, partial(_compute_of_joints, get_value, width, padding))


_FIELDS: tuple[_PartField, ...] = (
    _PartField("part_pose", "view", "float32", (4, 4), _compute_part_poses),
    _PartField("part_count", "object", "int64", None, _count_parts),
    _PartField("part_category", "object", "int64", (), _find_part_categories),
    _PartField("joint_values", "view", "float32", (), _compute_joint_values),
    _PartField("joint_count", "object", "int64", None, _count_joints),
    _make_joint_field("joint_axis", "float32", (3,), 0, _get_axis),
    _make_joint_field("joint_origin", "float32", (3,), 0, _get_origin),
    _make_joint_field("joint_range", "float32", (2,), 0, _get_range),
    _make_joint_field("joint_part", "int64", (), -1, _get_index),
    _make_joint_field("joint_parent", "int64", (), -1, _get_parent),
)

"""Point clouds as fields: as stored for the object, posed as each view shows it, and with faults."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.objects import get_rest_poses
from turntable.errors import IntegrityError
from turntable.geometry import QuaternionSign
from turntable.loaders.clouds import CorruptedClouds, compute_point_frames, corrupt_clouds
from turntable.loaders.fields.batch_field import (
    ComputedField,
    DataDescription,
    FieldProvider,
    FieldScope,
    SampledViews,
)

FloatArray = NDArray[np.float64]
_PointFunction = Callable[[DataDescription, SampledViews], NDArray[Any]]
"""A function that computes the values of a field of points."""
_POINT_PARTS = "point_parts"
"""Name of the array with the part of each point."""
_POINTS, _REGIONS = "points", "regions"
"""Names of axes whose size the settings decide."""


@dataclass(frozen=True, slots=True)
class _PointField:
    """A field of points."""

    name: str
    per: FieldScope
    dtype: str
    axes: tuple[int | str, ...]
    compute: _PointFunction
    needs_corruption: bool = False
    needs_poses: bool = True
    """True if each point must be posed as a view shows it."""

    def get_shape(self, data: DataDescription) -> tuple[int, ...]:
        """Return the shape of one value."""
        regions = 0 if data.clouds.corruption is None else data.clouds.corruption.regions
        sizes = {_POINTS: data.num_batch_points, _REGIONS: regions}
        return tuple(sizes[axis] if isinstance(axis, str) else axis for axis in self.axes)

    def find_fault(self, data: DataDescription) -> str | None:
        """Return a message that says why the data lack the field, and what to do; None if they have it."""
        if not data.num_points:
            online = "views that are rendered during training have no point clouds; render a data set"
            stored = "this data set has no point clouds; render it"
            return f"{stored if data.num_views else online} with --points 2048"
        asked = data.clouds.num_points or 0
        if asked > data.num_points:
            return (
                f"num_points is {asked}, and the point clouds of this data set have {data.num_points} points;"
                f" give {data.num_points} or less, or render it with --points {asked}"
            )
        if self.needs_poses and data.max_parts and _POINT_PARTS not in data.arrays:
            return (
                "this data set of assemblies was rendered by an earlier version, whose point clouds do not "
                "tell which part each point moves with; render it again, or read object_points, at rest"
            )
        if self.needs_corruption and data.clouds.corruption is None:
            return (
                "point clouds have no faults unless they are asked for; give "
                "BatchConfig(clouds=CloudOptions(corruption=PointCorruption()))"
            )
        return None


class PointProvider(FieldProvider):
    """The provider of ``points``, posed for each view, ``object_points``, as stored, and their labels."""

    def iter_fields(self, data: DataDescription, sign: QuaternionSign) -> Iterator[ComputedField]:
        """Iterate over the fields that the data have: none without point clouds."""
        del sign
        for item in _FIELDS:
            if item.find_fault(data) is None:
                compute = partial(item.compute, data)
                yield ComputedField(item.name, item.per, item.get_shape(data), item.dtype, compute)

    def list_missing(self, data: DataDescription) -> Collection[str]:
        """List the fields that the data do not have."""
        return [item.name for item in _FIELDS if item.find_fault(data) is not None]

    def explain_missing(self, names: Sequence[str], data: DataDescription) -> str:
        """Return a message that says how to get these fields."""
        named: dict[str, list[str]] = {}
        for item in _FIELDS:
            if item.name in names:
                named.setdefault(item.find_fault(data) or "", []).append(item.name)
        return "; ".join(f"no {' and no '.join(lacking)}: {fault}" for fault, lacking in named.items())

    def format_available(self, data: DataDescription) -> str:
        """Return the names of the fields that the data have, as text."""
        return ", ".join(item.name for item in _FIELDS if item.find_fault(data) is None)


def _get_points(data: DataDescription, sampled: SampledViews) -> NDArray[np.float32]:
    """Return the cloud of each view, with its faults if there are any, float32 [B, k, P, 6]."""
    return _pose_clouds(data, sampled) if data.clouds.corruption is None else _corrupt(data, sampled).points


def _pose_clouds(data: DataDescription, sampled: SampledViews) -> NDArray[np.float32]:
    """Return the point cloud of each view: the object's cloud, posed as the view shows the object.

    Returns:
        float32 [B, k, P, 6] in the world's frame: points R (p + t) in diagonals of the bounding box, and
        unit normals R n; a point of a part that moves is where its part is.
    """
    pose = sampled.labels.pose
    posed = np.empty((*pose.shape[:2], data.num_batch_points, 6), np.float32)
    for row, cloud in enumerate(sampled.point_clouds):
        first = cloud[: data.num_batch_points]
        if sampled.part_poses[row] is None:
            _pose_cloud(first, pose[row], out=posed[row])
        else:
            _pose_parts(first, _find_point_motions(row, len(first), sampled), out=posed[row])
    return posed


def _find_point_motions(row: int, num_points: int, sampled: SampledViews) -> FloatArray:
    """Return the motion [k, P, 4, 4] of each point of an assembly, from rest in its frame to the world."""
    poses = sampled.part_poses[row]
    assert poses is not None
    motions = poses.astype(np.float64) @ geometry.invert_pose(get_rest_poses(sampled.parts[row]))
    return motions[:, _get_part_indices(sampled, row, num_points)]


def _pose_cloud(cloud: NDArray[np.float32], poses: FloatArray, out: NDArray[np.float32]) -> None:
    """Write the cloud [P, 6] at poses [k, 4, 4] into an array [k, P, 6]."""
    # Places and normals are rows that turn alike, and so R p is written p R^T for both at once.
    rows = cloud.astype(np.float64).reshape(-1, 3)
    turned = (rows @ poses[:, :3, :3].swapaxes(-1, -2)).reshape(len(poses), len(cloud), 6)
    turned[..., :3] += poses[:, None, :3, 3]
    out[:] = turned


def _pose_parts(cloud: NDArray[np.float32], motions: FloatArray, out: NDArray[np.float32]) -> None:
    """Write the cloud [P, 6], each point moved by its own motion [k, P, 4, 4], into an array [k, P, 6]."""
    halves = cloud.astype(np.float64).reshape(-1, 2, 3)
    turned = halves @ motions[..., :3, :3].swapaxes(-1, -2)
    turned[..., 0, :] += motions[..., :3, 3]
    out[:] = turned.reshape(out.shape)


def _get_part_indices(sampled: SampledViews, row: int, num_points: int) -> NDArray[np.uint8]:
    """Return the part [P] of each point of the object of one sample; 0 for an object of one piece."""
    stored = sampled.point_parts[row]
    first = np.zeros(num_points, np.uint8) if stored is None else stored[:num_points]
    if len(first) < num_points or first.max() >= max(1, len(sampled.parts[row])):
        raise IntegrityError(
            f"the parts of an object's points are not those of its cloud of {num_points} points and its "
            f"{len(sampled.parts[row])} parts; fetch the data set again"
        )
    return first


def _get_object_points(data: DataDescription, sampled: SampledViews) -> NDArray[np.float32]:
    return sampled.point_clouds[:, : data.num_batch_points]


def _get_point_parts(data: DataDescription, sampled: SampledViews) -> NDArray[np.uint8]:
    rows = range(len(sampled.point_clouds))
    return np.stack([_get_part_indices(sampled, row, data.num_batch_points) for row in rows])


def _compute_frames(data: DataDescription, sampled: SampledViews) -> tuple[FloatArray, NDArray[np.bool_]]:
    return sampled.compute_once("frames", lambda: compute_point_frames(_get_points(data, sampled)))


def _get_frames(data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
    return _compute_frames(data, sampled)[0]


def _get_frame_validity(data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
    return _compute_frames(data, sampled)[1]


def _corrupt(data: DataDescription, sampled: SampledViews) -> CorruptedClouds:
    """Return the clouds of views with their faults."""
    corruption, draws = data.clouds.corruption, sampled.draws
    assert corruption is not None
    assert draws is not None
    return sampled.compute_once(
        "faults", lambda: corrupt_clouds(corruption, _pose_clouds(data, sampled), draws)
    )


def _get_fault_label(name: str, data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
    return attrgetter(name)(_corrupt(data, sampled))


def _make_fault_field(name: str, dtype: str, *axes: int | str) -> _PointField:
    return _PointField(name, "view", dtype, axes, partial(_get_fault_label, name), needs_corruption=True)


_FIELDS: tuple[_PointField, ...] = (
    _PointField("points", "view", "float32", (_POINTS, 6), _get_points),
    _PointField("object_points", "object", "float32", (_POINTS, 6), _get_object_points, needs_poses=False),
    _PointField(_POINT_PARTS, "object", "uint8", (_POINTS,), _get_point_parts),
    _PointField("point_frames", "view", "float32", (_POINTS, 3, 3), _get_frames),
    _PointField("point_frame_valid", "view", "uint8", (_POINTS,), _get_frame_validity),
    _make_fault_field("point_displacement", "float32", _POINTS),
    _make_fault_field("point_quality", "float32", _POINTS),
    _make_fault_field("cloud_quality", "float32"),
    _make_fault_field("point_mask", "uint8", _POINTS),
    _make_fault_field("point_outlier", "uint8", _POINTS),
    _make_fault_field("corruption_center", "float32", _REGIONS, 3),
    _make_fault_field("corruption_radius", "float32", _REGIONS),
    _make_fault_field("corruption_amplitude", "float32", _REGIONS),
)

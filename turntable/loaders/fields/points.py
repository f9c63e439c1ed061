"""Point clouds as fields: as stored for the object, posed as each view shows it, and with faults."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.objects import get_rest_poses
from turntable.errors import IntegrityError
from turntable.loaders.clouds import CorruptedClouds, compute_point_frames, draw_corrupted_clouds
from turntable.loaders.fields.batch_field import (
    DataDescription,
    FieldScope,
    SampledViews,
)
from turntable.loaders.fields.field_table import TableProvider

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

    def get_sizes(self, data: DataDescription) -> dict[str, int]:
        """Return the sizes that the settings decide."""
        regions = 0 if data.clouds.corruption is None else data.clouds.corruption.regions
        return {_POINTS: data.num_batch_points, _REGIONS: regions}

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


def compute_view_points(data: DataDescription, sampled: SampledViews) -> NDArray[np.float32]:
    """Return the cloud of each view, with its faults if there are any, float32 [B, k, P, 6]."""
    return (
        _pose_clouds(data, sampled) if data.clouds.corruption is None else _draw_faults(data, sampled).points
    )


def _pose_clouds(data: DataDescription, sampled: SampledViews) -> NDArray[np.float32]:
    """Return the point cloud of each view: the object's cloud, posed as the view shows the object.

    Returns:
        float32 [B, k, P, 6] in the world's frame: points R (p + t) in diagonals of the bounding box, and
        unit normals R n; a point of a part that moves is where its part is.
    """
    poses = sampled.labels.pose
    posed = np.empty((*poses.shape[:2], data.num_batch_points, 6), np.float32)
    for row, cloud in enumerate(_list_object_points(data, sampled)):
        part_poses = sampled.part_poses[row]
        if part_poses is None:
            posed[row] = geometry.move_cloud(cloud, poses[row])
        else:
            to_rest = geometry.invert_pose(get_rest_poses(sampled.parts[row]))
            parts = _get_part_indices(data, sampled, row)
            posed[row] = geometry.move_cloud_parts(cloud, parts, part_poses.astype(np.float64) @ to_rest)
    return posed


def _get_part_indices(data: DataDescription, sampled: SampledViews, row: int) -> NDArray[np.uint8]:
    """Return the part [P] of each point of the object of one sample; 0 for an object of one piece."""
    stored = sampled.point_parts[row] if _POINT_PARTS in data.arrays else None
    if stored is None:
        return np.zeros(data.num_batch_points, np.uint8)
    num_parts = len(sampled.parts[row])
    if len(stored) != data.num_points or stored.max() >= num_parts:
        raise IntegrityError(
            f"the {_POINT_PARTS} of an object are {len(stored)} numbers to {stored.max()}, which are not "
            f"those of a cloud of {data.num_points} points and {num_parts} parts; fetch the data set again"
        )
    return stored[: data.num_batch_points]


def _get_object_points(data: DataDescription, sampled: SampledViews) -> NDArray[np.float32]:
    return np.stack(_list_object_points(data, sampled))


def _list_object_points(data: DataDescription, sampled: SampledViews) -> list[NDArray[np.float32]]:
    return [cloud[: data.num_batch_points] for cloud in sampled.point_clouds]


def _get_point_parts(data: DataDescription, sampled: SampledViews) -> NDArray[np.uint8]:
    rows = range(len(sampled.labels.pose))
    return np.stack([_get_part_indices(data, sampled, row) for row in rows])


def _compute_frames(data: DataDescription, sampled: SampledViews) -> tuple[FloatArray, NDArray[np.bool_]]:
    return sampled.compute_once("frames", lambda: compute_point_frames(compute_view_points(data, sampled)))


def _get_frames(data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
    return _compute_frames(data, sampled)[0]


def _get_frame_validity(data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
    return _compute_frames(data, sampled)[1]


def _draw_faults(data: DataDescription, sampled: SampledViews) -> CorruptedClouds:
    """Return the clouds of views with their faults."""
    corruption, draws = data.clouds.corruption, sampled.draws
    assert corruption is not None
    assert draws is not None
    return sampled.compute_once(
        "faults", lambda: draw_corrupted_clouds(corruption, _pose_clouds(data, sampled), draws)
    )


def _get_fault_label(name: str, data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
    return attrgetter(name)(_draw_faults(data, sampled))


def _make_fault_field(name: str, dtype: str, *axes: int | str) -> _PointField:
    return _PointField(name, "view", dtype, axes, partial(_get_fault_label, name), needs_corruption=True)


_FIELDS: tuple[_PointField, ...] = (
    _PointField("points", "view", "float32", (_POINTS, 6), compute_view_points),
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
POINTS = TableProvider(_FIELDS)
"""The provider of ``points``, posed for each view, ``object_points``, as stored, and their labels."""

"""Scans as fields: the returns of each view, where they move, the boxes of objects and the sensor's pose.

Scans have different numbers of returns, and scenes of boxes. Their fields are padded to the largest numbers
of the data set, or to the number that the loader's settings give, and counts say how many are real.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.geometry import QuaternionSign
from turntable.loaders.clouds import ScanReturns, read_scan
from turntable.loaders.fields.batch_field import (
    BatchField,
    ComputedField,
    DataDescription,
    FieldProvider,
    FieldScope,
    SampledViews,
    StoredField,
)


@dataclass(frozen=True, slots=True)
class _ReturnField:
    """A field of the returns of a view, of which each has a value."""

    name: str
    dtype: str
    width: tuple[int, ...]
    """Shape of the value of one return."""
    take: Callable[[ScanReturns, int], NDArray[Any]]
    """Function of the scan and the number of values."""
    is_cloud: bool = False
    """True for the cloud of the objects' returns, which has the size of clouds."""

    def make_field(self, data: DataDescription, read: Callable[..., ScanReturns]) -> StoredField:
        """Return it as a field of batches."""
        count = data.clouds.num_partial_points if self.is_cloud else _get_num_returns(data)
        take = partial(_take_padded, self.take, count)
        return StoredField(self.name, "view", (count, *self.width), self.dtype, read, take)


@dataclass(frozen=True, slots=True)
class _BoxField:
    """A field of the boxes of a view or of an object."""

    name: str
    per: FieldScope
    dtype: str
    width: tuple[int, ...] | None
    """Shape of the value of one box; None if the field has one value for all together."""
    compute: Callable[[DataDescription, SampledViews], NDArray[Any]]

    def make_field(self, data: DataDescription) -> ComputedField:
        """Return it as a field of batches."""
        shape = () if self.width is None else (data.array_sizes.get("boxes", 0), *self.width)
        return ComputedField(self.name, self.per, shape, self.dtype, partial(self.compute, data))


class ScanProvider(FieldProvider):
    """The provider of scans with flow, instances and objects' clouds, of boxes and the sensor's pose."""

    def iter_fields(self, data: DataDescription, sign: QuaternionSign) -> Iterator[BatchField]:
        """Iterate over the fields that the data have: none without scans."""
        del sign
        if "scan" in data.outputs and data.num_views:
            # One function for all, so that a scan is read once.
            read = partial(read_scan, data.clouds)
            for item in _RETURN_FIELDS:
                yield item.make_field(data, read)
            yield StoredField("scan_count", "view", (), "int64", read, _count_returns)
            count = partial(_count_cloud, data.clouds.num_partial_points)
            yield StoredField("scan_cloud_count", "view", (), "int64", read, count)
        if "boxes" in data.arrays:
            for item in _BOX_FIELDS:
                yield item.make_field(data)
        if "ego_pose" in data.arrays:
            yield ComputedField("ego_pose", "view", (4, 4), "float32", _get_ego_poses)

    def list_missing(self, data: DataDescription) -> Collection[str]:
        """List the fields that the data do not have."""
        has = {item.name for item in self.iter_fields(data, "product")}
        return [name for name in _NAMES if name not in has]

    def explain_missing(self, names: Sequence[str], data: DataDescription) -> str:
        """Return a message that names the recipes whose data sets have these fields."""
        owner = "this data set has" if data.num_views else "views that are rendered during training have"
        listed = f"no {' and no '.join(names)}"
        return f"{listed}: {owner} no scans; render a data set with 'street' or 'scan-objects'"

    def format_available(self, data: DataDescription) -> str:
        """Return the names of the fields that the data have, as text."""
        return ", ".join(item.name for item in self.iter_fields(data, "product"))


def _get_num_returns(data: DataDescription) -> int:
    """Return the number of returns of a scan in batches."""
    largest = data.array_sizes.get("returns", 0)
    return largest if data.clouds.num_returns is None else data.clouds.num_returns


def _take_padded(
    take: Callable[[ScanReturns, int], NDArray[Any]], count: int, scan: ScanReturns
) -> NDArray[Any]:
    return take(scan, count)


def _count_returns(scan: ScanReturns) -> NDArray[Any]:
    return np.asarray(len(scan.returns))


def _count_cloud(num_points: int, scan: ScanReturns) -> NDArray[Any]:
    return np.asarray(min(len(scan.object_returns), num_points))


def _get_boxes(data: DataDescription, sampled: SampledViews) -> NDArray[np.float32]:
    """Return the boxes [B, k, K, 7] in the sensor's frame; 0 where padded."""
    stored = sampled.require_view_arrays("boxes")
    boxes = np.zeros((len(stored), len(stored[0]), data.array_sizes.get("boxes", 0), 7), np.float32)
    for row, values in enumerate(stored):
        boxes[row, :, : values.shape[1]] = values
    return boxes


def _count_boxes(data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
    del data
    return np.array([values.shape[1] for values in sampled.require_view_arrays("boxes")])


def _find_box_categories(data: DataDescription, sampled: SampledViews) -> NDArray[np.int64]:
    """Return the category [B, K] of each box; -1 where padded.

    It is that of the part, or of an object of one piece in a set without assemblies the object's own.
    """
    index = {name: number for number, name in enumerate(data.part_categories or sampled.category_names)}
    categories = np.full((len(sampled.parts), data.array_sizes.get("boxes", 0)), -1, np.int64)
    rows = zip(sampled.parts, sampled.categories, _count_boxes(data, sampled).tolist(), strict=True)
    for row, (parts, category, count) in enumerate(rows):
        names = [part.category for part in parts[:count]] or [category]
        categories[row, :count] = [index[name] for name in names]
    return categories


def _get_ego_poses(sampled: SampledViews) -> NDArray[np.float32]:
    return np.stack(sampled.require_view_arrays("ego_pose"))


_RETURN_FIELDS: tuple[_ReturnField, ...] = (
    _ReturnField("scan", "float32", (4,), ScanReturns.pad_scan),
    _ReturnField("scan_flow", "float32", (3,), ScanReturns.pad_flow),
    _ReturnField("scan_flow_valid", "bool", (), ScanReturns.pad_flow_valid),
    _ReturnField("scan_instance", "int64", (), ScanReturns.pad_instances),
    _ReturnField("scan_cloud", "float32", (4,), ScanReturns.repeat_cloud, is_cloud=True),
)
_BOX_FIELDS: tuple[_BoxField, ...] = (
    _BoxField("boxes", "view", "float32", (7,), _get_boxes),
    _BoxField("box_count", "object", "int64", None, _count_boxes),
    _BoxField("box_category", "object", "int64", (), _find_box_categories),
)
_NAMES = (
    *(item.name for item in _RETURN_FIELDS),
    "scan_count",
    "scan_cloud_count",
    *(item.name for item in _BOX_FIELDS),
    "ego_pose",
)
"""Names of all fields of scans."""

"""Partial clouds as fields: what one view shows of its object, and how the clouds of two views fit."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.geometry import QuaternionSign
from turntable.loaders.clouds import (
    CloudOptions,
    PartialCloud,
    compute_overlap,
    find_overlap_bin,
    read_partial_cloud,
)
from turntable.loaders.fields.batch_field import (
    BatchField,
    ComputedField,
    DataDescription,
    FieldProvider,
    FieldScope,
    SampledViews,
    StoredField,
)

_CLOUD_OUTPUTS = ("mask", "depth")
"""Outputs that every partial cloud is made of."""
_WORLD_NORMALS = "cloud_world_normals"
"""Name of the stored field of which ``cloud_normals`` is computed; batches do not have it."""
_POINTS = "points"
"""Name of the axis of a cloud's points, whose number the settings decide."""


@dataclass(frozen=True, slots=True)
class _ViewField:
    """A field of one view's partial cloud."""

    name: str
    dtype: str
    axes: tuple[int | str, ...]
    take: Callable[[PartialCloud], Any]
    output: str | None = None
    """Output that it needs besides those of every cloud."""


@dataclass(frozen=True, slots=True)
class _DerivedField:
    """A field that is computed from fields of views, and from labels."""

    name: str
    per: FieldScope
    dtype: str
    axes: tuple[int | str, ...]
    compute: Callable[[CloudOptions, SampledViews], NDArray[Any]]
    needs: tuple[str, ...] = ()


class PartialCloudProvider(FieldProvider):
    """The provider of ``cloud``, its normals, coordinates and parts, and of ``transform`` and ``overlap``."""

    def iter_fields(self, data: DataDescription, sign: QuaternionSign) -> Iterator[BatchField]:
        """Iterate over the fields that can be read from the outputs of the views."""
        del sign
        stored = _make_view_fields(data)
        yield from (item for name, item in stored.items() if name != _WORLD_NORMALS)
        for item in _DERIVED_FIELDS:
            if set(item.needs) <= stored.keys():
                compute, needs = (
                    partial(item.compute, data.clouds),
                    tuple(stored[name] for name in item.needs),
                )
                shape = _get_shape(item.axes, data)
                yield ComputedField(item.name, item.per, shape, item.dtype, compute, needs=needs)

    def list_missing(self, data: DataDescription) -> Collection[str]:
        """List the fields whose outputs the data do not have."""
        return [name for name, outputs in _OUTPUTS.items() if _list_lacking(outputs, data)]

    def explain_missing(self, names: Sequence[str], data: DataDescription) -> str:
        """Return a message that says how to render the outputs that these fields need."""
        listed = f"no {' and no '.join(names)}"
        if not data.num_views:
            return (
                f"{listed}: views that are rendered during training have no partial clouds; render a data set"
                " with --outputs rgb,mask,depth,normals"
            )
        lacking = dict.fromkeys(output for name in names for output in _list_lacking(_OUTPUTS[name], data))
        asked = dict.fromkeys(("rgb", *data.outputs, *lacking))
        return (
            f"{listed}: partial clouds are made of the outputs of views, and this data set has no "
            f"{' and no '.join(lacking)}; render it with --outputs {','.join(asked)}"
        )

    def format_available(self, data: DataDescription) -> str:
        """Return the names of the fields that the data have, as text."""
        return ", ".join(name for name, outputs in _OUTPUTS.items() if not _list_lacking(outputs, data))


def _make_view_fields(data: DataDescription) -> Mapping[str, StoredField]:
    """Return the fields of views that the data have, by name; a view's files are read once for all."""
    read = partial(read_partial_cloud, data.clouds)
    return {
        item.name: StoredField(item.name, "view", _get_shape(item.axes, data), item.dtype, read, item.take)
        for item in _VIEW_FIELDS
        if not _list_lacking(_list_outputs(item), data)
    }


def _get_shape(axes: Sequence[int | str], data: DataDescription) -> tuple[int, ...]:
    return tuple(data.clouds.num_partial_points if isinstance(axis, str) else axis for axis in axes)


def _list_outputs(item: _ViewField) -> tuple[str, ...]:
    return _CLOUD_OUTPUTS if item.output is None else (*_CLOUD_OUTPUTS, item.output)


def _list_lacking(outputs: Sequence[str], data: DataDescription) -> list[str]:
    """Return the outputs that the data lack; views that are rendered on request have no clouds."""
    return [name for name in outputs if not data.num_views or name not in data.outputs]


def _turn_to_camera(options: CloudOptions, sampled: SampledViews) -> NDArray[Any]:
    """Return the normals [B, k, N, 3] in the cameras' frames."""
    del options
    turn = sampled.labels.world_to_camera[..., :3, :3]
    return sampled.stored[_WORLD_NORMALS] @ turn.swapaxes(-1, -2)


def _compute_transforms(options: CloudOptions, sampled: SampledViews) -> NDArray[np.float64]:
    """Return the motions [B, k - 1, 4, 4] from each next view's camera to that of the view before it.

    They take the object as the next view shows it to the object as the view before it does.
    """
    del options
    to_camera = sampled.labels.object_to_camera
    return to_camera[:, :-1] @ geometry.invert_pose(to_camera[:, 1:])


def _get_overlaps(options: CloudOptions, sampled: SampledViews) -> NDArray[np.float32]:
    """Return the overlap [B, k - 1] of each next view's cloud with that of the view before it."""
    return sampled.compute_once("overlap", partial(_compute_overlaps, options, sampled))


def _get_overlap_bins(options: CloudOptions, sampled: SampledViews) -> NDArray[Any]:
    return find_overlap_bin(_get_overlaps(options, sampled))


def _compute_overlaps(options: CloudOptions, sampled: SampledViews) -> NDArray[np.float32]:
    clouds, counts = sampled.stored["cloud"], sampled.stored["cloud_count"]
    transforms = _compute_transforms(options, sampled)
    overlaps = np.empty(transforms.shape[:2], np.float32)
    for row, step in np.ndindex(*overlaps.shape):
        first, second = (clouds[row, view, : counts[row, view]] for view in (step, step + 1))
        overlaps[row, step] = compute_overlap(first, second, transforms[row, step], options.reach)
    return overlaps


def _pick_output(output: str, cloud: PartialCloud) -> NDArray[Any]:
    return cloud.pick(output)


_VIEW_FIELDS: tuple[_ViewField, ...] = (
    _ViewField("cloud", "float32", (_POINTS, 3), attrgetter("points")),
    _ViewField("cloud_count", "int64", (), attrgetter("count")),
    _ViewField(_WORLD_NORMALS, "float32", (_POINTS, 3), attrgetter("world_normals"), "normals"),
    _ViewField(
        "cloud_coordinates", "float32", (_POINTS, 3), partial(_pick_output, "coordinates"), "coordinates"
    ),
    _ViewField("cloud_parts", "uint8", (_POINTS,), partial(_pick_output, "parts"), "parts"),
)
_DERIVED_FIELDS: tuple[_DerivedField, ...] = (
    _DerivedField("cloud_normals", "view", "float32", (_POINTS, 3), _turn_to_camera, (_WORLD_NORMALS,)),
    _DerivedField("transform", "step", "float32", (4, 4), _compute_transforms),
    _DerivedField("overlap", "step", "float32", (), _get_overlaps, ("cloud", "cloud_count")),
    _DerivedField("overlap_bin", "step", "int64", (), _get_overlap_bins, ("cloud", "cloud_count")),
)
_OUTPUTS_OF_VIEWS = {item.name: _list_outputs(item) for item in _VIEW_FIELDS}
_OUTPUTS: Mapping[str, tuple[str, ...]] = {
    **{name: outputs for name, outputs in _OUTPUTS_OF_VIEWS.items() if name != _WORLD_NORMALS},
    **{
        item.name: tuple(dict.fromkeys(output for name in item.needs for output in _OUTPUTS_OF_VIEWS[name]))
        for item in _DERIVED_FIELDS
    },
}
"""Outputs that each field needs."""

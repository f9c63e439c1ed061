"""Partial clouds as fields: what one view shows of its object, and how the clouds of two views fit."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
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
    SampledViews,
    StoredField,
)

_CLOUD_OUTPUTS = ("mask", "depth")
"""Outputs that every partial cloud is made of."""
_ReadView = Callable[..., PartialCloud]


@dataclass(frozen=True, slots=True)
class _CloudField:
    """A field of one view's partial cloud."""

    name: str
    dtype: str
    width: tuple[int, ...] | None
    """Shape of the value of one point; None if the field has one value for the whole cloud."""
    take: Callable[[PartialCloud], Any]
    output: str = "mask"
    """Output that it needs besides those of every cloud."""

    def make_field(self, data: DataDescription, read: _ReadView, name: str, take: Any) -> StoredField:
        """Return it as a field of batches."""
        shape = () if self.width is None else (data.clouds.num_partial_points, *self.width)
        return StoredField(name, "view", shape, self.dtype, read, take)


class PartialCloudProvider(FieldProvider):
    """The provider of ``cloud``, its normals, coordinates and parts, and of ``transform`` and ``overlap``."""

    def iter_fields(self, data: DataDescription, sign: QuaternionSign) -> Iterator[BatchField]:
        """Iterate over the fields that can be read from the outputs of the views."""
        del sign
        # One function for all, so that a view's files are read once.
        read = partial(read_partial_cloud, data.clouds)
        for item in _FIELDS:
            if not _list_lacking(item.output, data):
                if item.name != "cloud_normals":
                    yield item.make_field(data, read, item.name, item.take)
                else:
                    world = item.make_field(data, read, "cloud_world_normals", item.take)
                    yield ComputedField(
                        item.name, "view", world.shape, world.dtype, _turn_to_camera, needs=(world,)
                    )
        yield ComputedField("transform", "step", (4, 4), "float32", _compute_transforms)
        if not _list_lacking("mask", data):
            needs = tuple(
                item.make_field(data, read, item.name, item.take) for item in _FIELDS if item.name in _PAIR
            )
            for name, dtype, compute in (
                ("overlap", "float32", _get_overlaps),
                ("overlap_bin", "int64", _get_overlap_bins),
            ):
                yield ComputedField(name, "step", (), dtype, partial(compute, data.clouds), needs=needs)

    def list_missing(self, data: DataDescription) -> Collection[str]:
        """List the fields whose outputs the data do not have."""
        return [name for name, output in _OUTPUT_BY_NAME.items() if _list_lacking(output, data)]

    def explain_missing(self, names: Sequence[str], data: DataDescription) -> str:
        """Return a message that says how to render the outputs that these fields need."""
        listed = f"no {' and no '.join(names)}"
        if not data.num_views:
            return (
                f"{listed}: views that are rendered during training have no partial clouds; render a data set"
                " with --outputs rgb,mask,depth,normals"
            )
        lacking = [output for name in names for output in _list_lacking(_OUTPUT_BY_NAME[name], data)]
        asked = dict.fromkeys(("rgb", *data.outputs, *lacking))
        return (
            f"{listed}: partial clouds are made of the outputs of views, and this data set has no "
            f"{' and no '.join(dict.fromkeys(lacking))}; render it with --outputs {','.join(asked)}"
        )

    def format_available(self, data: DataDescription) -> str:
        """Return the names of the fields that the data have, as text."""
        has = [name for name, output in _OUTPUT_BY_NAME.items() if not _list_lacking(output, data)]
        return ", ".join([*has, "transform"])


def _list_lacking(output: str, data: DataDescription) -> list[str]:
    """Return the outputs that a field needs and the data lack; views rendered on request have no clouds."""
    has = data.outputs if data.num_views else ()
    return [name for name in (*_CLOUD_OUTPUTS, output) if name not in has]


def _turn_to_camera(sampled: SampledViews) -> NDArray[Any]:
    """Return the normals [B, k, N, 3] in the cameras' frames."""
    turn = sampled.labels.world_to_camera[..., :3, :3]
    return sampled.stored["cloud_world_normals"] @ turn.swapaxes(-1, -2)


def _compute_transforms(sampled: SampledViews) -> NDArray[np.float64]:
    """Return the motions [B, k - 1, 4, 4] from each next view's camera to that of the view before it.

    They take the object as the next view shows it to the object as the view before it does.
    """
    to_camera = sampled.labels.object_to_camera
    return to_camera[:, :-1] @ geometry.invert_pose(to_camera[:, 1:])


def _get_overlaps(options: CloudOptions, sampled: SampledViews) -> NDArray[Any]:
    """Return the overlap [B, k - 1] of each next view's cloud with that of the view before it."""
    return sampled.compute_once("overlap", lambda: _compute_overlaps(options.reach, sampled))


def _get_overlap_bins(options: CloudOptions, sampled: SampledViews) -> NDArray[Any]:
    return find_overlap_bin(_get_overlaps(options, sampled))


def _compute_overlaps(reach: float, sampled: SampledViews) -> NDArray[np.float32]:
    clouds, counts = sampled.stored["cloud"], sampled.stored["cloud_count"]
    transforms = _compute_transforms(sampled)
    overlaps = np.empty(transforms.shape[:2], np.float32)
    for row, step in np.ndindex(*overlaps.shape):
        first, second = (clouds[row, view, : counts[row, view]] for view in (step, step + 1))
        overlaps[row, step] = compute_overlap(first, second, transforms[row, step], reach)
    return overlaps


def _get_cloud(cloud: PartialCloud) -> NDArray[Any]:
    return cloud.points


def _get_count(cloud: PartialCloud) -> NDArray[Any]:
    return np.asarray(cloud.count)


def _get_world_normals(cloud: PartialCloud) -> NDArray[Any]:
    return cloud.world_normals


def _pick_output(output: str, cloud: PartialCloud) -> NDArray[Any]:
    return cloud.pick(output)


_FIELDS: tuple[_CloudField, ...] = (
    _CloudField("cloud", "float32", (3,), _get_cloud),
    _CloudField("cloud_count", "int64", None, _get_count),
    _CloudField("cloud_normals", "float32", (3,), _get_world_normals, "normals"),
    _CloudField("cloud_coordinates", "float32", (3,), partial(_pick_output, "coordinates"), "coordinates"),
    _CloudField("cloud_parts", "uint8", (), partial(_pick_output, "parts"), "parts"),
)
_PAIR = ("cloud", "cloud_count")
"""Fields of views from which those of pairs are computed."""
_OUTPUT_BY_NAME = {item.name: item.output for item in _FIELDS} | dict.fromkeys(
    ("overlap", "overlap_bin"), "mask"
)
"""Output that each field needs besides those of every cloud."""

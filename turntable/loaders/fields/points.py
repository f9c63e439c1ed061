"""Point clouds as fields: as stored for the object, and posed as each view shows the object."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.geometry import QuaternionSign
from turntable.loaders.fields.batch_field import ComputedField, DataDescription, FieldProvider, SampledViews

_FIELD_NAMES = ("points", "object_points")


class PointProvider(FieldProvider):
    """The provider of ``points``, posed for each view, and ``object_points``, as stored; float32 [P, 6]."""

    def iter_fields(self, data: DataDescription, sign: QuaternionSign) -> Iterator[ComputedField]:
        """Iterate over both fields, if the data have point clouds."""
        del sign
        if data.num_points:
            shape = (data.num_points, 6)
            yield ComputedField("points", "view", shape, "float32", compute_posed_points)
            yield ComputedField("object_points", "object", shape, "float32", _get_object_points)

    def list_missing(self, data: DataDescription) -> Collection[str]:
        """List both fields, if the data have no point clouds."""
        return () if data.num_points else _FIELD_NAMES

    def explain_missing(self, names: Sequence[str], data: DataDescription) -> str:
        """Return a message that says how to render point clouds."""
        if not data.num_views:
            return (
                f"no {' and no '.join(names)}: views that are rendered during training have no point clouds;"
                " render a data set with --points 2048"
            )
        return f"no {' and no '.join(names)}: this data set has no point clouds; render it with --points 2048"

    def format_available(self, data: DataDescription) -> str:
        """Return the names of both fields as text, if the data have point clouds."""
        return ", ".join(_FIELD_NAMES) if data.num_points else ""


def compute_posed_points(sampled: SampledViews) -> NDArray[Any]:
    """Compute the point cloud of each view: the object's cloud, posed as the view shows the object.

    Returns:
        float32 [B, k, P, 6] in the world's frame: points R (p + t) in diagonals of the bounding box, and unit
        normals R n.
    """
    clouds = sampled.point_clouds.astype(np.float64)[:, None]
    pose = sampled.labels.pose
    # Points are rows, so R p is written p R^T. The position is R t.
    transposed_rotation, position = pose[..., :3, :3].swapaxes(-1, -2), pose[..., None, :3, 3]
    posed = np.empty((*pose.shape[:2], *clouds.shape[2:]), np.float32)
    posed[..., :3] = clouds[..., :3] @ transposed_rotation + position
    posed[..., 3:] = clouds[..., 3:] @ transposed_rotation
    return posed


def _get_object_points(sampled: SampledViews) -> NDArray[Any]:
    return sampled.point_clouds

"""Point clouds as fields: the object's own, and the same posed as each view shows it."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.geometry import QuaternionSign
from turntable.loaders.fields.field import ComputedField, FieldProvider, FieldSource, SampledViews

_NAMES = ("points", "object_points")


class PointProvider(FieldProvider):
    """Gives ``points``, posed for each view, and ``object_points``, as stored; float32 [P, 6]."""

    def fields(self, source: FieldSource, sign: QuaternionSign) -> Iterator[ComputedField]:
        """Give both where the data have clouds."""
        del sign
        if source.points:
            shape = (source.points, 6)
            yield ComputedField("points", "view", shape, "float32", posed_points)
            yield ComputedField("object_points", "object", shape, "float32", _object_points)

    def lacking(self, source: FieldSource) -> Collection[str]:
        """Name both where they have none."""
        return () if source.points else _NAMES

    def explain(self, names: Sequence[str], source: FieldSource) -> str:
        """Say how to render clouds."""
        if not source.views:
            return (
                f"no {' and no '.join(names)}: what is rendered beside training has no point clouds; render"
                " a data set with --points 2048"
            )
        return f"no {' and no '.join(names)}: this data set has no point clouds; render it with --points 2048"

    def listing(self, source: FieldSource) -> str:
        """Name both where the data have clouds."""
        return ", ".join(_NAMES) if source.points else ""


def posed_points(sampled: SampledViews) -> NDArray[Any]:
    """Place each object's cloud as its views show it, in the world's frame.

    Returns:
        float32 [B, k, P, 6]: places R (p + t) in diagonals of the bounding box, and unit normals R n.
    """
    clouds = sampled.clouds.astype(np.float64)[:, None]
    pose = sampled.labels.pose
    turned_back, position = pose[..., :3, :3].swapaxes(-1, -2), pose[..., None, :3, 3]
    posed = np.empty((*pose.shape[:2], *clouds.shape[2:]), np.float32)
    posed[..., :3] = clouds[..., :3] @ turned_back + position
    posed[..., 3:] = clouds[..., 3:] @ turned_back
    return posed


def _object_points(sampled: SampledViews) -> NDArray[Any]:
    return sampled.clouds

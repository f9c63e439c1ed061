"""Relations between the views of a sample as fields: the angles between all of their rotations."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.geometry import QuaternionSign, compute_geodesic_angle
from turntable.loaders.fields.batch_field import (
    SAMPLE_VIEWS,
    ComputedField,
    DataDescription,
    FieldProvider,
    SampledViews,
)

VIEW_ANGLES = "view_angles_rad"


class RelationProvider(FieldProvider):
    """The provider of ``view_angles_rad``, float32 [k, k] of each sample."""

    def iter_fields(self, data: DataDescription, sign: QuaternionSign) -> Iterator[ComputedField]:
        """Iterate over the field, which all data have."""
        del data, sign
        shape = (SAMPLE_VIEWS, SAMPLE_VIEWS)
        yield ComputedField(VIEW_ANGLES, "sample", shape, "float32", compute_view_angles, min_views=2)

    def list_missing(self, data: DataDescription) -> Collection[str]:
        """List nothing: all data have rotations."""
        del data
        return ()

    def explain_missing(self, names: Sequence[str], data: DataDescription) -> str:
        """Return a message; no field is ever missing."""
        del data
        return f"no {', '.join(names)}"

    def format_available(self, data: DataDescription) -> str:
        """Return the name of the field."""
        del data
        return VIEW_ANGLES


def compute_view_angles(sampled: SampledViews) -> NDArray[Any]:
    """Compute the angles of the relative rotations ``R_i^T R_j`` between all views of each sample.

    Returns:
        float32 [B, k, k] in radians, from 0 to pi; symmetric, with zeros on the diagonal.
    """
    rotation = sampled.labels.rotation
    angles = compute_geodesic_angle(rotation[:, :, None], rotation[:, None])
    return angles.astype(np.float32)

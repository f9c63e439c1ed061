"""Decoding of a shard's members, each checked by itself against the manifest."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import decode_jpeg
from turntable.datasets.labels import FIRST_ARRAYS, OBJECT_ARRAYS, VIEW_ARRAYS, decode_output
from turntable.datasets.manifest import Manifest
from turntable.errors import IntegrityError


def decode_member(manifest: Manifest, content: str, data: bytes) -> NDArray[Any]:
    """Decode a member of a shard that is neither the labels nor the description of an object.

    Args:
        manifest: Manifest of the data set.
        content: Name of the output, "rgb" among them, or of an array of the object.
        data: Bytes of the member.

    Raises:
        IntegrityError: The member is damaged, or not what the manifest says.
    """
    try:
        if content == "rgb":
            return decode_jpeg(data, size_px=manifest.image_size_px)
        if content not in OBJECT_ARRAYS and content not in VIEW_ARRAYS:
            return decode_output(content, data, manifest.image_size_px)
        return _decode_array(manifest, content, data)
    except ValueError as error:
        raise IntegrityError(str(error)) from None


def _decode_array(manifest: Manifest, content: str, data: bytes) -> NDArray[Any]:
    """Decode an array of an object or a view. Raise ValueError if it is not what the manifest says."""
    array = (OBJECT_ARRAYS | VIEW_ARRAYS)[content].decode(data, manifest.views)
    if content == "points":
        return _check_points(manifest, array)
    if content not in FIRST_ARRAYS and array.dtype.kind == "f" and not np.isfinite(array).all():
        raise IntegrityError("some of its numbers are NaN or infinite")
    return array


def _check_points(manifest: Manifest, points: NDArray[np.float32]) -> NDArray[np.float32]:
    if len(points) != manifest.points:
        raise IntegrityError(f"{len(points)} points, not {manifest.points}")
    if not np.allclose(np.linalg.norm(points[:, 3:], axis=1), 1, atol=1e-3):
        raise IntegrityError("its normals are not of unit length")
    return points

"""Checks of the returns of scans, of boxes and of the sensor's poses by themselves."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import CLUTTER_INSTANCE
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.verification.part_arrays import is_rigid


def find_scan_fault(record: ObjectRecord, scan: NDArray[np.float32]) -> str:
    """Return what is wrong with the returns [N, 8] of a scan; "" if nothing is.

    Args:
        record: Record of the object, with its parts.
        scan: x, y, z, intensity, instance and flow of each return.
    """
    if not np.isfinite(scan).all():
        return "a return is NaN or infinite"
    intensity, instance = scan[:, 3], scan[:, 4]
    if not ((intensity >= 0) & (intensity <= 1)).all():
        return "an intensity leaves [0, 1]"
    count = max(1, len(record.parts))
    unknown = np.setdiff1d(instance, np.arange(CLUTTER_INSTANCE, count))
    if len(unknown):
        return f"a return is of instance {unknown[-1]:g}, and the object has {count} parts, counted from 0"
    return ""


def find_sensor_fault(boxes: NDArray[Any] | None, ego_pose: NDArray[Any] | None) -> str:
    """Return what is wrong with the boxes [V, K, 7] or the sensor's poses [V, 4, 4]; "" if nothing is."""
    if boxes is not None and not (np.isfinite(boxes).all() and (boxes[..., 3:6] >= 0).all()):
        return "a box is NaN or infinite, or has a negative size"
    if ego_pose is not None and not is_rigid(ego_pose.astype(np.float64)):
        return "a pose of the sensor is not a rigid motion"
    return ""

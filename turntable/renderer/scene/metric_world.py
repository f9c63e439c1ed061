"""The world in meters, for what has a true size: its ground is the floor of the pictures.

A point at p in the world is at ``m (p + (0, 0, 1))`` in meters, where m is the recipe's ``meters_per_unit``
and the floor is at z = -1: then the ground is z = 0.
"""

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.scene.scene import FLOOR_Z

Array = NDArray[np.float64]


def to_metric_poses(poses: NDArray[np.floating], meters_per_unit: float) -> Array:
    """Convert poses [..., 4, 4] in the world of pictures to the metric world."""
    metric = poses.astype(np.float64)
    metric[..., :3, 3] = meters_per_unit * (metric[..., :3, 3] - (0.0, 0.0, FLOOR_Z))
    return metric


def to_world_poses(metric: Array, meters_per_unit: float) -> Array:
    """Convert poses [..., 4, 4] in the metric world to the world of pictures."""
    poses = metric.astype(np.float64)
    poses[..., :3, 3] = poses[..., :3, 3] / meters_per_unit + (0.0, 0.0, FLOOR_Z)
    return poses

"""What a scanner meets in one view: the poses of the parts and of the sensor, in meters, as labels have them.

The ground is the floor of the pictures. A point at p in the world is at ``m (p + (0, 0, 1))`` in meters,
where m is the recipe's ``meters_per_unit`` and the floor is at z = -1: then the ground is z = 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.renderer.scene import FLOOR_Z

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ScanFrame:
    """The poses of one view, rounded as they are stored."""

    part_pose: Array
    """[K, 4, 4] poses of the parts in the metric world."""
    ego_pose: Array
    """[4, 4] pose of the sensor in the metric world."""

    @property
    def parts_to_sensor(self) -> Array:
        """Poses [K, 4, 4] of the parts in the sensor's frame, in meters."""
        return geometry.invert_pose(self.ego_pose) @ self.part_pose


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


def compute_point_motions(frame: ScanFrame, following: ScanFrame) -> Array:
    """Return the motions [K + 1, 4, 4] of points from the sensor's frame to its frame in the next view.

    A point p of part k, in the frame of the sensor T, is at ``T'⁻¹ M'ₖ Mₖ⁻¹ T p`` in the next view's.
    The last motion is that of the ground. The inverses are those of the rounded matrices, so that the motion is
    exact for the labels as they are stored.
    """
    still = np.eye(4)[None]
    now, then = (np.concatenate([item.part_pose, still]) for item in (frame, following))
    return np.linalg.inv(following.ego_pose) @ then @ np.linalg.inv(now) @ frame.ego_pose

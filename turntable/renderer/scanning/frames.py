"""The poses of parts and sensor in one view, as labels have them, and how points move to the next view."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable import geometry

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


def compute_point_motions(frame: ScanFrame, following: ScanFrame) -> Array:
    """Return the motions [K + 1, 4, 4] of points from the sensor's frame to its frame in the next view.

    A point p of part k, in the frame of the sensor T, is at ``T'⁻¹ M'ₖ Mₖ⁻¹ T p`` in the next view's.
    The last motion is that of the ground. The inverses are those of the rounded matrices, so that the motion
    is exact for the labels as they are stored.
    """
    still = np.eye(4)[None]
    now, then = (np.concatenate([item.part_pose, still]) for item in (frame, following))
    return np.linalg.inv(following.ego_pose) @ then @ np.linalg.inv(now) @ frame.ego_pose

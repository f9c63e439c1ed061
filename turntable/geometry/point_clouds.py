"""Rigid motions of point clouds, each a row of a place and a unit normal for every point."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def move_cloud(cloud: NDArray[np.floating], motions: FloatArray) -> FloatArray:
    """Return a cloud after each of k motions, [k, P, 6].

    Args:
        cloud: [P, 6] places and normals.
        motions: [k, 4, 4] rigid motions.
    """
    # One product for all motions. Places and normals are rows that turn alike, so R p is written p R^T.
    turns = np.zeros((6, len(motions), 6))
    turns[:3, :, :3] = turns[3:, :, 3:] = motions[:, :3, :3].transpose(2, 0, 1)
    shifts = np.zeros((len(motions), 6))
    shifts[:, :3] = motions[:, :3, 3]
    moved = cloud.astype(np.float64) @ turns.reshape(6, -1)
    moved += shifts.ravel()
    return moved.reshape(len(cloud), len(motions), 6).swapaxes(0, 1)


def move_cloud_parts(
    cloud: NDArray[np.floating], parts: NDArray[np.integer], motions: FloatArray
) -> FloatArray:
    """Return a cloud whose points move with their parts, [k, P, 6].

    Args:
        cloud: [P, 6] places and normals.
        parts: [P] part of each point.
        motions: [k, K, 4, 4] rigid motions of the K parts.
    """
    moved = np.empty((len(motions), *cloud.shape))
    for part in np.unique(parts).tolist():
        is_of_part = parts == part
        moved[:, is_of_part] = move_cloud(cloud[is_of_part], motions[:, part])
    return moved

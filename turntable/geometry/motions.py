"""Rigid motions of SE(3) as 4 x 4 matrices, and the twists that generate them.

Every function is batched over leading axes and computes in float64.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turntable.geometry.rotations import exp_so3, log_so3

FloatArray = NDArray[np.float64]


def pose(rotation: ArrayLike, translation: ArrayLike) -> FloatArray:
    """object_to_world = R @ T(t): the translation acts in the object's frame, as in 3DIEBench-T.

    Args:
        rotation: [..., 3, 3].
        translation: [..., 3] in the object's frame, in bounding-box diagonals.

    Returns:
        [..., 4, 4]; the object's centre lands on R t.
    """
    R = np.asarray(rotation, dtype=np.float64)
    t = np.asarray(translation, dtype=np.float64)
    shape = np.broadcast_shapes(R.shape[:-2], t.shape[:-1])
    matrix = np.zeros((*shape, 4, 4))
    matrix[..., :3, :3] = R
    matrix[..., :3, 3] = (R @ t[..., None])[..., 0]
    matrix[..., 3, 3] = 1
    return matrix


def inverse_pose(matrix: ArrayLike) -> FloatArray:
    """The inverse of rigid motions. [..., 4, 4] to [..., 4, 4]."""
    motion = np.asarray(matrix, dtype=np.float64)
    inverse = np.zeros_like(motion)
    inverse[..., :3, :3] = np.swapaxes(motion[..., :3, :3], -1, -2)
    inverse[..., :3, 3] = -(inverse[..., :3, :3] @ motion[..., :3, 3:])[..., 0]
    inverse[..., 3, 3] = 1
    return inverse


def exp_se3(twist: ArrayLike) -> FloatArray:
    """The rigid motion of a twist that is held for one unit of time.

    Args:
        twist: [..., 6] the rotation vector omega in radians, then v in units of length.

    Returns:
        [..., 4, 4]: the rotation exp(omega), the translation V(omega) v.
    """
    omega, v = np.split(np.asarray(twist, dtype=np.float64), 2, axis=-1)
    half = np.linalg.norm(omega, axis=-1)[..., None] / 2
    # V = 1 + (1 - cos a)/a² [omega] + (a - sin a)/a³ [omega]², applied to v by cross products.
    first, second = np.sinc(half / np.pi) ** 2 / 2, _sine_remainder(2 * half)
    once = np.cross(omega, v)
    matrix = np.zeros((*omega.shape[:-1], 4, 4))
    matrix[..., :3, :3] = exp_so3(omega)
    matrix[..., :3, 3] = v + first * once + second * np.cross(omega, once)
    matrix[..., 3, 3] = 1
    return matrix


def log_se3(matrix: ArrayLike) -> FloatArray:
    """The twist of a rigid motion, its rotation no longer than pi.

    Args:
        matrix: [..., 4, 4].

    Returns:
        [..., 6] the rotation vector omega in radians, then v.
    """
    motion = np.asarray(matrix, dtype=np.float64)
    omega, translation = log_so3(motion[..., :3, :3]), motion[..., :3, 3]
    half = np.linalg.norm(omega, axis=-1)[..., None] / 2
    # V⁻¹ = 1 - [omega]/2 + (1 - h cot h)/a² [omega]², where h = a/2.
    small = half < 1e-3
    safe = np.where(small, 1.0, half)
    second = np.where(small, 1 / 12 + half**2 / 180, (1 - safe / np.tan(safe)) / (4 * safe**2))
    once = np.cross(omega, translation)
    return np.concatenate([omega, translation - once / 2 + second * np.cross(omega, once)], axis=-1)


def _sine_remainder(angle: FloatArray) -> FloatArray:
    """(a - sin a)/a³, by its series where the difference would lose its digits."""
    small = angle < 1e-2
    safe = np.where(small, 1.0, angle)
    return np.where(small, 1 / 6 - angle**2 / 120, (safe - np.sin(safe)) / safe**3)

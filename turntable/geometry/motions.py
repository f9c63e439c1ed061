"""Rigid motions of SE(3) as 4 x 4 matrices, and the twists that generate them.

Every function is batched over leading axes and computes in float64.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turntable.geometry.rotations import exp_so3, log_so3

FloatArray = NDArray[np.float64]


def make_pose(rotation: ArrayLike, translation: ArrayLike) -> FloatArray:
    """Return the poses ``object_to_world = R @ T(t)``.

    The translation acts in the object's frame, before the rotation, as in 3DIEBench-T.

    Args:
        rotation: Rotation matrices, [..., 3, 3].
        translation: Translations in the object's frame, [..., 3], in bounding-box diagonals.

    Returns:
        [..., 4, 4]. The object's center is at R t.
    """
    R = np.asarray(rotation, dtype=np.float64)
    t = np.asarray(translation, dtype=np.float64)
    shape = np.broadcast_shapes(R.shape[:-2], t.shape[:-1])
    matrix = np.zeros((*shape, 4, 4))
    matrix[..., :3, :3] = R
    matrix[..., :3, 3] = (R @ t[..., None])[..., 0]
    matrix[..., 3, 3] = 1
    return matrix


def invert_pose(matrix: ArrayLike) -> FloatArray:
    """Return the inverse of rigid motions, [..., 4, 4] for [..., 4, 4]."""
    motion = np.asarray(matrix, dtype=np.float64)
    inverse = np.zeros_like(motion)
    inverse[..., :3, :3] = np.swapaxes(motion[..., :3, :3], -1, -2)
    inverse[..., :3, 3] = -(inverse[..., :3, :3] @ motion[..., :3, 3:])[..., 0]
    inverse[..., 3, 3] = 1
    return inverse


def exp_se3(twist: ArrayLike) -> FloatArray:
    """Return the rigid motion of a twist that acts for one unit of time.

    Args:
        twist: Twists, [..., 6]: the rotation vector omega in radians, then v in units of length.

    Returns:
        [..., 4, 4]: the rotation exp(omega) and the translation V(omega) v.
    """
    omega, v = np.split(np.asarray(twist, dtype=np.float64), 2, axis=-1)
    half = np.linalg.norm(omega, axis=-1)[..., None] / 2
    # V = 1 + (1 - cos a)/a² [omega] + (a - sin a)/a³ [omega]², applied to v by cross products.
    first, second = np.sinc(half / np.pi) ** 2 / 2, _compute_sine_remainder(2 * half)
    once = np.cross(omega, v)
    matrix = np.zeros((*omega.shape[:-1], 4, 4))
    matrix[..., :3, :3] = exp_so3(omega)
    matrix[..., :3, 3] = v + first * once + second * np.cross(omega, once)
    matrix[..., 3, 3] = 1
    return matrix


def log_se3(matrix: ArrayLike) -> FloatArray:
    """Return the twist of a rigid motion, with a rotation of at most pi.

    Args:
        matrix: Rigid motions, [..., 4, 4].

    Returns:
        [..., 6]: the rotation vector omega in radians, then v.
    """
    motion = np.asarray(matrix, dtype=np.float64)
    omega, translation = log_so3(motion[..., :3, :3]), motion[..., :3, 3]
    half = np.linalg.norm(omega, axis=-1)[..., None] / 2
    # V⁻¹ = 1 - [omega]/2 + (1 - h cot h)/a² [omega]², where h = a/2. Near 0 the quotient is 0/0, so its
    # Taylor series takes over. np.where evaluates both branches, hence the harmless 1 in `safe`.
    small = half < 1e-3
    safe = np.where(small, 1.0, half)
    second = np.where(small, 1 / 12 + half**2 / 180, (1 - safe / np.tan(safe)) / (4 * safe**2))
    once = np.cross(omega, translation)
    return np.concatenate([omega, translation - once / 2 + second * np.cross(omega, once)], axis=-1)


def move_twist(motion: ArrayLike, twist: ArrayLike) -> FloatArray:
    """Return twists in another frame: the adjoint action of rigid motions.

    A body with the twist ξ in the frame A has the twist Ad(T) ξ in the frame B, where T maps A to B.

    Args:
        motion: Rigid motions T, [..., 4, 4].
        twist: Twists ξ, [..., 6]: omega, then v.

    Returns:
        [..., 6].
    """
    pose, xi = np.asarray(motion, dtype=np.float64), np.asarray(twist, dtype=np.float64)
    turned = pose[..., None, :3, :3] @ xi.reshape(*xi.shape[:-1], 2, 3, 1)
    omega = turned[..., 0, :, 0]
    return np.concatenate([omega, turned[..., 1, :, 0] + np.cross(pose[..., :3, 3], omega)], axis=-1)


def compute_velocities(twist: ArrayLike, places: ArrayLike) -> FloatArray:
    """Return the velocities omega x p + v of points [..., 3] that move with twists [..., 6] of one frame."""
    omega, v = np.split(np.asarray(twist, dtype=np.float64), 2, axis=-1)
    return np.cross(omega, np.asarray(places, dtype=np.float64)) + v


def _compute_sine_remainder(angle: FloatArray) -> FloatArray:
    """Return (a - sin a)/a³.

    Small angles use the Taylor series: there the difference would lose most of its digits.
    """
    small = angle < 1e-2
    safe = np.where(small, 1.0, angle)
    return np.where(small, 1 / 6 - angle**2 / 120, (safe - np.sin(safe)) / safe**3)

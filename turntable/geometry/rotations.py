"""Conversions between rotations: extrinsic x, y, z Euler angles, xyzw quaternions, and matrices R = Rz Ry Rx.

Every function is batched over leading axes and computes in float64. The convention is that of Blender's
'XYZ' Euler order and of scipy's ``Rotation.from_euler("xyz")``. A quaternion and its negative are the same
rotation; each function documents which of the two it returns.
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turntable.choices import check_choice

FloatArray = NDArray[np.float64]
QuaternionSign = Literal["product", "canonical"]


def euler_to_matrix(angles_rad: ArrayLike) -> FloatArray:
    """Convert Euler angles to matrices R = Rz(rz) Ry(ry) Rx(rx).

    Args:
        angles_rad: Extrinsic x, y, z angles in radians, [..., 3].

    Returns:
        [..., 3, 3].
    """
    angles = np.asarray(angles_rad, dtype=np.float64)
    cx, cy, cz = np.moveaxis(np.cos(angles), -1, 0)
    sx, sy, sz = np.moveaxis(np.sin(angles), -1, 0)
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def matrix_to_euler(matrix: ArrayLike) -> FloatArray:
    """Convert rotation matrices to Euler angles.

    At gimbal lock (ry = ±pi/2) the angles are not unique; there rz is 0.

    Args:
        matrix: Rotation matrices, [..., 3, 3].

    Returns:
        [..., 3] in radians: ry within [-pi/2, pi/2], rx and rz within [-pi, pi].
    """
    R = np.asarray(matrix, dtype=np.float64)
    cos_y = np.hypot(R[..., 0, 0], R[..., 1, 0])
    rz = np.where(cos_y > 1e-12, np.arctan2(R[..., 1, 0], R[..., 0, 0]), 0.0)
    # rx comes from Rz^T R rather than from the last row, whose entries vanish near the lock.
    sz, cz = np.sin(rz), np.cos(rz)
    rx = np.arctan2(sz * R[..., 0, 2] - cz * R[..., 1, 2], cz * R[..., 1, 1] - sz * R[..., 0, 1])
    ry = np.arctan2(-R[..., 2, 0], cos_y)
    return np.stack([rx, ry, rz], axis=-1)


def euler_to_quaternion(angles_rad: ArrayLike) -> FloatArray:
    """Convert Euler angles to quaternions, as the product qz qy qx of the three half-angle quaternions.

    The sign is the sign of that product. Within |angle| <= pi/2, the range of 3DIEBench, w is never negative.

    Args:
        angles_rad: Extrinsic x, y, z angles in radians, [..., 3].

    Returns:
        Unit quaternions, [..., 4], xyzw.
    """
    half = np.asarray(angles_rad, dtype=np.float64) / 2
    cx, cy, cz = np.moveaxis(np.cos(half), -1, 0)
    sx, sy, sz = np.moveaxis(np.sin(half), -1, 0)
    x = sx * cy * cz - cx * sy * sz
    y = cx * sy * cz + sx * cy * sz
    z = cx * cy * sz - sx * sy * cz
    w = cx * cy * cz + sx * sy * sz
    return np.stack([x, y, z, w], axis=-1)


def matrix_to_quaternion(matrix: ArrayLike) -> FloatArray:
    """Convert rotation matrices to canonical quaternions (w >= 0).

    There are four equivalent formulas (Shepperd, 1978). Each matrix uses the one with the largest divisor, so
    the result is accurate for every angle.

    Args:
        matrix: Rotation matrices, [..., 3, 3].

    Returns:
        Unit quaternions, [..., 4], xyzw.
    """
    R = np.asarray(matrix, dtype=np.float64)
    xx, yy, zz = R[..., 0, 0], R[..., 1, 1], R[..., 2, 2]
    a, b, c = R[..., 2, 1] - R[..., 1, 2], R[..., 0, 2] - R[..., 2, 0], R[..., 1, 0] - R[..., 0, 1]
    d, e, f = R[..., 1, 0] + R[..., 0, 1], R[..., 0, 2] + R[..., 2, 0], R[..., 2, 1] + R[..., 1, 2]
    # Row i of this symmetric matrix is 4 q_i q: any row is the quaternion up to scale.
    rows = np.stack(
        [
            np.stack([1 + xx - yy - zz, d, e, a], axis=-1),
            np.stack([d, 1 - xx + yy - zz, f, b], axis=-1),
            np.stack([e, f, 1 - xx - yy + zz, c], axis=-1),
            np.stack([a, b, c, 1 + xx + yy + zz], axis=-1),
        ],
        axis=-2,
    )
    best = np.argmax(np.diagonal(rows, axis1=-2, axis2=-1), axis=-1)
    row = np.take_along_axis(rows, best[..., None, None], axis=-2)[..., 0, :]
    return canonicalize_quaternion(row / np.linalg.norm(row, axis=-1, keepdims=True))


def quaternion_to_matrix(quaternion: ArrayLike) -> FloatArray:
    """Convert quaternions to rotation matrices. The quaternions need not have unit length.

    Args:
        quaternion: Non-zero quaternions, [..., 4], xyzw.

    Returns:
        [..., 3, 3].
    """
    q = np.asarray(quaternion, dtype=np.float64)
    x, y, z, w = np.moveaxis(q / np.linalg.norm(q, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def multiply_quaternions(left: ArrayLike, right: ArrayLike) -> FloatArray:
    """Return the Hamilton product, so that matrix(left right) = matrix(left) matrix(right).

    Args:
        left: Quaternions, [..., 4], xyzw.
        right: Quaternions, [..., 4], xyzw.

    Returns:
        [..., 4], xyzw, with the leading axes broadcast.
    """
    x1, y1, z1, w1 = np.moveaxis(np.asarray(left, dtype=np.float64), -1, 0)
    x2, y2, z2, w2 = np.moveaxis(np.asarray(right, dtype=np.float64), -1, 0)
    return np.stack(
        [
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
        ],
        axis=-1,
    )


def conjugate_quaternion(quaternion: ArrayLike) -> FloatArray:
    """Return the conjugate, which is the inverse of a unit quaternion. [..., 4] for [..., 4], xyzw."""
    return np.asarray(quaternion, dtype=np.float64) * np.array([-1.0, -1.0, -1.0, 1.0])


def canonicalize_quaternion(quaternion: ArrayLike) -> FloatArray:
    """Return q or -q, whichever has w >= 0. If w is 0, the first non-zero one of x, y, z is positive.

    Args:
        quaternion: Quaternions, [..., 4], xyzw.

    Returns:
        [..., 4], xyzw.
    """
    q = np.asarray(quaternion, dtype=np.float64)
    x, y, z, w = np.moveaxis(q, -1, 0)
    leading = np.select([w != 0, x != 0, y != 0], [w, x, y], default=z)
    return np.where((leading < 0)[..., None], -q, q)


def compute_relative_rotation(rotation_1: ArrayLike, rotation_2: ArrayLike) -> FloatArray:
    """Compute R1^T R2, which turns view 1 into view 2, in the object's frame (the label of SIE).

    Args:
        rotation_1: Rotation matrices of view 1, [..., 3, 3].
        rotation_2: Rotation matrices of view 2, [..., 3, 3].

    Returns:
        [..., 3, 3].
    """
    R1 = np.asarray(rotation_1, dtype=np.float64)
    return np.swapaxes(R1, -1, -2) @ np.asarray(rotation_2, dtype=np.float64)


def compute_relative_quaternion(
    quaternion_1: ArrayLike, quaternion_2: ArrayLike, sign: QuaternionSign = "product"
) -> FloatArray:
    """Compute the quaternion of R1^T R2 from the quaternions of R1 and R2.

    Args:
        quaternion_1: Unit quaternions of R1, [..., 4], xyzw.
        quaternion_2: Unit quaternions of R2, [..., 4], xyzw.
        sign: The rule for the sign. "product" keeps the sign of conj(q1) q2, as SIE does (in 3DIEBench 4.4 %
            of pairs have w < 0). "canonical" makes w >= 0.

    Returns:
        [..., 4], xyzw.

    Raises:
        InvalidInputError: ``sign`` is neither of the two.
    """
    check_choice("quaternion sign", sign, get_args(QuaternionSign))
    product = multiply_quaternions(conjugate_quaternion(quaternion_1), quaternion_2)
    return canonicalize_quaternion(product) if sign == "canonical" else product


def compute_geodesic_angle(rotation_1: ArrayLike, rotation_2: ArrayLike) -> FloatArray:
    """Compute the angle of R1^T R2, accurate from 0 to pi (an arccos of the trace is not, at either end).

    Args:
        rotation_1: Rotation matrices, [..., 3, 3].
        rotation_2: Rotation matrices, [..., 3, 3].

    Returns:
        [...] radians in [0, pi].
    """
    q = matrix_to_quaternion(compute_relative_rotation(rotation_1, rotation_2))
    return 2 * np.arctan2(np.linalg.norm(q[..., :3], axis=-1), q[..., 3])


def exp_so3(rotation_vector: ArrayLike) -> FloatArray:
    """Return the rotation about a vector by the vector's length (Rodrigues' formula).

    Args:
        rotation_vector: Rotation vectors in radians, [..., 3], of any length.

    Returns:
        [..., 3, 3].
    """
    half = np.asarray(rotation_vector, dtype=np.float64) / 2
    angle = np.linalg.norm(half, axis=-1, keepdims=True)
    return quaternion_to_matrix(np.concatenate([half * np.sinc(angle / np.pi), np.cos(angle)], axis=-1))


def log_so3(rotation: ArrayLike) -> FloatArray:
    """Return the rotation vector of a rotation, of length at most pi.

    At a rotation by exactly pi two vectors are right; one of them is returned.

    Args:
        rotation: Rotation matrices, [..., 3, 3].

    Returns:
        [..., 3] in radians.
    """
    q = matrix_to_quaternion(rotation)
    sine = np.linalg.norm(q[..., :3], axis=-1, keepdims=True)
    half = np.arctan2(sine, q[..., 3:])
    return q[..., :3] * 2 / np.sinc(half / np.pi)


def units_to_quaternion(units: ArrayLike) -> FloatArray:
    """Map three uniform numbers to a rotation that is uniform on SO(3) (Haar measure; Shoemake, 1992).

    Args:
        units: Uniform numbers in [0, 1), [..., 3].

    Returns:
        Unit quaternions, [..., 4], xyzw.
    """
    u, a, b = np.moveaxis(np.asarray(units, dtype=np.float64), -1, 0)
    near, far = np.sqrt(1 - u), np.sqrt(u)
    a, b = 2 * np.pi * a, 2 * np.pi * b
    return np.stack([near * np.sin(a), near * np.cos(a), far * np.sin(b), far * np.cos(b)], axis=-1)


def units_to_direction(units: ArrayLike) -> FloatArray:
    """Map two uniform numbers to a direction that is uniform on the sphere.

    Args:
        units: Uniform numbers in [0, 1), [..., 2]: the height and the turn about z.

    Returns:
        Unit vectors, [..., 3].
    """
    height, turn = np.moveaxis(np.asarray(units, dtype=np.float64), -1, 0)
    z = 2 * height - 1
    radius = np.sqrt(1 - z * z)
    return np.stack([radius * np.cos(2 * np.pi * turn), radius * np.sin(2 * np.pi * turn), z], axis=-1)

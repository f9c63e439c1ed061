"""Rotations, rigid motions and the relative labels they make, in plain numpy: one convention for every room.

Rotations are ``R = Rz Ry Rx`` of extrinsic x, y, z angles in radians; quaternions are xyzw.
"""

from turntable.geometry.motions import exp_se3, inverse_pose, log_se3, pose
from turntable.geometry.relative_labels import (
    FACTOR_DIFFERENCES,
    RELATIVE_LABELS,
    Inverse,
    RelativeLabel,
    relative_label,
)
from turntable.geometry.rotations import (
    QuaternionSign,
    canonical_quaternion,
    euler_to_matrix,
    euler_to_quaternion,
    exp_so3,
    geodesic_angle,
    log_so3,
    matrix_to_euler,
    matrix_to_quaternion,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_to_matrix,
    relative_quaternion,
    relative_rotation,
    uniform_quaternion,
)

__all__ = [
    "FACTOR_DIFFERENCES",
    "RELATIVE_LABELS",
    "Inverse",
    "QuaternionSign",
    "RelativeLabel",
    "canonical_quaternion",
    "euler_to_matrix",
    "euler_to_quaternion",
    "exp_se3",
    "exp_so3",
    "geodesic_angle",
    "inverse_pose",
    "log_se3",
    "log_so3",
    "matrix_to_euler",
    "matrix_to_quaternion",
    "pose",
    "quaternion_conjugate",
    "quaternion_multiply",
    "quaternion_to_matrix",
    "relative_label",
    "relative_quaternion",
    "relative_rotation",
    "uniform_quaternion",
]

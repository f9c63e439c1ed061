"""Rotations, rigid motions, cameras and relative labels in numpy, with one convention for the whole package.

Rotations are ``R = Rz Ry Rx`` of extrinsic x, y, z angles in radians. Quaternions are xyzw.
"""

from turntable.geometry.cameras import (
    compute_allocentric_rotation,
    direction_from_angles,
    look_at_origin,
    place_camera,
)
from turntable.geometry.motions import (
    compute_velocities,
    exp_se3,
    invert_pose,
    log_se3,
    make_pose,
    move_twist,
)
from turntable.geometry.point_clouds import move_cloud, move_cloud_parts
from turntable.geometry.relative_labels import (
    FACTOR_DIFFERENCES,
    RELATIVE_LABELS,
    InverseRule,
    RelativeLabel,
    get_relative_label,
)
from turntable.geometry.rotations import (
    QuaternionSign,
    canonicalize_quaternion,
    compute_geodesic_angle,
    compute_relative_quaternion,
    compute_relative_rotation,
    conjugate_quaternion,
    euler_to_matrix,
    euler_to_quaternion,
    exp_so3,
    log_so3,
    matrix_to_euler,
    matrix_to_quaternion,
    multiply_quaternions,
    quaternion_to_matrix,
    units_to_direction,
    units_to_quaternion,
)

__all__ = [
    "FACTOR_DIFFERENCES",
    "RELATIVE_LABELS",
    "InverseRule",
    "QuaternionSign",
    "RelativeLabel",
    "canonicalize_quaternion",
    "compute_allocentric_rotation",
    "compute_geodesic_angle",
    "compute_relative_quaternion",
    "compute_relative_rotation",
    "compute_velocities",
    "conjugate_quaternion",
    "direction_from_angles",
    "euler_to_matrix",
    "euler_to_quaternion",
    "exp_se3",
    "exp_so3",
    "get_relative_label",
    "invert_pose",
    "log_se3",
    "log_so3",
    "look_at_origin",
    "make_pose",
    "matrix_to_euler",
    "matrix_to_quaternion",
    "move_cloud",
    "move_cloud_parts",
    "move_twist",
    "multiply_quaternions",
    "place_camera",
    "quaternion_to_matrix",
    "units_to_direction",
    "units_to_quaternion",
]

"""Errors of rotations of objects with symmetries, which leave the right rotation known up to a group.

A picture of a cube does not tell which of 24 rotations the cube has. If R is the rotation of an object and S
one of its group, in the object's frame, R S gives the same picture.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turntable.datasets.objects import ObjectSymmetry
from turntable.evaluation.measurement.bootstrap import BootstrapResamples
from turntable.evaluation.measurement.bootstrap_scores import Scores
from turntable.evaluation.measurement.metrics import compute_geodesic_deg
from turntable.geometry import conjugate_quaternion, multiply_quaternions

FloatArray = NDArray[np.float64]


def compute_least_geodesic_deg(
    predicted: ArrayLike, target: ArrayLike, symmetry: ObjectSymmetry | None
) -> FloatArray:
    """Compute the least angle between predicted rotations and the true ones after any symmetry of the object.

    It is exact for finite groups, in closed form for Cinf and Dinf, and 0 for SO3.

    Args:
        predicted: Quaternions xyzw of any length, [N, 4]; zero is not a rotation and counts as 180 degrees
            off, whatever the symmetry.
        target: Quaternions other than zero, [N, 4].
        symmetry: Symmetry of the object, in its frame; None for an object without any.

    Returns:
        Angles in degrees from 0 to 180, [N].
    """
    p, t = np.asarray(predicted, np.float64), np.asarray(target, np.float64)
    is_zero = np.all(p == 0, axis=1)
    if symmetry is None or symmetry.group == "C1":
        return compute_geodesic_deg(p, t)
    if symmetry.group == "SO3":
        return np.where(is_zero, 180.0, 0.0)
    # S p^-1 t turns by the angle from p to t S, so one product for each listed S gives all angles.
    relative = multiply_quaternions(conjugate_quaternion(p), t)
    listed = np.array(symmetry.rotations)
    turns = multiply_quaternions(listed[None], relative[:, None])
    axis = np.zeros(3) if symmetry.axis is None else np.array(symmetry.axis)
    return np.where(is_zero, 180.0, _compute_angles_about(turns, axis).min(axis=1))


def _compute_angles_about(turns: FloatArray, axis: FloatArray) -> FloatArray:
    """Compute the angles that rotations have left after the best turn about an axis.

    After a turn by a about a unit axis n, the scalar part of (v, w) is w cos(a/2) - <v, n> sin(a/2). Its
    greatest magnitude is that of (w, <v, n>), and then the rest of v is left.

    Args:
        turns: Quaternions [..., 4] other than zero.
        axis: Unit axis [3], or zero if no turn is free.
    """
    along = turns[..., :3] @ axis
    across = turns[..., :3] - along[..., None] * axis
    kept = np.hypot(turns[..., 3], along)
    return np.degrees(2 * np.arctan2(np.linalg.norm(across, axis=-1), kept))


def compute_symmetric_scores(
    predicted: ArrayLike,
    target: ArrayLike,
    symmetries: Sequence[ObjectSymmetry | None],
    resamples: BootstrapResamples,
) -> Scores:
    """Compute the metrics of rotations up to the symmetry of each object.

    Args:
        predicted: Quaternions of any length, object by object, P of each, [N * P, 4].
        target: Unit quaternions, [N * P, 4].
        symmetries: Symmetry of each of the N objects; None for one without any.
        resamples: Resamples of the N objects.

    Returns:
        The scores; none if the symmetry of no object is known.
    """
    if not any(symmetries):
        return {}
    shape = (len(symmetries), -1, 4)
    by_object = zip(np.reshape(predicted, shape), np.reshape(target, shape), symmetries, strict=True)
    angles = np.stack([compute_least_geodesic_deg(p, t, symmetry) for p, t, symmetry in by_object])
    return {
        "symmetric_mean_deg": resamples.compute_mean(angles),
        "symmetric_median_deg": resamples.compute_median(angles),
        "symmetric_acc_at_15": resamples.compute_mean(angles <= 15),
    }

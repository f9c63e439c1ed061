"""Measures of predicted densities over rotations, for objects whose rotation is known up to a group.

A density is given by probabilities of the cells around the rotations of a grid, which should have about equal
volumes. Rotations have the volume pi^2 in all (Murphy et al., 2021, "Implicit-PDF"), so that the uniform
density is 1 / pi^2.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turntable.datasets.objects import ObjectSymmetry
from turntable.errors import InvalidInputError
from turntable.evaluation.measurement.symmetry_metrics import compute_least_geodesic_deg
from turntable.geometry import multiply_quaternions

FloatArray = NDArray[np.float64]
_TOLERANCE = 1e-3
"""Largest deviation of a sum of probabilities from 1."""


def compute_density_entropy(probabilities: ArrayLike) -> FloatArray:
    """Compute the differential entropies of densities in nats, [N]: log(pi^2) for a uniform one, and less.

    Args:
        probabilities: Probabilities of the cells of a grid, [N, M].

    Raises:
        InvalidInputError: They are no probabilities.
    """
    p = _check_probabilities(probabilities)
    logs = np.log(np.where(p > 0, p, 1.0))
    return np.log(np.pi**2 / p.shape[1]) - np.sum(p * logs, axis=1)


def compute_expected_error_deg(
    probabilities: ArrayLike, grid: ArrayLike, target: ArrayLike, symmetry: ObjectSymmetry | None
) -> FloatArray:
    """Compute the spread of densities: the mean angle from their rotations to the nearest right one.

    Args:
        probabilities: Probabilities of the cells of the grid, [N, M].
        grid: Rotations of the grid, unit quaternions xyzw, [M, 4].
        target: True rotations, unit quaternions, [N, 4].
        symmetry: Symmetry of the object, in its frame; None for an object without any.

    Returns:
        Angles in degrees, [N].

    Raises:
        InvalidInputError: The probabilities are none, or do not fit the grid.
    """
    p, rotations = _check_probabilities(probabilities), np.asarray(grid, np.float64)
    _check_grid(p, rotations)
    errors = [
        compute_least_geodesic_deg(rotations, np.broadcast_to(item, rotations.shape), symmetry)
        for item in np.asarray(target, np.float64)
    ]
    return np.einsum("nm,nm->n", p, np.array(errors).reshape(p.shape))


def compute_symmetry_recall(
    probabilities: ArrayLike,
    grid: ArrayLike,
    target: ArrayLike,
    symmetry: ObjectSymmetry | None,
    *,
    min_share: float = 0.5,
    within_deg: float = 15.0,
) -> FloatArray:
    """Compute the shares, from 0 to 1, of the right rotations that densities find.

    A right rotation is found if the density near it reaches a share of the greatest density. Turns by
    multiples of 10 degrees stand for all of Cinf and Dinf, and the rotations of the grid for all of SO3.

    Args:
        probabilities: Probabilities of the cells of the grid, [N, M].
        grid: Rotations of the grid, unit quaternions xyzw, [M, 4].
        target: True rotations, unit quaternions, [N, 4].
        symmetry: Symmetry of the object, in its frame; None for an object without any.
        min_share: Share of the greatest density that counts as found.
        within_deg: Angle that counts as near; the nearest rotation of the grid always does.

    Returns:
        Shares, [N].

    Raises:
        InvalidInputError: The probabilities are none, or do not fit the grid.
    """
    p, rotations = _check_probabilities(probabilities), np.asarray(grid, np.float64)
    _check_grid(p, rotations)
    reached = p >= min_share * p.max(axis=1, keepdims=True)
    if symmetry is not None and symmetry.group == "SO3":
        return reached.mean(axis=1)
    group = np.array([[0.0, 0.0, 0.0, 1.0]]) if symmetry is None else symmetry.list_rotations()
    right = multiply_quaternions(np.asarray(target, np.float64)[:, None], group[None])
    cosine = np.cos(np.radians(within_deg) / 2)
    return np.array(
        [_compute_found_share(*item, rotations, cosine) for item in zip(reached, right, strict=True)]
    )


def _compute_found_share(
    reached: NDArray[np.bool_], right: FloatArray, grid: FloatArray, cosine: float
) -> float:
    """Compute the share of right rotations [G, 4] near which one of the grid [M, 4] reaches the density."""
    products = np.abs(right @ grid.T)
    near = products >= np.minimum(cosine, products.max(axis=1, keepdims=True))
    return float((near & reached).any(axis=1).mean())


def _check_probabilities(probabilities: ArrayLike) -> FloatArray:
    p = np.asarray(probabilities, np.float64)
    if p.ndim != 2 or not p.size or not (p >= 0).all() or np.abs(p.sum(axis=1) - 1).max() > _TOLERANCE:
        raise InvalidInputError(
            f"probabilities of shape {p.shape}: give [N, M], none negative, with a sum of 1 in each row"
        )
    return p


def _check_grid(probabilities: FloatArray, grid: FloatArray) -> None:
    if grid.shape != (probabilities.shape[1], 4):
        raise InvalidInputError(
            f"a grid of shape {grid.shape} for {probabilities.shape[1]} probabilities; give a quaternion of "
            "each cell"
        )

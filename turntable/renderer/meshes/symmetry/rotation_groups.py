"""The finite groups of rotations as exact matrices, in any frame."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from turntable.geometry import canonicalize_quaternion, exp_so3, matrix_to_quaternion

FloatArray64 = NDArray[np.float64]
PolyhedralGroup = Literal["T", "O", "I"]

GOLDEN_RATIO = (1 + 5**0.5) / 2


def make_turn(axis: FloatArray64, order: float) -> FloatArray64:
    """Return the turn [3, 3] by a full circle over ``order`` about a unit axis."""
    return exp_so3(axis * (2 * np.pi / order))


def make_cyclic_group(axis: FloatArray64, order: int) -> FloatArray64:
    """Return the turns [order, 3, 3] about a unit axis."""
    return exp_so3(axis * (2 * np.pi * np.arange(order) / order)[:, None])


def make_dihedral_group(axis: FloatArray64, across: FloatArray64, order: int) -> FloatArray64:
    """Return the turns about a unit axis, and each after a half turn about an axis across it."""
    turns = make_cyclic_group(axis, order)
    return np.concatenate([turns, turns @ make_turn(across, 2)])


def make_polyhedral_group(name: PolyhedralGroup) -> FloatArray64:
    """Return the rotations of a tetrahedron, a cube or an icosahedron, [12, 24 or 60, 3, 3].

    Half turns about x, y and z and third turns about the diagonals of the cube are in all three. The
    icosahedron has two corners on the plane of x and y, at (0, 1, g) and its like with the golden ratio g.
    """
    diagonal = np.ones(3) / np.sqrt(3)
    generators = [make_turn(np.array([0.0, 0.0, 1.0]), 2), make_turn(diagonal, 3)]
    if name == "O":
        generators.append(make_turn(np.array([0.0, 0.0, 1.0]), 4))
    if name == "I":
        corner = np.array([0.0, 1.0, GOLDEN_RATIO])
        generators.append(make_turn(corner / np.linalg.norm(corner), 5))
    return close_group(np.array(generators), 60)


def close_group(generators: FloatArray64, max_size: int, tolerance: float = 0.14) -> FloatArray64:
    """Return the group [N, 3, 3] that rotations generate, with the identity first.

    Args:
        generators: Rotations [G, 3, 3], which may be off a little.
        max_size: Number of elements at which to stop; the result then has more.
        tolerance: Angle in radians below which two rotations count as one.
    """
    found: list[FloatArray64] = [np.eye(3)]
    queue: list[FloatArray64] = [np.eye(3)]
    limit = 1 + 2 * np.cos(tolerance)
    while queue and len(found) <= max_size:
        element = queue.pop(0)
        for generator in generators:
            product: FloatArray64 = element @ generator
            traces = np.einsum("nij,ij->n", np.array(found), product)
            if traces.max() < limit:
                found.append(product)
                queue.append(product)
    return np.stack(found).astype(np.float64)


def sort_quaternions(rotations: FloatArray64) -> FloatArray64:
    """Return rotations [N, 3, 3] as quaternions [N, 4] with w >= 0, by falling w: the identity first."""
    quaternions = canonicalize_quaternion(np.round(matrix_to_quaternion(rotations), 9) + 0.0)
    keys = np.round(quaternions, 5)
    order = np.lexsort((keys[:, 2], keys[:, 1], keys[:, 0], -keys[:, 3]))
    return quaternions[order]


def make_across(axis: FloatArray64) -> FloatArray64:
    """Return a unit vector across a unit axis."""
    helper = np.eye(3)[np.abs(axis).argmin()]
    across = np.cross(axis, helper)
    return np.asarray(across / np.linalg.norm(across), dtype=np.float64)

"""The exact symmetry of the solids, with which a measurement of their meshes agrees."""

from typing import cast

import numpy as np

from turntable.datasets.objects import ObjectSymmetry, make_object_symmetry
from turntable.renderer.meshes.solids.kinds import (
    MARKED_FACE,
    POLYHEDRA,
    SOLIDS,
    check_instance,
    draw_height,
)
from turntable.renderer.meshes.solids.surfaces import Array
from turntable.renderer.meshes.symmetry import (
    PolyhedralGroup,
    SymmetryFacts,
    make_polyhedral_group,
    make_turn,
    sort_quaternions,
)

_UP = np.array([0.0, 0.0, 1.0])


def get_solid_facts(name: str, instance: int) -> SymmetryFacts:
    """Return the exact symmetry of an instance; of a marked one also that of the solid without its mark.

    Args:
        name: One of ``SOLID_NAMES``.
        instance: Number of the instance, from 0.

    Raises:
        InvalidInputError: There is no such solid, or the instance is negative.
    """
    check_instance(name, instance)
    shape = SOLIDS[name].shape
    whole = _make_whole_symmetry(shape, draw_height(name, instance))
    if name == shape:
        return SymmetryFacts(whole, 0.0, 0.0)
    return SymmetryFacts(_make_marked_symmetry(name, whole), 0.0, 0.0, hidden_symmetry=whole)


def _make_whole_symmetry(shape: str, height: float) -> ObjectSymmetry:
    """Make the record of an unmarked solid's group."""
    group, identity = SOLIDS[shape].group, np.eye(3)[None]
    if shape in POLYHEDRA:
        rotations = make_polyhedral_group(cast("PolyhedralGroup", group))
        return make_object_symmetry(group, sort_quaternions(rotations), None, np.zeros(3), 0.0)
    half_turn = make_turn(np.array([1.0, 0.0, 0.0]), 2)[None]
    rotations = np.concatenate([identity, half_turn]) if group == "Dinf" else identity
    axis = None if group == "SO3" else _UP
    center = _compute_cone_centroid(height) if shape == "cone" else np.zeros(3)
    return make_object_symmetry(group, sort_quaternions(rotations), axis, center, 0.0)


def _compute_cone_centroid(height: float) -> Array:
    """Return the centroid [3] of a cone's surface, which lies on the axis, in diagonals."""
    slant = np.hypot(1.0, height)
    along = (slant * -height / 6 - height / 2) / (slant + 1)
    return along * _UP / np.linalg.norm([2, 2, height])


def _make_marked_symmetry(name: str, whole: ObjectSymmetry) -> ObjectSymmetry:
    """Return the rotations of an unmarked solid that keep its mark."""
    kept = np.eye(3)[None]
    if name == "tetX":
        rotations = make_polyhedral_group("T")
        kept = rotations[np.einsum("nij,j->ni", rotations, MARKED_FACE) @ MARKED_FACE > 2.9]
    center = np.array(whole.center)
    return make_object_symmetry(SOLIDS[name].group, sort_quaternions(kept), None, center, 0.0)

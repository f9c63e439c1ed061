"""Symmetry of meshes: the rotations and reflections that leave a surface as it is."""

from turntable.renderer.meshes.symmetry.measuring import (
    SYMMETRY_TOLERANCE,
    SymmetryFacts,
    describe_measure,
    measure_symmetry,
)
from turntable.renderer.meshes.symmetry.rotation_groups import (
    GOLDEN_RATIO,
    PolyhedralGroup,
    make_polyhedral_group,
    make_turn,
    sort_quaternions,
)

__all__ = [
    "GOLDEN_RATIO",
    "SYMMETRY_TOLERANCE",
    "PolyhedralGroup",
    "SymmetryFacts",
    "describe_measure",
    "make_polyhedral_group",
    "make_turn",
    "measure_symmetry",
    "sort_quaternions",
]

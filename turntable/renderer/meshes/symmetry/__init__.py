"""Symmetry of meshes: the rotations and reflections that leave a surface as it is."""

from turntable.renderer.meshes.symmetry.measuring import (
    SYMMETRY_TOLERANCE,
    SymmetryFacts,
    describe_measure,
    measure_symmetry,
)

__all__ = ["SYMMETRY_TOLERANCE", "SymmetryFacts", "describe_measure", "measure_symmetry"]

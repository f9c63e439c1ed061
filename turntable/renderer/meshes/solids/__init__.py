"""Symmetric solids with their groups of rotations, and marked ones whose mark breaks the symmetry."""

from turntable.renderer.meshes.solids.facts import get_solid_facts
from turntable.renderer.meshes.solids.generation import make_solid_mesh
from turntable.renderer.meshes.solids.kinds import SOLID_NAMES

__all__ = ["SOLID_NAMES", "get_solid_facts", "make_solid_mesh"]

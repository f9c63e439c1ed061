"""Articulated objects of the zoo: families of procedural objects whose parts move on hinges and slides."""

from turntable.renderer.meshes.zoo.articulated.families import FAMILIES
from turntable.renderer.meshes.zoo.articulated.generation import make_articulated_mesh

__all__ = [
    "FAMILIES",
    "make_articulated_mesh",
]

"""The zoo: procedural meshes of everyday objects."""

from turntable.renderer.meshes.zoo.generation import make_zoo_mesh

__all__ = [
    "make_zoo_mesh",
]

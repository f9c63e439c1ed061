"""Everyday objects made by formula."""

from turntable.renderer.meshes.zoo.making import zoo_mesh

__all__ = [
    "zoo_mesh",
]

"""Everyday objects made by formula."""

from turntable.renderer.meshes.zoo.catalogue import CATEGORIES, zoo_mesh

__all__ = ["CATEGORIES", "zoo_mesh"]

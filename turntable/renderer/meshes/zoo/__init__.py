"""Everyday objects made by formula."""

from turntable.renderer.meshes.zoo.making import zoo_mesh
from turntable.renderer.meshes.zoo.table import CATEGORIES

__all__ = ["CATEGORIES", "zoo_mesh"]

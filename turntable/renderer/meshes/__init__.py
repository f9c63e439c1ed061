"""Meshes: their formats, their sources, and the objects that are made by formula."""

from turntable.renderer.meshes.coincident import place_numbers
from turntable.renderer.meshes.limits import Limits
from turntable.renderer.meshes.mesh import (
    FloatArray,
    IntArray,
    Material,
    Mesh,
    Texture,
    bounds,
    centre,
    centred,
    face_normals,
    unit,
)

__all__ = [
    "FloatArray",
    "IntArray",
    "Limits",
    "Material",
    "Mesh",
    "Texture",
    "bounds",
    "centre",
    "centred",
    "face_normals",
    "place_numbers",
    "unit",
]

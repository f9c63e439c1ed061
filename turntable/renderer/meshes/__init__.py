"""Meshes: their formats, their sources, and the objects that are made by formula."""

from turntable.renderer.meshes.coincident import LIT, place_numbers, settled
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
    flat_normals,
    joined,
    unit,
)

__all__ = [
    "LIT",
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
    "flat_normals",
    "joined",
    "place_numbers",
    "settled",
    "unit",
]

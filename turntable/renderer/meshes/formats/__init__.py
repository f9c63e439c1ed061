"""Mesh files by format: OBJ, glTF, PLY, STL and OFF."""

from turntable.renderer.meshes.formats.gltf import load_gltf
from turntable.renderer.meshes.formats.obj import load_obj
from turntable.renderer.meshes.formats.reading import SUFFIXES, load_file

__all__ = [
    "SUFFIXES",
    "load_file",
    "load_gltf",
    "load_obj",
]

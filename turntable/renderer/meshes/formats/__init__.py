"""Readers of mesh files by format: OBJ, glTF, PLY, STL and OFF."""

from turntable.renderer.meshes.formats.gltf import load_gltf
from turntable.renderer.meshes.formats.mesh_files import SUFFIXES, load_mesh_file
from turntable.renderer.meshes.formats.obj import load_obj

__all__ = [
    "SUFFIXES",
    "load_gltf",
    "load_mesh_file",
    "load_obj",
]

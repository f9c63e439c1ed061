"""Readers of mesh files by format: OBJ, glTF, PLY, STL and OFF."""

from turntable.renderer.meshes.formats.colors import (
    MATTE_WHITE,
    linear_to_srgb,
    make_encoded_colors,
    srgb_to_linear,
)
from turntable.renderer.meshes.formats.files import forget_indices
from turntable.renderer.meshes.formats.gltf import load_gltf
from turntable.renderer.meshes.formats.mesh_files import SUFFIXES, load_mesh_file
from turntable.renderer.meshes.formats.obj import load_obj

__all__ = [
    "MATTE_WHITE",
    "SUFFIXES",
    "forget_indices",
    "linear_to_srgb",
    "load_gltf",
    "load_mesh_file",
    "load_obj",
    "make_encoded_colors",
    "srgb_to_linear",
]

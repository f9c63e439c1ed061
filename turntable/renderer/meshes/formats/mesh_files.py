"""Loading of mesh files of any format, chosen by suffix."""

from pathlib import Path

from turntable.renderer.meshes.formats.gltf import load_gltf
from turntable.renderer.meshes.formats.obj import load_obj
from turntable.renderer.meshes.formats.trimesh_files import load_with_trimesh
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Mesh

SUFFIXES = (".obj", ".glb", ".gltf", ".ply", ".stl", ".off")
"""Suffixes of the files that can be loaded, in lower case."""


def load_mesh_file(path: Path, root: Path | None = None, limits: Limits = LIMITS) -> Mesh:
    """Load a mesh file. OBJ and glTF are rotated from y-up to z-up; the other formats are taken as z-up.

    Args:
        path: Path of the mesh file.
        root: Folder that no referenced file may lie outside; the file's own folder by default.
        limits: Limits on what the object's files may ask for.

    Raises:
        MeshError: The file cannot be used.
        MissingExtraError: The format needs trimesh, which is not installed.
    """
    suffix = path.suffix.lower()
    if suffix == ".obj":
        return load_obj(path, root, limits)
    if suffix in (".glb", ".gltf"):
        return load_gltf(path, root, limits)
    return load_with_trimesh(path, root, limits)

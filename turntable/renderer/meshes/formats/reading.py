"""Any mesh file by its suffix."""

from pathlib import Path

from turntable.renderer.meshes.formats.gltf import load_gltf
from turntable.renderer.meshes.formats.obj import load_obj
from turntable.renderer.meshes.formats.trimesh_files import load_with_trimesh
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Mesh

SUFFIXES = (".obj", ".glb", ".gltf", ".ply", ".stl", ".off")


def load_file(path: Path, root: Path | None = None, limits: Limits = LIMITS) -> Mesh:
    """Read a mesh file: OBJ and glTF turned from y-up to z-up, the others as they are.

    Raises:
        MeshError: It cannot be used.
    """
    suffix = path.suffix.lower()
    if suffix == ".obj":
        return load_obj(path, root, limits)
    if suffix in (".glb", ".gltf"):
        return load_gltf(path, root, limits)
    return load_with_trimesh(path, root, limits)

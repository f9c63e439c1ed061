"""Loading of mesh files of any format, chosen by suffix."""

from pathlib import Path

from turntable.renderer.meshes.formats.gltf import load_gltf
from turntable.renderer.meshes.formats.obj import load_obj
from turntable.renderer.meshes.formats.polygon_files import load_off, load_ply, load_stl
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.mesh_suffixes import SUFFIXES
from turntable.renderer.meshes.root_folder import RootFolder

__all__ = ["SUFFIXES", "load_mesh_file"]


def load_mesh_file(
    path: Path,
    root: Path | RootFolder | None = None,
    limits: Limits = LIMITS,
    object_folder: Path | None = None,
    *,
    with_parts: bool = False,
) -> Mesh:
    """Load a mesh file. OBJ and glTF are rotated from y-up to z-up; the other formats are taken as z-up.

    Args:
        path: Path of the mesh file.
        root: Folder that no referenced file may lie outside; the file's own folder by default.
        limits: Limits on what the object's files may ask for.
        object_folder: Folder of the object, if it has one: no file outside it stands in for a missing one.
        with_parts: True for an assembly of what the animations and skins of a glTF file move.

    Raises:
        MeshError: The file cannot be used.
    """
    suffix = path.suffix.lower()
    if suffix == ".obj":
        return load_obj(path, root, limits, object_folder=object_folder)
    if suffix in (".glb", ".gltf"):
        return load_gltf(path, root, limits, object_folder, with_parts=with_parts)
    if suffix == ".ply":
        return load_ply(path, root, limits, object_folder)
    return load_stl(path, root, limits) if suffix == ".stl" else load_off(path, root, limits)

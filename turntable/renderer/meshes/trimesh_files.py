"""PLY, STL and OFF through trimesh, as the meshes this package draws.

Files are read here and given to trimesh as bytes: it opens none by itself.
"""

import io
import logging
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError, MissingExtraError, shown
from turntable.renderer.meshes import colours
from turntable.renderer.meshes.confined import Confined
from turntable.renderer.meshes.headers import check_header
from turntable.renderer.meshes.limits import LIMITS, Limits, refuse
from turntable.renderer.meshes.mesh import Material, Mesh, checked, flat_normals, joined

if TYPE_CHECKING:
    import trimesh

SUFFIXES = (".ply", ".stl", ".off")

# It logs tracebacks over parts of files that it can do without; without a handler they go to the terminal.
logging.getLogger("trimesh").addHandler(logging.NullHandler())


def load_with_trimesh(path: Path, root: Path | None = None, limits: Limits = LIMITS) -> Mesh:
    """Read a mesh file.

    Args:
        path: The file.
        root: The folder it may not leave by a link; its own by default.
        limits: What it may ask for.

    Raises:
        MeshError: It cannot be read, or holds no usable triangles.
        MissingExtraError: trimesh is not installed.
    """
    try:
        import trimesh
    except ImportError as error:
        raise MissingExtraError("trimesh", "render") from error
    files = Confined(root or path.parent, limits)
    data = files.mesh_file(path)
    suffix = path.suffix.lower()
    check_header(data, suffix, path, limits)
    try:
        with warnings.catch_warnings():  # of numbers that overflow: they are checked below
            warnings.simplefilter("ignore")
            scene = trimesh.load_scene(io.BytesIO(data), file_type=suffix[1:], process=False)
            found = [part for part in scene.dump() if isinstance(part, trimesh.Trimesh) and len(part.faces)]
            for part in found:
                _check_corners(part, path)
            parts = [_part(part) for part in found]
    except MeshError:
        raise
    except Exception as error:  # its loaders raise whatever their parsers do
        words = shown(str(error), 200) or type(error).__name__
        raise MeshError(
            f"{path}: cannot be read ({words}); get it again from its source", reason="unreadable"
        ) from error
    if not parts:
        raise MeshError(f"{path}: no faces; leave this object out", reason="no faces")
    return checked(replace(joined(parts), files=tuple(files.files)), str(path))


def _check_corners(part: "trimesh.Trimesh", path: Path) -> None:
    faces = np.asarray(part.faces)
    if faces.min() < 0 or faces.max() >= len(part.vertices):
        refuse(
            f"{path}: a face names a vertex that is not among {len(part.vertices)}; it is cut off", "cut off"
        )


def _part(part: "trimesh.Trimesh") -> Mesh:
    positions = np.asarray(part.vertices, dtype=np.float32)
    triangles = np.asarray(part.faces, dtype=np.int32)
    materials, material_index = _materials(part)
    # trimesh computes normals when asked for any; only those of the file lie in its cache beforehand.
    smooth = "vertex_normals" in part._cache.cache  # pyright: ignore[reportPrivateUsage]
    normals = np.asarray(part.vertex_normals, dtype=np.float32) if smooth else np.zeros_like(positions)
    texcoords = np.zeros((len(positions), 2), dtype=np.float32)
    mesh = Mesh(positions, triangles, normals, texcoords, material_index, materials, smooth)
    return mesh if smooth else flat_normals(mesh)


def _materials(part: "trimesh.Trimesh") -> tuple[tuple[Material, ...], NDArray[np.int32]]:
    """Materials, and the one of each triangle."""
    visual = cast("Any", part.visual)
    if visual.kind in ("vertex", "face"):
        return colours.face_materials(np.asarray(visual.face_colors)[:, :3] / 255)
    return (Material(),), np.zeros(len(part.faces), dtype=np.int32)

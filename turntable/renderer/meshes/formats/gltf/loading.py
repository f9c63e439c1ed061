"""Loading of glTF 2.0 files: the triangle meshes of a scene, at rest.

Skins stand as their joints do, morph targets have their default weights, and animations do not run: they can
tell the rigid parts of an object, and the joints between them. Cameras and lights are not drawn; points and
lines neither, with a warning.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes.formats.files import ObjectFiles
from turntable.renderer.meshes.formats.gltf.extensions import check_extensions
from turntable.renderer.meshes.formats.gltf.file import GltfFile, open_gltf
from turntable.renderer.meshes.formats.gltf.materials import GltfMaterials, GltfTextures
from turntable.renderer.meshes.formats.gltf.motion import find_rigid_parts
from turntable.renderer.meshes.formats.gltf.scene import Part, SceneReader, build_part
from turntable.renderer.meshes.formats.images import TextureLoader, clamp_textures
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import (
    FloatArray,
    Mesh,
    check_mesh,
    compute_diagonal,
    find_far_center,
    join_meshes,
    to_float32_positions,
    with_flat_normals,
    y_up_to_z_up,
)
from turntable.renderer.meshes.mesh_parts import place_parts, separate_parts
from turntable.renderer.meshes.root_folder import RootFolder

Y_UP_TO_Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Rotation [3, 3] of the file's frame to the world's: (x, y, z) becomes (x, -z, y)."""


def load_gltf(
    path: Path,
    root: Path | RootFolder | None = None,
    limits: Limits = LIMITS,
    object_folder: Path | None = None,
    *,
    with_parts: bool = False,
) -> Mesh:
    """Load a .glb or .gltf file.

    Args:
        path: Path of the file.
        root: Folder that no buffer or image may lie outside; the file's own folder by default.
        limits: Limits on what the object's files may ask for.
        object_folder: Folder of the object, if it has one: no file outside it stands in for a missing one.
        with_parts: True for an assembly of what animations and skins move, if they move anything.

    Raises:
        MeshError: The file cannot be read, or has no usable triangles, or no rigid parts where skins bend it.
    """
    file = open_gltf(path, ObjectFiles(root or path.parent, limits, object_folder=object_folder))
    check_extensions(file)
    reader = SceneReader(file)
    parts = _build_parts(file, reader, keeps_skin=with_parts)
    mesh = join_meshes([_to_mesh(part, positions) for part, positions in _iter_float32(parts)])
    if with_parts:
        mesh = _with_rigid_parts(mesh, file, reader, parts)
    log, files = file.object_files.log, tuple(file.object_files.paths_read)
    mesh = clamp_textures(y_up_to_z_up(check_mesh(mesh, str(path))))
    return replace(mesh, warnings=log.warnings, files=files)


def _with_rigid_parts(mesh: Mesh, file: GltfFile, reader: SceneReader, parts: list[Part]) -> Mesh:
    """Return the joined mesh of a scene, y upward, as an assembly of what moves, for which z is upward.

    The mesh stays of one piece if nothing in it moves against the rest.
    """
    check_mesh(mesh, str(file.path))
    found, index = find_rigid_parts(file, reader.tree, parts, compute_diagonal(mesh))
    if not found:
        return mesh
    center = find_far_center(*_join_positions(parts))
    shift = np.zeros(3) if center is None else -Y_UP_TO_Z_UP @ center
    return separate_parts(mesh, index, place_parts(found, Y_UP_TO_Z_UP, 1.0, shift))


def _build_parts(file: GltfFile, reader: SceneReader, *, keeps_skin: bool) -> list[Part]:
    """Build the parts of a file's scene. Parts that cannot be read are left out, with a warning.

    Raises:
        MeshError: No part can be read, or no triangle is finite.
    """
    primitives = reader.list_primitives()
    materials = GltfMaterials(GltfTextures(file, TextureLoader(file.object_files)))
    parts: list[Part] = []
    for primitive in primitives:
        try:
            parts.append(build_part(primitive, materials, keeps_skin=keeps_skin))
        except MeshError as error:
            if error.reason != "unreadable" or (primitive is primitives[-1] and not parts):
                raise
            file.log.add(
                "node-skipped",
                f"a part of the scene cannot be read ({file.describe(error)})",
                "it is left out",
            )
    if not any(len(part.triangles) for part in parts) and any(part.num_infinite for part in parts):
        raise MeshError(
            f"{file.path}: all triangles have corners that are NaN or infinite; export the mesh again or "
            "leave this object out",
            reason="not finite",
        )
    return parts


def _iter_float32(parts: list[Part]) -> Iterator[tuple[Part, FloatArray]]:
    """Yield the parts with their positions [N, 3] in single precision.

    All parts are converted together, since a scene far from the origin is centered as a whole.
    """
    positions = to_float32_positions(*_join_positions(parts))
    start = 0
    for part in parts:
        yield part, positions[start : start + len(part.positions)]
        start += len(part.positions)


def _join_positions(parts: list[Part]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the positions [N, 3] and the triangles [T, 3] of all parts together."""
    starts = np.cumsum([0, *(len(part.positions) for part in parts)])
    triangles = [part.triangles + start for part, start in zip(parts, starts, strict=False)]
    return np.concatenate([part.positions for part in parts]), np.concatenate(triangles)


def _to_mesh(part: Part, positions: FloatArray) -> Mesh:
    """Return a part as a mesh, with flat normals if it has none."""
    mesh = Mesh(
        positions=positions,
        triangles=part.triangles,
        normals=np.zeros_like(positions) if part.normals is None else part.normals,
        texcoords=part.texcoords,
        material_index=np.zeros(len(part.triangles), dtype=np.int32),
        materials=(part.material,),
        colors=part.colors,
        has_normals=part.normals is not None,
    )
    return mesh if mesh.has_normals else with_flat_normals(mesh)

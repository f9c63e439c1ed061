"""The meshes of a scene's objects: fitted to their sizes, and joined to an assembly."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.objects import ObjectPart, to_pose_rows
from turntable.errors import MeshError
from turntable.renderer.meshes.formats import srgb_to_linear
from turntable.renderer.meshes.mesh import Mesh, compute_bounds, compute_diagonal
from turntable.renderer.meshes.mesh_parts import join_parts
from turntable.renderer.meshes.mesh_warnings import MeshWarning
from turntable.renderer.meshes.sources.source import SourceObject

REST_GAP = 0.05
"""Distance between the objects of a scene at rest."""


def as_one_piece(mesh: Mesh) -> Mesh:
    """Return a mesh as an object of one piece; the parts that it may have stay at rest.

    Raises:
        MeshError: All its vertices lie in one point.
    """
    if not compute_diagonal(mesh) > 0:
        raise MeshError("all vertices lie in one point; leave this object out", reason="no extent")
    return replace(mesh, part_index=None, parts=())


def fit_mesh(mesh: Mesh, size: float) -> Mesh:
    """Return a mesh with the center of its bounding box at the origin and a diagonal of ``size``."""
    low, high = (corner.astype(np.float64) for corner in compute_bounds(mesh))
    positions = (mesh.positions - (low + high) / 2) * (size / np.linalg.norm(high - low))
    return replace(mesh, positions=positions.astype(np.float32))


def join_scene(meshes: Sequence[Mesh], objects: Sequence[SourceObject], level: float, scene_id: str) -> Mesh:
    """Join fitted meshes of objects into a scene; at rest they stand in a row.

    Args:
        meshes: Mesh of each object, as ``fit_mesh`` returns it.
        objects: The objects, which become the parts.
        level: Height on which the objects stand.
        scene_id: Id of the scene, for messages.
    """
    places = place_in_row(meshes, level)
    parts = [
        ObjectPart(f"object-{number}", item.category, rest_pose=to_pose_rows(place), object_id=item.id)
        for number, (item, place) in enumerate(zip(objects, places, strict=True))
    ]
    files = tuple(dict.fromkeys(path for mesh in meshes for path in mesh.files))
    return replace(join_parts(unify_colors(meshes), parts, scene_id), files=files)


def place_in_row(meshes: Sequence[Mesh], level: float) -> NDArray[np.float64]:
    """Return the poses [K, 4, 4] of objects that stand side by side along x, on a level, around the origin.

    No face of one coincides with one of another, which would count as one surface.
    """
    boxes = np.array([compute_bounds(mesh) for mesh in meshes], dtype=np.float64)
    ends = np.cumsum(boxes[:, 1, 0] - boxes[:, 0, 0] + REST_GAP)
    poses = np.tile(np.eye(4), (len(meshes), 1, 1))
    poses[:, 0, 3] = ends - REST_GAP - boxes[:, 1, 0] - (ends[-1] - REST_GAP) / 2
    poses[:, 2, 3] = level - boxes[:, 0, 2]
    return poses


def unify_colors(meshes: Sequence[Mesh]) -> list[Mesh]:
    """Return meshes that can be joined: if some have linear colors of vertices, all have.

    Colors of PLY, OBJ and OFF files are sRGB values, and run evenly between the vertices as such. Beside a
    mesh of a glTF file, whose colors are linear, they run evenly in linear light, which a warning says.
    """
    colored = [mesh for mesh in meshes if mesh.colors is not None]
    if all(mesh.has_encoded_colors for mesh in colored):
        return list(meshes)
    return [_to_linear_colors(mesh) if mesh.has_encoded_colors else mesh for mesh in meshes]


def _to_linear_colors(mesh: Mesh) -> Mesh:
    if mesh.colors is None:
        return replace(mesh, has_encoded_colors=False)
    light = srgb_to_linear(mesh.colors[:, :3])
    colors = np.concatenate([light, mesh.colors[:, 3:]], axis=1).astype(np.float32)
    warning = MeshWarning(
        "color-approximated",
        mesh.files[0].name if mesh.files else "",
        "colors of vertices are sRGB values beside an object of the scene whose colors are linear",
        "between the vertices, they run evenly in linear light",
    )
    return replace(mesh, colors=colors, has_encoded_colors=False, warnings=(*mesh.warnings, warning))

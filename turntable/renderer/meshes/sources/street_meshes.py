"""The meshes of a street: objects in true size that head along x, walls and poles, joined to an assembly."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws import StreetComposition
from turntable.datasets.labels import POLE, WALL, Front
from turntable.datasets.objects import ObjectPart, to_pose_rows
from turntable.renderer.meshes.mesh import Material, Mesh, with_flat_normals
from turntable.renderer.meshes.mesh_parts import join_parts
from turntable.renderer.meshes.sources.scene_meshes import place_in_row, unify_colors
from turntable.renderer.meshes.sources.source import SourceObject

Array = NDArray[np.float64]

_LEFT: dict[Front, tuple[float, float]] = {"+x": (0, 1), "-x": (0, -1), "+y": (-1, 0), "-y": (1, 0)}
"""Direction to the left of each front, as x and y."""
_POLE_SIDES = 12
_WALL_MATERIAL = Material("wall", (0.45, 0.42, 0.38), roughness=0.9)
_POLE_MATERIAL = Material("pole", (0.2, 0.22, 0.24), roughness=0.6)


def fit_street_mesh(mesh: Mesh, length: float, front: Front) -> Mesh:
    """Return a mesh turned about the vertical until its front is +x, scaled, and centered by its box.

    Args:
        mesh: Mesh of one piece.
        length: Length of its bounding box along x then, in units of the world.
        front: Direction of its front.
    """
    left = np.array(_LEFT[front], dtype=np.float64)
    turn = np.eye(3)
    turn[0, :2], turn[1, :2] = (left[1], -left[0]), left
    turned = mesh.positions @ turn.T
    used = turned[np.unique(mesh.triangles)]
    low, high = used.min(axis=0), used.max(axis=0)
    positions = (turned - (low + high) / 2) * (length / (high - low)[0])
    return replace(
        mesh, positions=positions.astype(np.float32), normals=(mesh.normals @ turn.T).astype(np.float32)
    )


def join_street(
    meshes: Sequence[Mesh],
    objects: Sequence[SourceObject],
    composition: StreetComposition,
    meters_per_unit: float,
    level: float,
    street_id: str,
) -> Mesh:
    """Join fitted meshes of objects, walls and poles into a street; at rest they stand in a row.

    Args:
        meshes: Mesh of each object, as ``fit_street_mesh`` returns it.
        objects: The objects, which become the first parts.
        composition: Sizes of the walls and poles, which become the others.
        meters_per_unit: Meters of a unit of the world.
        level: Height on which all stand.
        street_id: Id of the street, for messages.
    """
    walls = [_build_wall(*(size / meters_per_unit for size in wall)) for wall in composition.walls]
    poles = [_build_pole(*(size / meters_per_unit for size in pole)) for pole in composition.poles]
    standing = [*meshes, *walls, *poles]
    names = [
        *((f"object-{number}", item.category, item.id) for number, item in enumerate(objects)),
        *((f"{WALL}-{number}", WALL, "") for number in range(len(walls))),
        *((f"{POLE}-{number}", POLE, "") for number in range(len(poles))),
    ]
    parts = [
        ObjectPart(name, category, rest_pose=to_pose_rows(place), object_id=object_id)
        for (name, category, object_id), place in zip(names, place_in_row(standing, level), strict=True)
    ]
    files = tuple(dict.fromkeys(path for mesh in meshes for path in mesh.files))
    return replace(join_parts(unify_colors(standing), parts, street_id), files=files)


def _build_wall(length: float, thickness: float, height: float) -> Mesh:
    x, y = length / 2, thickness / 2
    return _build_prism(np.array([(x, -y), (x, y), (-x, y), (-x, -y)]), height, _WALL_MATERIAL)


def _build_pole(radius: float, height: float) -> Mesh:
    angle = 2 * np.pi * np.arange(_POLE_SIDES) / _POLE_SIDES
    outline = radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return _build_prism(outline, height, _POLE_MATERIAL)


def _build_prism(outline: Array, height: float, material: Material) -> Mesh:
    """Build the prism over a convex counter-clockwise outline [N, 2], centered, with flat faces."""
    count = len(outline)
    ring = np.arange(count)
    following = (ring + 1) % count
    sides = np.concatenate(
        [
            np.stack([ring, following, following + count], -1),
            np.stack([ring, following + count, ring + count], -1),
        ]
    )
    fan = np.stack([np.zeros(count - 2, np.intp), ring[1:-1], ring[2:]], axis=-1)
    triangles = np.concatenate([sides, fan[:, ::-1], fan + count])
    levels = np.repeat([-height / 2, height / 2], count)
    positions = np.concatenate([np.tile(outline, (2, 1)), levels[:, None]], axis=1).astype(np.float32)
    prism = Mesh(
        positions=positions,
        triangles=triangles.astype(np.int32),
        normals=np.zeros_like(positions),
        texcoords=np.zeros((len(positions), 2), np.float32),
        material_index=np.zeros(len(triangles), np.int32),
        materials=(material,),
    )
    return with_flat_normals(prism)

"""Meshes of the solids, made from their names and the numbers of their instances alone."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.mesh import Material, Mesh
from turntable.renderer.meshes.solids.kinds import (
    MARKED_FACE,
    POLYHEDRA,
    SOLIDS,
    check_instance,
    draw_height,
    make_generator,
)
from turntable.renderer.meshes.solids.skins import (
    draw_colors,
    make_cross_material,
    make_plain_material,
    make_spot_material,
)
from turntable.renderer.meshes.solids.surfaces import (
    Array,
    Patch,
    build_cone,
    build_cylinder,
    build_polyhedron,
    build_sphere,
)

_GRID = 2.0**-20
"""Spacing of the grid to which the numbers of a mesh are rounded, so that it is the same everywhere."""


def make_solid_mesh(name: str, instance: int) -> Mesh:
    """Make one instance of a solid. Its bounding box is centered on the origin and has a diagonal of 1.

    Args:
        name: One of ``SOLID_NAMES``.
        instance: Number of the instance, from 0: its color, and the proportions of cones and cylinders.

    Raises:
        InvalidInputError: There is no such solid, or the instance is negative.
    """
    check_instance(name, instance)
    color, mark = draw_colors(make_generator(name, instance))
    height = draw_height(name, instance)
    patches = _build_patches(SOLIDS[name].shape, height)
    materials = [make_plain_material(color)] * len(patches)
    if name == "tetX":
        materials[_find_marked_face(patches)] = make_plain_material(mark)
    elif name == "cylO":
        materials[0] = make_spot_material(color, mark, 1.0, height)
    elif name == "sphereX":
        materials[0] = make_cross_material(color, mark)
    return _join_patches(patches, materials)


def _build_patches(shape: str, height: float) -> list[Patch]:
    """Build the patches of an unmarked solid, in any unit. Round ones have their mark on the first."""
    if shape in POLYHEDRA:
        return build_polyhedron(*POLYHEDRA[shape])
    rounds: dict[str, Callable[[], list[Patch]]] = {
        "cone": partial(build_cone, 1.0, height),
        "cylinder": partial(build_cylinder, 1.0, height),
        "sphere": partial(build_sphere, 1.0),
    }
    return rounds[shape]()


def _find_marked_face(patches: Sequence[Patch]) -> int:
    return int(np.argmax([patch.normals[0] @ MARKED_FACE for patch in patches]))


def _join_patches(patches: Sequence[Patch], materials: Sequence[Material]) -> Mesh:
    positions = np.concatenate([patch.positions for patch in patches])
    positions = positions / np.linalg.norm(np.ptp(positions, axis=0))
    starts = np.cumsum([0, *(len(patch.positions) for patch in patches)])
    triangles = [patch.triangles + start for patch, start in zip(patches, starts, strict=False)]
    distinct = list({id(material): material for material in materials}.values())
    index = [distinct.index(material) for material in materials]  # materials are equal only to themselves
    return Mesh(
        positions=_round_to_grid(positions),
        triangles=np.concatenate(triangles).astype(np.int32),
        normals=_round_to_grid(np.concatenate([patch.normals for patch in patches])),
        texcoords=_round_to_grid(np.concatenate([patch.texcoords for patch in patches])),
        material_index=np.repeat(index, [len(patch.triangles) for patch in patches]).astype(np.int32),
        materials=tuple(distinct),
    )


def _round_to_grid(values: Array) -> NDArray[np.float32]:
    return (np.rint(values / _GRID) * _GRID).astype(np.float32)

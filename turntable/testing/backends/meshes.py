"""Small test meshes, whose outlines and surfaces can be computed without a renderer."""

from dataclasses import replace
from typing import Any

import numpy as np

from turntable.renderer.meshes import Material, Mesh, join_meshes, with_flat_normals

Triple = tuple[float, float, float]

# Vertices in counter-clockwise order, as seen from outside.
BOX_FACES = [
    *[(0, 2, 3), (0, 3, 1), (4, 5, 7), (4, 7, 6)],
    *[(0, 1, 5), (0, 5, 4), (2, 6, 7), (2, 7, 3)],
    *[(0, 4, 6), (0, 6, 2), (1, 3, 7), (1, 7, 5)],
]


def make_box(size: Triple = (1.0, 1.0, 1.0), center: Triple = (0.0, 0.0, 0.0), **material: Any) -> Mesh:
    """Return a box with flat normals.

    Args:
        size: Lengths along x, y and z.
        center: Center of the box.
        **material: Fields of its ``Material``.
    """
    corners = np.array([[x, y, z] for z in (-0.5, 0.5) for y in (-0.5, 0.5) for x in (-0.5, 0.5)])
    positions = (corners * size + center).astype(np.float32)
    faces = np.array(BOX_FACES, dtype=np.int32)
    mesh = Mesh(
        positions,
        faces,
        np.zeros_like(positions),
        np.zeros((8, 2), np.float32),
        np.zeros(len(faces), np.int32),
        (Material(**material),),
    )
    return with_flat_normals(mesh)


def make_corner() -> Mesh:
    """Return three bars of different lengths that meet in a corner, an object without any symmetry."""
    return join_meshes(
        [
            make_box((0.6, 0.1, 0.1), (0.3, 0, 0), base_color=(0.8, 0.1, 0.1)),
            make_box((0.1, 0.4, 0.1), (0, 0.2, 0), base_color=(0.1, 0.8, 0.1)),
            make_box((0.1, 0.1, 0.25), (0, 0, 0.125), base_color=(0.1, 0.1, 0.8)),
        ]
    )


def with_doubled_faces(mesh: Mesh, **material: Any) -> Mesh:
    """Return a mesh with a copy of every face, turned inside out, with its own vertices and materials.

    Args:
        mesh: The mesh.
        **material: Fields of the ``Material`` of the copies that differ from the original.
    """
    other = replace(
        mesh,
        triangles=mesh.triangles[:, ::-1].copy(),
        normals=-mesh.normals,
        materials=tuple(replace(item, **material) for item in mesh.materials),
    )
    return join_meshes([mesh, other])

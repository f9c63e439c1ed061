"""Tests that no object of the zoo is symmetric, so that its pose can be told from its surface."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from turntable.renderer.meshes import Mesh
from turntable.renderer.meshes.zoo import make_zoo_mesh
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.categories import CATEGORIES
from turntable.renderer.meshes.zoo.primitives import box, cylinder
from turntable.renderer.meshes.zoo.skins import make_plain_skin
from turntable.renderer.meshes.zoo.solid import Solid

pytestmark = pytest.mark.slow

Array = NDArray[np.float64]

COLOR_WEIGHT = 0.25
"""A full step of one color channel counts as much as this share of the object's diagonal."""


def _rotations() -> list[Rotation]:
    """The rotations of a cube, and turns about each axis by thirds, fifths, sixths and eighths."""
    cube = [rotation for rotation in Rotation.create_group("O") if rotation.magnitude() > 1e-6]
    turns = [120, 240, 72, 144, 216, 288, 45, 135, 225, 315, 60, 300]
    return cube + [Rotation.from_euler(axis, angle, degrees=True) for axis in "xyz" for angle in turns]


def _samples(mesh: Mesh, count: int, rng: np.random.Generator) -> Array:
    """Points of the surface beside their weighted colors, [count, 6]."""
    corners = mesh.positions.astype(np.float64)[mesh.triangles]
    a, b, c = corners.transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    chosen = rng.choice(len(area), count, p=area / area.sum())
    u, v = rng.random((2, count, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    points = a[chosen] + u * (b - a)[chosen] + v * (c - a)[chosen]
    colors = np.array([material.base_color for material in mesh.materials])[mesh.material_index[chosen]]
    return np.concatenate([points, COLOR_WEIGHT * np.cbrt(colors)], axis=1)


def _chamfer(first: Array, second: Array) -> float:
    there, back = cKDTree(second).query(first)[0], cKDTree(first).query(second)[0]
    return float(there.mean() + back.mean())


def _least_change(mesh: Mesh) -> float:
    """Chamfer distance after the rotation that changes the object least, over that of a mere new sample."""
    rng = np.random.default_rng(0)
    first, second = (_samples(mesh, 1200, rng) for _ in range(2))
    noise = _chamfer(first, second)
    changes = [
        _chamfer(np.concatenate([rotation.apply(first[:, :3]), first[:, 3:]], axis=1), second)
        for rotation in _rotations()
    ]
    return min(changes) / noise


@pytest.mark.parametrize("category", CATEGORIES)
def test_no_rotation_leaves_an_object_as_it_was(category: str) -> None:
    for instance in range(2):
        assert _least_change(make_zoo_mesh(category, instance)) > 1.25, instance


def _made_of(*solids: Solid) -> Mesh:
    return Assembly().add(make_plain_skin((0.6, 0.4, 0.2)), *solids).build_mesh()


def test_the_measure_finds_the_half_turn_of_a_plain_table() -> None:
    legs = [box(0.1, 0.1, 0.7).translate(x, y, -0.35) for x in (-0.7, 0.7) for y in (-0.4, 0.4)]
    assert _least_change(_made_of(box(1.6, 1.0, 0.1), *legs)) < 1.1


def test_the_measure_finds_the_third_of_a_turn_of_a_stool() -> None:
    legs = [
        cylinder(0.05, 0.8, 12).translate(0.3).rotate(z=120.0 * number).translate(z=-0.4)
        for number in range(3)
    ]
    stool = _made_of(cylinder(0.4, 0.1, 36), *legs)
    # About the middle of the bounding box it is not quite one: the box is no triangle.
    assert _least_change(_centered_on_the_axis(stool)) < 1.1


def _centered_on_the_axis(mesh: Mesh) -> Mesh:
    """Shift the seat's middle, the highest points' mean, onto the z axis."""
    top = mesh.positions[mesh.positions[:, 2] > mesh.positions[:, 2].max() - 1e-4]
    return replace(mesh, positions=mesh.positions - top.mean(axis=0) * (1, 1, 0))

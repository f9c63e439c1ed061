"""Tests that every object of the zoo is a sound mesh, reproducible, and different from the others."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from turntable.errors import InvalidInputError
from turntable.renderer.meshes import Mesh
from turntable.renderer.meshes.zoo import make_zoo_mesh
from turntable.renderer.meshes.zoo.categories import CATEGORIES

INSTANCES = range(3)

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def corners_of(mesh: Mesh) -> Array:
    return mesh.positions.astype(np.float64)[mesh.triangles]


def face_normals(corners: Array) -> tuple[Array, Array]:
    """Unit normals [T, 3] and areas [T]."""
    a, b, c = corners.transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1)
    return normal / length[:, None], length / 2


def same_mesh(first: Mesh, second: Mesh) -> bool:
    return (
        np.array_equal(first.positions, second.positions)
        and np.array_equal(first.triangles, second.triangles)
        and np.array_equal(first.normals, second.normals)
        and np.array_equal(first.texcoords, second.texcoords)
        and [m.base_color for m in first.materials] == [m.base_color for m in second.materials]
    )


def test_the_zoo_has_at_least_twenty_categories_in_order() -> None:
    assert len(CATEGORIES) >= 20
    assert list(CATEGORIES) == sorted(CATEGORIES)


@pytest.mark.parametrize("category", CATEGORIES)
def test_meshes_are_centered_and_of_unit_diagonal(category: str) -> None:
    for instance in INSTANCES:
        positions = make_zoo_mesh(category, instance).positions
        low, high = positions.min(axis=0), positions.max(axis=0)
        np.testing.assert_allclose(low, -high, atol=2e-6)
        assert np.linalg.norm(high - low) == pytest.approx(1, abs=5e-6)


@pytest.mark.parametrize("category", CATEGORIES)
def test_triangles_are_sound_and_agree_with_their_normals(category: str) -> None:
    for instance in INSTANCES:
        mesh = make_zoo_mesh(category, instance)
        assert 500 <= len(mesh.triangles) <= 6000
        assert mesh.has_normals
        assert np.isfinite(mesh.positions).all()
        assert np.isfinite(mesh.texcoords).all()
        normal, area = face_normals(corners_of(mesh))
        assert area.min() > 1e-8
        np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-5)
        assert np.einsum("td,tkd->tk", normal, mesh.normals[mesh.triangles]).min() > 0.3


@pytest.mark.parametrize("category", CATEGORIES)
def test_surfaces_are_closed(category: str) -> None:
    for instance in INSTANCES:
        mesh = make_zoo_mesh(category, instance)
        _, place = np.unique(np.round(mesh.positions, 5), axis=0, return_inverse=True)
        normal, area = face_normals(corners_of(mesh))
        # Gauss: the area vectors of closed surfaces cancel, and the volume within is positive.
        np.testing.assert_allclose((normal * area[:, None]).sum(axis=0), 0, atol=1e-4)
        assert np.sum(corners_of(mesh)[:, 0] * normal * area[:, None]) > 0
        assert place.max() + 1 < mesh.triangles.size


@pytest.mark.slow
@pytest.mark.parametrize("category", CATEGORIES)
def test_no_two_faces_lie_in_each_other(category: str) -> None:
    for instance in INSTANCES:
        overlaps = coincident_faces(make_zoo_mesh(category, instance))
        assert not overlaps, (instance, overlaps[:3])


def test_coincident_faces_are_found() -> None:
    mesh = make_zoo_mesh("laptop", 0)
    face = mesh.triangles[:1]
    doubled = Mesh(
        positions=np.concatenate([mesh.positions, mesh.positions[face[0]] * 1.0]),
        triangles=np.concatenate([mesh.triangles, len(mesh.positions) + np.array([[0, 1, 2]], np.int32)]),
        normals=np.concatenate([mesh.normals, mesh.normals[face[0]]]),
        texcoords=np.concatenate([mesh.texcoords, mesh.texcoords[face[0]]]),
        material_index=np.append(mesh.material_index, np.int32(0)),
        materials=mesh.materials,
    )
    assert coincident_faces(doubled) == [(0, len(mesh.triangles))]


def coincident_faces(mesh: Mesh) -> list[tuple[int, int]]:
    """Pairs of triangles in one plane (to 1e-4) that overlap by more than a sliver."""
    corners = corners_of(mesh)
    normal, area = face_normals(corners)
    axis = np.abs(normal).argmax(axis=1)
    normal = normal * np.sign(np.take_along_axis(normal, axis[:, None], axis=1))
    offset = np.einsum("td,td->t", normal, corners.mean(axis=1))
    key = np.rint(np.column_stack([normal * 300, offset * 3000])).astype(np.int64)
    order = np.lexsort(key.T)
    order = order[area[order] > 2e-7]
    breaks = np.flatnonzero((np.diff(key[order], axis=0) != 0).any(axis=1)) + 1
    pairs: list[tuple[int, int]] = []
    for start, end in pairwise([0, *breaks, len(order)]):
        if end - start < 2:
            continue
        group = np.sort(order[start:end])
        first, second = (group[index] for index in np.triu_indices(len(group), 1))
        flat = corners[:, :, [k for k in range(3) if k != axis[group[0]]]]
        near = np.abs(offset[first] - offset[second]) < 1e-4
        hit = near & overlapping(flat[first], flat[second])
        pairs += [(int(i), int(j)) for i, j in zip(first[hit], second[hit], strict=True)]
    return pairs


def overlapping(first: Array, second: Array) -> NDArray[np.bool_]:
    """Return a mask of plane triangles [P, 3, 2] that overlap: no edge of either separates them (by 2e-4)."""
    hit = np.ones(len(first), dtype=np.bool_)
    for triangles in (first, second):
        for k in range(3):
            edge = triangles[:, (k + 1) % 3] - triangles[:, k]
            across = np.stack([-edge[:, 1], edge[:, 0]], axis=1)
            across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-12)
            a, b = (np.einsum("pvd,pd->pv", points, across) for points in (first, second))
            hit &= np.minimum(a.max(1), b.max(1)) - np.maximum(a.min(1), b.min(1)) > 2e-4
    return hit


@pytest.mark.parametrize("category", CATEGORIES)
def test_materials_are_several_and_in_range(category: str) -> None:
    for instance in INSTANCES:
        mesh = make_zoo_mesh(category, instance)
        assert len(mesh.materials) >= 2
        assert set(mesh.material_index.tolist()) == set(range(len(mesh.materials)))
        for material in mesh.materials:
            assert all(0 < channel < 1 for channel in material.base_color)
            assert 0.4 <= material.specular <= 0.5
            assert 0.5 <= material.roughness <= 0.95


@pytest.mark.parametrize("category", CATEGORIES)
def test_textures_have_a_sensible_scale(category: str) -> None:
    mesh = make_zoo_mesh(category, 1)
    for index, material in enumerate(mesh.materials):
        if material.texture is not None:
            used = mesh.texcoords[mesh.triangles[mesh.material_index == index]].reshape(-1, 2)
            # One repeat is no longer than ten diagonals and no shorter than a hundredth.
            assert 0.1 < np.ptp(used, axis=0).max() < 100


@pytest.mark.parametrize("category", CATEGORIES)
def test_an_object_follows_from_its_category_number_and_seed(category: str) -> None:
    mesh = make_zoo_mesh(category, 5)
    make_zoo_mesh(category, 6)
    assert same_mesh(mesh, make_zoo_mesh(category, 5))
    assert not same_mesh(mesh, make_zoo_mesh(category, 6))
    assert not same_mesh(mesh, make_zoo_mesh(category, 5, seed=1))
    assert same_mesh(make_zoo_mesh(category, 5, seed=1), make_zoo_mesh(category, 5, seed=1))


def test_instances_differ_in_shape_as_well_as_color() -> None:
    for category in CATEGORIES:
        sizes = {tuple(np.round(np.ptp(make_zoo_mesh(category, k).positions, axis=0), 4)) for k in range(4)}
        assert len(sizes) == 4, category


def test_a_mug_points_its_handle_to_minus_x() -> None:
    for instance in range(6):
        mesh = make_zoo_mesh("mug", instance)
        _, area = face_normals(corners_of(mesh))
        middle = np.average(corners_of(mesh).mean(axis=1), axis=0, weights=area)
        assert middle[0] > 0.03
        assert abs(middle[1]) < 0.03


def test_a_laptop_opens_to_the_front_and_an_airplane_carries_its_fin_behind() -> None:
    for category in ("laptop", "airplane"):
        for instance in range(4):
            positions = make_zoo_mesh(category, instance).positions
            assert positions[positions[:, 2].argmax(), 1] < -0.1


def test_an_unknown_category_is_refused_with_the_list_of_the_known() -> None:
    with pytest.raises(
        InvalidInputError, match=r"unknown category of the zoo 'unicorn'; choose one of: airplane, .*mug.*"
    ):
        make_zoo_mesh("unicorn", 0)


def test_a_negative_instance_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="instance -1 of 'mug'"):
        make_zoo_mesh("mug", -1)

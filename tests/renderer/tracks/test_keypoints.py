"""Keypoints: far apart by brute force, on the surface, one on every part, and the same under any law."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from tests.support.assemblies import HingedBoxes
from turntable.datasets import load_recipe
from turntable.errors import MeshError
from turntable.renderer.meshes import (
    Mesh,
    choose_farthest_points,
    compute_center,
    mirror_mesh,
)
from turntable.renderer.meshes.sources import ZooSource
from turntable.renderer.tracks.keypoints import sample_keypoints, sample_object_keypoints

KEYPOINTS = load_recipe("keypoints")


def measure_to_chosen(points: np.ndarray, chosen: list[int]) -> np.ndarray:
    """Distance of each point to the nearest of those chosen; to the origin if none is."""
    places = points[chosen] if chosen else np.zeros((1, 3))
    return np.linalg.norm(points[:, None] - places, axis=-1).min(axis=1)


@pytest.mark.parametrize("num_groups", [1, 3, 9])
def test_each_point_is_the_farthest_that_may_be_chosen(num_groups):
    random = np.random.default_rng(num_groups)
    points = random.normal(size=(200, 3)) * [1, 2, 0.5]
    groups = random.integers(0, num_groups, 200) if num_groups < 9 else np.sort(random.integers(0, 9, 200))
    chosen = choose_farthest_points(points, groups, 40).tolist()
    for number in range(40):
        before = chosen[:number]
        lacking = set(range(num_groups)) - set(groups[before].tolist())
        allowed = [index for index in range(200) if not lacking or groups[index] in lacking]
        distance = measure_to_chosen(points, before)
        assert distance[chosen[number]] == pytest.approx(distance[allowed].max(), rel=1e-12)
    assert len(set(chosen)) == 40
    assert set(groups[chosen[:num_groups]].tolist()) == set(range(num_groups))


def test_the_first_of_equally_distant_points_is_taken():
    corners = np.array([[x, y, z] for x in (-1.0, 1) for y in (-1.0, 1) for z in (-1.0, 1)])
    assert choose_farthest_points(corners, np.zeros(8, int), 4).tolist() == [0, 7, 1, 2]


def measure_to_surface(corners: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Distance of each place to the nearest plane of triangles [T, 3, 3] within which it lies."""
    first, edges = (
        corners[:, 0],
        np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], axis=-1),
    )
    away = places[:, None] - first
    weights = np.einsum("tij,ptj->pti", np.linalg.pinv(edges), away)
    inside = (weights > -0.01).all(axis=-1) & (weights.sum(axis=-1) < 1.01)
    distance = np.linalg.norm(away - np.einsum("tij,ptj->pti", edges, weights), axis=-1)
    return np.where(inside, distance, 9).min(axis=1)


def get_corners(mesh: Mesh) -> np.ndarray:
    return (mesh.positions.astype(float) - compute_center(mesh))[mesh.triangles]


@pytest.mark.parametrize("category", ["mug", "airplane"])
def test_keypoints_lie_on_the_surface_and_are_spread_over_it(category):
    name = f"{category}/000000"
    mesh = ZooSource(1, (category,)).load(name)
    sampled = sample_keypoints(mesh, 16, name)
    assert (sampled.places * 2**20 == np.rint(sampled.places * 2**20)).all()
    assert not sampled.parts.any()
    assert measure_to_surface(get_corners(mesh), sampled.places).max() < 2e-6
    gaps = np.linalg.norm(sampled.places[:, None] - sampled.places, axis=-1) + 9 * np.eye(16)
    # No point of the surface is much farther from the keypoints than these are from one another.
    surface = trimesh.sample.sample_surface(
        trimesh.Trimesh(**trimesh.triangles.to_kwargs(get_corners(mesh))), 2000, seed=0
    )[0]
    assert (
        measure_to_chosen(np.concatenate([sampled.places, surface]), list(range(16))).max() < 1.1 * gaps.min()
    )
    more = sample_keypoints(mesh, 40, name)
    assert (more.places[:16] == sampled.places).all()


def test_every_part_has_a_keypoint_and_it_lies_on_that_part():
    mesh = HingedBoxes(4).load("boxes/003")
    for count in (4, 20):
        sampled = sample_keypoints(mesh, count, "boxes/003")
        assert set(sampled.parts.tolist()) == {0, 1, 2, 3}
        for part in range(4):
            places, own = sampled.places[sampled.parts == part], get_corners(mesh)[mesh.part_index == part]
            assert measure_to_surface(own, places).max() < 2e-6
    assert len(set(sample_keypoints(mesh, 3, "boxes/003").parts.tolist())) == 3


def test_a_turned_mesh_has_other_keypoints_that_are_as_far_apart():
    """Sampling knows no axes: the least distance between keypoints hardly depends on how it is turned."""
    mesh, least = HingedBoxes(1).load("boxes/000"), []
    for turn in Rotation.random(3, random_state=1).as_matrix():
        turned = replace(mesh, positions=np.float32(mesh.positions @ turn.T), parts=(), part_index=None)
        places = sample_keypoints(turned, 12, "boxes/000").places
        least.append((np.linalg.norm(places[:, None] - places, axis=-1) + np.eye(12)).min())
    assert max(least) < 1.15 * min(least)


def test_twins_have_mirrored_keypoints_and_laws_share_them():
    name = "mug/000000"
    mesh, recipe = ZooSource(1, ("mug",)).load(name), KEYPOINTS.replace(mirrored=True)
    own = sample_object_keypoints(recipe, name, mesh)
    twin = sample_object_keypoints(recipe, f"{name}~mirrored", mirror_mesh(mesh))
    assert (twin.places == own.places * [-1, 1, 1]).all()
    other = KEYPOINTS.replace(
        seed=5, sequence={"length": 40, "motion": "constant", "speed_rad": {"low": 0, "high": 1}}
    )
    assert (sample_object_keypoints(other, name, mesh).places == own.places).all()
    assert (sample_keypoints(mesh, 16, "another").places != own.places).any()


def test_a_mesh_without_area_is_left_out():
    mesh = HingedBoxes(0, 1).load("plain/000")
    flat = replace(mesh, positions=mesh.positions * np.float32([1, 0, 0]))
    with pytest.raises(MeshError, match="plain/000: its faces have no area") as caught:
        sample_keypoints(flat, 4, "plain/000")
    assert caught.value.reason == "no area"

"""Scenes are drawn without overlap: shown with projections of corners, not with the test that drew them."""

from itertools import combinations, product
from typing import Any

import numpy as np
import pytest

from turntable.datasets import Recipe, load_recipe
from turntable.datasets.draws import (
    compute_composition_digest,
    draw_arrangements,
    draw_composition,
    draw_pseudo_scene,
)
from turntable.errors import MeshError

SCENE = {"objects": {"low": 5, "high": 5}, "size": {"low": 0.4, "high": 0.6}, "area": 0.7, "gap": 0.03}
VIEWS = np.arange(25)


def recipe(**changes: Any) -> Recipe:
    return load_recipe("scenes").replace(scene={**SCENE, **changes})


def make_boxes(seed: int = 0, count: int = 5) -> np.ndarray:
    """Boxes of unequal sides whose centers are not at the origin."""
    random = np.random.default_rng(seed)
    half = random.uniform(0.3, 1, (count, 3))
    half *= (random.uniform(0.4, 0.6, count) / 2 / np.linalg.norm(half, axis=1))[:, None]
    center = random.uniform(-0.1, 0.1, (count, 3))
    return np.stack([center - half, center + half], axis=1)


def get_corners(boxes: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """Corners [V, K, 8, 3] of boxes [K, 2, 3] in poses [V, K, 4, 4]."""
    signs = np.array(list(product((0, 1), repeat=3)))
    own = np.stack([[box[sign, range(3)] for sign in signs] for box in boxes])
    return np.einsum("vkij,knj->vkni", poses[..., :3, :3], own) + poses[:, :, None, :3, 3]


def measure_separation(first: np.ndarray, second: np.ndarray) -> float:
    """Largest gap between the projections of two boxes, given by corners [8, 3], on the 15 axes.

    The boxes are apart if and only if it is positive, and at least this far.
    """
    edges = [
        [corners[4] - corners[0], corners[2] - corners[0], corners[1] - corners[0]]
        for corners in (first, second)
    ]
    axes = [*edges[0], *edges[1], *(np.cross(one, two) for one, two in product(*edges))]
    units = np.array([axis / np.linalg.norm(axis) for axis in axes if np.linalg.norm(axis) > 1e-9])
    one, two = units @ first.T, units @ second.T
    return float(np.maximum(one.min(1) - two.max(1), two.min(1) - one.max(1)).max())


@pytest.mark.parametrize("law", ["train", "ood"])
def test_objects_never_overlap_and_stay_in_the_area(law: str) -> None:
    for seed in range(4):
        boxes = make_boxes(seed)
        poses = draw_arrangements(recipe(law=law), f"scene/{seed}", boxes, VIEWS).astype(np.float32)
        corners = get_corners(boxes, poses.astype(np.float64))
        extent = corners if law == "ood" else corners[..., :2]
        assert np.abs(extent).max() <= 0.7 + 1e-6
        for view in corners:
            gaps = [measure_separation(view[i], view[j]) for i, j in combinations(range(5), 2)]
            assert min(gaps) >= (0.03 if law == "train" else 0)


def test_the_separation_of_the_test_sees_overlaps() -> None:
    boxes = np.array([[[-1.0, -1, -1], [1, 1, 1]]] * 2)
    poses = np.tile(np.eye(4), (1, 2, 1, 1))
    poses[0, 1, 0, 3] = 2.5
    assert measure_separation(*get_corners(boxes, poses)[0]) == pytest.approx(0.5)
    poses[0, 1, :2, :2] = [[np.sqrt(0.5), -np.sqrt(0.5)], [np.sqrt(0.5), np.sqrt(0.5)]]
    assert measure_separation(*get_corners(boxes, poses)[0]) == pytest.approx(1.5 - np.sqrt(2))
    poses[0, 1, 0, 3] = 2.3
    assert measure_separation(*get_corners(boxes, poses)[0]) < 0


def test_upright_objects_stand_on_the_level_and_turn_about_the_vertical() -> None:
    boxes = make_boxes()
    poses = draw_arrangements(recipe(level=-0.4), "scene/0", boxes, np.arange(400))
    assert np.abs(poses[..., :3, 2] - [0, 0, 1]).max() == 0
    corners = get_corners(boxes, poses)
    assert np.allclose(corners[..., 2].min(axis=-1), -0.4, atol=1e-12)
    angles = np.arctan2(poses[..., 1, 0], poses[..., 0, 0])
    # A narrow area favors some turns of long boxes a little, and none of either sense.
    assert np.abs(np.exp(1j * angles).mean(axis=0)).max() < 0.15
    assert np.abs(corners.mean(axis=(0, 2))[:, :2]).max() < 0.06


def test_turned_objects_are_turned_by_the_haar_measure() -> None:
    boxes = make_boxes()
    poses = draw_arrangements(recipe(law="ood"), "scene/0", boxes, np.arange(1500))
    rotation = poses[..., :3, :3].reshape(-1, 3, 3)
    assert np.allclose(rotation @ np.swapaxes(rotation, 1, 2), np.eye(3), atol=1e-12)
    assert np.allclose(np.linalg.det(rotation), 1)
    # Of the Haar measure: entries have mean 0 and second moment 1/3, the trace has moments 0 and 1.
    tolerance = 5 / np.sqrt(len(rotation))
    assert np.abs(rotation.mean(axis=0)).max() < tolerance * np.sqrt(1 / 3)
    assert np.abs((rotation**2).mean(axis=0) - 1 / 3).max() < tolerance * 0.3
    trace = np.trace(rotation, axis1=1, axis2=2)
    assert abs(trace.mean()) < tolerance
    assert abs((trace**2).mean() - 1) < tolerance * 1.5
    center = np.einsum("vkij,kj->vki", poses[..., :3, :3], boxes.mean(axis=1)) + poses[..., :3, 3]
    radii = np.linalg.norm(boxes[:, 1] - boxes[:, 0], axis=1) / 2
    apart = np.linalg.norm(center[:, :, None] - center[:, None], axis=-1) - radii[:, None] - radii
    assert apart[:, ~np.eye(5, dtype=bool)].min() >= 0.03


@pytest.mark.parametrize("law", ["train", "ood"])
def test_a_view_is_the_same_in_any_company(law: str) -> None:
    drawn, boxes = recipe(law=law), make_boxes()
    whole = draw_arrangements(drawn, "scene/0", boxes, np.arange(40)).astype(np.float32)
    for views in ([7], [39, 0, 12], range(10, 20), [5, 5]):
        chosen = np.array(views)
        some = draw_arrangements(drawn, "scene/0", boxes, chosen).astype(np.float32)
        assert some.tobytes() == whole[chosen].tobytes()
    other = draw_arrangements(drawn, "scene/1", boxes, np.arange(40))
    assert not np.isclose(other[:, 0, 0, 3], whole[:, 0, 0, 3]).any()
    again = draw_arrangements(drawn.replace(image_size_px=32, views=7), "scene/0", boxes, np.arange(40))
    assert again.astype(np.float32).tobytes() == whole.tobytes()


def test_arrangements_are_shared_by_views_and_held_over_sequences() -> None:
    boxes = make_boxes()
    shared = draw_arrangements(recipe(arrangements=4), "scene/0", boxes, np.arange(12))
    assert np.array_equal(shared[:4], shared[4:8])
    assert len(np.unique(shared[:, 0, 0, 3])) == 4
    sequence = {"length": 5, "motion": "constant", "speed_rad": {"low": 0.1, "high": 0.2}}
    held = draw_arrangements(recipe().replace(sequence=sequence), "scene/0", boxes, np.arange(10))
    assert np.array_equal(held[:5], np.repeat(held[:1], 5, axis=0))
    assert np.array_equal(held[5:], np.repeat(held[5:6], 5, axis=0))
    assert not np.array_equal(held[0], held[5])


def test_a_scene_without_room_is_refused_after_the_tries() -> None:
    boxes = np.array([[[-0.3, -0.3, -0.1], [0.3, 0.3, 0.1]]] * 5)
    with pytest.raises(
        MeshError, match="no place was found for its 5 objects in arrangement 2, in 3 tries"
    ) as caught:
        draw_arrangements(recipe(area=0.5, tries=3), "scene/0", boxes, np.array([2]))
    assert caught.value.reason == "no place in the scene"
    with pytest.raises(MeshError, match="no place"):  # a single object is wider than the area
        draw_arrangements(recipe(area=0.31, tries=2), "scene/0", 1.5 * boxes[:1], np.array([0]))


def test_a_composition_has_different_objects_of_the_sizes_asked_for() -> None:
    made = recipe(objects={"low": 2, "high": 4})
    drawn = [draw_composition(made, f"scene/{number:06d}", 6) for number in range(600)]
    counts = np.bincount([len(item.places) for item in drawn])
    assert counts[:2].sum() == 0
    assert np.abs(counts[2:] - 200).max() < 60
    assert all(len(set(item.places)) == len(item.places) == len(item.sizes) for item in drawn)
    assert {place for item in drawn for place in item.places} == set(range(6))
    chosen = np.bincount([place for item in drawn for place in item.places])
    assert np.abs(chosen / chosen.mean() - 1).max() < 0.15
    sizes = np.array([size for item in drawn for size in item.sizes])
    assert sizes.min() >= 0.4
    assert sizes.max() <= 0.6
    assert abs(sizes.mean() - 0.5) < 0.01


def test_recipes_of_both_laws_compose_the_same_scenes() -> None:
    train, ood = load_recipe("scenes"), load_recipe("scenes-ood")
    assert train.label_digest != ood.label_digest
    assert compute_composition_digest(train) == compute_composition_digest(ood)
    assert draw_composition(train, "scene/000003", 50) == draw_composition(ood, "scene/000003", 50)
    assert compute_composition_digest(train.replace(seed=1)) != compute_composition_digest(train)
    same = {**ood.to_dict(), "scene": train.to_dict()["scene"]}
    assert {key for key in same if same[key] != train.to_dict()[key]} == {"name", "description"}


def test_the_preview_draws_scenes_of_the_recipe() -> None:
    made = recipe(arrangements=2)
    scene = draw_pseudo_scene(made, 0, 2)
    assert scene.poses.shape == (2, 5, 4, 4)
    sizes = np.linalg.norm(scene.boxes[:, 1] - scene.boxes[:, 0], axis=1)
    assert np.allclose(sizes, draw_composition(made, "invented/0", 1_000_000).sizes)

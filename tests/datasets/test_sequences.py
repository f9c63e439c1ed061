"""The property of every motion, on the labels as they are stored: pose_t = pose_{t-1} exp(twist_t)."""

import math
from typing import Any

import numpy as np
import pytest

from turntable import geometry
from turntable.datasets import Recipe, draw_factors, load_recipe
from turntable.datasets.labels import TWIST_NAMES
from turntable.renderer.scene import scenes_from_labels

SPEED = {"low": 0.2, "high": 1.5}
BOX = {f"translation_{axis}": {"low": -0.5, "high": 0.5} for axis in "xyz"}


def sequences(motion: str, factors: dict[str, Any] | None = None, **keys: Any) -> Recipe:
    speed = {} if motion in ("independent", "still") else {"speed_rad": SPEED}
    table = load_recipe("3diebench").to_dict()
    table["factors"] |= factors or {}
    return Recipe.from_dict(table | {"sequence": {"length": 10, "motion": motion, **speed, **keys}})


def poses(recipe: Recipe, labels: np.ndarray) -> np.ndarray:
    return geometry.make_pose(recipe.schema.compute_rotations(labels), recipe.schema.get_translations(labels))


RECIPES = {
    "constant": sequences("constant"),
    "constant off the origin": sequences("constant", BOX),
    "screw": sequences("screw"),
    "in-plane": sequences("in-plane"),
    "in-plane off the origin": sequences("in-plane", BOX, vary=["light_hue"]),
    "independent": sequences("independent"),
    "independent off the origin": sequences("independent", BOX),
    "still off the origin": sequences("still", BOX, vary=["light_hue"]),
    "on SO(3)": load_recipe("sequences"),
}


@pytest.fixture(params=RECIPES, scope="module")
def drawn(request: pytest.FixtureRequest) -> tuple[Recipe, np.ndarray]:
    """A recipe, and labels [N, length, L] of sequences."""
    recipe = RECIPES[request.param]
    labels = np.concatenate([draw_factors(recipe, f"object/{n}", range(50)) for n in range(40)])
    return recipe, labels.reshape(-1, 10, labels.shape[-1])


def test_twists_lead_from_view_to_view(drawn: tuple[Recipe, np.ndarray]) -> None:
    recipe, labels = drawn
    pose, twist = poses(recipe, labels), recipe.schema.get_twists(labels)
    reached = pose[:, :-1] @ geometry.exp_se3(twist[:, 1:])
    assert np.abs(reached - pose[:, 1:]).max() < 2e-6
    assert (twist[:, 0] == 0).all()
    assert recipe.schema.names[-6:] == TWIST_NAMES


def test_labels_lie_within_their_ranges(drawn: tuple[Recipe, np.ndarray]) -> None:
    recipe, labels = drawn
    for column, factor in enumerate(recipe.factors):
        assert factor.contains(labels[..., column]).all(), factor.name


def test_one_twist_carries_a_sequence_and_all_else_holds(drawn: tuple[Recipe, np.ndarray]) -> None:
    recipe, labels = drawn
    rule = recipe.sequence
    assert rule is not None
    twist = recipe.schema.get_twists(labels)[:, 1:]
    assert (twist == twist[:, :1]).all() == (rule.motion != "independent")
    speed = np.linalg.norm(twist[..., :3].astype(np.float64), axis=-1)
    low, high = rule.speed_rad or (0, 0 if rule.motion == "still" else math.pi)
    assert low - 1e-6 <= speed.min()
    assert speed.max() <= high + 1e-6
    for name in ("floor_hue", "light_theta_rad", "light_phi_rad", "light_hue"):
        values = recipe.schema.get_values(labels, name)
        assert (values == values[:, :1]).all() == (name not in rule.vary)
    assert len(np.unique(recipe.schema.get_values(labels, "floor_hue"))) == len(labels)


def test_centers_move_as_the_motion_says(drawn: tuple[Recipe, np.ndarray]) -> None:
    recipe, labels = drawn
    rule = recipe.sequence
    assert rule is not None
    pose = poses(recipe, labels)
    center = pose[..., :3, 3]
    if rule.motion == "still":
        assert (pose == pose[:, :1]).all()
        assert len(np.unique(center, axis=0)) > len(pose) / 2
    if rule.motion == "constant":
        assert np.abs(center - center[:, :1]).max() < 1e-6
    if rule.motion == "in-plane":
        forward = np.array([0, -math.sqrt(0.5), -math.sqrt(0.5)])
        turn = pose[:, 1:, :3, :3] @ np.swapaxes(pose[:, :-1, :3, :3], -1, -2)
        assert np.abs(turn @ forward - forward).max() < 1e-6
        assert np.abs(center @ forward - (center @ forward)[:, :1]).max() < 1e-6
        # Either way round.
        assert 0.3 < (geometry.log_so3(turn) @ forward > 0).mean() < 0.7
    if rule.motion == "screw":
        assert np.abs(recipe.schema.get_translations(labels)).max() <= 0.5
        axis = geometry.log_so3(pose[:, 1, :3, :3] @ np.swapaxes(pose[:, 0, :3, :3], -1, -2))
        axis /= np.linalg.norm(axis, axis=-1, keepdims=True)
        along = np.einsum("nti,ni->nt", center, axis)
        beside = np.linalg.norm(center - along[..., None] * axis[:, None], axis=-1)
        assert np.abs(beside - beside[:, :1]).max() < 2e-5
        assert 0.1 - 1e-5 < beside.min() < 0.12
        assert 0.28 < beside.max() < 0.3 + 1e-5
        travel = along[:, -1] - along[:, 0]
        assert -0.6 - 1e-5 < travel.min() < -0.5
        assert 0.5 < travel.max() < 0.6 + 1e-5
        assert np.abs(along[:, -1] + along[:, 0]).max() < 1e-5


def test_axes_are_uniform_on_the_sphere() -> None:
    labels = np.concatenate([draw_factors(RECIPES["constant"], f"object/{n}", range(50)) for n in range(400)])
    pose = poses(RECIPES["constant"], labels.reshape(-1, 10, labels.shape[-1]))
    axis = geometry.log_so3(pose[:, 1, :3, :3] @ np.swapaxes(pose[:, 0, :3, :3], -1, -2))
    axis /= np.linalg.norm(axis, axis=-1, keepdims=True)
    assert np.abs(axis.mean(axis=0)).max() < 4 / math.sqrt(3 * len(axis))
    assert np.abs((axis[:, :, None] * axis[:, None]).mean(axis=0) - np.eye(3) / 3).max() < 0.03


def test_in_plane_turns_about_the_camera_where_it_stands() -> None:
    recipe = sequences("in-plane", {"camera_elevation_rad": {"low": 0.3, "high": 1.2}})
    labels = draw_factors(recipe, "a", range(50)).reshape(5, 10, -1)
    pose = poses(recipe, labels)
    elevation = recipe.schema.get_values(labels, "camera_elevation_rad")
    assert (elevation == elevation[:, :1]).all()
    forward = np.stack([np.zeros(5), -np.cos(elevation[:, 0]), -np.sin(elevation[:, 0])], axis=-1)
    turn = pose[:, 1, :3, :3] @ np.swapaxes(pose[:, 0, :3, :3], -1, -2)
    assert np.abs((turn @ forward[..., None])[..., 0] - forward).max() < 1e-6


def test_in_plane_turns_about_the_forward_axis_of_cameras_that_roll() -> None:
    """A roll keeps the forward axis, so it may even vary from view to view of the sequence."""
    turns = {"camera_roll_rad": {"low": -3.0, "high": 3.0}, "principal_point_dx_px": {"low": -9, "high": 9}}
    recipe = sequences("in-plane", turns, vary=["camera_roll_rad"])
    labels = draw_factors(recipe, "a", range(10))
    roll = recipe.schema.get_values(labels, "camera_roll_rad")
    assert len(np.unique(roll)) == 10
    assert len(np.unique(recipe.schema.get_values(labels, "principal_point_dx_px"))) == 1
    scenes = scenes_from_labels(recipe.schema.scene_names, recipe.schema.select_scene_columns(labels))
    in_camera = scenes.world_to_camera[:, :3, :3] @ scenes.object_to_world[:, :3, :3]
    turn = in_camera[1:] @ np.swapaxes(in_camera[:-1], -1, -2)
    assert np.abs(turn[:, 2] - [0, 0, 1]).max() < 1e-6  # all in the picture's plane


def test_the_first_view_is_drawn_as_the_recipe_says() -> None:
    recipe = RECIPES["constant"]
    still = load_recipe("3diebench")
    first = np.concatenate([draw_factors(recipe, f"object/{n}", 10) for n in range(200)])
    angles = recipe.schema.get_euler_angles(first)
    box = [factor for factor in still.factors if factor.name.startswith("rotation")]
    assert all(factor.contains(angles[:, column]).all() for column, factor in enumerate(box))


def test_renderers_get_the_scene_columns_alone() -> None:
    schema = RECIPES["screw"].schema
    labels = draw_factors(RECIPES["screw"], "a", range(10))
    scenes = scenes_from_labels(schema.scene_names, schema.select_scene_columns(labels))
    assert np.allclose(scenes.object_to_world, poses(RECIPES["screw"], labels))

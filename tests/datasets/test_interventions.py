"""Integers, lists of speeds, pose banks, environments and couplings, recomputed from the labels."""

import math
from typing import Any

import numpy as np
import pytest

from turntable import geometry
from turntable.datasets import Recipe, draw_factors, load_recipe
from turntable.datasets.draws import DrawnColumn, find_distribution_faults
from turntable.errors import InvalidInputError, RecipeError

HUE = {"factor": "light_hue", "on": "floor_hue", "slope": 0.5, "offset": 0.9, "noise": 0.05}
TURN = {"length": 5, "motion": "constant", "speed_rad": {"low": 0.1, "high": 0.2}}
EULER = [f"rotation_{axis}_rad" for axis in "xyz"]


def changed(name: str = "zoo", factors: dict[str, Any] | None = None, **keys: Any) -> Recipe:
    table = load_recipe(name).to_dict() | keys
    table["factors"] = {**table["factors"], **(factors or {})}
    if keys.get("rotation"):
        table["factors"] = {key: value for key, value in table["factors"].items() if key not in EULER}
    return Recipe.from_dict(table)


def columns(recipe: Recipe, labels: np.ndarray) -> dict[str, np.ndarray]:
    return {name: labels[:, i].astype(np.float64) for i, name in enumerate(recipe.schema.names)}


def draw_many(recipe: Recipe, count: int, **kwargs: Any) -> np.ndarray:
    views = range(recipe.views)
    return np.concatenate([draw_factors(recipe, f"object/{n}", views, **kwargs) for n in range(count)])


# Integers


def test_integers_are_drawn_with_both_ends() -> None:
    recipe = changed(factors={"camera_distance": {"low": 2, "high": 4, "integer": True}})
    (factor,) = (item for item in recipe.factors if item.name == "camera_distance")
    values = columns(recipe, draw_many(recipe, 300))["camera_distance"]
    assert dict(zip(*np.unique(values, return_counts=True), strict=True)).keys() == {2.0, 3.0, 4.0}
    for count in np.unique(values, return_counts=True)[1]:
        assert count == pytest.approx(2000, abs=5 * math.sqrt(6000 * 2 / 9))
    assert not list(find_distribution_faults([DrawnColumn(factor, values.astype(np.float32))]))
    skewed = np.where(values == 4, 3, values).astype(np.float32)
    assert list(find_distribution_faults([DrawnColumn(factor, skewed)]))
    assert factor.contains([2, 4]).all()
    assert not factor.contains([2.5, 1, 5]).any()
    assert recipe.to_dict()["factors"]["camera_distance"] == {"low": 2.0, "high": 4.0, "integer": True}


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"low": 2.5, "high": 4, "integer": True}, "integer = true needs whole numbers; low is 2.5"),
        ({"value": 3, "integer": True}, "integer = true needs low and high"),
        ({"low": 3, "high": 3, "integer": True}, "low 3.0 is not below high 3.0"),
    ],
)
def test_integers_that_cannot_be(table: dict[str, Any], fault: str) -> None:
    with pytest.raises(RecipeError) as caught:
        changed(factors={"camera_distance": table})
    assert f"factors.camera_distance: {fault}" in str(caught.value)


# Lists of speeds


@pytest.mark.parametrize("motion", ["constant", "screw", "in-plane"])
def test_a_sequence_has_one_of_the_listed_speeds(motion: str) -> None:
    speeds = [0.1, -0.25, 0.0, 0.7]
    recipe = changed(sequence={"length": 5, "motion": motion, "speed_rad": {"values": speeds}})
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    labels = draw_many(recipe, 60).reshape(-1, 5, len(recipe.schema))
    omega = recipe.schema.get_twists(labels).astype(np.float64)[..., :3]
    angle = np.linalg.norm(omega, axis=-1)
    assert (angle[:, 0] == 0).all()
    assert np.allclose(angle[:, 1:], angle[:, 1:2], atol=1e-6)  # one speed for each sequence
    nearest = np.abs(angle[:, 1:2] - np.abs(speeds)).argmin(axis=1)
    assert np.allclose(angle[:, 1], np.abs(speeds)[nearest], atol=1e-6)
    assert np.bincount(nearest, minlength=4).min() > 30  # of 240 sequences, 60 each


def test_in_plane_the_sign_of_a_speed_is_the_direction_in_the_picture() -> None:
    recipe = changed(sequence={"length": 5, "motion": "in-plane", "speed_rad": {"values": [0.3, -0.2]}})
    labels = draw_many(recipe, 20).reshape(-1, 5, len(recipe.schema))
    rotation = recipe.schema.compute_rotations(labels)
    # The camera of the default elevation, pi / 4, looks from +y and above at the origin: x right, y down.
    forward = np.array([0, -1, -1]) / math.sqrt(2)
    right = np.cross(forward, [0, 0, 1])
    to_camera = np.stack([right, np.cross(forward, right), forward])
    step = to_camera @ rotation[:, 1] @ np.swapaxes(rotation[:, 0], -1, -2) @ to_camera.T
    # A point right of the center moves down by a positive turn: clockwise.
    angle = np.arctan2(step[:, 1, 0], step[:, 0, 0])
    assert np.allclose(step[:, 2, 2], 1, atol=1e-6)
    assert np.allclose(np.where(angle > 0, angle - 0.3, angle + 0.2), 0, atol=1e-5)
    assert 0 < (angle > 0).mean() < 1


@pytest.mark.parametrize(
    ("speed", "fault"),
    [
        ({"values": [0.1, 0.1]}, "names a speed twice"),
        ({"values": [4.0]}, "values leave [-pi, pi]"),
        ({"values": []}, "sequence.speed_rad.values"),
        ({"values": [0.1], "low": 0.1}, "give either values, or low and high"),
        ({"low": 0.1}, "give low and high, or values"),
    ],
)
def test_speeds_that_cannot_be(speed: dict[str, Any], fault: str) -> None:
    with pytest.raises(RecipeError) as caught:
        changed(sequence={"length": 5, "motion": "constant", "speed_rad": speed})
    assert fault in str(caught.value)


# Pose banks


@pytest.mark.parametrize("rotation", [None, {"kind": "uniform", "outside": "3diebench", "margin_deg": 10}])
def test_all_objects_draw_their_rotations_from_one_bank(rotation: dict[str, Any] | None) -> None:
    recipe = changed(pose_bank=12, views=30, **({"rotation": rotation} if rotation else {}))
    drawn = columns(recipe, draw_many(recipe, 8))
    angles = np.stack([drawn[name] for name in EULER], axis=-1)
    index = drawn["pose_index"].astype(np.int64)
    assert len(np.unique(np.column_stack([index, angles]), axis=0)) == 12  # one rotation for each number
    for views in index.reshape(8, 30):
        assert sorted(views[:12]) == sorted(views[12:24]) == list(range(12))
    assert len({tuple(row) for row in index.reshape(8, 30)}) == 8
    assert len(np.unique(drawn["light_hue"])) == len(index)
    if rotation:
        assert recipe.rotation is not None
        assert recipe.rotation.accepts(geometry.euler_to_matrix(angles)).all()
    else:
        assert np.abs(angles).max() <= math.pi / 2
        assert np.abs(angles).max() > 1
    factor = recipe.factors[recipe.schema.get_column("pose_index")]
    assert (factor.role, factor.low, factor.high) == ("derived", 0, 11)
    assert changed(pose_bank=13).label_digest != changed(pose_bank=12).label_digest


def test_a_bank_leaves_what_else_a_view_has_to_its_recipe() -> None:
    fixed = changed(pose_bank=4, factors={"rotation_x_rad": {"value": 0.1}})
    assert fixed.factors[0].distribution == "fixed"
    assert (columns(fixed, draw_many(fixed, 3))["rotation_x_rad"] == np.float32(0.1)).all()
    with pytest.raises(RecipeError, match=r"pose_bank: the motion of \[sequence\] determines the rotations"):
        changed(pose_bank=4, sequence=TURN)
    loose = changed(pose_bank=4, sequence={"length": 5, "motion": "independent"})
    assert len(np.unique(columns(loose, draw_many(loose, 3))["rotation_z_rad"])) == 4


# Environments


def test_objects_are_divided_evenly_and_have_the_laws_of_their_environment() -> None:
    brightness = {"light_power_w": {"low": 900, "high": 1000}}
    environments = [{"name": "dim"}, {"name": "bright", "factors": brightness}, {"name": "third"}]
    power = {"light_power_w": {"low": 250, "high": 750}}
    recipe = changed(factors=power, environment=environments)
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    drawn = columns(recipe, draw_many(recipe, 600))
    environment = drawn["environment"].reshape(600, -1)
    assert (environment == environment[:, :1]).all()
    assert np.bincount(environment[:, 0].astype(int)) == pytest.approx([200] * 3, abs=60)
    watts = drawn["light_power_w"]
    bright = drawn["environment"] == 1
    for values, low, high in ((watts[bright], 900, 1000), (watts[~bright], 250, 750)):
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high >= values.max() > high - 0.01 * (high - low)
    factor = recipe.factors[recipe.schema.get_column("light_power_w")]
    assert (factor.low, factor.high, factor.distribution) == (250, 1000, "joint")
    # The environment of an object is the same in a recipe with other laws, and not with another seed.
    other = changed(environment=[*environments[::2], {"name": "b"}])
    assert (columns(other, draw_many(other, 20))["environment"] == drawn["environment"][:400]).all()
    reseeded = columns(recipe.replace(seed=5), draw_many(recipe.replace(seed=5), 20))
    assert (reseeded["environment"] != drawn["environment"][:400]).any()


def test_laws_whose_float32_differs_in_the_last_bit_stay_in_bounds() -> None:
    environments = [{"name": "a", "factors": {"sun_strength": {"value": 0.1}}}, {"name": "b"}]
    recipe = changed(factors={"sun_strength": {"low": 0.2, "high": 0.3}}, environment=environments)
    labels = draw_many(recipe, 40)
    for column, factor in enumerate(recipe.factors):
        assert factor.contains(labels[:, column]).all()


# Couplings


def test_a_coupled_factor_is_recomputed_from_the_other_labels() -> None:
    environments = [{"name": "a"}, {"name": "b", "slopes": {"light_hue": -1.5}}]
    sun = {"factor": "sun_strength", "on": "light_hue", "slope": 2.0, "offset": 1.0}
    recipe = changed(
        factors={"sun_strength": {"low": 1, "high": 3}}, coupling=[sun, HUE], environment=environments
    )
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert recipe == changed(
        factors={"sun_strength": {"low": 1, "high": 3}}, coupling=[HUE, sun], environment=environments
    )
    drawn = columns(recipe, draw_many(recipe, 200))
    slope = np.where(drawn["environment"] == 1, -1.5, 0.5)
    residual = drawn["light_hue"] - 0.9 - slope * drawn["floor_hue"]
    noise = residual - np.round(residual)  # modulo one turn
    assert 0.0499 < np.abs(noise).max() <= 0.05 + 1e-6
    assert abs(noise.mean()) < 0.002
    assert noise.std() == pytest.approx(0.05 / math.sqrt(3), rel=0.05)
    assert np.allclose(drawn["sun_strength"], 1 + 2 * drawn["light_hue"], atol=1e-6)


def test_a_factor_follows_the_category_of_the_object() -> None:
    recipe = changed(coupling=[{**HUE, "on": "category", "slope": 1, "offset": 0, "noise": 0.01}])
    hues = {name: columns(recipe, draw_many(recipe, 5, category=name))["light_hue"] for name in "abc"}
    centers = {name: np.angle(np.exp(2j * np.pi * hue).mean()) / (2 * np.pi) for name, hue in hues.items()}
    for name, hue in hues.items():
        off = hue - centers[name]
        assert np.abs(off - np.round(off)).max() < 0.015
    assert len({round(center, 2) for center in centers.values()}) == 3
    with pytest.raises(InvalidInputError, match="couples a factor to the category"):
        draw_factors(recipe, "a/b", 0)


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"coupling": [HUE, {**HUE, "factor": "floor_hue", "on": "light_hue"}]}, "coupling: a circle, "),
        ({"coupling": [{**HUE, "on": "light_hue"}]}, "a circle, light_hue on light_hue"),
        ({"coupling": [{**HUE, "on": "fog"}]}, "coupling of light_hue: fog is not a factor of this recipe"),
        ({"coupling": [{**HUE, "factor": "fog"}]}, "coupling of fog: fog is not a factor of this recipe"),
        ({"coupling": [HUE, HUE]}, "light_hue is coupled twice"),
        (
            {"coupling": [{**HUE, "on": "rotation_x_rad"}], "rotation": {"kind": "uniform"}},
            "rotation_x_rad belongs to the pose, which [rotation] draws",
        ),
        (
            {"coupling": [{**HUE, "on": "rotation_x_rad"}], "sequence": TURN},
            "rotation_x_rad belongs to the pose, which the motion determines",
        ),
        ({"coupling": [{**HUE, "factor": "rotation_x_rad"}], "pose_bank": 4}, "rotations of pose_bank"),
        (
            {"coupling": [{**HUE, "factor": "light_theta_rad"}]},
            "light_theta_rad = offset + slope * floor_hue reaches from 0.85 to 1.45",
        ),
        (
            {"coupling": [HUE], "sequence": {**TURN, "vary": ["light_hue"]}},
            "floor_hue holds over a sequence, and light_hue is drawn for every view; name both in vary",
        ),
        ({"coupling": [{**HUE, "noise": -1}]}, "coupling.0.noise: -1 is below 0"),
        ({"coupling": [{**HUE, "slop": -1}]}, "coupling.0.slop: unknown key; did you mean slope?"),
        ({"environment": [{"name": "a"}, {"name": "a"}]}, "environment: two are named a"),
        ({"environment": [{"name": "a", "slopes": {"light_hue": 1}}]}, "no [[coupling]] has this factor"),
        (
            {"environment": [{"name": "a", "factors": {"sun_strength": {"value": 1}}}]},
            "environment.a.factors.sun_strength: the recipe has no table [factors.sun_strength]",
        ),
        (
            {"environment": [{"name": "a", "factors": {"light_hue": {"value": 1}}}], "coupling": [HUE]},
            "environment.a.factors.light_hue: [[coupling]] determines this factor; give slopes",
        ),
        (
            {"environment": [{"name": "a", "factors": {"rotation_x_rad": {"value": 1}}}], "pose_bank": 3},
            "environment.a.factors.rotation_x_rad: all objects share the rotations",
        ),
        ({"environment": [{"name": "a", "factors": {"light_hu": {"value": 1}}}]}, "did you mean light_hue?"),
        ({"draws": "numpy-legacy", "pose_bank": 3}, 'draws = "numpy-legacy" does not support [pose_bank]'),
    ],
)
def test_interventions_that_cannot_be(keys: dict[str, Any], fault: str) -> None:
    with pytest.raises(RecipeError) as caught:
        changed(**keys)
    assert fault in str(caught.value)


def test_a_slope_of_one_environment_can_leave_the_range_too() -> None:
    theta = {"factor": "light_theta_rad", "on": "floor_hue", "slope": 0.5, "offset": 0.1}
    environments = [{"name": "a"}, {"name": "b", "slopes": {"light_theta_rad": 1.0}}]
    with pytest.raises(RecipeError, match=r"coupling of light_theta_rad in environment b: .* to 1\.1 "):
        changed(coupling=[theta], environment=environments)


# Nested views


def test_fewer_views_are_the_first_of_more_views() -> None:
    recipes = [
        changed(views=100),
        changed(views=100, rotation={"kind": "uniform", "outside": "3diebench", "margin_deg": 30}),
        changed(views=100, pose_bank=30, coupling=[HUE], environment=[{"name": "a"}, {"name": "b"}]),
        changed(views=100, sequence=TURN),
        changed(views=100, sequence={**TURN, "motion": "independent", "speed_rad": None}),
    ]
    for recipe in recipes:
        fewer = recipe.replace(views=20)
        assert fewer.label_digest == recipe.label_digest
        whole, part = (draw_factors(item, "a/b", range(item.views)) for item in (recipe, fewer))
        assert whole[:20].tobytes() == part.tobytes()
    legacy = load_recipe("3diebench-published")
    assert legacy.replace(views=20).label_digest != legacy.label_digest

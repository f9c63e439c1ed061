"""The degrees of symmetry of a recipe's rotations, against integrals and histograms of drawn labels."""

import math
from typing import Any

import numpy as np
import pytest

from turntable.datasets import Recipe, draw_factors, load_recipe
from turntable.datasets.draws import compute_symmetry_degrees

FULL = {"low": "-pi", "high": "pi"}
UPRIGHT = {"value": 0}


def with_angles(x: dict[str, Any], y: dict[str, Any], z: dict[str, Any], **keys: Any) -> Recipe:
    table = load_recipe("zoo").to_dict() | keys
    table["factors"] |= {f"rotation_{axis}_rad": law for axis, law in zip("xyz", (x, y, z), strict=True)}
    return Recipe.from_dict(table)


def degrees(recipe: Recipe) -> tuple[float, ...]:
    found = compute_symmetry_degrees(recipe)
    assert list(found) == ["so3", "so2_vertical", "so2_picture", "mirror"]
    return tuple(found.values())


def test_a_box_of_angles_has_the_share_of_the_rotations_that_it_holds() -> None:
    # A quarter of SO(3) has angles within a quarter turn, and its density there is nowhere below Haar's.
    so3, vertical, _, mirror = degrees(load_recipe("3diebench"))
    assert (so3, vertical, mirror) == pytest.approx((0.25, 0.5, 1), abs=0.005)


def test_uniform_angles_are_not_uniform_rotations() -> None:
    # Their density over Haar's is 2 / (pi cos y), so they share the mean of min(1, pi cos y / 2) over y.
    half = np.arccos(2 / math.pi)
    expected = 2 / math.pi * (half + math.pi / 2 * (1 - math.sin(half)))
    so3, vertical, _, mirror = degrees(with_angles(FULL, {"low": "-pi/2", "high": "pi/2"}, FULL))
    assert (so3, vertical, mirror) == pytest.approx((expected, 1, 1), abs=0.005)


def test_haar_has_every_symmetry() -> None:
    assert degrees(load_recipe("sequences")) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("z", "vertical", "mirror"),
    [
        (FULL, 1, 1),
        ({"low": 0, "high": "pi"}, 0.5, 0),
        ({"low": "-pi/4", "high": "pi/2"}, 0.375, 2 / 3),
        ({"inner": 0.5, "outer": 1.5}, 2 / (2 * math.pi), 1),
        ({"value": 0.3}, 0, 0),
        ({"value": 0}, 0, 1),
        ({"low": -1, "high": 3, "integer": True}, 0, 3 / 5),
    ],
)
def test_upright_objects_have_the_symmetry_of_their_azimuth(
    z: dict[str, Any], vertical: float, mirror: float
) -> None:
    # Off the vertical, one angle cannot make a law of all rotations, nor of all turns of the picture.
    assert degrees(with_angles(UPRIGHT, UPRIGHT, z)) == pytest.approx((0, vertical, 0, mirror), abs=0.012)


def test_the_picture_is_measured_at_the_elevation_of_the_camera() -> None:
    """From straight above, nearly, a turn of the picture is a turn about the vertical."""
    table = load_recipe("3diebench").to_dict()
    table["factors"]["camera_elevation_rad"] = {"value": math.pi / 2 - 0.02}
    steep = compute_symmetry_degrees(Recipe.from_dict(table))
    assert steep["so2_picture"] == pytest.approx(steep["so2_vertical"], abs=0.02)
    # And from 45 degrees it is measured on drawn labels: the turns within the box that keep it inside.
    recipe = load_recipe("3diebench")
    labels = np.concatenate([draw_factors(recipe, f"o/{n}", range(50)) for n in range(12)])
    rotation = recipe.schema.compute_rotations(labels)
    axis = np.array([0, -1, -1]) / math.sqrt(2)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    angles = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    turns = (
        np.eye(3)
        + np.sin(angles)[:, None, None] * cross
        + (1 - np.cos(angles))[:, None, None] * cross @ cross
    )
    turned = turns[None] @ rotation[:, None]
    inside = (turned[..., 0, 0] >= 0) & (turned[..., 2, 2] >= 0)  # the box, by its matrix
    density = inside / np.hypot(turned[..., 0, 0], turned[..., 1, 0])  # 1 / cos y
    shares = density / density.mean(axis=1, keepdims=True)
    expected = 1 - np.abs(shares - 1).mean() / 2
    assert compute_symmetry_degrees(recipe)["so2_picture"] == pytest.approx(expected, abs=0.02)


def test_a_part_of_so3_has_the_share_of_its_volume() -> None:
    recipe = load_recipe("so3-ood")
    assert recipe.rotation is not None
    units = np.random.default_rng(0).normal(size=(100_000, 4))
    from turntable.geometry import quaternion_to_matrix

    volume = recipe.rotation.accepts(
        quaternion_to_matrix(units / np.linalg.norm(units, axis=1, keepdims=True))
    ).mean()
    so3, _, _, mirror = degrees(recipe)
    assert so3 == pytest.approx(volume, abs=0.01)
    assert mirror == 1


def test_environments_are_averaged() -> None:
    environments = [
        {"name": "all"},
        {"name": "half", "factors": {"rotation_z_rad": {"low": 0, "high": "pi"}}},
    ]
    recipe = with_angles(UPRIGHT, UPRIGHT, FULL, environment=environments)
    assert degrees(recipe) == pytest.approx((0, 0.75, 0, 0.5), abs=0.01)


def test_a_bank_has_the_law_of_its_recipe_and_unknown_laws_have_no_degrees() -> None:
    assert degrees(load_recipe("zoo").replace(pose_bank=5)) == degrees(load_recipe("zoo"))
    turned = {"factor": "rotation_z_rad", "on": "floor_hue", "slope": 1.0}
    assert compute_symmetry_degrees(load_recipe("zoo").replace(coupling=[turned])) == {}
    assert compute_symmetry_degrees(load_recipe("zoo").replace(draws="imported")) == {}
    assert compute_symmetry_degrees(with_angles(FULL, {"value": "pi/2"}, FULL)) == {}

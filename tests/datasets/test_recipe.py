import dataclasses
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turntable.datasets.recipe import Recipe, load_recipe, shipped_recipes
from turntable.errors import InvalidInputError, RecipeError

FACTORS = """
[factors.rotation_x_rad]
low = -1
high = 1
[factors.rotation_y_rad]
value = 0.5
[factors.rotation_z_rad]
low = "-pi"
high = "pi/2"
[factors.floor_hue]
low = 0
high = 1
[factors.light_theta_rad]
low = 0
high = "0.25 * pi"
[factors.light_phi_rad]
low = 0
high = "2pi"
[factors.light_hue]
value = 0
"""
GOOD = 'name = "mine"\nsource = "folder"\nviews = 3\nimage_size_px = 32\n' + FACTORS


def faults(text: str) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        Recipe.from_toml(text, "mine.toml")
    return str(caught.value).splitlines()


def test_shipped_recipes_are_those_of_the_paper() -> None:
    assert shipped_recipes() == ("3diebench", "3diebench-t", "zoo")
    recipe = load_recipe("3diebench")
    assert (recipe.views, recipe.image_size_px, recipe.source, recipe.channel_order) == (
        50,
        256,
        "shapenet",
        "rgb",
    )
    ranges = {factor.name: (factor.low, factor.high) for factor in recipe.factors}
    for axis in "xyz":
        assert ranges[f"rotation_{axis}_rad"] == (-math.pi / 2, math.pi / 2)
    assert ranges["light_theta_rad"] == (0, math.pi / 4)
    assert ranges["light_phi_rad"] == (0, 2 * math.pi)
    assert len(recipe.factors) == 7
    assert [factor.name for factor in load_recipe("3diebench-t").factors[7:]] == [
        f"translation_{a}" for a in "xyz"
    ]


@pytest.mark.parametrize("name", shipped_recipes())
def test_shipped_recipes_come_back_from_toml(name: str) -> None:
    recipe = load_recipe(name)
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert recipe.name == name


@given(
    views=st.integers(1, 10_000),
    seed=st.integers(0, 2**63 - 1),
    description=st.text(),
    fraction=st.floats(0, 1, exclude_max=True),
    hue=st.tuples(st.floats(0, 0.49), st.floats(0.51, 1)),
)
def test_any_recipe_comes_back_from_toml(
    views: int, seed: int, description: str, fraction: float, hue: tuple[float, float]
) -> None:
    table = load_recipe("zoo").to_dict()
    table["factors"]["floor_hue"] = {"low": hue[0], "high": hue[1]}
    table |= {"views": views, "seed": seed, "description": description, "val_fraction": fraction}
    recipe = Recipe.from_dict(table)
    again = Recipe.from_toml(recipe.to_toml())
    assert again == recipe
    assert again.digest == recipe.digest


def test_factors_come_in_the_standard_order_with_multiples_of_pi() -> None:
    recipe = Recipe.from_toml(GOOD)
    names = [factor.name for factor in recipe.factors]
    shuffled = "\n[".join(reversed(FACTORS.strip().removeprefix("[").split("\n[")))
    again = Recipe.from_toml(GOOD.replace(FACTORS, f"\n[{shuffled}\n"))
    assert again == recipe
    assert names == list(recipe.schema.names)
    z = recipe.factors[2]
    assert (z.low, z.high, z.distribution) == (-math.pi, math.pi / 2, "uniform")
    assert recipe.factors[4].high == math.pi / 4
    assert (recipe.factors[1].low, recipe.factors[1].distribution) == (0.5, "fixed")


def test_all_faults_are_told_at_once_by_name() -> None:
    text = (
        'name = "Bad Name"\nsource = "blender"\nvews = 3\nimage_size_px = 4\nval_fraction = 1.0\n'
        + FACTORS.replace(
            "[factors.floor_hue]\nlow = 0\nhigh = 1\n", "[factors.floor_hue]\nlow = 0\nhigh = 1.5\n"
        )
        .replace("value = 0.5", "value = 0.5\nlow = 0")
        .replace("[factors.light_hue]\nvalue = 0\n", "[factors.light_hu]\nvalue = 0\n")
    )
    lines = faults(text)
    assert lines[0] == "recipe mine.toml: 10 errors:"
    expected = [
        "source: 'blender' is not one of 'zoo', 'shapenet' or 'folder'",
        "vews: unknown key; did you mean views?",
        "views: missing",
        "image_size_px: 4 is below 8",
        "val_fraction: 1.0 is not below 1",
        "factors.floor_hue.high: 1.5 is above 1",
        "factors.rotation_y_rad: give either value, or low and high, not both",
        "factors.light_hue: missing; give low and high, or value",
        "factors.light_hu: unknown key; did you mean light_hue?",
    ]
    assert {line.strip() for line in lines[1:]} >= set(expected)
    assert any(line.strip().startswith("name: 'Bad Name'") for line in lines)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "low = -1\n",
            "low = 2\n",
            "factors.rotation_x_rad: low 2.0 is not below high 1.0; for one value write",
        ),
        ("low = -1\n", "", "factors.rotation_x_rad: give low and high, or value"),
        ("low = -1\n", "low = 0.99999999999\n", "are one number in float32"),
        ("low = -1\n", "low = nan\n", "factors.rotation_x_rad.low: nan: input should be a finite number"),
        ("low = -1\n", "low = true\n", "factors.rotation_x_rad.low: True: input should be a valid number"),
        ("low = -1\n", 'low = "pie"\n', "factors.rotation_x_rad.low: 'pie': input should be a valid number"),
        ('high = "0.25 * pi"', 'high = "pi/2"', "factors.light_theta_rad.high: pi/2 is not below 1.5708"),
        ("views = 3", "views = 3.0", "views: 3.0: input should be a valid integer"),
        ("views = 3", 'views = "3"', "views: '3': input should be a valid integer"),
        ("views = 3", "views = 3\nzzzzzz = 1", "zzzzzz: unknown key; there are name, "),
        ("value = 0.5", "valeu = 0.5", "factors.rotation_y_rad.valeu: unknown key; did you mean value?"),
        ("views = 3", "views 3", "recipe mine.toml: not TOML: "),
    ],
)
def test_one_fault(old: str, new: str, fault: str) -> None:
    assert old in GOOD
    assert fault in "\n".join(faults(GOOD.replace(old, new, 1)))


def test_recipe_error_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="1 error:\n  views: 0 is below 1"):
        load_recipe("zoo").replace(views=0)


def test_replace_checks_and_keeps_the_rest() -> None:
    recipe = load_recipe("zoo")
    changed = recipe.replace(views=3, seed=9)
    assert (changed.views, changed.seed) == (3, 9)
    assert dataclasses.replace(changed, views=recipe.views, seed=recipe.seed) == recipe
    with pytest.raises(RecipeError, match="did you mean image_size_px"):
        recipe.replace(image_size=3)


def test_label_digest_knows_only_what_decides_labels() -> None:
    recipe = load_recipe("3diebench")
    same = recipe.replace(
        name="other", views=3, image_size_px=64, jpeg_quality=50, source="zoo", split_seed=5
    )
    assert same.label_digest == recipe.label_digest
    assert same.digest != recipe.digest
    table = recipe.to_dict()
    table["factors"]["floor_hue"]["high"] = 0.5
    assert Recipe.from_dict(table).label_digest != recipe.label_digest
    assert recipe.replace(seed=1).label_digest != recipe.label_digest
    assert load_recipe("3diebench-t").label_digest != recipe.label_digest


def test_digests_are_what_they_were() -> None:
    # Data sets name their recipe by these: a change of the code may not change them.
    recipe = Recipe.from_toml(GOOD)
    assert recipe.label_digest == "f6cd7c619e6d8ecace95e9f14cbf5cec95217c9671ea37f3b755bac43ee06868"
    assert recipe.digest == "a4f9a462c79969dd55180a7b85ca2014aa010cc2fe7da5416ac5b6907370a742"


def test_load_by_path_and_by_unknown_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_recipe(path) == load_recipe(str(path)) == Recipe.from_toml(GOOD)
    with pytest.raises(
        InvalidInputError, match=r"no recipe 'nothing': .* one of 3diebench, 3diebench-t, zoo"
    ):
        load_recipe("nothing")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RecipeError, match=r"mine\.toml: not a text file in UTF-8"):
        load_recipe(path)


def test_supersampling_is_kept_and_does_not_change_other_recipes_digests():
    zoo = load_recipe("zoo")
    finer = zoo.replace(supersampling=3)
    assert (finer.supersampling, finer.quality) == (3, zoo.quality)
    assert Recipe.from_toml(finer.to_toml()) == finer
    assert finer.digest != zoo.digest
    assert finer.label_digest == zoo.label_digest
    assert "supersampling" not in zoo.to_toml()
    with pytest.raises(RecipeError, match="supersampling: 9 is above 8"):
        zoo.replace(supersampling=9)

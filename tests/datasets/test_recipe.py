import dataclasses
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turntable.datasets import Recipe, list_shipped_recipes, load_recipe
from turntable.errors import InvalidInputError, RecipeError, is_plain

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
    assert list_shipped_recipes() == (
        "3diebench",
        "3diebench-ood-legacy",
        "3diebench-published",
        "3diebench-t",
        "3diebench-t-published",
        "articulated",
        "articulated-unseen",
        "cameras",
        "charged",
        "folder",
        "graphs",
        "keypoints",
        "molecules",
        "nbody",
        "scan-objects",
        "scenes",
        "scenes-ood",
        "sequences",
        "shared-poses",
        "so3-ood",
        "solids",
        "springs",
        "street",
        "viewpoints",
        "zoo",
        "zoo-benchmark",
    )
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


@pytest.mark.parametrize("name", list_shipped_recipes())
def test_shipped_recipes_come_back_from_toml(name: str) -> None:
    recipe = load_recipe(name)
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert recipe.name == name


@given(
    views=st.integers(1, 10_000),
    seed=st.integers(0, 2**63 - 1),
    description=st.text(max_size=2000).filter(is_plain),
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
        "source: 'blender' is not one of 'zoo', 'articulated', 'particles', 'solids', 'molecules', "
        "'shapenet', 'shapenet-v1', 'shapenetsem', 'objaverse', 'gso' or 'folder'",
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
        ("low = -1\n", "low = 0.99999999999\n", "are the same number in float32"),
        ("low = -1\n", "low = nan\n", "factors.rotation_x_rad.low: nan: input should be a finite number"),
        ("low = -1\n", "low = true\n", "factors.rotation_x_rad.low: True: input should be a valid number"),
        ("low = -1\n", 'low = "pie"\n', "factors.rotation_x_rad.low: 'pie': input should be a valid number"),
        ('high = "0.25 * pi"', 'high = "pi/2"', "factors.light_theta_rad.high: pi/2 is not below 1.5708"),
        ("views = 3", "views = 3.0", "views: 3.0: input should be a valid integer"),
        ("views = 3", 'views = "3"', "views: '3': input should be a valid integer"),
        ("views = 3", "views = 3\nzzzzzz = 1", "zzzzzz: unknown key; the keys are name, "),
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
    shipped = {
        "3diebench": (
            "481120fc1feb4da76157542bf1bba9563e39a3f8b1e1f9b019328f63c2b12f75",
            "6d956025a24f3e02163844c92199c3252b20b2483178c2d53959f6f22981ff9d",
        ),
        "3diebench-t": (
            "b4ff71c35877451ef7fd11b5c3de72ca32071257a7689cfa7aabe1e83bdf93c5",
            "f6b41786514ec5a5b146eecd21199f1d5729bc2ada84f0ec92e527ad41ef7e7d",
        ),
        "zoo": (
            "3fa64a20a4bcab7dbd2b1dbaddb6d5b70202e8520c54c14aa54fd5a4b41b281e",
            "6d956025a24f3e02163844c92199c3252b20b2483178c2d53959f6f22981ff9d",
        ),
    }
    for name, digests in shipped.items():
        recipe = load_recipe(name)
        assert (recipe.digest, recipe.label_digest) == digests


def test_load_by_path_and_by_unknown_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_recipe(path) == load_recipe(str(path)) == Recipe.from_toml(GOOD)
    with pytest.raises(
        InvalidInputError, match=r"no recipe 'nothing': .* one of 3diebench, .*3diebench-t, .*, zoo"
    ):
        load_recipe("nothing")
    path.write_bytes(b"\xff")
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


def changed(recipe: Recipe, factors: dict[str, object] | None = None, **keys: object) -> Recipe:
    """Return a recipe with keys changed, with the factors given and without those set to None."""
    table = recipe.to_dict()
    table["factors"] |= factors or {}
    table["factors"] = {name: factor for name, factor in table["factors"].items() if factor is not None}
    return Recipe.from_dict(table | keys)


NO_ANGLES = {f"rotation_{axis}_rad": None for axis in "xyz"}
UNIFORM = {"kind": "uniform"}
TURN = {"length": 5, "motion": "constant", "speed_rad": {"low": 0.1, "high": 0.2}}
SCREW = {**TURN, "motion": "screw"}
LEGACY = {"draws": "numpy-legacy"}


@pytest.mark.parametrize(
    ("factors", "keys", "fault"),
    [
        (
            {"floor_hue": {"inner": 0.1, "outer": 0.2}},
            {},
            "factors.floor_hue: inner and outer need a factor",
        ),
        (
            {"rotation_x_rad": {"inner": 0.1}},
            {},
            "factors.rotation_x_rad: give either low and high, or value, or",
        ),
        ({"rotation_x_rad": {"inner": 0.2, "outer": 0.1}}, {}, "inner 0.2 is not below outer 0.1"),
        ({"translation_x": {"inner": 0.2, "outer": 3}}, {}, "factors.translation_x.outer: 3 is above 2"),
        ({"camera_distance": {"value": 1}}, {}, "factors.camera_distance.value: 1 is below 1.5"),
        ({"rotation_y_rad": None}, {}, "factors.rotation_y_rad: missing; give low and high, or value"),
        ({}, {"rotation": UNIFORM}, "factors.rotation_z_rad: [rotation] draws the rotations"),
        (NO_ANGLES, {"rotation": {**UNIFORM, "margin_deg": 5}}, "rotation.margin_deg: it is measured from"),
        (NO_ANGLES, {"rotation": {"kind": "haar"}}, "rotation.kind: 'haar' is not one of 'uniform'"),
        (NO_ANGLES, {"rotation": {"knd": "uniform"}}, "rotation.knd: unknown key; did you mean kind?"),
        (
            NO_ANGLES,
            {"rotation": UNIFORM, **LEGACY},
            'rotation: draws = "numpy-legacy" does not support [rotation]',
        ),
        ({}, {"sequence": TURN, **LEGACY}, 'sequence: draws = "numpy-legacy" does not support [sequence]'),
        (
            {},
            {"sequence": TURN, "draws": "imported"},
            'sequence: draws = "imported" does not support [sequence]',
        ),
        ({"rotation_x_rad": {"inner": 1, "outer": 2}}, LEGACY, "has no two-sided draws"),
        ({"sun_strength": {"low": 1, "high": 2}}, LEGACY, "factors.sun_strength: draws"),
        ({}, {"seed": 2**32, **LEGACY}, "seed: draws"),
        ({}, {"seed": 2**32 - 3, "chunks": 4, **LEGACY}, "seed: draws"),
        ({}, {"chunks": 2}, 'chunks: only draws = "numpy-legacy" divides lists into chunks'),
        ({}, {"sequence": {**TURN, "length": 7}}, "views: 20 is not a multiple of sequence.length 7"),
        ({}, {"sequence": {"length": 5, "motion": "constant"}}, "sequence.speed_rad: missing"),
        ({}, {"sequence": {**TURN, "motion": "independent"}}, "sequence.speed_rad: motion"),
        (
            {},
            {"sequence": {**TURN, "speed_rad": {"low": 0, "high": 4}}},
            "sequence.speed_rad: leaves [0, pi]",
        ),
        (
            {},
            {"sequence": {**TURN, "speed_rad": {"low": 2, "high": 1}}},
            "speed_rad: low 2.0 is above high 1.0",
        ),
        (
            {},
            {"sequence": {**TURN, "speed_rad": {"low": 2}}},
            "sequence.speed_rad: give low and high, or values",
        ),
        ({}, {"sequence": {**TURN, "offset": {"low": 0, "high": 0.1}}}, "sequence.offset: only motion"),
        (
            {},
            {"sequence": {**SCREW, "offset": {"low": -1, "high": 0.1}}},
            "sequence.offset: -1.0 is negative, but it is a distance",
        ),
        (
            {},
            {"sequence": {**SCREW, "travel": {"low": 0, "high": 0.9}}},
            "sequence.travel: with offset up to 0.3",
        ),
        ({"translation_y": {"value": 0}}, {"sequence": SCREW}, "factors.translation_y: motion = "),
        (
            {},
            {"sequence": {**TURN, "vary": ["hue"]}},
            "sequence.vary: hue is not a factor of this recipe; it has",
        ),
        ({}, {"sequence": {**TURN, "vary": ["rotation_x_rad"]}}, "rotation_x_rad belongs to the pose"),
        ({}, {"sequence": {**TURN, "vary": ["light_hue"] * 2}}, "sequence.vary: names a factor twice"),
        (
            {"light_hue": {"value": 0}},
            {"sequence": {**TURN, "vary": ["light_hue"]}},
            "sequence.vary: light_hue is fixed",
        ),
        (
            {"camera_elevation_rad": {"low": 0.5, "high": 1}},
            {"sequence": {**TURN, "motion": "in-plane", "vary": ["camera_elevation_rad"]}},
            "camera_elevation_rad would turn the axis",
        ),
        (
            {"camera_roll_rad": {"low": 0, "high": 3.2}},
            {},
            "factors.camera_roll_rad.high: 3.2 is above 3.14159",
        ),
        (
            {"principal_point_dx_px": {"low": -49, "high": 3}},
            {},
            "factors.principal_point_dx_px: -49 is more than half of image_size_px = 96; give at most 48",
        ),
        (
            {"principal_point_dy_px": {"value": 48.5}},
            {},
            "factors.principal_point_dy_px: 48.5 is more than half",
        ),
        (
            {"principal_point_dy_px": {"inner": 1, "outer": 50}},
            {},
            "factors.principal_point_dy_px: 50 is more",
        ),
        (
            {"principal_point_dy_px": {"value": 2049}},
            {"image_size_px": 4096},
            "factors.principal_point_dy_px.value: 2049 is above 2048",
        ),
        ({}, {"splits": []}, 'splits: must name "train", "val" or both'),
        ({}, {"splits": ["val", "val"]}, "splits: names a split twice"),
        ({}, {"splits": ["test"]}, "'test' is not one of 'train' or 'val'"),
    ],
)
def test_combinations_that_cannot_be(factors: dict[str, object], keys: dict[str, object], fault: str) -> None:
    with pytest.raises(RecipeError) as caught:
        changed(load_recipe("zoo"), factors, **keys)
    assert fault in str(caught.value)


def test_all_broken_rules_are_told_at_once() -> None:
    with pytest.raises(RecipeError, match="3 errors") as caught:
        changed(load_recipe("zoo"), chunks=3, sequence={**TURN, "length": 3, "vary": ["fog"]})
    assert [line.split(":")[0] for line in str(caught.value).splitlines()[1:]] == [
        "  chunks",
        "  views",
        "  sequence.vary",
    ]


def test_whatever_decides_labels_is_in_the_label_digest() -> None:
    zoo = load_recipe("zoo")
    on_so3 = changed(zoo, NO_ANGLES, rotation=UNIFORM)
    legacy = changed(zoo, **LEGACY)
    recipes = [
        zoo,
        on_so3,
        changed(zoo, NO_ANGLES, rotation={**UNIFORM, "outside": "3diebench"}),
        changed(zoo, NO_ANGLES, rotation={**UNIFORM, "outside": "3diebench", "margin_deg": 1}),
        legacy,
        legacy.replace(chunks=2),
        legacy.replace(views=21),
        changed(zoo, draws="imported"),
        changed(zoo, {"rotation_x_rad": {"inner": 0.1, "outer": 0.2}}),
        changed(zoo, {"rotation_x_rad": {"inner": 0.15, "outer": 0.2}}),
        changed(zoo, {"rotation_x_rad": {"low": -0.2, "high": 0.2}}),
        changed(zoo, sequence=TURN),
        changed(zoo, sequence={**TURN, "length": 4}),
        changed(zoo, sequence={**TURN, "motion": "in-plane"}),
        changed(zoo, sequence={**TURN, "vary": ["light_hue"]}),
        changed(zoo, sequence=SCREW),
        changed(zoo, sequence={**SCREW, "offset": {"low": 0, "high": 0.1}}),
        changed(zoo, sequence={**SCREW, "travel": {"low": 0, "high": 0.1}}),
        changed(zoo, {"camera_distance": {"value": 3}}),
    ]
    assert len({recipe.label_digest for recipe in recipes}) == len(recipes)
    assert zoo.replace(views=40, splits=["val"]).label_digest == zoo.label_digest


def test_keys_come_in_a_fixed_order() -> None:
    table = {**TURN, "vary": ["light_hue", "floor_hue"]}
    recipe = changed(load_recipe("zoo"), sequence=table, splits=["val", "train"])
    assert recipe.sequence is not None
    assert recipe.sequence.vary == ("floor_hue", "light_hue")
    assert "splits" not in recipe.to_dict()
    assert changed(load_recipe("zoo"), splits=["val"]).to_dict()["splits"] == ["val"]


def test_motions_read_multiples_of_pi_as_factors_do() -> None:
    recipe = load_recipe("sequences")
    assert recipe.sequence is not None
    assert recipe.sequence.speed_rad == (math.pi / 36, math.pi / 6)


def test_a_smaller_picture_allows_a_smaller_shift() -> None:
    table = load_recipe("cameras").to_dict()
    assert Recipe.from_dict(table | {"image_size_px": 24}).image_size_px == 24
    with pytest.raises(RecipeError, match=r"factors\.principal_point_dy_px: -?12 is more than half"):
        Recipe.from_dict(table | {"image_size_px": 23})

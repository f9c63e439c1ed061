"""The table [scene] of a recipe: its defaults and presets, its digests, and what is refused."""

from typing import Any

import pytest

from turntable import cli
from turntable.datasets import Recipe, load_recipe
from turntable.datasets.convert.import_origin import describe_imported
from turntable.errors import RecipeError

SCENE = {"objects": {"low": 3, "high": 6}, "size": {"low": 0.4, "high": 0.6}, "area": 0.7}


def make(scene: dict[str, Any], **changes: Any) -> Recipe:
    return load_recipe("scenes").replace(scene=scene, **changes)


def test_a_law_is_a_preset_of_the_orientation() -> None:
    for law, orientation in (("train", "upright"), ("ood", "haar")):
        preset = make({**SCENE, "law": law})
        assert preset == make({**SCENE, "orientation": orientation})
        assert preset.to_dict()["scene"] == {**SCENE, "orientation": orientation}
    assert make(SCENE) == make({**SCENE, "law": "train"})


def test_a_recipe_with_every_key_comes_back_from_toml() -> None:
    recipe = make({**SCENE, "gap": 0.1, "level": -1, "tries": 7, "arrangements": 5})
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert recipe.scene is not None
    assert str(recipe.scene) == (
        "3 to 6 objects of 0.4 to 0.6, upright on z = -1, within 0.7 of the vertical axis along x and y, at "
        "least 0.1 apart, 5 arrangements of each scene"
    )


def test_every_key_of_a_scene_is_part_of_the_label_digest() -> None:
    changed = [
        {"objects": {"low": 2, "high": 6}},
        {"size": {"low": 0.3, "high": 0.6}},
        {"area": 0.8},
        {"orientation": "haar"},
        {"gap": 0.1},
        {"level": 0},
        {"tries": 7},
        {"arrangements": 5},
    ]
    recipes = [load_recipe("scenes"), *(make({**SCENE, **change}) for change in changed)]
    assert len({recipe.label_digest for recipe in recipes}) == len(recipes)
    assert len({recipe.digest for recipe in recipes}) == len(recipes)


@pytest.mark.parametrize(
    ("scene", "changes", "fault"),
    [
        ({"objects": {"low": 1, "high": 6}}, {}, "scene.objects.low: 1 is below 2"),
        ({"objects": {"low": 2, "high": 9}}, {}, "scene.objects.high: 9 is above 8"),
        ({"objects": {"low": 5, "high": 4}}, {}, "scene.objects: low 5 is above high 4"),
        ({"objects": {"low": 2.5, "high": 4}}, {}, "scene.objects.low: 2.5: input should be a valid integer"),
        ({"objects": {"least": 3}}, {}, "scene.objects.least: unknown key; the keys are low, high"),
        ({"size": {"low": 0, "high": 0.5}}, {}, "scene.size: low 0 is not above 0"),
        ({"size": {"low": 0.6, "high": 0.5}}, {}, "scene.size: low 0.6 is above high 0.5"),
        ({"size": {"low": 0.5, "high": 1.5}}, {}, "scene.size: high 1.5 is above 1.4, the width of the area"),
        ({"area": 0}, {}, "scene.area: 0: input should be greater than 0"),
        ({"area": 1.2, "law": "ood"}, {}, "scene.area: 1.2 reaches below the floor, 1 below the origin"),
        ({"law": "val"}, {}, "scene.law: 'val' is not one of 'train' or 'ood'"),
        ({"law": "ood", "orientation": "haar"}, {}, 'scene.orientation: law = "ood" is a preset of it'),
        ({"law": "ood", "level": 0}, {}, 'scene.level: only orientation = "upright" uses it'),
        ({"level": -2}, {}, "scene.level: -2 is below -1"),
        ({"gap": -0.1}, {}, "scene.gap: -0.1 is below 0"),
        ({"tries": 0}, {}, "scene.tries: 0 is below 1"),
        ({"arrangement": 3}, {}, "scene.arrangement: unknown key; did you mean arrangements?"),
        (
            {"arrangements": 3},
            {},
            "scene.arrangements: 20 views cannot be divided evenly into 3 arrangements",
        ),
        (
            {"arrangements": 4},
            {"sequence": {"length": 10, "motion": "independent"}},
            "scene.arrangements: 20 views cannot be divided evenly into 4 arrangements of sequences of 10",
        ),
        (
            {"law": "ood", "objects": {"low": 8, "high": 8}, "size": {"low": 0.79, "high": 0.8}},
            {},
            "scene.area: 8 objects of size 0.79 with gaps of 0.02 can never lie within 0.7",
        ),
        ({"gap": 1.5}, {}, "scene.area: 6 objects of size 0.4 with gaps of 1.5 can never lie within 0.7"),
        ({}, {"split_rule": "each-category"}, 'split_rule: [scene] does not support "each-category"'),
        ({}, {"draws": "imported"}, 'scene: draws = "imported" does not support [scene]'),
    ],
)
def test_scenes_that_cannot_be_are_refused(
    scene: dict[str, Any], changes: dict[str, Any], fault: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        make({**SCENE, **scene}, **changes)
    assert fault in str(caught.value)


def test_imported_pictures_of_scenes_are_no_scenes() -> None:
    imported = describe_imported(load_recipe("scenes"))
    assert imported.scene is None
    assert imported.drawn_factors == load_recipe("scenes").drawn_factors


def test_the_command_says_that_single_objects_have_no_base(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["render", "zoo", "--out", "never", "--base-objects", "5"])
    assert ended.value.code == 2
    assert "--base-objects 5: the recipe zoo composes no scenes" in capsys.readouterr().err

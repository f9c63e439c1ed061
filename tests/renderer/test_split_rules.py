"""Runs tell of splits that are empty, and go on with the rule of splits that they were begun with."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.support.quick_run import InProcess
from turntable.datasets import Recipe, load_recipe, open_dataset, read_manifest_recipe
from turntable.renderer import generate, merge
from turntable.renderer.meshes.sources import ZooSource
from turntable.renderer.runs import ObjectSelection, plan_run

STORED = Path(__file__).parent.parent / "fixtures" / "sets" / "sequences"
ZOO = load_recipe("zoo")


def plan_warnings(num_objects: int, recipe: Recipe = ZOO, **selection) -> tuple[str, ...]:
    return plan_run(recipe, ZooSource(num_objects), ObjectSelection(num_objects, **selection)).warnings


def held_out(num_objects: int, recipe: Recipe = ZOO) -> int:
    shards = plan_run(recipe, ZooSource(num_objects), ObjectSelection(num_objects)).shards
    return sum(len(shard.objects) for shard in shards if shard.split == "val")


def test_small_sets_of_the_zoo_have_a_val_split():
    """Earlier versions held out none of 24, 17 of 48 and 31 of 82."""
    assert [held_out(number) for number in (24, 48, 82)] == [5, 10, 16]
    earlier = ZOO.replace(split_rule="each-category")
    assert [held_out(number, earlier) for number in (24, 48, 82)] == [0, 17, 31]


def test_a_split_that_is_empty_is_told_with_the_remedy():
    (text,) = plan_warnings(1)
    assert text == (
        "the split val is empty: none of the 1 objects is in it; render more objects (--objects), or set a "
        "larger val_fraction in the recipe"
    )
    assert plan_warnings(24, ZOO.replace(split_rule="each-category"))[0].startswith("the split val is empty")
    assert plan_warnings(1, ZOO.replace(val_fraction=0)) == ()  # it asks for none
    assert plan_warnings(1, ZOO.replace(splits=["train"])) == ()


def test_categories_that_only_val_has_are_told():
    assert plan_warnings(82) == ()
    (text,) = plan_warnings(24)
    assert text.startswith("5 of 24 categories have objects in val alone, so no training sees them (")
    assert text.endswith("render more objects (--objects), or set a smaller val_fraction in the recipe")


def test_lists_that_leave_a_split_empty_are_told(tmp_path):
    np.save(tmp_path / "val_images.npy", np.array(["/airplane/000000", "/bathtub/000000"]))
    lists = (tmp_path / "val_images.npy",)
    (text,) = plan_warnings(2, split_files=lists)
    assert text.startswith("the split train is empty: none of the 2 objects")
    assert text.endswith("or give other lists (--split)")


def test_the_rule_takes_no_part_in_digests_but_in_the_recipe():
    earlier = ZOO.replace(split_rule="each-category")
    assert (earlier.digest, earlier.label_digest) == (ZOO.digest, ZOO.label_digest)
    assert Recipe.from_toml(earlier.to_toml()) == earlier != ZOO
    assert "split_rule" not in ZOO.to_dict()


def test_a_set_of_an_earlier_version_gives_the_recipe_that_makes_it_again():
    manifest = open_dataset(STORED).manifest
    recipe = read_manifest_recipe(manifest)
    assert recipe.split_rule == "each-category"
    assert recipe.digest == manifest.recipe_digest


def test_shares_of_an_earlier_version_are_merged(tmp_path):
    shutil.copytree(STORED, tmp_path / "set")
    (tmp_path / "set" / "manifest.json").unlink()
    manifest = merge(tmp_path / "set")
    assert manifest.fingerprint == open_dataset(STORED).manifest.fingerprint
    assert manifest.recipe["split_rule"] == "each-category"
    assert manifest.conventions["split"] == "by object, equal meshes on one side"


@pytest.mark.gl
def test_a_run_that_an_earlier_version_began_goes_on_by_its_plan(tmp_path):
    """Its recipe named no rule. The present one would hold out one of the two objects."""
    (tmp_path / "set").mkdir()
    shutil.copy(STORED / "plan.json", tmp_path / "set")
    stored = open_dataset(STORED).manifest
    recipe, told = Recipe.from_dict(stored.recipe), []
    assert recipe.split_rule == "overall"
    assert held_out(2, recipe) == 1
    manifest = generate(
        recipe, ZooSource(2), tmp_path / "set", num_objects=2, engine=InProcess(), warn=told.append
    )
    assert manifest.fingerprint == stored.fingerprint
    assert (tmp_path / "set" / "plan.json").read_bytes() == (STORED / "plan.json").read_bytes()
    assert 'was begun with the rule of splits of earlier versions (split_rule = "each-category")' in told[0]
    fresh = generate(recipe, ZooSource(2), tmp_path / "new", num_objects=2, engine=InProcess())
    assert (
        json.loads((tmp_path / "new" / "plan.json").read_text())["split"]["rule"]
        == (fresh.conventions["split"])
    )
    assert fresh.splits == ("train", "val")

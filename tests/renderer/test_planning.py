import json

import numpy as np
import pytest

from tests.support.meshes import write_shapenet_object
from turntable.datasets import draw_factors, load_recipe
from turntable.errors import InvalidInputError
from turntable.renderer.meshes.sources import FolderSource, SourceObject, ZooSource
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource
from turntable.renderer.runs import ObjectSelection, plan_run

IDS = [f"0000000{synset}/m{synset}{number}" for synset in (1, 2) for number in range(4)]
RECIPE = load_recipe("3diebench").replace(views=2)


@pytest.fixture
def source(tmp_path):
    for number, object_id in enumerate(IDS):
        write_shapenet_object(
            tmp_path / "meshes", object_id, obj=f"v 0 0 0\nv 1 0 0\nv 0 1 {number / 10}\nf 1 2 3\n"
        )
    return ShapeNetSource(tmp_path / "meshes")


def splits(made):
    return {record.id: shard.split for shard in made.shards for record in shard.objects}


def test_the_published_split_comes_from_its_lists(source, tmp_path):
    val = tmp_path / "val_images.npy"
    np.save(val, np.array([f"/{IDS[0]}", f"/{IDS[5]}"]))
    made = plan_run(RECIPE, source, ObjectSelection(split_files=(val,)))
    assert splits(made) == {name: "val" if name in (IDS[0], IDS[5]) else "train" for name in IDS}
    assert made.split["rule"] == "files"
    assert len(made.split["val_images.npy"]) == 64
    train = tmp_path / "train_images.npy"
    np.save(train, np.array([f"/{IDS[1]}"]))
    both = plan_run(RECIPE, source, ObjectSelection(split_files=(val, train)))
    assert splits(both) == {IDS[0]: "val", IDS[5]: "val", IDS[1]: "train"}, "the others are in neither list"


def test_the_split_of_other_meshes_is_refused(source, tmp_path):
    val = tmp_path / "val_images.npy"
    np.save(val, np.array(["/00000009/stranger"]))
    with pytest.raises(
        InvalidInputError, match=r"no object of shapenet is in .*is it the split of these meshes"
    ):
        plan_run(RECIPE, source, ObjectSelection(split_files=(val,)))


def test_equal_meshes_are_on_one_side(source, tmp_path):
    same = (tmp_path / "meshes" / IDS[0] / "models/model_normalized.obj").read_bytes()
    for name in IDS[4:7]:
        (tmp_path / "meshes" / name / "models/model_normalized.obj").write_bytes(same)
    for seed in range(8):
        made = plan_run(RECIPE.replace(split_seed=seed, val_fraction=0.5), source)
        assert len({splits(made)[name] for name in (IDS[0], *IDS[4:7])}) == 1
        assert made.split["equal"] == 4


def test_only_the_splits_of_the_recipe_are_made(source):
    both, val = plan_run(RECIPE, source), plan_run(RECIPE.replace(splits=["val"]), source)
    assert set(splits(val).values()) == {"val"}
    assert splits(val).items() <= splits(both).items()
    with pytest.raises(InvalidInputError, match="none of the 8 objects is in the split val"):
        plan_run(RECIPE.replace(splits=["val"], val_fraction=0), source)


@pytest.fixture
def published():
    return load_recipe("3diebench-t-published").replace(views=3, chunks=2)


def test_published_labels_follow_the_lists(source, tmp_path, published):
    """By the original's own calls: a seed a list, ten numbers a view, in the original's order."""
    lists = [tmp_path / f"all_objects_chunk_{number}.npy" for number in range(2)]
    order = [[IDS[3], IDS[0], IDS[7]], [IDS[1], IDS[2], IDS[4], IDS[5], IDS[6]]]
    for path, ids in zip(lists, order, strict=True):
        np.save(path, np.array([name.split("/") for name in ids]))
    made = plan_run(published, source, ObjectSelection(object_lists=tuple(lists)))
    streams = {record.id: record.stream for shard in made.shards for record in shard.objects}
    assert streams[IDS[7]] == (0, 2)
    assert streams[IDS[5]] == (1, 3)
    np.random.seed(1)  # noqa: NPY002
    for _ in range(3):
        for _view in range(3):
            [np.random.uniform(0, 1) for _number in range(10)]  # noqa: NPY002
    floor_hue = np.random.uniform(0, 1)  # noqa: NPY002
    theta = np.random.uniform(0, np.pi / 4)  # noqa: NPY002
    labels = draw_factors(published, IDS[5], range(3), streams[IDS[5]])
    assert published.schema.get_values(labels, "floor_hue")[0] == np.float32(floor_hue)
    assert published.schema.get_values(labels, "light_theta_rad")[0] == np.float32(theta)


def test_published_labels_need_the_whole_shapenet_or_the_lists(source, tmp_path, published):
    with pytest.raises(InvalidInputError, match="52,491"):
        plan_run(published, source)
    lists = [tmp_path / f"{number}.txt" for number in range(2)]
    for path, ids in zip(lists, (IDS[:2], IDS[2:5]), strict=True):
        path.write_text("\n".join(ids))
    with pytest.raises(InvalidInputError, match=f"{IDS[5]} is not in the object lists"):
        plan_run(published, source, ObjectSelection(object_lists=tuple(lists)))
    with pytest.raises(InvalidInputError, match="draws each object independently and uses no lists"):
        plan_run(RECIPE, source, ObjectSelection(object_lists=tuple(lists)))


def test_differences_are_named():
    made = plan_run(load_recipe("zoo"), ZooSource(12))
    other = plan_run(load_recipe("zoo").replace(seed=3, views=7), ZooSource(11))
    said = made.list_differences(other.to_text())
    assert "objects: 11 there, 12 now" in said
    assert "seed: 3 there, 0 now" in said
    assert "views: 7 there, 20 now" in said
    moved = json.loads(made.to_text())
    moved["shards"][0]["objects"].reverse()
    assert made.list_differences(json.dumps(moved)) == ["the objects of its shards"]
    assert made.list_differences("{}") == ["its plan cannot be read"]


def test_a_file_name_that_is_not_in_utf_8_is_read_as_latin_1(tmp_path):
    for name in ("good", "bad\udcff"):
        (tmp_path / f"{name}.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    made = plan_run(load_recipe("zoo").replace(source="folder"), FolderSource(tmp_path))
    assert sorted(record.id for shard in made.shards for record in shard.objects) == ["bad\xff", "good"]


class BadNames(ZooSource):
    """A source of a user's own whose ids no label can hold."""

    def list_objects(self):
        return (SourceObject("bad\udcff", "bad"),)


def test_ids_that_are_not_in_utf_8_are_told_before_anything_is_planned():
    with pytest.raises(InvalidInputError, match=r"1 names of meshes are not in UTF-8, such as bad\\udcff"):
        plan_run(load_recipe("zoo"), BadNames(1))

"""Poses of parts and values of joints in shards: stored, described, verified, and told where wrong."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.support.assembly_sets import RECIPE, VIEWS, write_assemblies
from turntable.datasets import Manifest, draw_factors, open_dataset, verify_dataset
from turntable.datasets.labels import encode_output
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.shards import ShardWriter
from turntable.datasets.verification.part_arrays import find_index_fault, find_part_faults
from turntable.datasets.writing import finish_dataset
from turntable.errors import IntegrityError
from turntable.testing.datasets import make_synthetic_objects
from turntable.testing.datasets.synthetic import render_view


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts") / "set"
    return folder, write_assemblies(folder)


def test_what_was_stored_is_read(written):
    folder, stored = written
    with open_dataset(folder).open_split("train") as split:
        for row in range(split.num_objects):
            expected = stored[split.get_object_id(row)]
            assert split.read_parts(row) == expected.record.parts
            for name in ("part_pose", "joint_values"):
                array = getattr(split, f"read_{name}")(row)
                if name in expected.arrays:
                    assert array.dtype == np.float32
                    assert (array == expected.arrays[name]).all()
                else:
                    assert array is None


def test_the_manifest_and_the_files_around_it_describe_parts(written):
    folder, stored = written
    manifest = open_dataset(folder).manifest
    plain = {item.record.category for item in stored.values() if not item.record.parts}
    assert manifest.part_categories == tuple(sorted({"case", "lid", "drawer", "knob"} | plain))
    assert (manifest.max_parts, manifest.max_joints) == (4, 2)
    assert "KEY.part_pose.npy" in manifest.conventions["part_pose"]
    assert "KEY.joint_values.npy" in manifest.conventions["joint_values"]
    assert "`<key>.part_pose.npy`, `<key>.joint_values.npy`" in (folder / "README.md").read_text()
    croissant = json.loads((folder / "croissant.json").read_text())
    sets = {node["@id"]: node["includes"] for node in croissant["distribution"] if "includes" in node}
    assert sets == {"jpegs": "*.jpg", "part_pose": "*.part_pose.npy", "joint_values": "*.joint_values.npy"}
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_sets_without_parts_say_nothing_of_them(tmp_path):
    def plain(number, stored):
        stored.record, stored.arrays = replace(stored.record, parts=()), {}

    write_assemblies(tmp_path / "set", change=plain)
    manifest = json.loads((tmp_path / "set" / "manifest.json").read_text())
    assert not {"part_categories", "max_parts", "max_joints", "part_pose"} & {
        *manifest,
        *manifest["conventions"],
    }
    assert "part_pose" not in (tmp_path / "set" / "README.md").read_text()
    assert "part_pose" not in (tmp_path / "set" / "croissant.json").read_text()
    with np.load(next((tmp_path / "set").glob("*/*.idx"))) as index:
        assert not [name for name in index if name.startswith(("part_pose", "joint_values", "points"))]


def test_a_sound_set_passes(written):
    folder, _ = written
    assert verify_dataset(folder).problems == ()
    assert verify_dataset(folder, deep=True).problems == ()


def turn_lid(number, stored):
    stored.arrays["part_pose"][2, 1] = stored.arrays["part_pose"][1, 1]


def stretch(number, stored):
    stored.arrays["part_pose"][0, 0, 0, 0] *= 1.01


def mirror(number, stored):
    stored.arrays["part_pose"][0, 1, :3, :3] *= -1


def blank(number, stored):
    stored.arrays["part_pose"][0, 1, 0, 3] = np.nan


def endless(number, stored):
    stored.arrays["joint_values"][1, 0] = np.inf


def open_wide(number, stored):
    stored.arrays["joint_values"][1, 0] = 1.5


def change_value(number, stored):
    stored.arrays["joint_values"][1, 0] = 0.7 * stored.arrays["joint_values"][1, 0] + 0.01


def forget_part(number, stored):
    stored.arrays["part_pose"] = stored.arrays["part_pose"][:, :1]


def forget_view(number, stored):
    stored.arrays["joint_values"] = stored.arrays["joint_values"][:-1]


def forget_joints(number, stored):
    del stored.arrays["joint_values"]


def forget_parts(number, stored):
    stored.record = replace(stored.record, parts=())


def flatten(number, stored):
    stored.arrays["part_pose"] = stored.arrays["part_pose"].reshape(VIEWS, -1, 16)


@pytest.mark.parametrize(
    ("spoil", "deep", "told"),
    [
        (turn_lid, True, "the poses of part lid are not those that the labels and joint values give"),
        (stretch, True, "a part's pose is not a rigid motion"),
        (mirror, True, "a part's pose is not a rigid motion"),
        (blank, True, "its poses or joint values are NaN or infinite"),
        (endless, True, "its poses or joint values are NaN or infinite"),
        (open_wide, True, "a joint's value leaves its range"),
        (change_value, True, "the poses of part lid are not those"),
        (
            forget_part,
            True,
            r"poses \(4, 1, 4, 4\) and joint values \(4, 1\), not \(4, 2, 4, 4\) and \(4, 1\)",
        ),
        (forget_view, True, "joint_values.npy: numbers of 3 views, not of 4"),
        (flatten, True, r"part_pose.npy: float32 \(4, 2, 16\), not float32 \[views, parts, 4, 4\]"),
        (forget_joints, False, "it has 2 parts and 1 joints, which its arrays do not fit"),
        (forget_parts, False, "it has 0 parts and 0 joints, which its arrays do not fit"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, spoil, deep, told):
    def change(number, stored):
        if number == 3:
            spoil(number, stored)

    write_assemblies(tmp_path / "set", change=change)
    problems = verify_dataset(tmp_path / "set", deep=deep).problems
    assert len(problems) == 1
    assert re.search(told, problems[0]), problems
    shallow = verify_dataset(tmp_path / "set").problems
    assert bool(shallow) == (not deep)


def test_a_law_that_moves_parts_frees_all_but_the_joints(tmp_path):
    """With [scene] or [dynamics] the roots move as they like, and joints are checked relative to them."""
    drift = np.eye(4, dtype=np.float32)
    drift[:3, 3] = 0.1, 0.2, 0.0

    def move(number, stored):
        if stored.arrays:
            stored.arrays["part_pose"] = drift @ stored.arrays["part_pose"]
        if number == 4:
            stored.arrays["part_pose"][2, 2, :3, 3] += 0.05

    write_assemblies(tmp_path / "set", change=move)
    problems = verify_dataset(tmp_path / "set", deep=True).problems
    assert sum("poses of part base" in text for text in problems) == 4
    dataset = open_dataset(tmp_path / "set")
    manifest = replace(dataset.manifest, recipe={**dataset.manifest.recipe, "dynamics": {"law": "twist"}})
    with dataset.open_split("train") as split:
        for row, record in enumerate(split.objects):
            arrays = split.read_part_pose(row), split.read_joint_values(row)
            faults = list(find_part_faults(manifest, record, split.labels[row], *arrays))
            moved = "0004" in record.id
            told = ["the poses of part drawer are not those that the labels and joint values give"]
            assert faults == (told if moved else [])


def test_a_manifest_that_is_not_of_its_objects_is_told(written, tmp_path):
    folder, _ = written
    text = (folder / "manifest.json").read_text()
    table = json.loads(text)
    for changes, told in (
        (
            {"max_parts": 0},
            "max_parts is 0, not at least max_joints, and 0 exactly where part_categories is empty",
        ),
        ({"max_joints": 9}, "at least max_joints"),
        ({"part_categories": ["lid", "lid"]}, "part_categories"),
    ):
        with pytest.raises(IntegrityError, match=told):
            Manifest.from_json(json.dumps({**table, **changes}))
    shutil.copytree(folder, tmp_path / "set")
    (tmp_path / "set" / "manifest.json").write_text(json.dumps({**table, "max_parts": 3}))
    problems = verify_dataset(tmp_path / "set").problems
    assert any("it does not describe the parts of its objects" in text for text in problems)
    categories = [name for name in table["part_categories"] if name != "knob"]
    (tmp_path / "set" / "manifest.json").write_text(json.dumps({**table, "part_categories": categories}))
    with open_dataset(tmp_path / "set").open_split("train") as split:
        row = next(row for row, item in enumerate(split.objects) if len(item.parts) == 4)
        with pytest.raises(IntegrityError, match=r"categories that manifest.json does not name: 'knob'"):
            split.read_parts(row)
    (tmp_path / "set" / "manifest.json").write_text(json.dumps({**table, "max_parts": 3}))
    with open_dataset(tmp_path / "set").open_split("train") as split:
        row = next(row for row, item in enumerate(split.objects) if len(item.parts) == 4)
        with pytest.raises(IntegrityError, match=r"4 parts and 0 joints; manifest.json says at most 3 and 2"):
            split.read_part_pose(row)


def test_part_indices_beyond_the_parts_are_told(tmp_path):
    recipe = RECIPE.replace(outputs=["rgb", "parts"], views=1)
    (record, *_) = make_synthetic_objects(recipe, 1, 1)
    labels = draw_factors(recipe, record.id, range(1))
    image = np.full((16, 16), 255, np.uint8)
    image[4:8] = 1
    with ShardWriter(tmp_path / "train", "shard-000000", recipe.schema, recipe.label_digest) as writer:
        pictures = [render_view(recipe, record, labels[0])]
        writer.add(record, labels, pictures, {"parts": [encode_output("parts", image)]})
        shards = [writer.commit()]
    finish_dataset(tmp_path, recipe, shards, camera={}, device={}, source={"name": "", "licence": "CC0-1.0"})
    assert verify_dataset(tmp_path).problems == ()
    (problem,) = verify_dataset(tmp_path, deep=True).problems
    assert ".000.parts.png: it shows part 1, and the object has 1" in problem
    image[4:8] = 0
    assert find_index_fault(ObjectRecord("a", "a", "train", "folder", ""), image) == ""

"""Scenes as a source: composed of objects of one split, joined in their sizes, and refused by name."""

import pickle
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.quick_run import InProcess
from turntable import cli
from turntable.datasets import ObjectRecord, Recipe, draw_factors, load_recipe, open_dataset, verify_dataset
from turntable.datasets.draws import ObjectQuery
from turntable.datasets.objects import read_quarantine
from turntable.errors import IntegrityError, InvalidInputError, MeshError
from turntable.renderer import generate, open_recipe_source
from turntable.renderer.meshes import MeshWarning, compute_part_boxes, move_parts
from turntable.renderer.meshes.sources import (
    FolderSource,
    SceneSource,
    SymmetrySource,
    ZooSource,
    load_mesh,
    reopen_source,
)
from turntable.renderer.meshes.sources.scene_meshes import unify_colors
from turntable.renderer.online import take_inventory
from turntable.renderer.posing import pose_parts
from turntable.renderer.runs import ObjectSelection, plan_run
from turntable.renderer.scene import scenes_from_labels
from turntable.testing.backends import make_box
from turntable.testing.datasets import write_synthetic_dataset

RECIPE = load_recipe("scenes").replace(views=2, image_size_px=16, quality="fast")
CATEGORIES = ("chair", "mug", "sofa")


def open_scenes(recipe: Recipe = RECIPE, scenes: int = 10, objects: int = 60) -> SceneSource:
    return SceneSource(ZooSource(objects, CATEGORIES), recipe, scenes)


def list_members(source: SceneSource) -> dict[str, set[str]]:
    """Ids of the objects of each split's scenes, as the meshes have them."""
    members: dict[str, set[str]] = {"train": set(), "val": set()}
    for item in source.list_objects():
        members[source.get_split(item.id)] |= {part.object_id for part in source.load(item.id).parts}
    return members


def test_no_object_is_in_scenes_of_both_splits() -> None:
    members = list_members(open_scenes())
    assert min(map(len, members.values())) > 5
    assert not members["train"] & members["val"]


def test_equal_meshes_are_in_scenes_of_one_split(tmp_path: Path) -> None:
    for number in range(30):
        path = tmp_path / f"meshes/box/{number:02d}.obj"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"v 0 0 0\nv 1 0 0\nv 0 1 {number // 2}\nf 1 2 3\n")
    recipe = RECIPE.replace(val_fraction=0.5)
    members = list_members(SceneSource(FolderSource(tmp_path / "meshes"), recipe, 30))
    pairs = [{int(name[-2:]) // 2 for name in names} for names in members.values()]
    assert min(map(len, pairs)) > 5
    assert not pairs[0] & pairs[1]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.2, 0.25, 0.5, 0.9])
def test_every_number_of_scenes_has_its_share_in_val(share: float) -> None:
    source = open_scenes(RECIPE.replace(val_fraction=share))
    held_out = np.cumsum([source.get_split(f"scene/{number:06d}") == "val" for number in range(200)])
    for count in range(2, 201):
        assert (1 if share else 0) <= held_out[count - 1] < count
        assert abs(held_out[count - 1] - share * count) < 1


def test_the_plan_divides_scenes_and_a_longer_run_extends_a_shorter_one() -> None:
    plans = [plan_run(RECIPE, open_scenes(scenes=number)) for number in (4, 12)]
    splits = [{item.id: item.split for shard in plan.shards for item in shard.objects} for plan in plans]
    assert splits[0].items() < splits[1].items()
    assert sorted(splits[1]) == [f"scene/{number:06d}" for number in range(12)]
    assert plans[0].split["rule"].startswith("by scene")
    assert plans[0].source["scenes"] == 4
    other = plan_run(RECIPE, open_scenes(scenes=4, objects=63))
    assert any("base_digest" in row for row in other.list_differences(plans[0].to_text()))
    assert (
        open_scenes(scenes=4).load("scene/000002").parts == open_scenes(scenes=9).load("scene/000002").parts
    )


def test_objects_have_the_sizes_drawn_and_stand_apart_at_rest() -> None:
    source = open_scenes()
    mesh = load_mesh(source, "scene/000003")
    boxes = compute_part_boxes(mesh)
    sizes = np.linalg.norm(boxes[:, 1] - boxes[:, 0], axis=1)
    assert np.allclose(sizes, [size for _, size in source.list_members("scene/000003")], atol=1e-5)
    assert (boxes[1:, 0, 0] - boxes[:-1, 1, 0] >= 0.05 - 1e-6).all()
    assert np.allclose(boxes[:, 0, 2], -0.25, atol=1e-6)
    for part, box in zip(mesh.parts, boxes, strict=True):
        assert np.allclose(box.mean(axis=0), np.array(part.rest_pose)[:3, 3], atol=1e-6)
        assert part.object_id.startswith(part.category + "/")
    again = load_mesh(pickle.loads(pickle.dumps(source)), "scene/000003")
    assert again.positions.tobytes() == mesh.positions.tobytes()


@pytest.mark.parametrize("law", ["train", "ood"])
def test_posed_vertices_stay_within_their_own_boxes_of_the_view(law: str) -> None:
    recipe = RECIPE.replace(
        scene={"objects": {"low": 4, "high": 4}, "size": {"low": 0.4, "high": 0.6}, "area": 0.7, "law": law}
    )
    source = open_scenes(recipe)
    mesh, views = source.load("scene/000000"), np.arange(2)
    labels = draw_factors(recipe, "scene/000000", views)
    scenes = scenes_from_labels(recipe.schema.scene_names, labels)
    parts = pose_parts(recipe, "scene/000000", mesh, views, scenes.object_to_world)
    assert parts is not None
    assert parts.joint_values.shape == (2, 0)
    motions = parts.compute_motions(mesh, scenes.object_to_world)
    for view in views:
        moved = move_parts(mesh, motions[view])
        angle = labels[view, recipe.schema.get_column("rotation_z_rad")]
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        assert np.allclose(scenes.object_to_world[view, :3, :3], turn, atol=1e-6)
        owner = np.repeat(mesh.part_index, 3)
        points = moved.positions[mesh.triangles.ravel()]
        clouds = [points[owner == part] for part in range(4)]
        if law == "train":
            assert np.allclose([cloud[:, 2].min() for cloud in clouds], -0.25, atol=1e-5)
            sides = 2 * np.pi * np.arange(180) / 180
            # In some direction of the floor, all of one object lies before all of the other.
            for one, two in combinations(clouds, 2):
                axes = np.stack([np.cos(sides), np.sin(sides)])
                gaps = (two[:, :2] @ axes).min(axis=0) - (one[:, :2] @ axes).max(axis=0)
                assert gaps.max() > 0
        own = np.linalg.inv(parts.part_pose[view].astype(np.float64))
        rest = np.linalg.inv([part.rest_pose for part in mesh.parts])
        in_world = [cloud @ turn.T for cloud in clouds]
        for part in range(4):
            # The stored pose takes the part's own frame to the world.
            mine = (
                mesh.positions[mesh.triangles.ravel()][owner == part] @ rest[part][:3, :3].T
                + rest[part][:3, 3]
            )
            back = in_world[part] @ own[part][:3, :3].T + own[part][:3, 3]
            assert np.allclose(mine, back, atol=1e-5)


def test_a_digest_follows_the_objects_and_their_sizes() -> None:
    source = open_scenes()
    digests = {}
    for name in ("scene/000002", "scene/000003"):
        mesh = source.load(name)
        digests[name] = source.compute_digest(name, mesh)
        assert open_scenes().compute_digest(name, mesh) == digests[name], "without the memory of loading"
    assert len(set(digests.values())) == 2
    larger = RECIPE.replace(scene={**RECIPE.to_dict()["scene"], "size": {"low": 0.5, "high": 0.6}})
    assert open_scenes(larger).compute_digest("scene/000002", mesh) != digests["scene/000002"]
    ood = open_scenes(RECIPE.replace(scene={**RECIPE.to_dict()["scene"], "orientation": "haar"}))
    assert ood.compute_digest("scene/000002", ood.load("scene/000002")) == digests["scene/000002"]
    assert source.get_license("scene/000002") == "Apache-2.0"
    assert source.find_mesh_file("scene/000002") is None


def test_joined_licenses_name_each_once() -> None:
    class Licensed(ZooSource):
        def get_license(self, object_id: str) -> str:
            return f"license of {object_id.partition('/')[0]}s"

    source = SceneSource(Licensed(60, CATEGORIES), RECIPE, 4)
    categories = {part.category for part in source.load("scene/000002").parts}
    assert source.get_license("scene/000002") == "; ".join(
        f"license of {name}s" for name in sorted(categories)
    )


def test_vertex_colors_of_different_kinds_are_joined_and_a_warning_says_so() -> None:
    plain = make_box()
    colors = np.full((len(plain.positions), 4), 0.5, dtype=np.float32)
    encoded = replace(plain, colors=colors, has_encoded_colors=True, files=(Path("a/b.ply"),))
    linear = replace(plain, colors=colors)
    assert unify_colors([plain, encoded]) == [plain, encoded]
    changed, same = unify_colors([encoded, linear])
    assert same is linear
    assert changed.colors is not None
    assert np.allclose(changed.colors[0], [0.2140, 0.2140, 0.2140, 0.5], atol=1e-4)
    assert [(type(item), item.kind, item.file) for item in changed.warnings] == [
        (MeshWarning, "color-approximated", "b.ply")
    ]


class BrokenSource(ZooSource):
    """A zoo whose mugs cannot be read, one way or the other."""

    def load(self, object_id: str) -> Any:
        if object_id == "mug/000003":
            raise ValueError("an odd parser")
        if object_id.startswith("mug"):
            raise MeshError(f"{object_id}: cracked", reason="unreadable")
        return super().load(object_id)


@pytest.mark.gl
def test_a_scene_is_left_out_with_the_name_of_its_object(tmp_path: Path) -> None:
    source = SceneSource(BrokenSource(60, CATEGORIES), RECIPE, 8)
    generate(RECIPE, source, tmp_path / "set", engine=InProcess())
    assert verify_dataset(tmp_path / "set").problems == ()
    left_out = read_quarantine(tmp_path / "set/quarantine.jsonl")
    with_mugs = {
        f"scene/{number:06d}"
        for number in range(8)
        if any(item.category == "mug" for item, _ in source.list_members(f"scene/{number:06d}"))
    }
    assert {item.object for item in left_out} == with_mugs
    assert 0 < len(with_mugs) < 8
    assert all(item.reason == "unreadable" and "its object mug/" in item.detail for item in left_out)


@pytest.mark.gl
def test_a_scene_without_room_is_left_out(tmp_path: Path) -> None:
    scene = {
        "objects": {"low": 2, "high": 8},
        "size": {"low": 0.4, "high": 0.5},
        "area": 0.55,
        "tries": 1,
        "law": "ood",
    }
    recipe = RECIPE.replace(scene=scene, val_fraction=0)
    generate(recipe, open_scenes(recipe, 6), tmp_path / "set", engine=InProcess())
    left_out = read_quarantine(tmp_path / "set/quarantine.jsonl")
    assert 0 < len(left_out) < 6
    assert {item.reason for item in left_out} == {"no place in the scene"}
    assert "no place was found for its" in left_out[0].detail


def test_sources_that_do_not_fit_the_recipe_are_refused() -> None:
    zoo, plain = ZooSource(12, CATEGORIES), load_recipe("zoo")
    with pytest.raises(InvalidInputError, match="composes objects into scenes, and this source has single"):
        plan_run(RECIPE, zoo)
    with pytest.raises(InvalidInputError, match=r"zoo: a recipe without \[scene\] cannot arrange scenes"):
        plan_run(plain, open_scenes())
    with pytest.raises(InvalidInputError, match="composed for another recipe"):
        plan_run(RECIPE.replace(seed=4), open_scenes())
    with pytest.raises(InvalidInputError, match="leave out --symmetry"):
        plan_run(RECIPE, SymmetrySource(open_scenes()))
    with pytest.raises(InvalidInputError, match="--split: lists divide objects"):
        plan_run(RECIPE, open_scenes(), ObjectSelection(split_files=(Path("val_images.npy"),)))
    with pytest.raises(InvalidInputError, match=r"only 2 objects of zoo are in the split val, .* up to 6"):
        plan_run(RECIPE, open_scenes(objects=10))
    with pytest.raises(InvalidInputError, match="--objects 0: there must be at least one scene"):
        plan_run(RECIPE, open_scenes(scenes=0))
    with pytest.raises(InvalidInputError, match="'mug/000001' is not a scene; ids are like scene/000007"):
        open_scenes().load("mug/000001")
    with pytest.raises(InvalidInputError, match="--base-objects 9: the recipe zoo composes no scenes"):
        open_recipe_source(plain, None, num_base_objects=9)
    with pytest.raises(InvalidInputError, match="--base-objects 0: there must be at least one"):
        SceneSource(zoo, RECIPE, 4, 0).list_objects()
    train = RECIPE.replace(splits=["train"])
    assert plan_run(train, open_scenes(train, objects=10)).shards


def test_online_rendering_lists_the_scenes_of_a_split() -> None:
    inventory = take_inventory(ObjectQuery(RECIPE, None, "val", 10, backend="embree"))
    assert sorted(inventory.object_ids) == ["scene/000001", "scene/000006"]
    assert inventory.categories == ("scene",)


def test_the_source_of_a_finished_set_is_opened_again(tmp_path: Path) -> None:
    records = [ObjectRecord("scene/000000", "scene", "train", "zoo", "0" * 64)]
    write_synthetic_dataset(tmp_path, RECIPE, records)
    manifest = open_dataset(tmp_path).manifest
    with pytest.raises(IntegrityError, match="does not give scenes and base_objects of its source"):
        reopen_source(manifest, "zoo", None)
    source = reopen_source(replace(manifest, source={"scenes": 4, "base_objects": 60}), "zoo", None)
    assert isinstance(source, SceneSource)
    described = open_recipe_source(RECIPE, None, 4, num_base_objects=60).describe()
    assert source.describe() == described


@pytest.mark.slow
@pytest.mark.gl
def test_the_command_renders_scenes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            cli.main([*arguments])
        return int(ended.value.code or 0)

    size = ("--image-size", "16", "--views", "1", "--quality", "fast", "--workers", "1")
    out = str(tmp_path / "set")
    assert run("render", "scenes", "--out", out, "--objects", "3", "--base-objects", "40", *size) == 0
    manifest = open_dataset(out).manifest
    assert (manifest.source["scenes"], manifest.source["base_objects"]) == (3, 40)
    assert manifest.conventions["split"].startswith("by scene")
    assert "scaled to its size" in manifest.conventions["scene"]
    assert run("verify", out, "--deep") == 0
    capsys.readouterr()
    assert run("render", "scenes", "--out", out, "--objects", "3", "--base-objects", "41", *size) == 2
    assert "base_objects" in capsys.readouterr().err

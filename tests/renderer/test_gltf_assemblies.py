"""Folders of glTF files with moving parts, from the recipe to shards."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.gltf_motion import write_arm, write_door, write_drawer
from tests.support.quick_run import InProcess
from turntable.datasets import Recipe, load_recipe, open_dataset, verify_dataset
from turntable.datasets.objects import list_joints, read_quarantine
from turntable.errors import MeshError, RecipeError
from turntable.renderer import generate, open_recipe_source, pose_parts, render_views
from turntable.renderer.backends import Backend, get_quality
from turntable.renderer.meshes.sources import load_mesh, open_source, reopen_source
from turntable.renderer.replay import rerender
from turntable.renderer.scene import scenes_from_labels

RECIPE = load_recipe("folder").replace(
    parts=True,
    joints={"range": "full"},
    outputs=["rgb", "mask", "parts"],
    views=3,
    image_size_px=48,
    quality="fast",
    val_fraction=0,
)


@pytest.fixture
def meshes(tmp_path: Path) -> Path:
    folder = tmp_path / "meshes"
    folder.mkdir()
    write_door(folder / "door.glb")
    write_drawer(folder / "drawer.glb")
    write_arm(folder / "arm.glb")
    write_arm(folder / "soft.glb", blend=0.4)
    write_arm(folder / "stiff.glb", animated=False)
    return folder


def test_the_key_is_left_out_unless_given() -> None:
    plain = load_recipe("folder")
    assert "parts" not in plain.to_dict()
    changed = plain.replace(parts=True)
    assert Recipe.from_toml(changed.to_toml()) == changed
    assert changed.digest != plain.digest
    assert changed.label_digest == plain.label_digest  # the same labels, with parts
    with pytest.raises(RecipeError, match=r'source = "gso" reads no glTF files.*"folder" or "objaverse"'):
        plain.replace(parts=True, source="gso")


@pytest.mark.gl
def test_a_folder_becomes_a_set_with_joints_and_parts(
    meshes: Path, tmp_path: Path, gl_backend: Backend
) -> None:
    folder = tmp_path / "set"
    generate(RECIPE, open_recipe_source(RECIPE, meshes), folder, engine=InProcess())
    left_out = {item.object: item.reason for item in read_quarantine(folder / "quarantine.jsonl")}
    assert left_out == {"soft": "not rigid", "stiff": "no joints"}
    assert verify_dataset(folder, deep=True).problems == ()
    dataset = open_dataset(folder)
    assert dataset.manifest.part_categories == ("base", "hinge", "slide")
    with dataset.open_split("train") as split:
        for row, record in enumerate(split.objects):
            (joint,) = list_joints(record.parts)
            values = split.read_joint_values(row)
            assert values.shape == (3, 1)
            assert ((values >= joint.low) & (values <= joint.high)).all()
            seen = [np.unique(split.read_output(row, view, "parts")) for view in range(3)]
            assert {0, 1, 255} == set(np.concatenate(seen))
    source = reopen_source(dataset.manifest, "folder", meshes)
    assert rerender(folder, source, gl_backend, num_views=9).problems == ()


@pytest.mark.gl
@pytest.mark.parametrize("name", ["door", "drawer", "arm"])
def test_at_rest_the_picture_is_that_of_one_piece(meshes: Path, gl_backend: Backend, name: str) -> None:
    plain, assembly = (
        load_mesh(open_source("folder", meshes, with_parts=with_parts), name) for with_parts in (False, True)
    )
    labels = render_views(gl_backend, load_recipe("folder"), name, plain, range(2)).labels
    scenes = scenes_from_labels(load_recipe("folder").schema.names, labels)
    still = replace(scenes, part_motions=np.tile(np.eye(4), (2, len(assembly.parts), 1, 1)))
    pictures = [
        gl_backend.render(mesh, posed, 64, get_quality("standard"), ("rgb", "mask", "depth"))
        for mesh, posed in ((plain, scenes), (assembly, still))
    ]
    one_piece, parts = pictures
    assert one_piece.mask.any()
    assert (one_piece.mask == parts.mask).all()
    assert (one_piece.depth == parts.depth).all()
    assert (
        np.abs(one_piece.rgb.astype(int) - parts.rgb).max() <= 1
    )  # parts are shaded by a program of their own


def test_without_the_key_the_advice_is_to_give_it(meshes: Path) -> None:
    recipe = RECIPE.replace(parts=False)
    mesh = load_mesh(open_recipe_source(recipe, meshes), "door")
    with pytest.raises(MeshError, match=r"door: the recipe's \[joints\].* or give parts = true"):
        pose_parts(recipe, "door", mesh, np.arange(1), np.eye(4)[None])

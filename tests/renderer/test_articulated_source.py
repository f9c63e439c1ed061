"""Tests of articulated objects as a source, of the poses of their parts, and of what inspect lists."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from turntable import cli, geometry
from turntable.datasets import Recipe, load_recipe
from turntable.datasets.draws import draw_joint_values
from turntable.datasets.objects import MAX_PARTS, check_parts, compute_joint_motions, get_rest_poses
from turntable.errors import InvalidInputError, MeshError
from turntable.renderer import open_source
from turntable.renderer.meshes import compute_mesh_digest, move_parts
from turntable.renderer.meshes.sources import ArticulatedSource, format_parts, load_mesh
from turntable.renderer.meshes.zoo import make_zoo_mesh
from turntable.renderer.meshes.zoo.articulated import FAMILIES
from turntable.renderer.posing import pose_parts

VIEWS = np.arange(6)


def draw_poses(recipe: Recipe) -> NDArray[np.float64]:
    angles = np.random.default_rng(0).uniform(-1, 1, (len(VIEWS), 3))
    return geometry.make_pose(geometry.euler_to_matrix(angles), np.full((len(VIEWS), 3), 0.1))


def test_objects_are_shared_out_evenly_among_the_families() -> None:
    source = open_source("articulated", None, 2 * len(FAMILIES) + 1)
    assert source == ArticulatedSource(2 * len(FAMILIES) + 1)
    items = source.list_objects()
    assert len({item.id for item in items}) == 2 * len(FAMILIES) + 1
    assert sorted({item.category for item in items}) == list(FAMILIES)
    assert {item.id for item in ArticulatedSource(5).list_objects()} < {item.id for item in items}
    mesh = load_mesh(source, "laptop/000001")
    check_parts(mesh.parts, "laptop")
    assert len(mesh.parts) <= MAX_PARTS
    assert source.compute_digest("laptop/000001", mesh) == compute_mesh_digest(mesh)


def test_bad_input_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="source 'articulated' generates its meshes"):
        open_source("articulated", tmp_path)
    with pytest.raises(InvalidInputError, match="'articulated' cannot have 0 objects; give --objects 1"):
        ArticulatedSource(0).list_objects()
    for bad in ("laptop/three", "laptop"):
        with pytest.raises(InvalidInputError, match="ids are like laptop/000003"):
            ArticulatedSource(1).load(bad)
    with pytest.raises(InvalidInputError, match="unknown family of articulated objects 'mug'"):
        ArticulatedSource(1).load("mug/000000")


@pytest.mark.parametrize("name", ["articulated", "articulated-unseen"])
def test_parts_are_posed_by_the_drawn_joints(name: str) -> None:
    recipe, mesh = load_recipe(name), ArticulatedSource(1).load("excavator/000002")
    world = draw_poses(recipe)
    posed = pose_parts(recipe, "excavator/000002", mesh, VIEWS, world)
    assert posed is not None
    values = draw_joint_values(recipe, "excavator/000002", mesh.parts, VIEWS)
    assert posed.joint_values.tobytes() == values.tobytes()
    assert len(np.unique(values)) == values.size
    motions = compute_joint_motions(mesh.parts, values)
    # A point of a part's own frame is where moving the mesh at rest and then posing the whole brings it.
    own = np.array([0.1, -0.2, 0.05, 1.0])
    for view in VIEWS:
        at_rest = get_rest_poses(mesh.parts) @ own
        moved = np.einsum("kij,kj->ki", motions[view], at_rest) @ world[view].T
        np.testing.assert_allclose(posed.part_pose[view] @ own, moved, atol=1e-6)
    shown = posed.compute_motions(mesh, world)
    np.testing.assert_allclose(shown, motions, atol=1e-5)
    assert move_parts(mesh, shown[0]).positions.shape == mesh.positions.shape


def test_without_a_rule_joints_take_their_whole_range() -> None:
    table = load_recipe("articulated").to_dict()
    recipe = Recipe.from_dict({key: value for key, value in table.items() if key != "joints"})
    mesh = ArticulatedSource(1).load("laptop/000000")
    views = np.arange(300)
    world = np.tile(np.eye(4), (300, 1, 1))
    posed = pose_parts(recipe, "laptop/000000", mesh, views, world)
    assert posed is not None
    joint = mesh.parts[1].joint
    assert joint is not None
    shares = (posed.joint_values - joint.low) / (joint.high - joint.low)
    assert shares.min() < 0.02
    assert shares.max() > 0.98


def test_an_object_without_joints_is_left_out_where_a_recipe_draws_them() -> None:
    recipe = load_recipe("articulated")
    with pytest.raises(MeshError, match=r"mug/000000: the recipe's \[joints\] draws") as caught:
        pose_parts(recipe, "mug/000000", make_zoo_mesh("mug", 0), VIEWS, draw_poses(recipe))
    assert caught.value.reason == "no joints"


def test_parts_and_joints_are_listed() -> None:
    rows = format_parts(ArticulatedSource(1, ("cabinet",)))
    assert rows[0] == "1 object of 1 family:"
    assert rows[1] == "  cabinet/000000: 3 parts, 2 joints"
    assert rows[2] == "    body"
    assert rows[3].startswith("    drawer on body: slide along (0, -1, 0), -0.")
    assert rows[4] == "    left door (door) on body: hinge about (0, 0, 1), -105 to 0 degrees"


def test_inspect_lists_articulated_objects(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["inspect", "articulated", "--objects", "3"])
    assert not ended.value.code
    out = capsys.readouterr().out
    words = " ".join(out.replace("│", " ").split())
    assert "each joint uniform over the middle 60% of its range; one value for each view" in words
    assert "3 objects of 3 families:" in out
    assert "  chest/000000: 2 parts, 1 joint" in out

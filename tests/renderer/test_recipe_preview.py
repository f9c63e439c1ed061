"""Plots of a recipe show the joints and motions that a run draws."""

import numpy as np
import pytest

from turntable import geometry
from turntable.datasets import draw_factors, load_recipe
from turntable.datasets.objects import list_joints
from turntable.renderer import make_joint_previews, make_path_previews, open_recipe_source
from turntable.renderer.dynamics import compute_free_motions


def test_sweeps_go_from_the_least_to_the_greatest_state() -> None:
    recipe = load_recipe("articulated")
    source = open_recipe_source(recipe, None, 48)
    previews = make_joint_previews(recipe)
    assert len({preview.title.split("/")[0] for preview in previews}) == len(previews) == 4
    for preview in previews:
        mesh = source.load(preview.title.split(" (")[0])
        least, rest, greatest = (state.reshape(-1, 3) for state in preview.triangles)
        assert (rest == mesh.positions[mesh.triangles].reshape(-1, 3)).all()
        joints = list_joints(mesh.parts)
        assert len(preview.axes) == len(preview.sweeps) == len(joints)
        for joint, ends, sweep in zip(joints, preview.axes, preview.sweeps, strict=True):
            np.testing.assert_allclose((ends[1] - ends[0]) / 0.5, joint.axis, atol=1e-9)
            offsets = sweep - ends[0]
            beside = np.linalg.norm(np.cross(offsets, joint.axis), axis=1)
            along = offsets @ np.array(joint.axis)
            if joint.kind == "hinge":  # on a circle about the axis
                assert np.ptp(beside) < 1e-9
                assert np.ptp(along) < 1e-9
                continue
            assert np.ptp(along) == pytest.approx(joint.high - joint.low)
        if len(joints) == 1:  # with other joints, these move the point too
            assert np.linalg.norm(least - preview.sweeps[0][0], axis=1).min() < 1e-6
            assert np.linalg.norm(greatest - preview.sweeps[0][-1], axis=1).min() < 1e-6
    assert any(len(preview.sweeps) == 1 for preview in previews)


def test_paths_of_particles_are_those_of_the_simulation() -> None:
    recipe = load_recipe("charged")
    source = open_recipe_source(recipe, None, 48)
    for preview in make_path_previews(recipe):
        object_id = preview.title.split(":")[0]
        parts = source.load(object_id).parts
        motions = compute_free_motions(recipe, object_id, parts, np.arange(20))
        rest = np.array([part.rest_pose for part in parts])[:, :3, 3]
        np.testing.assert_allclose(preview.places, motions[..., :3, 3] + rest, atol=1e-6)


def test_paths_of_an_object_are_those_of_points_on_its_axes() -> None:
    recipe = load_recipe("sequences")
    for number, preview in enumerate(make_path_previews(recipe)):
        labels = draw_factors(recipe, f"invented/{number}", range(10))
        center = preview.places[:, 0]
        assert (center == recipe.schema.get_translations(labels)).all()
        quaternions = geometry.matrix_to_quaternion(
            (preview.places[:, 1:] - center[:, None]).transpose(0, 2, 1) / 0.4
        )
        expected = recipe.schema.compute_quaternions(labels)
        np.testing.assert_allclose(np.abs((quaternions * expected).sum(axis=1)), 1, atol=1e-6)


def test_what_mesh_files_have_is_not_plotted() -> None:
    sequence = {"length": 10, "motion": "still"}
    recipe = load_recipe("sequences").replace(source="folder", sequence=sequence, dynamics={"law": "twist"})
    assert make_path_previews(recipe) == ()
    assert make_joint_previews(load_recipe("folder").replace(parts=True, joints={"range": "full"})) == ()
    assert make_joint_previews(load_recipe("zoo")) == make_path_previews(load_recipe("zoo")) == ()

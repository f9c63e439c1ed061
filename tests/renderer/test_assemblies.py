"""Assemblies: shadows of parts on each other by two backends, batches of views, and what backends share."""

from dataclasses import replace

import numpy as np
import pytest

from turntable.datasets.objects import Joint, ObjectPart, check_parts, compute_joint_motions
from turntable.errors import InvalidInputError
from turntable.renderer import open_backend
from turntable.renderer.backends import get_quality
from turntable.renderer.meshes import compute_mesh_digest, join_parts, move_parts
from turntable.testing.backends.assemblies import make_assembly, make_moved_scenes
from turntable.testing.backends.meshes import make_box
from turntable.testing.backends.views import make_label, make_scenes

HIGH = get_quality("high")


def test_two_backends_agree_on_the_shadows_of_parts_on_each_other():
    """A lamp straight above three boards, one above the other, each turned: no light passes by accident."""
    boards = [make_box((0.5, 0.16, 0.03), (0, 0, z), base_color=(0.8, 0.8, 0.8)) for z in (-0.25, 0.0, 0.25)]
    mesh = join_parts(boards, [ObjectPart(f"board {n}", "board") for n in range(3)], "boards")
    turns = np.zeros((2, 3, 4, 4))
    for view, step in enumerate((0.4, 0.9)):
        for part in range(3):
            c, s = np.cos(step * part), np.sin(step * part)
            turns[view, part] = [[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    labels = [make_label(theta=0.15, sun=0.3, power=900.0)] * 2
    scenes = replace(make_scenes(*labels), part_motions=turns)
    pictures = []
    for name in ("moderngl", "embree"):
        with open_backend(name) as backend:
            pixels = backend.render(mesh, scenes, 96, HIGH, ("parts",))
        pictures.append((pixels.rgb.astype(float), pixels.parts))
    (gl, gl_parts), (rays, ray_parts) = pictures
    assert (gl_parts != ray_parts).mean() < 0.002
    for part in range(3):
        seen = (gl_parts == part) & (ray_parts == part)
        assert np.abs(gl - rays)[seen].mean() < 4.0, f"board {part} has the same light and shadows"


def test_a_view_looks_the_same_in_any_batch():
    mesh, scenes = make_assembly(), make_moved_scenes()
    with open_backend("moderngl") as backend:
        together = backend.render(mesh, scenes, 64, HIGH, ("parts",))
        alone = [backend.render(mesh, scenes[row : row + 1], 64, HIGH, ("parts",)) for row in range(3)]
    assert np.array_equal(together.parts, np.concatenate([pixels.parts for pixels in alone]))
    rows = np.concatenate([pixels.rgb for pixels in alone])
    # Places in an atlas differ, and with them the last bits of what is read there.
    assert np.abs(together.rgb.astype(int) - rows).max() <= 2


def test_rows_of_scenes_keep_their_motions():
    scenes = make_moved_scenes()
    assert np.array_equal(scenes[1:].part_motions, scenes.part_motions[1:])
    assert make_scenes(make_label())[0:1].part_motions is None


def test_joined_parts_stand_where_their_rest_poses_say():
    box = make_box((0.2, 0.2, 0.2))
    at = ((1.0, 0.0, 0.0, 0.3), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, -0.1), (0.0, 0.0, 0.0, 1.0))
    mesh = join_parts([box, box], [ObjectPart("a", "box"), ObjectPart("b", "box", rest_pose=at)], "boxes")
    second = mesh.positions[mesh.triangles[mesh.part_index == 1].ravel()]
    assert np.allclose((second.min(axis=0) + second.max(axis=0)) / 2, (0.3, 0, -0.1), atol=1e-6)
    moved = move_parts(mesh, np.stack([np.eye(4), np.diag([-1.0, -1, 1, 1])]))
    third = moved.positions[moved.triangles[moved.part_index == 1].ravel()]
    assert np.allclose((third.min(axis=0) + third.max(axis=0)) / 2, (-0.3, 0, -0.1), atol=1e-6)


def test_the_digest_of_a_mesh_tells_its_parts():
    box = make_box()
    one = join_parts([box], [ObjectPart("a", "box")], "one")
    assert (
        len({compute_mesh_digest(m) for m in (box, one, replace(one, parts=(ObjectPart("b", "box"),)))}) == 3
    )


def test_a_hinge_turns_about_its_axis_and_carries_what_hangs_on_it():
    hinge = Joint("hinge", (0.0, 0.0, 1.0), (0.5, 0.0, 0.0), -1.0, 1.0)
    slide = Joint("slide", (1.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.0, 0.4)
    parts = [
        ObjectPart("base", "base"),
        ObjectPart("door", "door", 0, hinge),
        ObjectPart("bolt", "bolt", 1, slide),
    ]
    motions = compute_joint_motions(parts, np.array([[np.pi / 2, 0.2]]))[0]
    assert np.allclose(motions[0], np.eye(4))
    assert np.allclose(motions[1] @ (0.5, 0, 0.7, 1), (0.5, 0, 0.7, 1)), "the axis stays"
    assert np.allclose(motions[1] @ (0.8, 0, 0, 1), (0.5, 0.3, 0, 1)), "counter-clockwise about z"
    assert np.allclose(motions[2] @ (0.8, 0, 0, 1), (0.5, 0.5, 0, 1)), "first along x, then with the door"


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([ObjectPart("a", "box"), ObjectPart("a", "box")], "two parts have the same name"),
        ([ObjectPart("a", "box", 0)], "part a stands before its parent 0"),
        (
            [ObjectPart("a", "box", None, Joint("hinge", (0, 0, 1), (0, 0, 0), 0, 1))],
            "part a has a joint and no parent",
        ),
        ([ObjectPart(str(n), "box") for n in range(65)], "65 parts; at most 64 are possible"),
    ],
)
def test_parts_that_are_no_object_are_refused(parts, words):
    with pytest.raises(InvalidInputError, match=words):
        check_parts(parts, "thing")

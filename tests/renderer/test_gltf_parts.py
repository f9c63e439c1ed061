"""Rigid parts of glTF files: their joints against numbers by hand, poses against the file's own nodes."""

import numpy as np
import pytest

from tests.support.gltf import GltfMaker, triangles_of
from tests.support.gltf_motion import animate, box, turn, write_arm, write_door, write_drawer
from turntable import geometry
from turntable.datasets.objects import compute_joint_motions, list_joints
from turntable.errors import MeshError
from turntable.renderer.meshes import move_parts
from turntable.renderer.meshes.formats import load_gltf
from turntable.renderer.meshes.sources import FolderSource, load_mesh


def load(path):
    return load_gltf(path, with_parts=True)


def turned(mesh, values):
    """The triangles [T, 3, 3] of an assembly at values of its joints, in the file's axes."""
    motions = compute_joint_motions(mesh.parts, np.array([values], dtype=float))
    return triangles_of(move_parts(mesh, motions[0]))


def kinds(mesh):
    return [warning.kind for warning in mesh.warnings]


def test_a_door_is_a_hinge_at_its_node(tmp_path):
    mesh = load(write_door(tmp_path / "door.glb"))
    base, door = mesh.parts
    assert (base.name, base.category, door.name, door.category) == ("base", "base", "door", "hinge")
    assert (door.parent, door.joint.kind) == (0, "hinge")
    np.testing.assert_allclose(door.joint.axis, [0, 0, 1], atol=1e-9)  # y of the file is up, which is z
    np.testing.assert_allclose(door.joint.origin, [-0.8, -0.2, 0], atol=1e-7)
    np.testing.assert_allclose([door.joint.low, door.joint.high], [0, 1.2], atol=1e-6)
    assert np.bincount(mesh.part_index).tolist() == [8, 16]  # the knob goes with the door
    np.testing.assert_allclose(np.array(door.rest_pose)[:3, 3], door.joint.origin)


def test_a_drawer_is_a_slide_in_the_lengths_of_the_scene(tmp_path):
    (joint,) = list_joints(load(write_drawer(tmp_path / "drawer.glb")).parts)
    assert joint.kind == "slide"
    np.testing.assert_allclose(joint.axis, [0, -1, 0], atol=1e-7)
    np.testing.assert_allclose([joint.low, joint.high], [0, 0.6], atol=1e-6)


@pytest.mark.parametrize("animated", [True, False])
def test_bones_of_a_rigid_skin_are_parts(tmp_path, animated):
    mesh = load(write_arm(tmp_path / "arm.glb", animated=animated))
    names = [part.name for part in mesh.parts]
    assert names == (["base", "elbow"] if animated else ["shoulder", "elbow"])
    assert np.bincount(mesh.part_index).tolist() == [8, 8]
    joints = list_joints(mesh.parts)
    assert len(joints) == animated
    if animated:
        np.testing.assert_allclose(joints[0].axis, [0, 1, 0], atol=1e-9)  # -z of the file
        np.testing.assert_allclose(joints[0].origin, [0, 0, 1], atol=1e-9)
        np.testing.assert_allclose([joints[0].low, joints[0].high], [0, 1.5], atol=1e-6)


def test_a_joint_moves_what_the_file_moves(tmp_path):
    """Each file with its node posed by hand shows what its joint does to the parts at rest."""
    mesh = load(write_door(tmp_path / "door.glb"))
    posed = load_gltf(write_door(tmp_path / "posed.glb", rotation=turn((0, 1, 0), 0.9)))
    np.testing.assert_allclose(turned(mesh, [0.9]), triangles_of(posed), atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_any_chain_of_nodes_moves_as_in_the_file(tmp_path, seed):
    """Scaled, mirrored and turned nodes, of which one turns and one slides, relative to poses at rest."""
    rng = np.random.default_rng(seed)
    rest, axis, line = rng.normal(size=4), rng.normal(size=3), rng.normal(size=3)
    rest, axis, line = (values / np.linalg.norm(values) for values in (rest, axis, line))
    above, start = rng.normal(size=4), rng.normal(size=3)
    above /= np.linalg.norm(above)
    scale = (0.3 + rng.random()) * np.array([1, 1, 1 if seed % 2 else -1])

    def write(name, rotation, shift):
        maker = GltfMaker()
        slid = maker.node(mesh=box(maker, (0.3, 0.2, 0.1)), translation=(start + shift * line).tolist())
        hinged = maker.node(
            mesh=box(maker, (0.5, 0.4, 0.3)),
            rotation=list(rotation),
            translation=[0.4, 0.1, 0],
            children=[slid],
        )
        frame = maker.node(
            rotation=above.tolist(), scale=scale.tolist(), translation=[3, 1, 2], children=[hinged]
        )
        root = maker.node(mesh=box(maker, (1, 2, 1), (0, 0.3, 0)), children=[frame])
        turns = [geometry.multiply_quaternions(np.array(turn(axis, a)), rest) for a in (-0.4, 0.9, 0.2)]
        animate(maker, hinged, "rotation", turns)
        animate(maker, slid, "translation", [start + value * line for value in (-0.1, 0.5)])
        return maker.write_glb(tmp_path / name, root)

    mesh = load(write("rest.glb", rest, 0))
    hinge, slide = list_joints(mesh.parts)
    assert [part.parent for part in mesh.parts] == [None, 0, 1]
    np.testing.assert_allclose([hinge.low, hinge.high], [-0.4, 0.9], atol=1e-6)
    size = abs(scale[0])
    np.testing.assert_allclose([slide.low, slide.high], [-0.1 * size, 0.5 * size], atol=1e-6)
    posed = load_gltf(write("posed.glb", geometry.multiply_quaternions(np.array(turn(axis, 0.7)), rest), 0.3))
    np.testing.assert_allclose(turned(mesh, [0.7, 0.3 * size]), triangles_of(posed), atol=2e-6)


def test_a_wheel_turns_a_whole_turn_and_jumps_of_quaternions_do_not_count(tmp_path):
    angles = np.linspace(0, 4 * np.pi, 17)
    (joint,) = list_joints(load(write_door(tmp_path / "wheel.glb", angles)).parts)
    np.testing.assert_allclose([joint.low, joint.high], [0, 2 * np.pi], atol=1e-5)


def test_any_other_motion_gives_a_free_part(tmp_path):
    maker = GltfMaker()
    bird = maker.node(mesh=box(maker, (0.5, 0.4, 0.3)), translation=[2, 0, 0])
    ground = maker.node(mesh=box(maker, (1, 1, 1)), children=[bird])
    animate(maker, bird, "rotation", [turn((1, 0, 0), 0.5), turn((0, 1, 0), 0.5)])
    base, free = load(maker.write_glb(tmp_path / "bird.glb", ground)).parts
    assert (free.category, free.parent, free.joint) == ("free", None, None)
    np.testing.assert_allclose(np.array(free.rest_pose)[:3, 3], [2, 0, 0])
    assert base.parent is None


@pytest.mark.parametrize("times", [None, [0, 0.5, 1]])
def test_what_nothing_moves_against_the_rest_is_of_one_piece(tmp_path, times):
    """No animation, one that stands still, and one that turns the whole object."""
    maker = GltfMaker()
    inner = maker.node(mesh=box(maker, (0.5, 0.4, 0.3)))
    root = maker.node(mesh=box(maker, (1, 1, 1)), children=[inner])
    if times is not None:
        animate(maker, inner, "rotation", [turn((1, 0, 0), 0.3)] * 3, times)
        animate(maker, root, "rotation", [turn((1, 0, 0), angle) for angle in (0, 1, 2)], times)
    mesh = load(maker.write_glb(tmp_path / "a.glb", root))
    assert mesh.parts == ()
    assert mesh.part_index is None
    assert mesh.warnings == ()


def test_a_soft_skin_is_refused(tmp_path):
    with pytest.raises(MeshError, match=r"several bones of its skin move 8 of 16 triangles.*parts") as caught:
        load(write_arm(tmp_path / "soft.glb", blend=0.2))
    assert caught.value.reason == "not rigid"
    assert load(write_arm(tmp_path / "hard.glb", blend=5e-4)).parts
    assert load_gltf(tmp_path / "soft.glb").parts == ()  # at rest it is drawn as ever


def test_a_little_that_bends_is_said_and_follows_one_bone(tmp_path):
    maker = GltfMaker()
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 2), np.linspace(0, 1, 64), [0]), -1).reshape(-1, 3)
    row = np.arange(63)[:, None] * 2
    triangles = np.concatenate([row + np.array(corners) for corners in ([0, 1, 2], [1, 3, 2])])
    first = grid[:, 1] < 0.5
    joints = maker.array(np.where(first[:, None], [0, 0, 0, 0], [1, 0, 0, 0]), "u1")
    mesh = maker.mesh(
        {"POSITION": grid, "JOINTS_0": joints, "WEIGHTS_0": np.tile([1.0, 0, 0, 0], (len(grid), 1))},
        triangles.ravel(),
    )
    bones = [maker.node(name=name) for name in "ab"]
    skin = maker.append("skins", {"joints": bones})
    loaded = load(maker.write_glb(tmp_path / "strip.glb", maker.node(mesh=mesh, skin=skin), *bones))
    assert kinds(loaded) == ["motion-skipped"]
    assert "move 2 triangles" in loaded.warnings[0].detail
    used = [set(loaded.triangles[loaded.part_index == part].ravel()) for part in (0, 1)]
    assert used[0].isdisjoint(used[1])
    plain = load_gltf(tmp_path / "strip.glb")
    assert (loaded.positions[loaded.triangles] == plain.positions[plain.triangles]).all()


def test_scales_morphs_and_uneven_frames_are_told_and_left_out(tmp_path):
    maker = GltfMaker()
    inner = maker.node(mesh=box(maker, (0.5, 0.4, 0.3)))
    uneven = maker.node(children=[inner], scale=[1, 2, 1])
    root = maker.node(mesh=box(maker, (1, 1, 1)), children=[uneven])
    animate(maker, root, "scale", [[1, 1, 1], [2, 2, 2]])
    animate(maker, uneven, "scale", [[1, 2, 1], [1, 2, 1]])  # baked, and changes nothing
    animate(maker, root, "weights", [0, 1])
    animate(maker, inner, "rotation", [turn((0, 0, 1), 0), turn((0, 0, 1), 1)])
    mesh = load(maker.write_glb(tmp_path / "a.glb", root))
    assert kinds(mesh) == ["motion-skipped"] * 3
    assert [warning.detail.split(",")[0] for warning in mesh.warnings] == [
        f"an animation scales node {root}",
        f"an animation morphs node {root}",
        f"an animation of node {inner} bends it",
    ]
    assert mesh.parts == ()


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"sampler": 7}, "reference-skipped"),
        ({"target": {"node": 99, "path": "rotation"}}, None),
        ({"target": {"path": "rotation"}}, None),
        ({"target": {"node": 1, "path": "pointer"}}, None),
    ],
)
def test_a_broken_channel_moves_nothing(tmp_path, change, kind):
    maker = GltfMaker()
    inner = maker.node(mesh=box(maker, (0.5, 0.4, 0.3)))
    root = maker.node(mesh=box(maker, (1, 1, 1)), children=[inner])
    animate(maker, inner, "rotation", [turn((0, 0, 1), 0), turn((0, 0, 1), 1)])
    maker.tree["animations"][0]["channels"][0].update(change)
    mesh = load(maker.write_glb(tmp_path / "a.glb", root))
    assert mesh.parts == ()
    assert kinds(mesh) == ([] if kind is None else [kind])


@pytest.mark.parametrize("where", ["input", "output"])
def test_keyframes_that_are_no_numbers_move_nothing(tmp_path, where):
    maker = GltfMaker()
    inner = maker.node(mesh=box(maker, (0.5, 0.4, 0.3)))
    root = maker.node(mesh=box(maker, (1, 1, 1)), children=[inner])
    animate(maker, inner, "translation", [[0, 0, 0], [np.nan, 0, 1]], [0, 1])
    maker.tree["animations"][0]["samplers"][0][where] = maker.array([[0.0]] * 2 if where == "output" else [])
    mesh = load(maker.write_glb(tmp_path / "a.glb", root))
    assert mesh.parts == ()


def test_too_many_keyframes_are_refused(tmp_path):
    """A thousand channels that all read the same long list."""
    maker = GltfMaker()
    root = maker.node(mesh=box(maker, (1, 1, 1)))
    animate(maker, root, "translation", np.zeros((3000, 3)))
    maker.tree["animations"] *= 1000
    with pytest.raises(MeshError, match=r"keyframes from .* bytes") as caught:
        load(maker.write_glb(tmp_path / "a.glb", root))
    assert caught.value.reason == "too large"


def test_too_many_parts_are_refused(tmp_path):
    maker = GltfMaker()
    mesh = box(maker, (0.01, 0.01, 0.01))
    cubes = [maker.node(mesh=mesh, translation=[number / 50, 0, 0]) for number in range(65)]
    for cube in cubes:
        animate(maker, cube, "rotation", [turn((0, 0, 1), 0), turn((0, 0, 1), 1)])
    with pytest.raises(MeshError, match="66 parts that move, and at most 64 are possible") as caught:
        load(maker.write_glb(tmp_path / "a.glb", *cubes))
    assert caught.value.reason == "too many parts"


def test_a_folder_gives_assemblies_that_stand_at_rest_where_they_stood(tmp_path):
    write_door(tmp_path / "door.glb")
    write_arm(tmp_path / "arm.glb")
    for object_id in ("door", "arm"):
        plain = load_mesh(FolderSource(tmp_path), object_id)
        mesh = load_mesh(FolderSource(tmp_path, with_parts=True), object_id)
        low, high = (bound(plain.positions, axis=0).astype(float) for bound in (np.min, np.max))
        expected = (plain.positions - (low + high) / 2).astype(np.float32)
        assert (mesh.positions[mesh.triangles] == expected[plain.triangles]).all()
    size = np.linalg.norm(high - low)
    door = load_mesh(FolderSource(tmp_path, with_parts=True), "door").parts[1]
    assert door.joint.low == 0
    assert abs(door.joint.high - 1.2) < 1e-6
    assert size == pytest.approx(1)

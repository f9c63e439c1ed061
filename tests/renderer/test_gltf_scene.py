"""Tests of what a glTF scene places: nodes, instances, skins and morph targets, against numbers by hand."""

import numpy as np
import pytest

from tests.support.gltf import TRIANGLE, GltfMaker, triangles_of
from turntable.errors import MeshError
from turntable.renderer.meshes import Limits
from turntable.renderer.meshes.formats import load_gltf
from turntable.renderer.meshes.limits import ScaledLimit

UP = np.tile([0.0, 0.0, 1.0], (3, 1))
HALF_TURN_ABOUT_Z = [0.0, 0.0, 1.0, 0.0]
QUARTER_TURN_ABOUT_Z = [0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)]


def kinds(mesh):
    return [warning.kind for warning in mesh.warnings]


def moved(by):
    """The triangle moved by a vector, or each corner by one of its own."""
    return TRIANGLE + np.array(by)


def scaled(factor):
    """A matrix column by column, as a file has it."""
    return np.diag([factor, factor, factor, 1.0]).T.ravel()


# Skins.


def skinned(maker, joints, weights, inverse=None, dtype="u1", **node):
    mesh = maker.mesh(
        {
            "POSITION": TRIANGLE,
            "NORMAL": UP,
            "JOINTS_0": maker.array(joints, dtype),
            "WEIGHTS_0": weights if isinstance(weights, int) else maker.array(weights),
        }
    )
    skin = {"joints": maker.tree.pop("joints")}
    if inverse is not None:
        skin["inverseBindMatrices"] = maker.array(inverse)
    return maker.node(mesh=mesh, skin=maker.append("skins", skin), **node)


def test_a_skin_puts_vertices_where_its_joints_stand_and_ignores_the_node(tmp_path):
    """The joint is scaled by 100 and moved by (5, 0, 0); the inverse bind matrix scales by 0.01."""
    maker = GltfMaker()
    joint = maker.node(scale=[100, 100, 100], translation=[5, 0, 0])
    maker.tree["joints"] = [joint]
    root = skinned(
        maker, [[0, 0, 0, 0]] * 3, [[1, 0, 0, 0]] * 3, [scaled(0.01)], translation=[7, 7, 7], scale=[3, 3, 3]
    )
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root, joint))
    np.testing.assert_allclose(triangles_of(mesh)[0], moved([5, 0, 0]), atol=1e-6)
    assert mesh.warnings == ()


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_weights_mix_the_places_of_joints(tmp_path, dtype):
    maker = GltfMaker()
    first, second = maker.node(translation=[0, 0, 4]), maker.node(translation=[0, 8, 0])
    maker.tree["joints"] = [second, first]
    quarter = maker.array([[64, 191, 0, 0]] * 3, "u1", normalized=True)  # quarters within 1/255
    root = skinned(maker, [[0, 1, 0, 0]] * 3, quarter, dtype=dtype)
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root, first, second))
    np.testing.assert_allclose(triangles_of(mesh)[0], moved([0, 2, 3]), atol=0.02)


def test_normals_turn_with_the_joints(tmp_path):
    maker = GltfMaker()
    joint = maker.node(rotation=[np.sqrt(0.5), 0, 0, np.sqrt(0.5)])  # a quarter turn about x
    maker.tree["joints"] = [joint]
    root = skinned(maker, [[0, 0, 0, 0]] * 3, [[1, 0, 0, 0]] * 3)
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root, joint))
    # z becomes -y in the file, which is -z upright.
    np.testing.assert_allclose(mesh.normals, np.tile([0, 0, -1], (3, 1)), atol=1e-6)


def test_joints_may_hang_below_others_and_stand_outside_the_scene(tmp_path):
    maker = GltfMaker()
    hand = maker.node(translation=[0, 1, 0])
    arm = maker.node(translation=[2, 0, 0], children=[hand])
    maker.tree["joints"] = [arm, hand]
    root = skinned(maker, [[1, 0, 0, 0]] * 3, [[1, 0, 0, 0]] * 3)
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root))
    np.testing.assert_allclose(triangles_of(mesh)[0], moved([2, 1, 0]), atol=1e-6)


def test_two_sets_of_joints_count_together(tmp_path):
    maker = GltfMaker()
    joints = [maker.node(translation=[8.0 * n, 0, 0]) for n in range(5)]
    maker.tree["joints"] = joints
    root = skinned(maker, [[1, 2, 3, 0]] * 3, [[0.25, 0.25, 0.25, 0]] * 3)
    attributes = maker.tree["meshes"][0]["primitives"][0]["attributes"]
    attributes["JOINTS_1"] = maker.array([[4, 0, 0, 0]] * 3, "u1")
    attributes["WEIGHTS_1"] = maker.array([[0.25, 0, 0, 0]] * 3)
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root, *joints))
    np.testing.assert_allclose(triangles_of(mesh)[0], moved([20, 0, 0]), atol=1e-5)


def test_weights_are_scaled_to_one_and_vertices_without_any_follow_their_first_joint(tmp_path):
    maker = GltfMaker()
    joints = [maker.node(translation=[x, 0, 0]) for x in (1, 3)]
    maker.tree["joints"] = joints
    root = skinned(maker, [[0, 1, 0, 0]] * 3, [[2, 2, 0, 0], [0, 4, 0, 0], [0, 0, 0, 0]])
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root, *joints))
    expected = moved([[2, 0, 0], [3, 0, 0], [1, 0, 0]])
    np.testing.assert_allclose(triangles_of(mesh)[0], expected, atol=1e-6)


def test_joints_that_do_not_exist_are_left_out_with_a_warning(tmp_path):
    maker = GltfMaker()
    joint = maker.node(translation=[1, 0, 0])
    maker.tree["joints"] = [joint, 99]
    root = skinned(maker, [[0, 1, 7, 0]] * 3, [[0.5, 0.25, 0.25, 0]] * 3)
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root, joint))
    np.testing.assert_allclose(triangles_of(mesh)[0], moved([1, 0, 0]), atol=1e-6)
    assert kinds(mesh) == ["reference-skipped"]


@pytest.mark.parametrize("joints", [[], [99], "none", None])
def test_a_mesh_whose_skin_has_no_joints_stands_where_its_node_says(tmp_path, joints):
    maker = GltfMaker()
    maker.tree["joints"] = joints
    root = skinned(maker, [[0, 0, 0, 0]] * 3, [[1, 0, 0, 0]] * 3, translation=[0, 0, 2])
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root))
    np.testing.assert_allclose(triangles_of(mesh)[0], moved([0, 0, 2]), atol=1e-6)
    assert kinds(mesh) == ["node-skipped"]


def test_a_skin_of_a_mesh_without_joints_places_nothing(tmp_path):
    maker = GltfMaker()
    joint = maker.node(translation=[9, 0, 0])
    skin = maker.append("skins", {"joints": [joint]})
    root = maker.node(mesh=maker.mesh({"POSITION": TRIANGLE}), skin=skin, translation=[0, 0, 2])
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root, joint))
    np.testing.assert_allclose(triangles_of(mesh)[0], moved([0, 0, 2]), atol=1e-6)
    assert kinds(mesh) == ["reference-skipped"]


# Morph targets.

LIFT = np.tile([0.0, 0.0, 1.0], (3, 1))


@pytest.mark.parametrize(
    ("of_mesh", "of_node", "height"),
    [([1.0, 0.0], None, 1), ([1.0, 0.5], None, 2), ([1.0, 0.5], [0.25, 0], 0.25), (None, [0, 2], 4)],
)
def test_weights_of_the_node_come_before_those_of_the_mesh(tmp_path, of_mesh, of_node, height):
    """The first target lifts by 1, the second by 2."""
    maker = GltfMaker()
    targets = [{"POSITION": maker.array(LIFT)}, {"POSITION": maker.array(2 * LIFT)}]
    weights = {} if of_mesh is None else {"weights": of_mesh}
    mesh = maker.mesh({"POSITION": TRIANGLE}, targets=targets, **weights)
    root = maker.node(mesh=mesh, **({} if of_node is None else {"weights": of_node}))
    loaded = load_gltf(maker.write_glb(tmp_path / "a.glb", root))
    np.testing.assert_allclose(triangles_of(loaded)[0], moved([0, 0, height]), atol=1e-6)
    assert loaded.warnings == ()


def test_targets_without_weights_have_no_effect(tmp_path):
    maker = GltfMaker()
    mesh = maker.mesh({"POSITION": TRIANGLE}, targets=[{"POSITION": 99}])
    loaded = load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
    np.testing.assert_allclose(triangles_of(loaded)[0], TRIANGLE, atol=1e-6)
    assert loaded.warnings == ()


def test_targets_change_normals_colors_and_texture_coordinates(tmp_path):
    maker = GltfMaker()
    target = {
        "NORMAL": maker.array(np.tile([1.0, 0, -1], (3, 1))),
        "COLOR_0": maker.array(np.tile([-0.5, 0, 0, -0.25], (3, 1))),
        "TEXCOORD_0": maker.array(np.tile([0.25, 0.5], (3, 1))),
        "TANGENT": maker.array(LIFT),
    }
    material = maker.append(
        "materials", {"alphaMode": "BLEND", "pbrMetallicRoughness": {"metallicFactor": 0}}
    )
    mesh = maker.mesh(
        {
            "POSITION": TRIANGLE,
            "NORMAL": UP,
            "COLOR_0": np.ones((3, 4)),
            "TEXCOORD_0": np.zeros((3, 2)),
        },
        targets=[target],
        weights=[1],
        material=material,
    )
    loaded = load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
    np.testing.assert_allclose(loaded.normals, np.tile([1.0, 0, 0], (3, 1)), atol=1e-6)
    np.testing.assert_allclose(loaded.colors, np.tile([0.5, 1, 1, 0.75], (3, 1)), atol=1e-6)
    np.testing.assert_allclose(loaded.texcoords, np.tile([0.25, 0.5], (3, 1)), atol=1e-6)
    assert loaded.warnings == ()


def test_sparse_and_quantized_targets(tmp_path):
    """One moves vertex 1 alone by (0, 0, 3), the other lifts all by 127 / 127."""
    maker = GltfMaker()
    sparse = {
        "count": 1,
        "indices": {"bufferView": maker.view(np.array([1], "<u1").tobytes()), "componentType": 5121},
        "values": {"bufferView": maker.view(np.array([0, 0, 3], "<f4").tobytes())},
    }
    first = maker.append("accessors", {"componentType": 5126, "count": 3, "type": "VEC3", "sparse": sparse})
    second = maker.array(np.tile([0, 0, 127], (3, 1)), "i1", normalized=True)
    targets = [{"POSITION": first}, {"POSITION": second}]
    mesh = maker.mesh({"POSITION": TRIANGLE}, targets=targets, weights=[1, 1])
    loaded = load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
    np.testing.assert_allclose(triangles_of(loaded)[0], moved([[0, 0, 1], [0, 0, 4], [0, 0, 1]]), atol=1e-6)


@pytest.mark.parametrize("weights", ["all", [float("nan")], 5])
def test_broken_weights_leave_the_mesh_as_it_is(tmp_path, weights):
    maker = GltfMaker()
    mesh = maker.mesh({"POSITION": TRIANGLE}, targets=[{"POSITION": maker.array(LIFT)}], weights=weights)
    loaded = load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
    np.testing.assert_allclose(triangles_of(loaded)[0], TRIANGLE, atol=1e-6)
    assert kinds(loaded) == ["number-repaired"]


def test_targets_count_as_vertices(tmp_path):
    maker = GltfMaker()
    lift = maker.array(LIFT / 10)
    mesh = maker.mesh({"POSITION": TRIANGLE}, targets=[{"POSITION": lift}] * 100, weights=[1] * 100)
    path = maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh))
    assert triangles_of(load_gltf(path))[0, 0, 2] == pytest.approx(10)
    with pytest.raises(MeshError, match="303 vertices"):
        load_gltf(path, limits=Limits(placed_vertices=ScaledLimit(302, 0)))


# Instances.


def instanced(maker, attributes, **node):
    mesh = maker.mesh({"POSITION": TRIANGLE, "NORMAL": UP})
    accessors = {
        name: value if isinstance(value, int) else maker.array(value) for name, value in attributes.items()
    }
    extension = {"EXT_mesh_gpu_instancing": {"attributes": accessors}}
    maker.tree["extensionsUsed"] = ["EXT_mesh_gpu_instancing"]
    return maker.node(mesh=mesh, extensions=extension, **node)


def test_instances_are_scaled_turned_moved_and_placed_by_their_node(tmp_path):
    maker = GltfMaker()
    maker.tree["extensionsRequired"] = ["EXT_mesh_gpu_instancing"]
    root = instanced(
        maker,
        {
            "TRANSLATION": [[0, 0, 0], [5, 0, 0]],
            "ROTATION": [[0, 0, 0, 1], HALF_TURN_ABOUT_Z],
            "SCALE": [[1, 1, 1], [2, 3, 1]],
        },
        translation=[0, 0, 10],
    )
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root))
    expected = np.stack([TRIANGLE, TRIANGLE * [-2, -3, 1] + [5, 0, 0]]) + np.array([0, 0, 10])
    np.testing.assert_allclose(triangles_of(mesh), expected, atol=1e-6)
    np.testing.assert_allclose(mesh.normals, np.tile([0, -1, 0], (6, 1)), atol=1e-6)
    assert mesh.warnings == ()


def test_rotations_of_instances_may_be_normalized_integers(tmp_path):
    maker = GltfMaker()
    quarter = np.round(np.array([QUARTER_TURN_ABOUT_Z]) * 32767)
    root = instanced(maker, {"ROTATION": maker.array(quarter, "i2", normalized=True)})
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root))
    turned = np.stack([-TRIANGLE[:, 1], TRIANGLE[:, 0], TRIANGLE[:, 2]], axis=1)
    np.testing.assert_allclose(triangles_of(mesh)[0], turned, atol=1e-4)


def test_instances_count_for_the_limits_and_many_are_read(tmp_path):
    maker = GltfMaker()
    places = np.stack(np.meshgrid(np.arange(100.0), np.arange(100.0), [0.0]), axis=-1).reshape(-1, 3)
    path = maker.write_glb(tmp_path / "a.glb", instanced(maker, {"TRANSLATION": places}))
    corners = triangles_of(load_gltf(path))
    np.testing.assert_allclose(corners, TRIANGLE + places[:, None], atol=1e-5)
    for name, count in (("placed_vertices", 29_999), ("placed_triangles", 9_999)):
        with pytest.raises(MeshError, match=f"{count + 1 if count < 20_000 else 30_000:,}"):
            load_gltf(path, limits=Limits(**{name: ScaledLimit(count, 0)}))


def test_broken_instances_are_left_out(tmp_path):
    maker = GltfMaker()
    root = instanced(maker, {"TRANSLATION": [[0, 0, 0], [np.nan, 0, 0]]})
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root))
    assert (len(mesh.triangles), kinds(mesh)) == (1, ["node-skipped"])
    maker = GltfMaker()
    plain = maker.node(mesh=0)
    mesh = load_gltf(maker.write_glb(tmp_path / "b.glb", instanced(maker, {"SCALE": 99}), plain))
    assert (len(mesh.triangles), kinds(mesh)) == (1, ["node-skipped"])


# Nodes.


def test_hidden_nodes_and_all_below_them_are_not_drawn(tmp_path):
    maker = GltfMaker()
    mesh = maker.mesh({"POSITION": TRIANGLE})
    hidden = {"extensions": {"KHR_node_visibility": {"visible": False}}}
    shown = maker.node(mesh=mesh, extensions={"KHR_node_visibility": {"visible": True}})
    below = maker.node(mesh=mesh)
    above = maker.node(mesh=mesh, children=[below], **hidden)
    maker.tree["extensionsUsed"] = ["KHR_node_visibility"]
    loaded = load_gltf(maker.write_glb(tmp_path / "a.glb", shown, above))
    assert (len(loaded.triangles), loaded.warnings) == (1, ())


def test_a_child_listed_as_a_root_is_drawn_as_the_child(tmp_path):
    maker = GltfMaker()
    child = maker.node(mesh=maker.mesh({"POSITION": TRIANGLE}))
    parent = maker.node(children=[child], translation=[0, 0, 3])
    for roots in ((parent, child), (child, parent)):
        loaded = load_gltf(maker.write_glb(tmp_path / "a.glb", *roots))
        np.testing.assert_allclose(triangles_of(loaded), [moved([0, 0, 3])], atol=1e-6)
        assert kinds(loaded) == ["node-skipped"]


def test_a_node_below_a_parent_outside_the_scene_is_a_root(tmp_path):
    maker = GltfMaker()
    child = maker.node(mesh=maker.mesh({"POSITION": TRIANGLE}))
    maker.node(children=[child], translation=[0, 0, 3])
    loaded = load_gltf(maker.write_glb(tmp_path / "a.glb", child))
    np.testing.assert_allclose(triangles_of(loaded), [TRIANGLE], atol=1e-6)
    assert loaded.warnings == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda nodes: nodes[0].update(children=[1, 1]),
        lambda nodes: nodes[1].update(children=[0]),
        lambda nodes: nodes[0].update(children=[1, 99, -1, "2", True, None]),
        lambda nodes: nodes.append({"mesh": 99}) or nodes[0].update(children=[1, 2]),
        lambda nodes: nodes.append({"mesh": 0, "matrix": [1, 2]}) or nodes[0].update(children=[1, 2]),
        lambda nodes: nodes.append({"mesh": 0, "scale": ["a", 1, 1]}) or nodes[0].update(children=[1, 2]),
        lambda nodes: (
            nodes.append({"mesh": 0, "translation": [float("nan"), 1, 1]}) or nodes[0].update(children=[1, 2])
        ),
    ],
)
def test_broken_nodes_are_left_out_and_the_others_are_drawn(tmp_path, change):
    maker = GltfMaker()
    maker.node(children=[1])
    maker.node(mesh=maker.mesh({"POSITION": TRIANGLE}))
    change(maker.tree["nodes"])
    loaded = load_gltf(maker.write_glb(tmp_path / "a.glb", 0))
    np.testing.assert_allclose(triangles_of(loaded), [TRIANGLE], atol=1e-6)
    assert kinds(loaded) == ["node-skipped"]


def test_a_quaternion_of_another_length_is_scaled(tmp_path):
    maker = GltfMaker()
    root = maker.node(mesh=maker.mesh({"POSITION": TRIANGLE}), rotation=[0, 0, 3, 0])
    loaded = load_gltf(maker.write_glb(tmp_path / "a.glb", root))
    np.testing.assert_allclose(triangles_of(loaded)[0], TRIANGLE * [-1, -1, 1], atol=1e-6)
    assert kinds(loaded) == ["number-repaired"]


def test_a_scene_in_the_coordinates_of_a_map_keeps_its_shape(tmp_path):
    """Two triangles 4 m apart, half a million metres from the origin: exact to a tenth of a millimetre."""
    maker = GltfMaker()
    mesh = maker.mesh({"POSITION": TRIANGLE})
    place = [498_312.25, 212.5, -4_620_118.75]
    roots = [maker.node(mesh=mesh, translation=[place[0] + x, *place[1:]]) for x in (0.1, 4.3)]
    corners = triangles_of(load_gltf(maker.write_glb(tmp_path / "a.glb", *roots)))
    expected = np.stack([moved([0.1, 0, 0]), moved([4.3, 0, 0])])
    shift = (corners - expected).reshape(-1, 3)
    assert np.ptp(shift, axis=0).max() < 1e-6


def test_flat_normals_of_a_scene_on_a_map_are_those_of_its_shape(tmp_path):
    maker = GltfMaker()
    small = TRIANGLE * 1e-3
    root = maker.node(mesh=maker.mesh({"POSITION": small}), translation=[5e6, 5e6, 5e6])
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root))
    np.testing.assert_allclose(mesh.normals, np.tile([0, -1, 0], (3, 1)), atol=1e-6)


def test_points_and_lines_have_a_warning_and_cameras_and_lights_have_none(tmp_path):
    maker = GltfMaker()
    mesh = maker.mesh({"POSITION": TRIANGLE})
    maker.tree["extensionsUsed"] = ["KHR_lights_punctual", "MSFT_lod"]
    roots = [maker.node(mesh=mesh, extensions={"MSFT_lod": {"ids": [1]}})]
    maker.node(mesh=mesh)
    roots += [maker.node(camera=0), maker.node(extensions={"KHR_lights_punctual": {"light": 0}})]
    loaded = load_gltf(maker.write_glb(tmp_path / "a.glb", *roots))
    assert (len(loaded.triangles), loaded.warnings) == (1, ())
    roots.append(maker.node(mesh=maker.mesh({"POSITION": TRIANGLE}, mode=0)))
    roots.append(maker.node(mesh=maker.mesh({"POSITION": TRIANGLE}, mode=3)))
    loaded = load_gltf(maker.write_glb(tmp_path / "a.glb", *roots))
    assert (len(loaded.triangles), kinds(loaded)) == (1, ["points-skipped"] * 2)

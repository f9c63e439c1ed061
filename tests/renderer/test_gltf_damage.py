"""Tests of glTF files with faults that leave something to draw: it is drawn, and the rest has a warning."""

import base64
import json
import struct

import numpy as np
import pytest
from PIL import Image

from tests.support.gltf import TRIANGLE, GltfMaker, triangles_of
from tests.support.gltf_box import box_tree, glb
from turntable.errors import MeshError
from turntable.renderer.meshes.formats import load_gltf

UP = np.tile([0.0, 0.0, 1.0], (4, 1))
SQUARE = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], dtype=np.float64)
TRIANGLES, STRIP, FAN = 4, 5, 6
BOX = glb(box_tree())[-144:]


def kinds(mesh):
    return [warning.kind for warning in mesh.warnings]


def corners_of(mesh):
    """Which vertices of the square the triangles join."""
    found = np.abs(triangles_of(mesh)[:, :, None] - SQUARE).max(axis=-1).argmin(axis=-1)
    return found.tolist()


def read(tmp_path, indices, mode=TRIANGLES, attributes=None, dtype="u2"):
    maker = GltfMaker()
    corners = None if indices is None else maker.array(indices, dtype)
    mesh = maker.mesh({"POSITION": SQUARE, **(attributes or {})}, corners, mode=mode)
    return load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))


# Triangles.


@pytest.mark.parametrize(
    ("mode", "indices", "expected", "warned"),
    [
        (TRIANGLES, [0, 1, 2, 1, 3, 2], [[0, 1, 2], [1, 3, 2]], []),
        (TRIANGLES, [0, 1, 2, 1, 3], [[0, 1, 2]], ["face-skipped"]),
        (TRIANGLES, [0, 1, 2, 1, 3, 200], [[0, 1, 2]], ["face-skipped"]),
        (TRIANGLES, [0, 1, 2, 65535, 1, 3, 2], [[0, 1, 2], [1, 3, 2]], []),
        (TRIANGLES, [0, 1, 65535, 1, 3, 2], [[1, 3, 2]], ["face-skipped"]),
        (STRIP, [0, 1, 2, 3], [[0, 1, 2], [2, 1, 3]], []),
        (STRIP, [0, 1, 2, 65535, 1, 3, 2], [[0, 1, 2], [1, 3, 2]], []),
        (STRIP, [0, 1, 65535, 0, 1, 2, 3], [[0, 1, 2], [2, 1, 3]], []),
        (STRIP, [0, 1, 2, 3, 99], [[0, 1, 2], [2, 1, 3]], ["face-skipped"]),
        (FAN, [0, 1, 3, 2], [[0, 1, 3], [0, 3, 2]], []),
        (FAN, [0, 1, 3, 65535, 1, 3, 2], [[0, 1, 3], [1, 3, 2]], []),
        (FAN, [0, 1, 3, 77, 2], [[0, 1, 3]], ["face-skipped"]),
        (TRIANGLES, None, [[0, 1, 2]], ["face-skipped"]),
        (STRIP, None, [[0, 1, 2], [2, 1, 3]], []),
    ],
)
def test_lists_strips_and_fans_with_restarts_and_corners_that_do_not_exist(
    tmp_path, mode, indices, expected, warned
):
    mesh = read(tmp_path, indices, mode)
    assert (corners_of(mesh), kinds(mesh)) == (expected, warned)


@pytest.mark.parametrize(("dtype", "restart"), [("u1", 255), ("u4", 2**32 - 1)])
def test_the_corner_that_begins_a_new_strip_depends_on_the_type(tmp_path, dtype, restart):
    mesh = read(tmp_path, [0, 1, 2, restart, 1, 3, 2], STRIP, dtype=dtype)
    assert (corners_of(mesh), mesh.warnings) == ([[0, 1, 2], [1, 3, 2]], ())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_triangles_with_a_corner_that_is_not_finite_are_left_out(tmp_path, value):
    broken = SQUARE.copy()
    broken[3, 1] = value
    mesh = read(tmp_path, [0, 1, 2, 1, 3, 2], attributes={"POSITION": broken, "NORMAL": UP})
    assert (corners_of(mesh), kinds(mesh)) == ([[0, 1, 2]], ["face-skipped"])
    assert np.isfinite(mesh.positions).all()
    mesh = read(tmp_path, [0, 1, 2], attributes={"POSITION": broken, "NORMAL": UP})
    assert (corners_of(mesh), mesh.warnings) == ([[0, 1, 2]], ())  # nobody uses the corner


def test_a_mesh_of_nothing_finite_is_refused(tmp_path):
    with pytest.raises(MeshError, match="NaN or infinite") as caught:
        read(tmp_path, [0, 1, 2], attributes={"POSITION": SQUARE * np.nan})
    assert caught.value.reason == "not finite"


# Attributes.


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_normals_without_a_direction_become_those_of_the_triangles(tmp_path, value):
    normals = np.tile([0.0, 0.6, 0.8], (4, 1))
    normals[1] = value
    mesh = read(tmp_path, [0, 1, 2, 1, 3, 2], attributes={"NORMAL": normals})
    np.testing.assert_allclose(mesh.normals[1], [0, -1, 0], atol=1e-6)
    np.testing.assert_allclose(mesh.normals[0], [0, -0.8, 0.6], atol=1e-6)
    assert kinds(mesh) == ["number-repaired"]


def test_broken_texture_coordinates_and_colors_have_stand_ins(tmp_path):
    uv, colors = np.full((4, 2), 0.25), np.full((4, 3), 0.5)
    uv[2, 0], colors[2, 0] = np.nan, np.nan
    mesh = read(tmp_path, [0, 1, 2, 1, 3, 2], attributes={"NORMAL": UP, "TEXCOORD_0": uv, "COLOR_0": colors})
    np.testing.assert_allclose(mesh.texcoords[2], [0, 0])
    np.testing.assert_allclose(mesh.colors[2], [1, 0.5, 0.5, 1])
    assert kinds(mesh) == ["number-repaired"] * 2


@pytest.mark.parametrize("name", ["NORMAL", "TEXCOORD_0", "COLOR_0"])
@pytest.mark.parametrize("fault", ["count", "index", "width"])
@pytest.mark.parametrize("corners", [[[0, 1, 2], [1, 3, 2]], [[0, 1, 2]]])
def test_an_attribute_that_cannot_be_read_is_left_out(tmp_path, name, fault, corners):
    maker = GltfMaker()
    broken = {"count": maker.array(UP[:3]), "index": 99, "width": maker.array([0.0, 1, 2, 3])}[fault]
    mesh = maker.mesh({"POSITION": SQUARE, name: broken}, np.ravel(corners))
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
    assert (corners_of(mesh), kinds(mesh)) == (corners, ["reference-skipped"])
    assert (mesh.has_normals, mesh.colors) == (False, None)


def test_sparse_values_of_vertices_that_do_not_exist_are_left_out(tmp_path):
    maker = GltfMaker()
    positions = maker.array(SQUARE)
    maker.tree["accessors"][positions]["sparse"] = {
        "count": 2,
        "indices": {"bufferView": maker.view(np.array([3, 9], "<u2").tobytes()), "componentType": 5123},
        "values": {"bufferView": maker.view(np.array([[1, 1, 4], [9, 9, 9]], "<f4").tobytes())},
    }
    mesh = maker.mesh({"POSITION": positions}, [0, 1, 3])
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
    np.testing.assert_allclose(triangles_of(mesh)[0], [[0, 0, 0], [1, 0, 0], [1, 1, 4]], atol=1e-6)
    assert kinds(mesh) == ["reference-skipped"]


@pytest.mark.parametrize(
    "primitive",
    [{"attributes": {}}, {"attributes": {"POSITION": 77}}, {"attributes": {"POSITION": 0}, "mode": 9}],
)
def test_a_broken_primitive_is_left_out_and_the_others_are_drawn(tmp_path, primitive):
    maker = GltfMaker()
    mesh = maker.mesh({"POSITION": TRIANGLE})
    maker.tree["meshes"][mesh]["primitives"].append(primitive)
    made = load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
    assert (len(made.triangles), kinds(made)) == (1, ["node-skipped"])


# The file around them.


def test_a_glb_file_may_have_a_wrong_length_but_not_a_short_buffer(tmp_path):
    whole, path = glb(box_tree()), tmp_path / "a.glb"
    for length, warned in ((len(whole), 0), (len(whole) + 99, 1), (12, 1), (2**32 - 1, 1)):
        path.write_bytes(whole[:8] + struct.pack("<I", length) + whole[12:])
        mesh = load_gltf(path)
        assert (len(mesh.triangles), kinds(mesh)) == (8, ["header-repaired"] * warned)
    for data in (whole + b"\0" * 7, whole + b"trailing words of an uploader"):
        path.write_bytes(data)
        assert load_gltf(path).warnings == ()
    for end in (len(whole) - 1, len(whole) - 144, len(whole) - 148, 40):
        path.write_bytes(whole[:end])
        with pytest.raises(MeshError, match="cut off") as caught:
            load_gltf(path)
        assert caught.value.reason == "cut off"


def test_padding_that_is_missing_at_the_end_is_no_fault(tmp_path):
    tree = box_tree(buffers=[{"byteLength": 143}], accessors=box_tree()["accessors"])
    tree["bufferViews"][1] = {"buffer": 0, "byteOffset": 96, "byteLength": 46}
    tree["accessors"][1] = {**tree["accessors"][1], "count": 21}
    path = tmp_path / "a.glb"
    path.write_bytes(glb(tree, BOX)[:-1])
    mesh = load_gltf(path)
    assert (len(mesh.triangles), mesh.warnings) == (7, ())


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("latin-1"),
        lambda text: text.encode() + b"\0\0\0",
    ],
)
def test_the_json_may_be_in_other_encodings(tmp_path, encode):
    uri = "data:;base64," + base64.b64encode(BOX).decode()
    tree = box_tree(buffers=[{"byteLength": 144, "uri": uri}], nodes=[{"mesh": 0, "name": "Würfel"}])
    (tmp_path / "a.gltf").write_bytes(encode(json.dumps(tree, ensure_ascii=False)))
    if encode("") == b"\0\0\0":
        (tmp_path / "a.gltf").write_bytes(glb(None, BOX, text=encode(json.dumps(box_tree()))))
    assert len(load_gltf(tmp_path / "a.gltf").triangles) == 8


@pytest.mark.parametrize(
    "uri",
    [
        "data:application/octet-stream;base64,{plain}",
        "data:;base64,{unpadded}",
        "DATA:application/gltf-buffer;BASE64,{plain}",
        "data:application/octet-stream;charset=utf-8;base64,{lines}",
        "data:;base64,{escaped}",
        "data:application/octet-stream,{percent}",
    ],
)
def test_embedded_data_in_all_its_forms(tmp_path, uri):
    plain = base64.b64encode(BOX).decode()
    data = uri.format(
        plain=plain,
        unpadded=plain.rstrip("="),
        lines="\r\n".join(plain[k : k + 60] for k in range(0, len(plain), 60)),
        escaped=plain.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
        percent="".join(f"%{byte:02x}" for byte in BOX),
    )
    (tmp_path / "a.gltf").write_text(json.dumps(box_tree(buffers=[{"byteLength": 144, "uri": data}])))
    mesh = load_gltf(tmp_path / "a.gltf")
    assert (len(mesh.triangles), mesh.warnings) == (8, ())


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("a b.bin", "a%20b.bin"),
        ("a b.bin", "a b.bin"),
        ("sub/ä.bin", "sub\\%C3%A4.bin"),
        ("ä.bin", "%E4.bin"),
        ("50%.bin", "50%.bin"),
        ("50%20.bin", "50%20.bin"),
        ("a.bin", "a.bin?version=3#top"),
        ("a#1.bin", "a#1.bin"),
        ("a#1.bin", "a%231.bin"),
    ],
)
def test_names_of_files_in_all_their_forms(tmp_path, name, uri):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(BOX)
    (tmp_path / "a.gltf").write_text(json.dumps(box_tree(buffers=[{"byteLength": 144, "uri": uri}])))
    mesh = load_gltf(tmp_path / "a.gltf")
    assert (len(mesh.triangles), mesh.warnings) == (8, ())


@pytest.mark.parametrize("prefix", ["file://", "file://localhost", "file:", ""])
def test_a_file_by_its_absolute_path_is_opened_inside_the_root_alone(tmp_path, prefix):
    (tmp_path / "a.bin").write_bytes(BOX)
    tree = box_tree(buffers=[{"byteLength": 144, "uri": f"{prefix}{tmp_path}/a.bin"}])
    (tmp_path / "a.gltf").write_text(json.dumps(tree))
    mesh = load_gltf(tmp_path / "a.gltf")
    assert (len(mesh.triangles), mesh.warnings) == (8, ())
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.gltf").write_text(json.dumps(tree))
    with pytest.raises(MeshError) as caught:
        load_gltf(tmp_path / "in/a.gltf")
    assert caught.value.reason in ("file missing", "outside")


def test_a_texture_on_the_web_is_not_fetched_and_the_object_is_drawn(tmp_path):
    tree = box_tree(
        textures=[{"source": 0}],
        images=[{"uri": "https://localhost/none.png"}],
        materials=[{"pbrMetallicRoughness": {"metallicFactor": 0, "baseColorTexture": {"index": 0}}}],
    )
    tree["meshes"][0]["primitives"][0]["material"] = 0
    (tmp_path / "a.glb").write_bytes(glb(tree))
    mesh = load_gltf(tmp_path / "a.glb")
    assert kinds(mesh) == ["file-missing"]


@pytest.mark.parametrize("name", ["\ud800.png", "in\udc80/\ud800.png", "\udfff%20.png"])
def test_an_image_whose_name_no_file_can_have_is_missing(tmp_path, name):
    tree = box_tree(
        textures=[{"source": 0}],
        images=[{"uri": name}],
        materials=[{"pbrMetallicRoughness": {"metallicFactor": 0, "baseColorTexture": {"index": 0}}}],
    )
    tree["meshes"][0]["primitives"][0]["material"] = 0
    (tmp_path / "a.glb").write_bytes(glb(tree))
    mesh = load_gltf(tmp_path / "a.glb")
    assert kinds(mesh) == ["file-missing"]
    assert mesh.warnings[0].detail.isprintable()


def test_a_buffer_on_the_web_is_refused_by_what_it_is(tmp_path):
    tree = box_tree(buffers=[{"byteLength": 144, "uri": "https://localhost/a.bin"}])
    (tmp_path / "a.gltf").write_text(json.dumps(tree))
    with pytest.raises(MeshError, match="is on the web, and nothing is downloaded"):
        load_gltf(tmp_path / "a.gltf")


def test_warnings_name_no_folder_of_this_machine(tmp_path):
    maker = GltfMaker()
    mesh = maker.mesh({"POSITION": TRIANGLE, "NORMAL": 99}, material=50)
    maker.tree["meshes"][mesh]["primitives"].append({"attributes": {"POSITION": 77}})
    made = load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh), maker.node(mesh=9)))
    assert len(made.warnings) == 4
    assert not any(str(tmp_path) in str(w) or "leave this object out" in str(w) for w in made.warnings)


@pytest.mark.parametrize("version", ["1.0", "1.1", "3.0", ""])
def test_other_versions_are_refused_by_name(tmp_path, version):
    (tmp_path / "a.gltf").write_text(json.dumps(box_tree(asset={"version": version})))
    with pytest.raises(MeshError, match=f"glTF {version or 'without a version'}") as caught:
        load_gltf(tmp_path / "a.gltf")
    assert caught.value.reason == "unsupported"


def test_an_unknown_extension_that_is_required_is_refused_by_name(tmp_path):
    (tmp_path / "a.glb").write_bytes(glb(box_tree(extensionsRequired=["ACME_voxels"])))
    with pytest.raises(MeshError, match="ACME_voxels") as caught:
        load_gltf(tmp_path / "a.glb")
    assert caught.value.reason == "unsupported"


def test_an_image_may_be_shared_by_a_neighboring_folder(tmp_path):
    (tmp_path / "textures").mkdir()
    (tmp_path / "objects").mkdir()
    Image.new("RGB", (2, 2), (1, 2, 3)).save(tmp_path / "textures/a.png")
    tree = box_tree(
        textures=[{"source": 0}],
        images=[{"uri": "../textures/a.png"}],
        materials=[{"pbrMetallicRoughness": {"metallicFactor": 0, "baseColorTexture": {"index": 0}}}],
    )
    tree["meshes"] = [{"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 0}, "material": 0}]}]
    tree["accessors"][0] = {**tree["accessors"][0], "count": 6}
    (tmp_path / "objects/a.glb").write_bytes(glb(tree))
    mesh = load_gltf(tmp_path / "objects/a.glb", root=tmp_path)
    assert mesh.materials[0].texture.pixels[0, 0].tolist() == [1, 2, 3]
    assert mesh.warnings == ()

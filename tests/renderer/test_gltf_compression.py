"""Tests of compressed glTF files: Draco and meshoptimizer, with and without uncompressed data beside it."""

import base64
import random
import sys

import DracoPy
import meshopt
import numpy as np
import pytest

from tests.support.gltf import GltfMaker, triangles_of
from turntable.errors import MeshError
from turntable.renderer.meshes import Limits
from turntable.renderer.meshes.formats import load_gltf

COUNT = 9
SIDE = np.arange(3.0)
GRID = np.stack(np.meshgrid(SIDE, SIDE, [0.0]), axis=-1).reshape(-1, 3)
"""Nine vertices of a square of 2 by 2."""
FACES = np.array(
    [[k, k + 1, k + 4] for k in (0, 1, 3, 4)] + [[k, k + 4, k + 3] for k in (0, 1, 3, 4)], dtype=np.uint32
)
UV = GRID[:, :2] / 2
COLORS = np.round(np.column_stack([UV, np.zeros(COUNT), np.ones(COUNT)]) * 255).astype(np.uint8)


def sorted_triangles(corners):
    """Triangles in an order that does not depend on their own or their corners' order."""
    rows = np.sort(np.round(corners, 3).view([("", corners.dtype)] * 3)[..., 0], axis=1)
    flat = rows.view(corners.dtype).reshape(-1, 9)
    return flat[np.lexsort(flat.T)]


def accessor(maker, count, dtype, kind, **more):
    return maker.append("accessors", {"componentType": dtype, "count": count, "type": kind, **more})


# Draco.


def draco_maker(data=None, *, fallback=False, count=COUNT, indices=FACES.size):
    maker, attributes_of = GltfMaker(), []
    if data is None:
        data = DracoPy.encode(
            GRID,
            FACES,
            quantization_bits=20,
            tex_coord=UV,
            colors=COLORS,
            normals=np.tile([0.0, 0.0, 1.0], (COUNT, 1)),
            preserve_order=True,
            generic_attributes={
                70: np.tile(np.array([[1, 0, 0, 0]], np.uint8), (COUNT, 1)),
                80: np.tile(np.array([[1, 0, 0, 0]], np.float32), (COUNT, 1)),
            },
        )
        attributes_of = DracoPy.decode(data).attributes
    numbers = {"TEXCOORD_0": 3, "COLOR_0": 2, "NORMAL": 1, "POSITION": 0}
    by_kind = {a["attribute_type"]: a["unique_id"] for a in attributes_of}
    ids = {name: by_kind.get(kind, 0) for name, kind in numbers.items()} | {"JOINTS_0": 70, "WEIGHTS_0": 80}
    kinds = {"POSITION": "VEC3", "NORMAL": "VEC3", "TEXCOORD_0": "VEC2", "COLOR_0": "VEC4"}
    if fallback:
        attributes = {"POSITION": maker.array(GRID + np.array([0, 0, 5]))}
        corners = maker.array(FACES.ravel(), "u2")
    else:
        attributes = {
            name: accessor(
                maker, count, 5121 if name == "COLOR_0" else 5126, kind, normalized=name == "COLOR_0"
            )
            for name, kind in kinds.items()
        }
        attributes["JOINTS_0"] = accessor(maker, count, 5121, "VEC4")
        attributes["WEIGHTS_0"] = accessor(maker, count, 5126, "VEC4")
        corners = accessor(maker, indices, 5123, "SCALAR")
    extension = {"bufferView": maker.view(data), "attributes": ids}
    mesh = maker.mesh(attributes, corners, extensions={"KHR_draco_mesh_compression": extension})
    maker.tree["extensionsUsed"] = ["KHR_draco_mesh_compression"]
    if not fallback:
        maker.tree["extensionsRequired"] = ["KHR_draco_mesh_compression"]
    return maker, mesh


def test_draco_gives_positions_normals_texture_coordinates_and_colors(tmp_path):
    maker, mesh = draco_maker()
    made = load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
    np.testing.assert_allclose(sorted_triangles(triangles_of(made)), sorted_triangles(GRID[FACES]), atol=1e-3)
    np.testing.assert_allclose(made.normals, np.tile([0, -1, 0], (len(made.normals), 1)), atol=1e-3)
    # The grid itself says which texture coordinates and colors belong to a position.
    across = np.column_stack([made.positions[:, 0], made.positions[:, 2]]) / 2
    np.testing.assert_allclose(made.texcoords, across * [1, -1] + [0, 1], atol=1e-3)
    np.testing.assert_allclose(made.colors[:, :2], across, atol=0.005)
    assert made.warnings == ()


def test_draco_gives_joints_and_weights_by_their_numbers(tmp_path):
    maker, mesh = draco_maker()
    joints = [maker.node(), maker.node(translation=[0, 0, 3])]
    skin = maker.append("skins", {"joints": joints})
    made = load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh, skin=skin)))
    np.testing.assert_allclose(triangles_of(made)[..., 2], 3, atol=1e-4)


def test_draco_is_unpacked_once_for_each_view(tmp_path):
    maker, mesh = draco_maker()
    maker.tree["meshes"][0]["primitives"] *= 2
    made = load_gltf(maker.write_glb(tmp_path / "a.glb", *(maker.node(mesh=mesh) for _ in range(3))))
    assert len(made.triangles) == 6 * len(FACES)


@pytest.mark.parametrize("library", ["DracoPy", "meshopt"])
def test_a_missing_library_is_named_with_its_extra(tmp_path, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    maker, mesh = draco_maker() if library == "DracoPy" else meshopt_maker()
    with pytest.raises(
        MeshError, match=r"_compression\); install what unpacks it .*\[compressed\]"
    ) as caught:
        load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
    assert caught.value.reason == "unsupported"


@pytest.mark.parametrize("library", ["DracoPy", "meshopt"])
def test_without_the_library_uncompressed_data_beside_is_read(tmp_path, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    maker, mesh = draco_maker(fallback=True) if library == "DracoPy" else meshopt_maker(fallback=True)
    made = load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
    np.testing.assert_allclose(triangles_of(made), GRID[FACES] + np.array([0, 0, 5]), atol=1e-6)
    assert made.warnings == ()


def test_broken_draco_data_is_refused_unless_uncompressed_data_stands_beside(tmp_path):
    maker, mesh = draco_maker(b"DRACO" + bytes(60), fallback=True)
    made = load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
    np.testing.assert_allclose(triangles_of(made), GRID[FACES] + np.array([0, 0, 5]), atol=1e-6)
    maker, mesh = draco_maker(b"DRACO" + bytes(60))
    with pytest.raises(MeshError, match="no mesh in Draco's format") as caught:
        load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
    assert caught.value.reason == "unreadable"


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


@pytest.mark.parametrize("method", [0, 1])
@pytest.mark.parametrize("metadata", [b"", b"\x01\x05\x01\x01a\x02xy\x00" + b"\x00\x01\x01b\x00\x00"])
def test_draco_data_may_not_claim_more_than_its_accessors_or_the_limits(tmp_path, method, metadata):
    def packed(triangles, vertices):
        counts = (triangles, vertices) if method == 0 else (vertices, triangles)
        flags = b"\x00\x80" if metadata else b"\x00\x00"
        head = b"DRACO\x02\x02\x01" + bytes([method]) + flags + metadata + (b"\x00" if method else b"")
        return head + b"".join(map(varint, counts)) + bytes(100)

    for counts, reason, words in (
        ((9, 9), "unreadable", "9 triangles of 9 vertices"),
        ((8, 10), "unreadable", "8 triangles of 10 vertices"),
        ((2**31, 9), "too large", "2,147,483,648 triangles"),
        ((8, 2**31), "too large", "2,147,483,648 vertices"),
    ):
        maker, mesh = draco_maker(packed(*counts))
        with pytest.raises(MeshError, match=words) as caught:
            load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
        assert caught.value.reason == reason
    maker, mesh = draco_maker(packed(8, 9), count=10**7, indices=3 * 10**7)
    with pytest.raises(MeshError, match="10,000,000 vertices") as caught:
        load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)), limits=Limits(vertices=10**6))
    assert caught.value.reason == "too large"


# meshoptimizer.


def meshopt_maker(*, fallback=False, name="EXT_meshopt_compression", **changes):
    maker = GltfMaker()
    maker.tree["buffers"] = [{}, {}]
    plain = np.ascontiguousarray(GRID, "<f4")
    corners = np.ascontiguousarray(FACES.ravel(), "<u4")
    shifted = np.ascontiguousarray(GRID + np.array([0, 0, 5]), "<f4")
    parts = [
        ("ATTRIBUTES", meshopt.encode_gltf_buffer(plain, "ATTRIBUTES"), COUNT, 12, shifted.tobytes()),
        ("TRIANGLES", meshopt.encode_gltf_buffer(corners, "TRIANGLES"), FACES.size, 2, None),
    ]
    start = 0
    for mode, data, count, stride, beside in parts:
        own = beside or FACES.astype("<u2").tobytes()
        view = maker.view(data)
        packing = {
            "buffer": 0,
            "byteOffset": maker.tree["bufferViews"][view]["byteOffset"],
            "byteLength": len(data),
            "byteStride": stride,
            "count": count,
            "mode": mode,
            **changes,
        }
        maker.tree["bufferViews"][view] = {
            "buffer": 1,
            "byteOffset": start,
            "byteLength": count * stride,
            "extensions": {name: packing},
        }
        start += len(own)
        parts[view] = (*parts[view][:4], own)
    beside = b"".join(part[4] for part in parts)
    maker.tree["buffers"][0] = {"byteLength": len(maker.data)}
    maker.tree["buffers"][1] = {"byteLength": len(beside), "extensions": {name: {"fallback": True}}}
    if fallback:
        maker.tree["buffers"][1]["uri"] = "data:;base64," + base64.b64encode(beside).decode()
    else:
        maker.tree["extensionsRequired"] = [name]
    maker.tree["accessors"] = [
        {"bufferView": 0, "componentType": 5126, "count": COUNT, "type": "VEC3"},
        {"bufferView": 1, "componentType": 5123, "count": FACES.size, "type": "SCALAR"},
    ]
    return maker, maker.mesh({"POSITION": 0}, 1)


@pytest.mark.parametrize("name", ["EXT_meshopt_compression", "KHR_meshopt_compression"])
def test_meshopt_gives_vertices_and_triangles(tmp_path, name):
    maker, mesh = meshopt_maker(name=name)
    made = load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
    np.testing.assert_allclose(sorted_triangles(triangles_of(made)), sorted_triangles(GRID[FACES]), atol=1e-6)
    assert made.warnings == ()


def test_meshopt_filters_are_undone(tmp_path):
    """Normals in octahedral form, and positions with shared exponents."""
    maker, mesh = meshopt_maker()
    slanted = np.tile(np.array([[0.6, 0, 0.8, 0]], np.float32), (COUNT, 1))
    packed = meshopt.encode_filter_oct(slanted, 4, 8)
    data = meshopt.encode_gltf_buffer(packed, "ATTRIBUTES")
    start = len(maker.data) + -len(maker.data) % 4
    view = maker.view(data)
    packing = {"buffer": 0, "byteOffset": start, "byteLength": len(data), "byteStride": 4, "count": COUNT}
    maker.tree["bufferViews"][view] = {
        "buffer": 1,
        "byteLength": 4 * COUNT,
        "byteStride": 4,
        "extensions": {"EXT_meshopt_compression": {**packing, "mode": "ATTRIBUTES", "filter": "OCTAHEDRAL"}},
    }
    maker.tree["buffers"][0]["byteLength"] = len(maker.data)
    normal = maker.append(
        "accessors",
        {"bufferView": view, "componentType": 5120, "normalized": True, "count": COUNT, "type": "VEC3"},
    )
    maker.tree["meshes"][mesh]["primitives"][0]["attributes"]["NORMAL"] = normal
    made = load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
    np.testing.assert_allclose(made.normals, np.tile([0.6, -0.8, 0], (COUNT, 1)), atol=0.02)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"count": 10**9}, "too large"),
        ({"count": 2 * 10**6}, "too large"),
        ({"byteStride": 10**9}, "too large"),
        ({"count": 12}, "unreadable"),
        ({"mode": "WORDS"}, "unreadable"),
        ({"filter": "MAGIC"}, "unreadable"),
        ({"filter": "QUATERNION"}, "unreadable"),
        ({"byteStride": 7}, "unreadable"),
        ({"byteOffset": 10**6}, "unreadable"),
        ({"buffer": 7}, "unreadable"),
    ],
)
def test_meshopt_views_that_cannot_be_unpacked_are_refused_before_memory_is_spent(tmp_path, changes, reason):
    maker, mesh = meshopt_maker(**changes)
    with pytest.raises(MeshError) as caught:
        load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
    assert caught.value.reason == reason


def test_broken_meshopt_data_is_read_from_the_uncompressed_buffer(tmp_path):
    maker, mesh = meshopt_maker(fallback=True, mode="WORDS")
    made = load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))
    np.testing.assert_allclose(triangles_of(made), GRID[FACES] + np.array([0, 0, 5]), atol=1e-6)


@pytest.mark.parametrize("make", [draco_maker, meshopt_maker])
def test_bytes_changed_at_random_are_read_or_refused(tmp_path, make):
    maker, mesh = make()
    root = maker.node(mesh=mesh)
    whole = maker.data
    chance = random.Random(0)
    outcomes = set()
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        maker.data = bytes(data)
        try:
            made = load_gltf(maker.write_glb(tmp_path / "a.glb", root))
            assert np.isfinite(made.positions).all()
            outcomes.add("read")
        except MeshError as error:
            outcomes.add(error.reason)
    assert outcomes <= {"read", "unreadable", "too large", "no faces", "not finite"}
    assert {"read", "unreadable"} <= outcomes

"""Tests that a file costs time and memory in proportion to its bytes, whatever it claims."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support import with_tests
from tests.support.gltf_box import box_tree, glb, textured_box
from turntable.errors import MeshError
from turntable.renderer.meshes import Limits
from turntable.renderer.meshes.formats import load_gltf
from turntable.renderer.meshes.formats.files.object_files import ObjectFiles
from turntable.renderer.meshes.formats.images.texture_loader import TextureLoader
from turntable.renderer.meshes.limits import ScaledLimit
from turntable.renderer.meshes.sources import FolderSource, load_mesh


@pytest.mark.slow
def test_no_file_of_the_corpus_costs_more_than_its_bytes_do_or_makes_a_library_speak(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.mesh_costs", str(tmp_path / "of")],
        capture_output=True,
        env=with_tests(),
        timeout=300,
        check=True,
    )
    assert done.stderr == b""
    costs = json.loads(done.stdout)
    assert {name: cost for name, cost in costs.items() if cost[0] > 3 or cost[1] > 400 * 2**20} == {}
    assert sum(seconds for seconds, _ in costs.values()) < 30


def scene(copies: int, **primitive) -> dict:
    """A box as often as this, by nodes of their own."""
    mesh = {"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, **primitive}]}
    return box_tree(meshes=[mesh], nodes=[{"mesh": 0}] * copies, scenes=[{"nodes": [*range(copies)]}])


def test_nodes_may_place_a_mesh_often(tmp_path):
    (tmp_path / "a.glb").write_bytes(glb(scene(500)))
    assert len(load_gltf(tmp_path / "a.glb").triangles) == 500 * 8


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(placed_parts=ScaledLimit(9, 0)), "10 parts of meshes"),
        (Limits(placed_vertices=ScaledLimit(79, 0)), "80 vertices"),
        (Limits(placed_triangles=ScaledLimit(79, 0)), "80 triangles"),
    ],
)
def test_what_nodes_place_again_is_paid_for_by_bytes(tmp_path, limits, words):
    (tmp_path / "a.glb").write_bytes(glb(scene(10)))
    with pytest.raises(MeshError, match=words) as caught:
        load_gltf(tmp_path / "a.glb", limits=limits)
    assert caught.value.reason == "too large"
    assert load_gltf(tmp_path / "a.glb", limits=Limits(placed_parts=ScaledLimit(0, 1)))


def test_a_strip_counts_all_of_its_triangles(tmp_path):
    (tmp_path / "a.glb").write_bytes(glb(scene(1, mode=5)))
    with pytest.raises(MeshError, match="22 triangles, and at most 21"):
        load_gltf(tmp_path / "a.glb", limits=Limits(triangles=21))


def test_parts_that_share_a_large_buffer_take_their_own_vertices(tmp_path):
    rng = np.random.default_rng(0)
    positions, corners = rng.uniform(size=(1000, 3)).astype("<f4"), rng.permutation(1000)[:900].astype("<u2")
    data = positions.tobytes() + corners.tobytes()
    views = [{"buffer": 0, "byteOffset": 12_000 + 18 * n, "byteLength": 18} for n in range(100)]
    tree = box_tree(
        bufferViews=[{"buffer": 0, "byteLength": 12_000}, *views],
        buffers=[{"byteLength": len(data)}],
        accessors=[
            {"bufferView": 0, "componentType": 5126, "count": 1000, "type": "VEC3"},
            *({"bufferView": 1 + n, "componentType": 5123, "count": 9, "type": "SCALAR"} for n in range(100)),
        ],
        meshes=[
            {
                "primitives": [
                    {"attributes": {"POSITION": 0, "NORMAL": 0}, "indices": 1 + n} for n in range(100)
                ]
            }
        ],
    )
    (tmp_path / "a.glb").write_bytes(glb(tree, data))
    mesh = load_gltf(tmp_path / "a.glb", limits=Limits(vertices=1000))
    assert len(mesh.positions) == 900
    expected = positions[corners]
    upright = np.stack([expected[:, 0], -expected[:, 2], expected[:, 1]], axis=1)
    np.testing.assert_array_equal(mesh.positions[mesh.triangles.ravel()], upright)


def test_a_sparse_accessor_of_few_elements_is_read(tmp_path):
    data = np.arange(3, dtype="<u2").tobytes() + b"\0\0" + np.eye(3, dtype="<f4").tobytes()
    sparse = {"count": 3, "indices": {"bufferView": 0, "componentType": 5123}, "values": {"bufferView": 1}}
    tree = box_tree(
        bufferViews=[
            {"buffer": 0, "byteLength": 6},
            {"buffer": 0, "byteOffset": 8, "byteLength": 36},
        ],
        buffers=[{"byteLength": len(data)}],
        accessors=[{"componentType": 5126, "count": 6, "type": "VEC3", "sparse": sparse}],
        meshes=[{"primitives": [{"attributes": {"POSITION": 0}}]}],
    )
    (tmp_path / "a.glb").write_bytes(glb(tree, data))
    mesh = load_gltf(tmp_path / "a.glb")
    assert mesh.positions[:3].tolist() == [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
    assert not mesh.positions[3:].any()


def test_buffers_of_one_file_read_it_once(tmp_path):
    box = glb(box_tree())[-144:]
    (tmp_path / "a.bin").write_bytes(box)
    names = ["a.bin", "./a.bin", "x/../a.bin", "%61.bin"]
    tree = box_tree(
        buffers=[{"byteLength": 144, "uri": name} for name in names],
        bufferViews=[{"buffer": n, "byteLength": 96} for n in range(4)],
        accessors=[{"bufferView": n, "componentType": 5126, "count": 8, "type": "VEC3"} for n in range(4)],
        meshes=[{"primitives": [{"attributes": {"POSITION": n}} for n in range(4)]}],
    )
    (tmp_path / "x").mkdir()
    (tmp_path / "a.gltf").write_text(json.dumps(tree))
    size = (tmp_path / "a.gltf").stat().st_size
    assert load_gltf(tmp_path / "a.gltf", limits=Limits(object_bytes=size + 144))
    with pytest.raises(MeshError, match="bytes in all files"):
        load_gltf(tmp_path / "a.gltf", limits=Limits(object_bytes=size + 143))


def textures(tmp_path: Path, limits: Limits, num_bytes: int = 10**6) -> TextureLoader:
    files = ObjectFiles(tmp_path, limits)
    files.bytes_read = num_bytes
    return TextureLoader(files)


def png(size: tuple[int, int]) -> bytes:
    from io import BytesIO

    out = BytesIO()
    Image.new("RGB", size, (9, 9, 9)).save(out, "PNG")
    return out.getvalue()


def test_pixels_are_paid_for_by_bytes(tmp_path):
    of = textures(tmp_path, Limits(pixels=ScaledLimit(250, 0)))
    found = [of.load_embedded(n, lambda: png((10, 10)), f"image {n}") for n in range(3)]
    assert [texture is not None for texture in found] == [True, True, False]
    assert of.object_files.log.warnings[0].detail.startswith(
        "texture image 2 is one too many: textures of an object whose files"
    )


def test_a_tint_is_made_once_and_paid_for(tmp_path):
    image = png((10, 10))
    tree = json.loads(textured_box({"bufferView": 2}, image)[20:].split(b"BIN")[0].rsplit(b"}", 1)[0] + b"}")
    factors = [[0.5, 1, 1, 1], [0.5, 1, 1, 1], [1, 1, 1, 1], [0.25, 1, 1, 1]]
    tree["materials"] = [
        {
            "pbrMetallicRoughness": {
                "metallicFactor": 0,
                "baseColorTexture": {"index": 0},
                "baseColorFactor": factor,
            }
        }
        for factor in factors
    ]
    primitive = tree["meshes"][0]["primitives"][0]
    tree["meshes"][0]["primitives"] = [{**primitive, "material": n} for n in range(4)]
    (tmp_path / "a.glb").write_bytes(glb(tree, glb(box_tree())[-144:] + image))
    mesh = load_gltf(tmp_path / "a.glb", limits=Limits(pixels=ScaledLimit(200, 0)))
    first, second, plain, last = (material.texture for material in mesh.materials)
    assert first is second
    assert first.pixels[0, 0, 0] < plain.pixels[0, 0, 0] == 9
    assert last is None
    (warning,) = mesh.warnings
    assert "with another tint or cutout is one too many" in str(warning)


def test_images_that_share_their_bytes_without_end_are_left_out(tmp_path):
    image = png((10, 10))
    of = textures(tmp_path, Limits(), num_bytes=10 * len(image))
    found = [of.load_embedded(n, lambda: image, f"image {n}") for n in range(21)]
    assert [texture is not None for texture in found] == [True] * 20 + [False]


def test_embedded_bytes_are_taken_once(tmp_path):
    of, taken = textures(tmp_path, Limits()), []
    for _ in range(3):
        of.load_embedded("a", lambda: taken.append(1) or png((4, 4)), "image 0")
    assert taken == [1]


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("kind", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_images_are_decoded_in_strips_as_in_one(tmp_path, monkeypatch, kind, mode):
    from io import BytesIO

    from turntable.renderer.meshes.formats.images import image_pixels as module

    noise = Image.effect_noise((37, 23), 80)
    image = (
        Image.fromarray(np.asarray(noise).astype(np.uint16) * 200)
        if kind == "I;16"
        else noise.convert("RGB").convert(kind)
    )
    out = BytesIO()
    image.save(out, "PNG", **({"transparency": 3} if kind in ("P", "L") else {}))
    monkeypatch.setattr(module, "STRIP_PIXELS", 100)
    found = textures(tmp_path, Limits()).load_embedded("a", out.getvalue, "image 0", mode)
    with Image.open(BytesIO(out.getvalue())) as again:
        if kind == "I;16":  # which Pillow converts as if it had 256 levels
            again = Image.fromarray(np.round(np.asarray(image) / 257).astype(np.uint8))
        np.testing.assert_array_equal(found.pixels, np.asarray(again.convert(mode)))


def test_the_first_warnings_are_told_and_the_others_counted(tmp_path):
    (tmp_path / "a.mtl").write_text("".join(f"newmtl {n}\nmap_Kd {n}.png\n" for n in range(300)))
    uses = "".join(f"usemtl {n}\nf 1 2 3\n" for n in range(300))
    (tmp_path / "a.obj").write_text("mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\n" + uses)
    warnings = load_mesh(FolderSource(tmp_path), "a").warnings
    assert len(warnings) == 101
    assert warnings[-1].detail == "and 200 more"


def test_names_in_messages_are_escaped(tmp_path):
    (tmp_path / "a.obj").write_text("mtllib \x1b[2J\x9b.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    (warning,) = load_mesh(FolderSource(tmp_path), "a").warnings
    assert "material file \\x1b[2J\\x9b.mtl is missing" in str(warning)


@pytest.mark.parametrize(
    "name",
    ["new\nline", "esc\x1b[31m", "not-utf-8-\udcff", "separator\u2028", "no\u00a0break", "joined\u200d"],
)
def test_a_name_that_a_terminal_would_obey_is_no_objects(tmp_path, name):
    (tmp_path / f"{name}.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    with pytest.raises(MeshError, match="rename it") as caught:
        load_mesh(FolderSource(tmp_path), name)
    assert str(caught.value).isprintable()

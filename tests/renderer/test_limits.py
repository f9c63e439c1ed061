"""Tests of the limits of one object, which are checked before memory is spent."""

import numpy as np
import pytest

from tests.support.gltf_box import glb
from tests.support.meshes import CUBE_MTL, CUBE_OBJ, write_glb, write_shapenet_object
from turntable.errors import MeshError
from turntable.renderer.meshes import Limits
from turntable.renderer.meshes.sources import FolderSource, load_mesh
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(file_bytes=100), "more than 100 bytes"),
        (Limits(vertices=7), "8 vertices, and at most 7"),
        (Limits(triangles=11), "12 triangles, and at most 11"),
    ],
)
def test_a_mesh_beyond_a_limit_is_refused(tmp_path, limits, words):
    write_shapenet_object(tmp_path, "100/a")
    with pytest.raises(MeshError, match=words) as caught:
        load_mesh(ShapeNetSource(tmp_path, limits=limits), "100/a")
    assert caught.value.reason == "too large"


@pytest.mark.parametrize(
    "limits",
    [Limits(texture_pixels=3), Limits(object_pixels=3), Limits(object_bytes=len(CUBE_OBJ + CUBE_MTL) + 9)],
)
def test_a_texture_beyond_a_limit_is_left_out_with_a_warning(tmp_path, limits):
    write_shapenet_object(tmp_path, "100/a", mtl=CUBE_MTL)
    mesh = load_mesh(ShapeNetSource(tmp_path, limits=limits), "100/a")
    assert all(material.texture is None for material in mesh.materials)
    (warning,) = mesh.warnings
    assert "the material's own color is used" in str(warning) or "gray" in str(warning)


def test_all_textures_of_an_object_count_together(tmp_path):
    from PIL import Image

    names = [f"t{n}" for n in range(5)]
    mtl = "".join(f"newmtl {name}\nmap_Kd {name}.png\n" for name in names)
    faces = "".join(f"usemtl {name}\nf {n + 1}/1 {n + 2}/2 {n + 3}/3\n" for n, name in enumerate(names))
    (tmp_path / "a.obj").write_text(CUBE_OBJ.partition("usemtl")[0] + faces)
    (tmp_path / "model_normalized.mtl").write_text(mtl)
    for name in names:
        Image.new("RGB", (10, 10)).save(tmp_path / f"{name}.png")
    mesh = load_mesh(FolderSource(tmp_path, limits=Limits(object_pixels=350)), "a")
    assert sum(material.texture is not None for material in mesh.materials) == 3
    assert len(mesh.warnings) == 2


def test_limits_hold_for_other_formats(tmp_path):
    import trimesh

    ball = trimesh.creation.icosphere(2)
    for suffix in ("ply", "off"):
        ball.export(tmp_path / f"{suffix}.{suffix}")
        with pytest.raises(MeshError, match="at most 100") as caught:
            FolderSource(tmp_path, limits=Limits(triangles=100)).load(suffix)
        assert caught.value.reason == "too large"
    write_glb(tmp_path / "box.glb")
    with pytest.raises(MeshError, match="at most 7") as caught:
        FolderSource(tmp_path, limits=Limits(vertices=7)).load("box")
    assert caught.value.reason == "too large"


def test_a_file_that_claims_more_than_it_has_takes_no_memory(tmp_path):
    """Not even address space: the claim is compared with the file first."""
    count = 15_000_000
    accessors = [{"componentType": 5126, "count": count, "type": "VEC3", "bufferView": 0}]
    tree = {
        "asset": {"version": "2.0"},
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": accessors,
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "buffers": [{"byteLength": 36}],
    }
    (tmp_path / "a.glb").write_bytes(glb(tree, np.zeros(9, "<f4").tobytes()))
    with pytest.raises(MeshError, match="do not fit") as caught:
        FolderSource(tmp_path).load("a")
    assert caught.value.reason == "unreadable"

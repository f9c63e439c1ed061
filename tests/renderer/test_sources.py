import json

import numpy as np
import pytest
import trimesh
from PIL import Image

from tests.support.meshes import CUBE_OBJ, write_shapenet_object
from turntable.errors import InvalidInputError, MeshError
from turntable.renderer import open_source
from turntable.renderer.meshes.sources import FolderSource, ZooSource, load_mesh
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource


def test_shapenet_lists_and_loads(tmp_path):
    for name in ("200/b", "100/a", "100/c"):
        write_shapenet_object(tmp_path, name)
    (tmp_path / "100/empty").mkdir()
    source = ShapeNetSource(tmp_path)
    assert [(item.id, item.category) for item in source.list_objects()] == [
        ("100/a", "100"),
        ("100/c", "100"),
        ("200/b", "200"),
    ]
    assert source.load("100/a").materials[1].texture is not None


def test_shapenet_digest_covers_obj_materials_and_textures(tmp_path):
    for name in ("100/a", "100/b"):
        write_shapenet_object(tmp_path, name)
    source = ShapeNetSource(tmp_path)
    mesh = source.load("100/a")
    before = source.compute_digest("100/a", mesh)
    assert before == source.compute_digest("100/b", source.load("100/b"))
    (tmp_path / "100/a/models/model_normalized.solid.binvox").write_bytes(b"what no picture shows")
    assert before == source.compute_digest("100/a", source.load("100/a"))
    for part in ("models/model_normalized.obj", "models/model_normalized.mtl", "images/texture0.png"):
        path = tmp_path / "100/a" / part
        path.write_bytes(path.read_bytes() + b"\n")
        after = source.compute_digest("100/a", mesh)
        assert after != before
        before = after


@pytest.mark.parametrize("name", ["shapenet", "shapenet-v1", "shapenetsem", "objaverse", "gso", "folder"])
def test_folders_that_are_not_there_or_empty(tmp_path, name):
    with pytest.raises(InvalidInputError, match=r"nowhere does not exist; --meshes takes"):
        open_source(name, tmp_path / "nowhere").list_objects()
    with pytest.raises(InvalidInputError, match=r"holds no "):
        open_source(name, tmp_path).list_objects()
    file = tmp_path / "file.txt"
    file.write_text("")
    with pytest.raises(InvalidInputError, match="is not a folder"):
        open_source(name, file).list_objects()
    with pytest.raises(InvalidInputError, match="give --meshes DIR"):
        open_source(name, None)


def test_unknown_source():
    with pytest.raises(
        InvalidInputError,
        match="one of: zoo, articulated, particles, solids, molecules, shapenet, shapenet-v1, shapenetsem",
    ):
        open_source("modelnet", None)


def test_zoo_takes_no_folder(tmp_path):
    with pytest.raises(InvalidInputError, match="leave --meshes out"):
        open_source("zoo", tmp_path)


def test_zoo_shares_objects_out_evenly():
    items = ZooSource(50).list_objects()
    assert len({item.id for item in items}) == 50
    counts = np.unique([item.category for item in items], return_counts=True)[1]
    assert counts.max() - counts.min() <= 1
    assert {item.id for item in ZooSource(20).list_objects()} < {item.id for item in items}
    with pytest.raises(InvalidInputError, match="--objects 1 or more"):
        ZooSource(0).list_objects()
    with pytest.raises(InvalidInputError, match="mug/000007"):
        ZooSource(1).load("mug/seven")


def scaled_box(path, **kind):
    trimesh.creation.box((4, 2, 1), **kind).export(path)


def test_folder_finds_formats_and_categories(tmp_path):
    (tmp_path / "boxes/deep").mkdir(parents=True)
    scaled_box(tmp_path / "boxes/a.glb")
    scaled_box(tmp_path / "boxes/deep/b.ply")
    scaled_box(tmp_path / "boxes/c.stl")
    scaled_box(tmp_path / "boxes/c.ply")
    scaled_box(tmp_path / "boxes/d.off")
    (tmp_path / "boxes/._a.glb").write_bytes(b"left behind by another system")
    (tmp_path / "loose.obj").write_text(CUBE_OBJ)
    (tmp_path / "notes.txt").write_text("nothing")
    source = FolderSource(tmp_path)
    found = {item.id: item.category for item in source.list_objects()}
    assert found == {
        "boxes/a": "boxes",
        "boxes/c.ply": "boxes",
        "boxes/c.stl": "boxes",
        "boxes/d": "boxes",
        "boxes/deep/b": "boxes",
        "loose": "unsorted",
    }
    for name in found:
        mesh = source.load(name)
        extent = mesh.positions.max(axis=0) - mesh.positions.min(axis=0)
        assert np.linalg.norm(extent) == pytest.approx(1, abs=1e-5)
        assert len(source.compute_digest(name, mesh)) == 64
    with pytest.raises(MeshError, match="gone"):
        source.load("boxes/z")


def test_axes_of_glb_and_ply(tmp_path):
    """glTF is y-up and turned; PLY is taken as z-up."""
    scaled_box(tmp_path / "a.glb")
    scaled_box(tmp_path / "b.ply")
    source = FolderSource(tmp_path)
    for name, order in (("a", (4, 1, 2)), ("b", (4, 2, 1))):
        mesh = source.load(name)
        extent = mesh.positions.max(axis=0) - mesh.positions.min(axis=0)
        np.testing.assert_allclose(extent * np.sqrt(21), order, atol=1e-4)


def test_vertex_colors_and_textures(tmp_path):
    plain = trimesh.creation.box((1, 1, 1))
    plain.visual.vertex_colors = np.tile([255, 0, 0, 255], (8, 1)).astype(np.uint8)
    plain.export(tmp_path / "red.ply")
    red = FolderSource(tmp_path).load("red")
    assert red.materials[0].base_color == (1.0, 1.0, 1.0)
    assert red.colors is not None
    assert (red.colors == [1.0, 0.0, 0.0, 1.0]).all()
    image = Image.fromarray(np.full((4, 4, 3), 255, np.uint8))
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=image, baseColorFactor=[0, 255, 0, 255])
    painted = trimesh.creation.box((1, 1, 1))
    painted.visual = trimesh.visual.TextureVisuals(uv=np.zeros((8, 2)), material=material)
    painted.export(tmp_path / "green.glb")
    green = FolderSource(tmp_path).load("green")
    assert green.materials[0].texture is not None
    assert green.materials[0].texture.pixels[0, 0].tolist() == [0, 255, 0]


@pytest.mark.parametrize(
    ("name", "content"), [("broken.glb", b"glTF\x02"), ("broken.ply", b"ply\nformat ascii 1.0\n")]
)
def test_broken_files(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MeshError, match=rf"{name}"):
        FolderSource(tmp_path).load("broken")


def test_ply_with_nan(tmp_path):
    text = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
    text += (
        "element face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 0\nnan 0 0\n0 1 0\n3 0 1 2\n"
    )
    (tmp_path / "bad.ply").write_text(text)
    with pytest.raises(MeshError, match=r"bad\.ply: .*NaN"):
        FolderSource(tmp_path).load("bad")


def test_all_vertices_in_one_point(tmp_path):
    (tmp_path / "dot.obj").write_text("v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n")
    with pytest.raises(MeshError, match="one point"):
        FolderSource(tmp_path).load("dot")


def test_modelnets_glued_header(tmp_path):
    off = "OFF3 1 0\n0 0 0\n1 0 0\n0 2 0\n3 0 1 2\n"
    (tmp_path / "a.off").write_text(off)
    assert len(FolderSource(tmp_path).load("a").triangles) == 1


def test_a_license_beside_an_object(tmp_path):
    (tmp_path / "boxes/a").mkdir(parents=True)
    scaled_box(tmp_path / "boxes/a/a.stl")
    scaled_box(tmp_path / "boxes/b.stl")
    (tmp_path / "boxes/a/LICENSE.txt").write_text("\n  CC-BY-4.0\nand more\n")
    source = FolderSource(tmp_path)
    assert source.get_license("boxes/a/a") == "CC-BY-4.0"
    assert source.get_license("boxes/b") == source.license


@pytest.mark.parametrize("object_id", ["../a", "/etc/passwd", "100/../../a", "", "a\0b"])
@pytest.mark.parametrize("name", ["shapenet", "shapenetsem", "objaverse", "gso", "folder"])
def test_ids_that_lead_elsewhere(tmp_path, name, object_id):
    with pytest.raises(MeshError):
        load_mesh(open_source(name, tmp_path), object_id)


def test_every_source_describes_itself_as_json_has_it(tmp_path):
    write_shapenet_object(tmp_path, "02691156/a")
    for source in (ShapeNetSource(tmp_path), FolderSource(tmp_path)):
        facts = source.describe()
        assert json.loads(json.dumps(facts)) == facts
        assert str(tmp_path) not in json.dumps(facts)

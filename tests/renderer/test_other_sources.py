"""Tests of ShapeNetSem, Objaverse and Google Scanned Objects, as their archives unpack."""

import gzip
import json

import numpy as np
import pytest
from PIL import Image

from tests.support.meshes import CUBE_MTL, CUBE_OBJ, write_glb, write_shapenet_object
from turntable.errors import InvalidInputError
from turntable.renderer import open_source
from turntable.renderer.meshes.sources.detection import detect_source
from turntable.renderer.meshes.sources.mesh_transforms import compute_upright_rotation

BAR_OBJ = """mtllib {name}.mtl
v 0 0 0
v 3 0 0
v 3 2 0
v 0 0 1
vt 0 0
vt 1 0
vt 1 1
usemtl m
f 1/1 2/2 3/3
f 1/1 2/2 4/3
"""
TABLE = """fullId,category,wnsynset,up,front,unit
wss.a,"Chair,Furniture",n1,"0.0\\,0.0\\,1.0","0.0\\,-1.0\\,0.0",0.0254
wss.b,,n2,"0\\,1\\,0","1\\,0\\,0",0.01
wss.c,Lamp,n3,,nan,
"""


@pytest.fixture
def sem(tmp_path):
    models, textures = tmp_path / "models-OBJ/models", tmp_path / "models-textures/textures"
    models.mkdir(parents=True)
    textures.mkdir(parents=True)
    for name in "abcd":
        (models / f"{name}.obj").write_text(BAR_OBJ.format(name=name))
        (models / f"{name}.mtl").write_text("newmtl m\nKd 1 1 1\nmap_Kd shared.png\n")
    Image.new("RGB", (2, 2), (1, 2, 3)).save(textures / "shared.png")
    (tmp_path / "metadata.csv").write_text(TABLE)
    return tmp_path


def size(mesh):
    extent = np.ptp(mesh.positions, axis=0)
    return np.round(extent / extent.max() * 3, 3).tolist()


def test_shapenetsem(sem):
    source = open_source("shapenetsem", sem)
    assert {item.id: item.category for item in source.list_objects()} == {
        "a": "Chair",
        "b": "unsorted",
        "c": "Lamp",
        "d": "unsorted",
    }
    mesh = source.load("a")
    assert mesh.materials[1].texture.pixels[0, 0].tolist() == [1, 2, 3]
    assert np.linalg.norm(np.ptp(mesh.positions, axis=0)) == pytest.approx(1, abs=1e-5)
    # The bar is 3 x 2 x 1. With z up it stays so; with y up and x to the front it stands otherwise.
    assert size(mesh) == size(source.load("c")) == [3, 2, 1]
    assert size(source.load("b")) == [1, 3, 2]
    assert source.describe() == {"objects": 4, "categories": 3, "in_table": 3}
    assert detect_source(sem) == "shapenetsem"
    assert len(source.compute_digest("a", mesh)) == 64
    (sem / "metadata.csv").unlink()
    assert {item.category for item in source.list_objects()} == {"unsorted"}


def test_a_table_of_shapenetsem_that_a_spreadsheet_saved_is_read(sem):
    before = open_source("shapenetsem", sem).list_objects()
    (sem / "metadata.csv").write_bytes(("\ufeff" + TABLE).encode("utf-8"))
    assert open_source("shapenetsem", sem).list_objects() == before


def test_shapenetsem_still_zipped(tmp_path):
    (tmp_path / "models-OBJ.zip").write_bytes(b"PK")
    with pytest.raises(InvalidInputError, match="still zipped"):
        open_source("shapenetsem", tmp_path).list_objects()


def test_upright_turns_up_to_z_and_front_to_y():
    turn = compute_upright_rotation(np.array([0, 1.0, 0]), np.array([0.6, 0.5, 0]))
    np.testing.assert_allclose(turn @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(turn @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)
    level = compute_upright_rotation(np.array([0, 0, 2.0]), np.array([0, 0, 1.0]))  # a front that points up
    np.testing.assert_allclose(level, np.eye(3), atol=1e-12)


@pytest.fixture
def objaverse(tmp_path):
    root = tmp_path / "hf-objaverse-v1"
    for number, uid in enumerate(("aa", "bb", "cc")):
        write_glb(root / f"glbs/000-00{number % 2}" / f"{uid}.glb")
    (root / "metadata").mkdir()
    with gzip.open(root / "metadata/000-000.json.gz", "wt") as file:
        json.dump({"aa": {"license": "by-nc"}, "cc": {"name": "without"}}, file)
    with gzip.open(root / "object-paths.json.gz", "wt") as file:
        json.dump({uid: f"glbs/{uid}.glb" for uid in "abcdefg"}, file)
    (root / "lvis-annotations.json").write_text(json.dumps({"mug": ["bb", "gone"], "chair": ["aa"]}))
    return tmp_path


def test_objaverse(objaverse):
    for root in (objaverse, objaverse / "hf-objaverse-v1"):
        source = open_source("objaverse", root)
        found = {item.id: item.category for item in source.list_objects()}
        assert found == {"aa": "chair", "bb": "mug", "cc": "unsorted"}
        assert source.get_license("aa") == "CC-BY-NC-4.0"
        assert source.get_license("bb") == source.get_license("cc") == source.license
        assert source.describe() == {"objects": 3, "categories": 3, "listed": 7}
        assert detect_source(root) == "objaverse"
        mesh = source.load("aa")
        assert np.linalg.norm(np.ptp(mesh.positions, axis=0)) == pytest.approx(1, abs=1e-5)
        assert len(source.compute_digest("aa", mesh)) == 64


def test_objaverse_tables_that_cannot_be_read(objaverse):
    (objaverse / "hf-objaverse-v1/lvis-annotations.json").write_text("[" * 100_000)
    with pytest.raises(InvalidInputError, match=r"lvis-annotations\.json cannot be read"):
        open_source("objaverse", objaverse).list_objects()


def test_objaverse_names_are_ids(objaverse):
    write_glb(objaverse / "elsewhere/aa.glb")
    with pytest.raises(InvalidInputError, match="have the same name"):
        open_source("objaverse", objaverse).list_objects()


@pytest.mark.parametrize("texture", ["meshes", "materials/textures"])
def test_google_scanned_objects(tmp_path, texture):
    for name in ("Shoe_1", "Thing"):
        folder = tmp_path / name
        (folder / texture).mkdir(parents=True)
        (folder / "meshes").mkdir(exist_ok=True)
        (folder / "meshes/model.obj").write_text(BAR_OBJ.format(name="model"))
        (folder / "meshes/model.mtl").write_text("newmtl m\nmap_Kd texture.png\n")
        Image.new("RGB", (2, 2), (7, 8, 9)).save(folder / texture / "texture.png")
    (tmp_path / "Shoe_1/metadata.pbtxt").write_text('name: "A"\ncategories {\n  first: "Shoe"\n}\n')
    source = open_source("gso", tmp_path)
    assert {item.id: item.category for item in source.list_objects()} == {
        "Shoe_1": "Shoe",
        "Thing": "unsorted",
    }
    mesh = source.load("Shoe_1")
    assert mesh.warnings == ()
    assert mesh.materials[1].texture.pixels[0, 0].tolist() == [7, 8, 9]
    assert size(mesh) == [3, 2, 1]  # z-up as written
    assert source.get_license("Thing").startswith("CC-BY-4.0")
    assert detect_source(tmp_path) == "gso"
    with pytest.raises(InvalidInputError, match="one object's folder"):
        open_source("gso", tmp_path / "Thing").list_objects()


def test_any_other_folder_is_a_folder(tmp_path):
    write_glb(tmp_path / "boxes/a.glb")
    (tmp_path / "b.obj").write_text(CUBE_OBJ)
    (tmp_path / "model_normalized.mtl").write_text(CUBE_MTL)
    assert detect_source(tmp_path) == "folder"
    write_shapenet_object(tmp_path / "nested/one/two", "100/a")
    assert detect_source(tmp_path) == "folder"

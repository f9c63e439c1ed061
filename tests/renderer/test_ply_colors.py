"""Tests of colors and textures of PLY files: of faces and of vertices."""

import numpy as np
import pytest
from PIL import Image

from tests.support.ply import ORDERS, SQUARE, Column, load, square


@pytest.mark.parametrize("form", list(ORDERS))
def test_colors_of_faces(tmp_path, form):
    face = [
        Column(name, "uchar", rows)
        for name, rows in (("red", [255, 0]), ("green", [0, 0]), ("blue", [0, 255]))
    ]
    mesh = load(tmp_path, square(face=face, form=form))
    assert mesh.colors.tolist() == [[1, 0, 0, 1]] * 3 + [[0, 0, 1, 1]] * 3


def test_colors_of_faces_leave_shading_smooth(tmp_path):
    normals = [
        Column(f"n{axis}", "float", rows)
        for axis, rows in zip("xyz", ([1] * 4, [0] * 4, [0] * 4), strict=True)
    ]
    face = [Column(name, "float", [1.0, 0.0]) for name in ("red", "green", "blue")]
    mesh = load(tmp_path, square(normals, face))
    assert mesh.has_normals
    assert (mesh.normals == [1, 0, 0]).all()
    assert mesh.colors[:, 0].tolist() == [1, 1, 1, 0, 0, 0]


def test_opacities_and_colors_to_255_in_floats(tmp_path):
    rows = {"red": [255.0, 0, 0, 0], "green": [0.0] * 4, "blue": [0.0] * 4, "alpha": [0.5] * 4}
    mesh = load(tmp_path, square([Column(name, "double", values) for name, values in rows.items()]))
    assert mesh.colors[0].tolist() == [1, 0, 0, 0.5]


def test_opacities_of_zero_are_a_mistake(tmp_path):
    mesh = load(tmp_path, square([Column(n, "uchar", [0] * 4) for n in ("red", "green", "blue", "alpha")]))
    assert (mesh.colors[:, 3] == 1).all()
    assert [warning.kind for warning in mesh.warnings] == ["color-approximated"]


def test_ambient_colors_are_no_colors_of_vertices(tmp_path):
    names = ("ambient_red", "ambient_green", "ambient_blue")
    assert load(tmp_path, square([Column(name, "uchar", [255] * 4) for name in names])).colors is None


def write_image(path, color):
    Image.new("RGB", (2, 2), color).save(path)


def test_textures_of_faces_by_number(tmp_path):
    write_image(tmp_path / "a b.png", (255, 0, 0))
    write_image(tmp_path / "c.png", (0, 255, 0))
    uv = [[0, 0, 1, 0, 1, 1], [0, 0, 1, 1, 0, 1]]
    face = [Column("texcoord", "float", uv, "uchar"), Column("texnumber", "int", [1, 0])]
    comments = ("comment TextureFile a b.png", "comment TextureFile c.png")
    mesh = load(tmp_path, square(face=face, comments=comments))
    assert mesh.warnings == ()
    pixels = [mesh.materials[k].texture.pixels[0, 0].tolist() for k in mesh.material_index]
    assert pixels == [[0, 255, 0], [255, 0, 0]]
    assert mesh.texcoords[mesh.triangles].reshape(2, 6).tolist() == uv
    assert sorted(path.name for path in mesh.files) == ["a b.png", "a.ply", "c.png"]


def test_faces_without_texture(tmp_path):
    write_image(tmp_path / "a.png", (255, 0, 0))
    uv = Column("texcoord", "float", [[0, 0, 1, 0, 1, 1], []], "uchar")
    mesh = load(tmp_path, square(face=[uv], comments=["comment TextureFile a.png"]))
    assert [mesh.materials[k].texture is None for k in mesh.material_index] == [False, True]
    assert mesh.warnings == ()
    wrong = Column("texcoord", "float", [[0, 0, 1, 0, 1, 1], [0, 0]], "uchar")
    mesh = load(tmp_path, square(face=[wrong], comments=["comment TextureFile a.png"]))
    assert [warning.kind for warning in mesh.warnings] == ["reference-skipped"]


@pytest.mark.parametrize("names", ["s t", "u v", "texture_u texture_v", "texcoord_u texcoord_v"])
def test_texture_coordinates_of_vertices(tmp_path, names):
    write_image(tmp_path / "a.png", (255, 0, 0))
    uv = [Column(name, "float", SQUARE[:, k].tolist()) for k, name in enumerate(names.split())]
    mesh = load(tmp_path, square(uv, comments=["comment TextureFile a.png"]))
    assert mesh.warnings == ()
    np.testing.assert_array_equal(mesh.texcoords, mesh.positions[:, :2])


def test_a_texture_goes_before_colors(tmp_path):
    write_image(tmp_path / "a.png", (255, 0, 0))
    columns = [Column(name, "float", SQUARE[:, k].tolist()) for k, name in enumerate("st")]
    columns += [Column(name, "uchar", [9, 8, 7, 6]) for name in ("red", "green", "blue")]
    mesh = load(tmp_path, square(columns, comments=["comment TextureFile a.png"]))
    assert mesh.colors is None
    assert [warning.kind for warning in mesh.warnings] == ["color-approximated"]
    (tmp_path / "a.png").unlink()
    mesh = load(tmp_path, square(columns, comments=["comment TextureFile a.png"]))
    assert mesh.colors is not None
    assert [warning.kind for warning in mesh.warnings] == ["file-missing"]

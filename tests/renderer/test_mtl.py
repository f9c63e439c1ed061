"""Tests of MTL files: options of textures after the specification, names, and what is not drawn."""

import numpy as np
import pytest
from PIL import Image

from turntable.renderer.meshes.formats import load_obj
from turntable.renderer.meshes.formats.mtl.map_statements import MapOptions, read_map_statement

OBJ = """mtllib mesh.mtl
v 0 0 0
v 1 0 0
v 1 1 0
vt 0 0
vt 1 0
vt 1 1
vn 0 0 1
usemtl m
f 1/1/1 2/2/1 3/3/1
"""
PIXELS = np.array([[[255, 0, 51], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], dtype=np.uint8)


def load(tmp_path, statements, obj=OBJ, name="tex.png", pixels=PIXELS):
    (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
    Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "mesh.mtl").write_text(f"newmtl m\n{statements}\n")
    (tmp_path / "mesh.obj").write_text(obj)
    return load_obj(tmp_path / "mesh.obj")


def read(tmp_path, statements, **more):
    mesh = load(tmp_path, statements, **more)
    return mesh, mesh.materials[1]


def kinds(mesh):
    return [warning.kind for warning in mesh.warnings]


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("a.png", "a.png", MapOptions()),
        ("my wood tile.png", "my wood tile.png", MapOptions()),
        ('"my wood.png"', "my wood.png", MapOptions()),
        ("-s 4 4 1 a.png", "a.png", MapOptions(scale=(4, 4))),
        ("-s 4 a.png", "a.png", MapOptions(scale=(4, 1))),
        ("-s 2 3 a b.png", "a b.png", MapOptions(scale=(2, 3))),
        ("-o 0.5 a.png", "a.png", MapOptions(offset=(0.5, 0))),
        ("-o .5 .25 0 -s 2 2 2 a.png", "a.png", MapOptions(scale=(2, 2), offset=(0.5, 0.25))),
        ("-mm 0.1 2 a.png", "a.png", MapOptions(base=0.1, gain=2)),
        ("-mm 0.1 a.png", "a.png", MapOptions(base=0.1)),
        ("-CLAMP on a.png", "a.png", MapOptions(clamp=True)),
        ("-clamp off a.png", "a.png", MapOptions()),
        ("-blendu on -blendv on -bm 1 -texres 64 -cc off a.png", "a.png", MapOptions()),
        ("-blendv off a.png", "a.png", MapOptions(not_applied=("-blendv off",))),
        ("-t 0 0 0 -boost 0 a.png", "a.png", MapOptions()),
        ("-t 1 0.5 a.png", "a.png", MapOptions(not_applied=("-t 1 0.5",))),
        ("-imfchan m a.png", "a.png", MapOptions(channel="m")),
        ("-type sphere a.png", "a.png", MapOptions()),
        ("-bm 0.2 a.png", "a.png", MapOptions(bump=0.2)),
        ("-s 1 1 1 2", "2", MapOptions()),
        ("-s 2 2 001.png", "001.png", MapOptions(scale=(2, 2))),
        ("-unknown 1 a.png", "-unknown 1 a.png", MapOptions()),
        ("-s nan a.png", "nan a.png", MapOptions()),
        ("-s", "-s", MapOptions()),
    ],
)
def test_options_come_before_the_name(text, name, options):
    reading = read_map_statement(text)[0]
    assert (reading.name, reading.options) == (name, options)


def test_scale_and_offset_move_the_texture(tmp_path):
    mesh, _ = read(tmp_path, "map_Kd -s 4 2 1 -o 0.5 -1 tex.png")
    assert sorted(map(tuple, mesh.texcoords.tolist())) == [(0.5, -1), (4.5, -1), (4.5, 1)]
    assert mesh.warnings == ()


def test_texture_coordinates_that_two_materials_share_are_moved_for_one(tmp_path):
    obj = OBJ + "v 0 0 1\nusemtl n\nf 1/1/1 2/2/1 4/3/1\n"
    mesh = load(tmp_path, "map_Kd -s 4 4 tex.png\nnewmtl n\nmap_Kd tex.png", obj)
    assert mesh.texcoords[mesh.triangles].max(axis=(1, 2)).tolist() == [4, 1]


def test_a_scale_that_is_too_large_is_finite(tmp_path):
    mesh, _ = read(tmp_path, "map_Kd -s 1e300 1e39 tex.png")
    assert np.isfinite(mesh.texcoords).all()


def test_base_and_gain_change_the_values(tmp_path):
    mesh, material = read(tmp_path, "map_Kd -mm 0.2 0.5 tex.png")
    np.testing.assert_allclose(material.texture.pixels, 51 + PIXELS / 2, atol=0.5)
    assert mesh.warnings == ()


def sample(texture, uv):
    """Return the texel at texture coordinates by hand, for wrap modes of edges."""
    assert texture.wrap == ("clamp", "clamp")
    height, width = texture.pixels.shape[:2]
    x, y = np.clip(np.float64(uv), 0, 1 - 1e-9) * [width, height]
    return texture.pixels[height - 1 - int(y), int(x)].tolist()


@pytest.mark.parametrize("size", [2, 64])
def test_beyond_a_clamped_texture_the_surface_has_its_own_color(tmp_path, size):
    obj = OBJ.replace("vt 0 0", "vt -1 -1").replace("vt 1 1", "vt 2 2").replace("vt 1 0", "vt 2 -1")
    pixels = PIXELS.repeat(size // 2, axis=0).repeat(size // 2, axis=1)
    mesh, material = read(tmp_path, "Kd 1 0.2158605 0\nmap_Kd -clamp on tex.png", obj=obj, pixels=pixels)
    by_corner = dict(zip(map(tuple, np.round(mesh.positions, 3).tolist()), mesh.texcoords, strict=True))
    low, high = by_corner[0, 0, 0], by_corner[1, 0, 1]
    for share, expected in (
        (0.1, [255, 128, 0]),
        (0.9, [255, 128, 0]),
        (0.4, PIXELS[1, 0].tolist()),
        (0.6, PIXELS[0, 1].tolist()),
    ):
        assert sample(material.texture, low + share * (high - low)) == expected
    assert mesh.warnings == ()


def test_emission_textures(tmp_path):
    _, material = read(tmp_path, "Kd 0 0 0\nmap_Ke tex.png")
    assert material.emission == (1, 1, 1)
    np.testing.assert_array_equal(material.emission_texture.pixels, PIXELS)
    _, material = read(tmp_path, "Ke 0.5 0.5 0\nmap_Ke -mm 0 1 tex.png")
    assert material.emission == (0.5, 0.5, 0)
    assert read(tmp_path, "Ke 0 0 0\nmap_Ke none.png")[1].emission == (0, 0, 0)


def test_a_channel_makes_a_cutout_as_it_is(tmp_path):
    mesh, material = read(tmp_path, "map_Kd tex.png\nmap_d -imfchan b tex.png")
    np.testing.assert_array_equal(material.texture.pixels[..., 3], PIXELS[..., 2])
    assert mesh.warnings == ()
    rgba = np.dstack([PIXELS, [[0, 64], [128, 255]]]).astype(np.uint8)
    _, material = read(tmp_path, "map_Kd tex.png\nmap_d -imfchan m tex.png", pixels=rgba)
    np.testing.assert_array_equal(material.texture.pixels[..., 3], rgba[..., 3])


@pytest.mark.parametrize(
    ("statements", "alpha", "expected"),
    [
        ("Tr 0.25", 0.75, []),
        ("d 0.5\nTr 0.5", 0.5, []),
        ("d 1\nTr 1", 1, []),
        ("Tr 0", 1, []),
        ("Tr 1", 1, ["transparency-approximated"]),
        ("d -halo 0.25", 0.25, ["transparency-approximated"]),
        ("d 0,5", 0.5, []),
        ("d 0.5\nTf 1 1 1", 0.5, []),
        ("d 0.5\nTf 1 0 0", 0.5, ["transparency-approximated"]),
        ("Tf 1 0 0", 1, []),
        ("illum 7", 1, ["transparency-approximated"]),
        ("illum 4\nd 0.5", 0.5, []),
    ],
)
def test_transparency(tmp_path, statements, alpha, expected):
    mesh, material = read(tmp_path, statements)
    assert (material.alpha, kinds(mesh)) == (alpha, expected)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("Ka 1 1 1\nKs 0.5 0.5 0.5\nNs 10\nNi 1.45\nTf 1 1 1\nillum 2\nd 1\nKe 0 0 0", []),
        ("map_Ka tex.png\nmap_Kd tex.png", []),
        ("Ks 0 0 0\nmap_Ks tex.png\nmap_Ns tex.png", []),
        ("Ks 1 1 1\nmap_Ks tex.png", ["map-skipped"]),
        ("map_Bump -bm 0.5 tex.png", ["map-skipped"]),
        ("bump -bm 0 tex.png", []),
        ("norm tex.png\ndisp tex.png\nrefl -type sphere tex.png", ["map-skipped"] * 3),
        ("map_d tex.png", ["map-skipped"]),
        ("Pm 0\nPc 0\nPs 0", []),
        ("Pm 1", ["surface-approximated"]),
        ("Pc 0.5\nmap_Pr tex.png", ["map-skipped", "surface-approximated"]),
        ("Ks 1 1 1\nillum 3", ["surface-approximated"]),
        ("Kd spectral file.rfl 1", ["statement-skipped"]),
        ("Kd nan 0 0", ["number-repaired"]),
        ("whatever 1", ["statement-skipped"]),
        ("map_Kd -t 1 1 1 tex.png", ["statement-skipped"]),
        ("map_Kd -s 2 2 tex.png\nmap_Ke -s 3 3 tex.png", ["texcoords-approximated"]),
        ("map_Kd none.png", ["file-missing"]),
    ],
)
def test_what_is_not_drawn_is_reported_where_the_picture_would_differ(tmp_path, statements, expected):
    mesh, _ = read(tmp_path, statements)
    assert kinds(mesh) == expected
    assert all(warning.file in ("mesh.mtl", "mesh.obj") for warning in mesh.warnings)


def test_roughness_and_colors_in_other_words(tmp_path):
    assert read(tmp_path, "Ns 250\nPr 0.25")[1].roughness == 0.25
    assert read(tmp_path, "Kd 0,25 0,5 1")[1].base_color == (0.25, 0.5, 1)
    # The white point of sRGB (D65) is white.
    assert read(tmp_path, "Kd xyz 0.95047 1 1.08883")[1].base_color == pytest.approx((1, 1, 1), abs=1e-4)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("map_Kd my wood tile.png", "my wood tile.png"),
        ("map_Kd -blendu on my wood tile.png", "my wood tile.png"),
        ('map_Kd -s 1 1 1 "my wood tile.png"', "my wood tile.png"),
        ("map_Kd tex.png # the wood", "tex.png"),
        ("map_Kd tex#1.png", "tex#1.png"),
        ("map_Kd my\\ wood.png", "my wood.png"),
        ("map_Kd textures\\tex.png", "textures/tex.png"),
        ("map_Kd\ttex.png", "tex.png"),
        ("\tmap_Kd \t tex.png\t ", "tex.png"),
        ("map_Kd -s 2 2 1 2 2.png", "2 2.png"),
    ],
)
def test_names_of_textures(tmp_path, statement, name):
    mesh, material = read(tmp_path, statement, name=name)
    assert mesh.warnings == ()
    assert material.texture is not None


def test_options_behind_the_name_are_meant(tmp_path):
    mesh, _ = read(tmp_path, "map_Kd tex.png -s 3 3 3")
    assert (mesh.texcoords.max(), mesh.warnings) == (3, ())


def test_textures_lie_beside_the_mtl_file_or_the_mesh(tmp_path):
    (tmp_path / "mats").mkdir()
    (tmp_path / "mats/m.mtl").write_text("newmtl m\nmap_Kd a.png\nmap_Ke b.png\n")
    Image.new("RGB", (2, 2), (255, 0, 0)).save(tmp_path / "mats/a.png")
    Image.new("RGB", (2, 2), (0, 255, 0)).save(tmp_path / "a.png")
    Image.new("RGB", (2, 2), (0, 0, 255)).save(tmp_path / "b.png")
    (tmp_path / "mesh.obj").write_text(OBJ.replace("mesh.mtl", "mats/m.mtl"))
    mesh = load_obj(tmp_path / "mesh.obj")
    assert mesh.warnings == ()
    assert mesh.materials[1].texture.pixels[0, 0].tolist() == [255, 0, 0]
    assert mesh.materials[1].emission_texture.pixels[0, 0].tolist() == [0, 0, 255]


@pytest.mark.parametrize(
    ("line", "files", "expected"),
    [
        ("mtllib a.mtl b.mtl", ["b.mtl"], []),
        ("mtllib one.mtl\nmtllib b.mtl", ["b.mtl"], []),
        ("mtllib my mats.mtl", ["my mats.mtl"], []),
        ("mtllib my mats.mtl a.mtl", ["my mats.mtl"], []),
        ('mtllib "my mats.mtl" a.mtl', ["my mats.mtl"], []),
        ("mtllib b.mtl # made by hand", ["b.mtl"], []),
        ("mtllib b", ["b"], []),
        ("mtllib C:\\work\\b.mtl", ["b.mtl"], ["file-elsewhere"]),
        ("mtllib /home/me/b.mtl", ["b.mtl"], ["file-elsewhere"]),
        ("mtllib old.mtl", ["mesh.mtl"], ["file-elsewhere"]),
        ("mtllib a.mtl", ["mesh.mtl"], ["file-elsewhere"]),
        ("", ["mesh.mtl"], ["file-elsewhere"]),
        ("mtllib none.mtl", [], ["file-missing"]),
        ("mtllib a.mtl", [], ["material-missing"]),
        ("", [], ["material-missing"]),
    ],
)
def test_names_of_material_files(tmp_path, line, files, expected):
    for name in ("a.mtl", "one.mtl"):
        (tmp_path / name).write_text("newmtl other\nKd 0 1 0\n")
    for name in files:
        (tmp_path / name).write_text("newmtl m\nKd 1 0 0\n")
    (tmp_path / "mesh.obj").write_text(OBJ.replace("mtllib mesh.mtl", line))
    mesh = load_obj(tmp_path / "mesh.obj")
    assert (mesh.materials[1].base_color == (1, 0, 0)) == bool(files)
    assert kinds(mesh) == expected


@pytest.mark.parametrize(
    ("defined", "used"),
    [
        ("my wood", "my wood  "),
        ("my  wood", "my wood"),
        ('"m"', "m"),
        ("m # red", "m"),
        ("m", "m # red"),
        ("Material #25", "Material #25"),
    ],
)
def test_names_of_materials(tmp_path, defined, used):
    (tmp_path / "mesh.mtl").write_text(f"newmtl {defined}\nKd 1 0 0\nnewmtl M\nKd 0 1 0\n")
    (tmp_path / "mesh.obj").write_text(OBJ.replace("usemtl m", f"usemtl {used}"))
    mesh = load_obj(tmp_path / "mesh.obj")
    assert (mesh.materials[1].base_color, mesh.warnings) == ((1, 0, 0), ())


def test_the_other_file_of_the_name_changes_no_material_that_is_defined(tmp_path):
    (tmp_path / "real.mtl").write_text("newmtl m\nKd 1 0 0\n")
    mesh = load(tmp_path, "Kd 0 1 0", OBJ.replace("mesh.mtl", "real.mtl"))
    assert (mesh.materials[1].base_color, mesh.warnings) == ((1, 0, 0), ())

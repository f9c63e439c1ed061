"""Tests of OBJ files as people really have them: what is read, what is left out, and with which warning."""

import time

import numpy as np
import pytest
import trimesh
from PIL import Image

from turntable.errors import MeshError
from turntable.renderer.meshes.formats import load_obj

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"


def load(tmp_path, text, mtl=None, **files):
    (tmp_path / "mesh.obj").write_bytes(text if isinstance(text, bytes) else text.encode())
    for name, data in {"mesh.mtl": mtl, **files}.items():
        if data is not None:
            (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return load_obj(tmp_path / "mesh.obj")


def kinds(mesh):
    return [warning.kind for warning in mesh.warnings]


def measure_areas(mesh):
    a, b, c = (mesh.positions[mesh.triangles[:, k]].astype(np.float64) for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


@pytest.mark.parametrize(
    ("bad", "kind", "words"),
    [
        ("f 1 2\n", "face-skipped", "1 of 2 faces have fewer than three corners (the first is face 2)"),
        ("f 1\n", "face-skipped", "fewer than three corners"),
        ("f\n", "face-skipped", "fewer than three corners"),
        ("f 1 2 9\nf 2 3 7\n", "face-skipped", "2 of 3 faces have corners that do not exist"),
        ("f 1 2 0\n", "face-skipped", "do not exist"),
        ("f 1 2 -9\n", "face-skipped", "do not exist"),
        (f"f 1 2 {10**30}\n", "face-skipped", "do not exist"),
        ("f 1 2 x\n", "face-skipped", "cannot be read"),
        ("v nan 0 0\nf 1 2 5\n", "face-skipped", "coordinates are NaN"),
        ("v -1.#IND 0 0\nf 1 2 5\n", "face-skipped", "coordinates are NaN"),
        ("v 1e39 0 0\nf 1 2 5\n", "face-skipped", "coordinates are NaN, infinite"),
        ("v 1 2\nf 1 2 5\n", "face-skipped", "cannot be read"),
        ("p 1\nl 1 2 3\n", "points-skipped", "2 points and lines"),
        ("curv 0 1 1 2\nsurf 0 1 0 1 1 2\n", "statement-skipped", "2 curves and surfaces"),
        ("call other.obj\ncsh rm x\n", "statement-skipped", "2 statements would read other files or run"),
        ("what is this\n", "statement-skipped", "unknown keywords (the first is what)"),
    ],
)
def test_what_cannot_be_drawn_is_left_out_and_counted(tmp_path, bad, kind, words):
    mesh = load(tmp_path, SQUARE + "f 1 2 3 4\n" + bad)
    assert measure_areas(mesh).sum() == pytest.approx(1)
    (warning,) = mesh.warnings
    assert warning.kind == kind
    assert words in warning.detail


def test_vertices_that_no_face_uses_may_be_anything(tmp_path):
    mesh = load(tmp_path, SQUARE + "v nan inf -1.#IND\nv 1e300 0 0\nv 1\nf 1 2 3 4\n")
    assert mesh.warnings == ()
    assert np.abs(mesh.positions).max() == 1


@pytest.mark.parametrize("corner", ["3/9/1", "3/-7/1", "3/x/1"])
def test_a_texture_coordinate_that_does_not_exist_is_dropped_alone(tmp_path, corner):
    text = SQUARE + f"vt .5 .5\nvt .25 1\nvn 0 0 1\nf 1/1/1 2/2/1 {corner} 4/1/1\n"
    mesh = load(tmp_path, text)
    assert measure_areas(mesh).sum() == pytest.approx(1)
    (warning,) = mesh.warnings
    assert warning.kind == "reference-skipped"
    assert " corners name a vt line that is none of 2" in warning.detail
    assert sorted(map(tuple, mesh.texcoords.tolist())) == [(0, 0), (0.25, 1), (0.5, 0.5), (0.5, 0.5)]
    assert mesh.has_normals


def test_a_normal_that_does_not_exist_leaves_its_corner_flat_and_others_smooth(tmp_path):
    mesh = load(tmp_path, SQUARE + "vn 0 1 1\nf 1//1 2//1 3//8\nf 1//1 3//1 4//1\n")
    assert kinds(mesh) == ["reference-skipped"]
    assert mesh.has_normals
    assert {tuple(np.round(n, 4)) for n in mesh.normals.tolist()} == {(0, -0.7071, 0.7071), (0, -1, 0)}


def test_corners_with_and_without_references_may_be_mixed(tmp_path):
    mesh = load(tmp_path, SQUARE + "vt 1 1\nvn 0 0 1\nf 1/1/1 2 3//1 4/1\n")
    assert mesh.warnings == ()
    assert measure_areas(mesh).sum() == pytest.approx(1)


@pytest.mark.parametrize("number", ["nan", "inf", "-1.#IND", "1.#QNAN", "1e300", "x"])
def test_texture_coordinates_that_are_no_numbers_are_zero(tmp_path, number):
    mesh = load(tmp_path, SQUARE + f"vt {number} 1\nvt .5 .5\nf 1/1 2/2 3/2\n")
    (warning,) = mesh.warnings
    assert (warning.kind, "1 vt lines" in warning.detail) == ("number-repaired", True)
    assert {tuple(uv) for uv in mesh.texcoords.tolist()} == {(0, 0), (0.5, 0.5)}


@pytest.mark.parametrize("normal", ["0 0 0", "nan 0 1", "inf 0 0"])
def test_a_normal_that_is_none_leaves_its_corners_flat(tmp_path, normal):
    # The face looks along x of the file.
    text = f"v 0 0 0\nv 0 1 0\nv 0 0 1\nvn {normal}\nvn 1 1 0\nf 1//1 2//1 3//2\n"
    mesh = load(tmp_path, text)
    assert kinds(mesh) == ([] if normal == "0 0 0" else ["number-repaired"])
    assert {tuple(np.round(n, 4)) for n in mesh.normals.tolist()} == {(1, 0, 0), (0.7071, 0, 0.7071)}


def test_normals_that_are_all_zero_are_none(tmp_path):
    mesh = load(tmp_path, SQUARE + "vn 0 0 0\nf 1//1 2//1 3//1\n")
    assert not mesh.has_normals


@pytest.mark.parametrize("number", ["1.5D+00", "1.5d0", "1,5", "1.5e0", "+1.5"])
def test_numbers_in_other_notations(tmp_path, number):
    mesh = load(tmp_path, f"v 0 0 0\nv {number} 0 0\nv 0 {number} 0\nf 1 2 3\n")
    assert mesh.warnings == ()
    assert measure_areas(mesh).tolist() == [1.125]


def test_commas_between_numbers(tmp_path):
    mesh = load(tmp_path, "v 0,0,0\nv 1, 0, 0\nv 0, 1, 0\nf 1 2 3\n")
    assert measure_areas(mesh).tolist() == [0.5]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32"])
def test_encodings(tmp_path, encoding):
    text = "mtllib träd.mtl\nusemtl grønn\n" + SQUARE + "f 1 2 3 4\n"
    mesh = load(tmp_path, text.encode(encoding), **{"träd.mtl": "newmtl grønn\nKd 1 0 0\n".encode(encoding)})
    assert mesh.warnings == ()
    assert mesh.materials[1].base_color == (1, 0, 0)


def test_names_in_latin_1(tmp_path):
    text = "mtllib mesh.mtl\nusemtl gr\xfcn\n" + SQUARE + "f 1 2 3 4\n"
    mesh = load(tmp_path, text.encode("latin-1"), mtl="newmtl gr\xfcn\nKd 1 0 0\n".encode("latin-1"))
    assert (mesh.warnings, mesh.materials[1].name) == ((), "grün")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_line_ends(tmp_path, end):
    text = f"mtllib mesh.mtl\nusemtl m\n{SQUARE}f 1 2 \\\n 3 4\n".replace("\n", end)
    if end == "\r\r\n":
        text = text.replace("\\\r\r\n", "")
    mesh = load(tmp_path, text, mtl="newmtl m\nKd 1 0 0\n".replace("\n", end))
    assert (mesh.warnings, mesh.materials[1].base_color) == ((), (1, 0, 0))
    assert measure_areas(mesh).sum() == pytest.approx(1)


def test_a_usemtl_line_without_a_name_means_no_material(tmp_path):
    text = SQUARE + "mtllib mesh.mtl\nusemtl m\nf 1 2 3\nusemtl\nf 1 3 4\n"
    mesh = load(tmp_path, text, mtl="newmtl m\nKd 1 0 0\n")
    assert mesh.material_index.tolist() == [1, 0]
    assert mesh.warnings == ()


def test_a_file_of_two_corner_faces_alone_is_refused(tmp_path):
    with pytest.raises(MeshError, match="2 have fewer than three corners") as caught:
        load(tmp_path, SQUARE + "f 1 2\nf 2 3\n")
    assert caught.value.reason == "no faces"


@pytest.mark.parametrize("fast", [True, False])
def test_a_concave_face_keeps_its_notch(tmp_path, fast):
    text = "v 0 0 0\nv 10 0 0\nv 10 2 0\nv 2 2 0\nv 2 8 0\nv 10 8 0\nv 10 10 0\nv 0 10 0\n"
    mesh = load(tmp_path, text + "f 2 3 4 5 6 7 8 1" + ("\n" if fast else " # a C\n"))
    assert measure_areas(mesh).sum() == pytest.approx(52)
    assert mesh.warnings == ()


def test_a_face_that_crosses_itself_is_said_to_be_a_guess(tmp_path):
    assert kinds(load(tmp_path, SQUARE + "f 1 3 2 4\n")) == ["polygon-approximated"]


# Colors of vertices.


def corner_colors(mesh):
    """The colors by position of the file."""
    return {
        (x, z, -y): tuple(np.round(color.astype(float), 4).tolist())
        for (x, y, z), color in zip(mesh.positions.tolist(), mesh.colors, strict=True)
    }


@pytest.mark.parametrize(
    ("rows", "kinds_expected"),
    [
        ([".5 1 0"] * 4, []),
        (["127.5 255 0"] * 4, []),
        (["1 .5 1 0"] * 4, []),  # a weight
        ([".5 1 0 1"] * 4, []),  # an opacity
        ([".5 1 0 .25"] * 4, ["color-approximated"]),
        ([".5 1.5 0"] * 4, ["number-repaired"]),
    ],
)
def test_colors_of_vertices_are_srgb(tmp_path, rows, kinds_expected):
    square = [line + " " + row for line, row in zip(SQUARE.splitlines(), rows, strict=True)]
    mesh = load(tmp_path, "\n".join(square) + "\nf 1 2 3 4\n")
    assert set(corner_colors(mesh).values()) == {(0.5, 1, 0, 1)}
    shown = mesh.materials[mesh.material_index[0]]
    assert (shown.base_color, shown.specular, shown.roughness) == ((1, 1, 1), 0, 1)
    assert kinds(mesh) == kinds_expected


def test_a_weight_alone_is_no_color(tmp_path):
    assert load(tmp_path, SQUARE.replace("\n", " 0.5\n") + "f 1 2 3 4\n").colors is None


def test_colors_of_zbrush_belong_to_the_vertices_above_them(tmp_path):
    text = "v 0 0 0\nv 1 0 0\n#MRGB ffff0000ff00ff00\nv 1 1 0\nv 0 1 0\n#MRGB ff0000ff\n#MRGB ffffffff\n"
    mesh = load(tmp_path, text + "f 1 2 3 4\n")
    colors = corner_colors(mesh)
    assert colors[0, 0, 0] == (1, 0, 0, 1)
    assert colors[1, 0, 0] == (0, 1, 0, 1)
    assert colors[1, 1, 0] == (0, 0, 1, 1)
    assert colors[0, 1, 0] == (1, 1, 1, 1)


def test_colors_of_some_vertices(tmp_path):
    text = "v 0 0 0 1 0 0\nv 1 0 0 1 0 0\nv 1 1 0 1 0 0\nv 0 1 0\nv 0 2 0\n"
    mesh = load(tmp_path, text + "f 1 2 3\nf 1 3 4\nf 4 3 5\n")
    assert kinds(mesh) == ["color-approximated"]
    plain = mesh.materials[0].base_color
    assert [mesh.materials[k].base_color == plain for k in mesh.material_index] == [False, False, False]
    mesh = load(tmp_path, text + "v 9 9 9\nf 1 2 3\nf 4 5 6\n")
    assert mesh.warnings == ()
    assert [mesh.materials[k].base_color for k in mesh.material_index] == [(1, 1, 1), plain]
    assert (mesh.colors[mesh.triangles[1]] == 1).all()


@pytest.mark.parametrize("kd", ["", "Kd 1 1 1\n", "Kd 0.8 0.8 0.8\n"])
def test_colors_show_on_a_plain_material_and_a_texture_replaces_them(tmp_path, kd):
    Image.new("RGB", (2, 2), (9, 9, 9)).save(tmp_path / "t.png")
    colored = SQUARE.replace("\n", " 1 0 0\n")
    mtl = f"newmtl plain\n{kd}Ks .5 .5 .5\nnewmtl painted\nmap_Kd t.png\n"
    mesh = load(
        tmp_path, "mtllib mesh.mtl\n" + colored + "usemtl plain\nf 1 2 3\nusemtl painted\nf 1 3 4\n", mtl
    )
    shown = mesh.materials[mesh.material_index[0]]
    assert (shown.name, shown.base_color, shown.specular) == ("plain", (1, 1, 1), 0.5)
    assert (mesh.colors[mesh.triangles[0]] == [1, 0, 0, 1]).all()
    assert (mesh.colors[mesh.triangles[1]] == 1).all()
    assert kinds(mesh) == ["color-approximated"]


@pytest.mark.parametrize(("colors", "expected"), [("0.5 1 1", []), ("1 0 0", ["color-approximated"])])
def test_a_color_of_the_material_is_shown_in_place_of_those_of_vertices(tmp_path, colors, expected):
    colored = SQUARE.replace("\n", f" {colors}\n")
    mtl = "newmtl m\nKd .5 1 1\n"
    mesh = load(tmp_path, "mtllib mesh.mtl\n" + colored + "usemtl m\nf 1 2 3 4\n", mtl)
    assert mesh.colors is None
    assert mesh.materials[mesh.material_index[0]].base_color == (0.5, 1, 1)
    assert kinds(mesh) == expected


def test_a_million_colored_vertices_are_read_fast(tmp_path):
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.uniform(size=(100_000, 3)), rng.uniform(size=(100_000, 3))], axis=1)
    faces = rng.permutation(99_999).reshape(-1, 3) + 1
    text = "\n".join("v " + " ".join(f"{x:.6f}" for x in row) for row in rows) + "\n"
    text += "\n".join(f"f {a} {b} {c}" for a, b, c in faces.tolist()) + "\n"
    begin = time.perf_counter()
    mesh = load(tmp_path, text)
    assert time.perf_counter() - begin < 5  # line by line it takes longer than this for a million
    assert mesh.colors is not None


# Coordinates of maps, and an independent reader.


@pytest.mark.parametrize("normals", [True, False])
def test_a_mesh_in_the_coordinates_of_a_map_loses_nothing(tmp_path, normals):
    ball = trimesh.creation.icosphere(3, 2.0)
    low = np.array([498_312.0, 212.0, -4_620_118.0])
    text = "".join(f"v {x!r} {y!r} {z!r}\n" for x, y, z in (ball.vertices + low).tolist())
    if normals:
        text += "".join(f"vn {x!r} {y!r} {z!r}\n" for x, y, z in ball.vertex_normals.tolist())
    corner = "{0}//{0}" if normals else "{0}"
    text += "".join(
        "f " + " ".join(corner.format(k + 1) for k in face) + "\n" for face in ball.faces.tolist()
    )
    mesh = load(tmp_path, text)
    assert measure_areas(mesh).sum() == pytest.approx(ball.area, rel=1e-6)
    expected = ball.vertex_normals[ball.faces] if normals else np.repeat(ball.face_normals[:, None], 3, 1)
    expected = expected @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    np.testing.assert_allclose(mesh.normals[mesh.triangles], expected, atol=1e-5)


@pytest.mark.parametrize("shape", ["box", "icosphere", "torus", "annulus", "capsule"])
def test_what_trimesh_writes_is_what_it_reads(tmp_path, shape):
    makers = {
        "torus": {"major_radius": 2, "minor_radius": 1},
        "annulus": {"r_min": 1, "r_max": 2, "height": 1},
    }
    made = getattr(trimesh.creation, shape)(**makers.get(shape, {}))
    rng = np.random.default_rng(0)
    made.visual.vertex_colors = rng.integers(0, 256, (len(made.vertices), 4), dtype=np.uint8) | [0, 0, 0, 255]
    made.export(tmp_path / "mesh.obj", include_normals=True, digits=12)
    mesh = load_obj(tmp_path / "mesh.obj")
    theirs = trimesh.load(tmp_path / "mesh.obj", process=False)
    assert len(mesh.triangles) == len(made.faces) == len(theirs.faces)
    assert measure_areas(mesh).sum() == pytest.approx(theirs.area, rel=1e-6)
    srgb = np.asarray(theirs.visual.vertex_colors)[theirs.faces, :3] / 255
    assert mesh.has_encoded_colors
    np.testing.assert_allclose(mesh.colors[mesh.triangles][..., :3], srgb, atol=1e-3)
    upright = theirs.vertices[theirs.faces] @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    np.testing.assert_allclose(mesh.positions[mesh.triangles], upright, atol=1e-6)
    assert mesh.warnings == ()

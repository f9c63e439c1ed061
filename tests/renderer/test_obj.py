import numpy as np
import pytest

from tests.support.meshes import CUBE_MTL, CUBE_OBJ, write_shapenet_object
from turntable.errors import MeshError
from turntable.renderer.meshes import compute_face_normals
from turntable.renderer.meshes.formats import load_obj

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"


def load(tmp_path, text):
    path = tmp_path / "mesh.obj"
    path.write_text(text)
    return load_obj(path)


def test_a_whole_object(tmp_path):
    path = write_shapenet_object(tmp_path, "100/cube")
    mesh = load_obj(path, root=tmp_path / "100/cube")
    assert len(mesh.triangles) == 12
    assert mesh.warnings == ()
    _default, painted, plain = mesh.materials
    assert painted.texture is not None
    assert painted.texture.pixels.shape == (2, 2, 3)
    assert painted.texture.pixels[0, 0].tolist() == [255, 0, 0]
    assert (painted.specular, painted.roughness) == (pytest.approx(0.4), pytest.approx(0.9))
    assert plain.base_color == (0.5, 0.25, 0.125)
    assert np.bincount(mesh.material_index).tolist() == [0, 6, 6]


def test_axes_turn_to_z_up(tmp_path):
    mesh = load(tmp_path, "v 1 2 3\nv 4 5 6\nv 7 8 10\nf 1 2 3\n")
    assert {tuple(p) for p in mesh.positions.tolist()} == {(1, -3, 2), (4, -6, 5), (7, -10, 8)}


def test_without_normals_faces_are_flat(tmp_path):
    mesh = load(tmp_path, CUBE_OBJ)
    assert not mesh.has_normals
    expected = np.repeat(compute_face_normals(mesh.positions, mesh.triangles), 3, axis=0)
    np.testing.assert_allclose(mesh.normals[mesh.triangles.ravel()], expected, atol=1e-6)
    # Outward for this cube: the file's winding is counter-clockwise.
    assert (np.einsum("ij,ij->i", mesh.normals, mesh.positions) > 0).all()


def test_normals_of_the_file_are_kept(tmp_path):
    mesh = load(tmp_path, SQUARE + "vn 0 0 2\nvn 0 1 1\nf 1//1 2//1 3//2\n")
    assert mesh.has_normals
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-6)
    assert [0, -1, 0] in mesh.normals.tolist()


@pytest.mark.parametrize(
    "faces", ["f 1 2 3 4", "f -4 -3 -2 -1", "f 1 2 3\nf 1 3 4", "f 1/ 2/ 3/ 4/", "f 1 2 \\\n3 4"]
)
def test_ways_to_write_a_square(tmp_path, faces):
    mesh = load(tmp_path, SQUARE + faces + "\n")
    corners = mesh.positions[mesh.triangles].astype(np.float64)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    assert area.tolist() == [0.5, 0.5]


def test_repeated_and_degenerate_faces_are_dropped(tmp_path):
    mesh = load(tmp_path, SQUARE + "f 1 2 3\nf 3 2 1\nf 2 3 1\nf 1 1 2\nf 1 3 4\n")
    assert len(mesh.triangles) == 2


def test_extra_numbers_and_uneven_lines(tmp_path):
    mesh = load(tmp_path, "v 0 0 0 1 0 0\nv 1 0 0\nv 1 1 0 0.5\nvt 0.5\nvt 0 1 0\nf 1/1 2/2 3/2\n")
    assert len(mesh.positions) == 3
    assert [0.5, 0.0] in mesh.texcoords.tolist()


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        ("", "no faces", "no faces"),
        (SQUARE, "no faces", "no faces"),
        (SQUARE + "f 1 1 1\n", "no faces", "every face is degenerate"),
        (SQUARE + "f 1 2\n", "no faces", "1 have fewer than three corners"),
        (SQUARE + "f 1 2 9\n", "no faces", "corners that do not exist"),
        (SQUARE + "f 1 2 x\n", "no faces", "or cannot be read"),
        (SQUARE + "f 1 2 3\nvt 0 0\nf 1/1 2/1 3", "cut off", "ends with 'f 1/1 2/1 3'"),
        (SQUARE + "f 1 2 3\nv 1 2", "cut off", "ends with 'v 1 2'"),
        (SQUARE + "f 1 2 3\nf 1 3", "cut off", "ends with 'f 1 3'; the file seems to be cut off"),
        (SQUARE + "f 1 2 3\nvn 0 1 -", "cut off", "ends with 'vn 0 1 -'"),
        ("v nan 0 0\nv 0 1 0\nv 1 0 0\nf 1 2 3\n", "not finite", "NaN, infinite"),
    ],
)
def test_bad_files(tmp_path, text, reason, words):
    with pytest.raises(MeshError) as caught:
        load(tmp_path, text)
    assert caught.value.reason == reason
    assert words in str(caught.value)
    assert "mesh.obj" in str(caught.value)


def test_cut_in_half(tmp_path):
    path = write_shapenet_object(tmp_path, "100/cube")
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    with pytest.raises(MeshError, match=r"model_normalized\.obj.*get it again"):
        load_obj(path)


def test_missing_file(tmp_path):
    with pytest.raises(MeshError, match="cannot be read"):
        load_obj(tmp_path / "none.obj")


def test_missing_texture_leaves_the_materials_own_color(tmp_path):
    path = write_shapenet_object(tmp_path, "100/cube")
    (tmp_path / "100/cube/images/texture0.png").unlink()
    mesh = load_obj(path, root=tmp_path / "100/cube")
    assert mesh.materials[1].texture is None
    assert mesh.materials[1].base_color == (0.2, 0.4, 0.6)
    (warning,) = mesh.warnings
    assert warning.kind == "file-missing"
    assert str(warning) == (
        "models/model_normalized.obj: texture ../images/texture0.png is missing; "
        "the material's own color is used"
    )


def test_unreadable_texture_is_noted(tmp_path):
    path = write_shapenet_object(tmp_path, "100/cube")
    (tmp_path / "100/cube/images/texture0.png").write_bytes(b"<html>not found</html>")
    mesh = load_obj(path, root=tmp_path / "100/cube")
    assert mesh.materials[1].texture is None
    assert "texture0.png cannot be read" in str(mesh.warnings[0])


def test_no_texture_from_outside_the_object(tmp_path):
    path = write_shapenet_object(tmp_path, "100/cube", mtl=CUBE_MTL.replace("../images", "../../../secret"))
    (tmp_path / "secret").mkdir()
    (tmp_path / "100/cube/images/texture0.png").rename(tmp_path / "secret/texture0.png")
    mesh = load_obj(path, root=tmp_path / "100/cube")
    assert mesh.materials[1].texture is None
    assert "lies outside --meshes" in str(mesh.warnings[0])


def test_missing_material_file(tmp_path):
    mesh = load(tmp_path, CUBE_OBJ)
    assert mesh.materials[1].base_color == (0.8, 0.8, 0.8)
    (warning,) = mesh.warnings
    assert str(warning).endswith(
        "mesh.obj: material file model_normalized.mtl is missing; its materials are gray"
    )


@pytest.mark.parametrize(
    ("statements", "specular", "roughness", "alpha"),
    [
        ("illum 2", 1.0, 0.0, 1.0),
        ("Kd 1 1 1", 0.0, 1.0, 1.0),
        ("Ks .5 .5 .5\nNs 250\nillum 2\nd 0.4", 0.5, 0.5, 0.4),
        ("Ks 0.2 0.4 0.6\nNs 5000", 0.4, 0.0, 1.0),
        ("Ns nonsense\nd nan\nKs 0 0 0", 0.0, 1.0, 1.0),
    ],
)
def test_materials_as_the_original_read_them(tmp_path, statements, specular, roughness, alpha):
    path = write_shapenet_object(tmp_path, "100/cube", mtl=f"newmtl painted\n{statements}\n")
    painted = load_obj(path).materials[1]
    assert painted.specular == pytest.approx(specular)
    assert painted.roughness == pytest.approx(roughness)
    assert painted.alpha == alpha


def test_map_d_is_inverted_into_alpha(tmp_path):
    mtl = CUBE_MTL.replace("newmtl plain", "map_d ../images/texture0.png\nnewmtl plain")
    path = write_shapenet_object(tmp_path, "100/cube", mtl=mtl)
    texture = load_obj(path, root=tmp_path / "100/cube").materials[1].texture
    assert texture is not None
    # The white texel lets everything through; red, of brightness 76, little.
    assert texture.pixels[1, 1, 3] == 0
    assert texture.pixels[0, 0, 3] == 255 - 76

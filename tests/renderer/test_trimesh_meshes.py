"""Tests of meshes of the library trimesh: converted, and rendered through a source of the user's own."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from turntable.datasets import load_recipe, verify_dataset
from turntable.errors import InvalidInputError, MeshError
from turntable.renderer import generate
from turntable.renderer.meshes import Mesh, compute_bounds, compute_mesh_digest, from_trimesh
from turntable.renderer.meshes.formats import load_mesh_file
from turntable.renderer.meshes.sources import MeshSource, SourceObject


def to_linear(srgb):
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def box(extents=(4, 2, 1)):
    return trimesh.creation.box(extents)


def extent_of(mesh):
    low, high = compute_bounds(mesh)
    return high - low


def test_a_mesh_keeps_its_shape_and_is_scaled_to_the_unit_of_the_scene():
    made = box()
    mesh = from_trimesh(made)
    np.testing.assert_allclose(extent_of(mesh), np.array([4, 2, 1]) / np.sqrt(21), rtol=1e-6)
    np.testing.assert_allclose(mesh.positions[mesh.triangles] * np.sqrt(21), made.triangles, atol=1e-6)
    assert not mesh.has_normals
    np.testing.assert_allclose(mesh.normals[::3], made.face_normals, atol=1e-6)
    np.testing.assert_allclose(extent_of(from_trimesh(made, diagonal=None)), [4, 2, 1])
    np.testing.assert_allclose(extent_of(from_trimesh(made, up="y", diagonal=None)), [4, 1, 2])


def test_normals_that_were_given_shade_smoothly():
    made = trimesh.creation.icosphere(1)
    given = trimesh.Trimesh(made.vertices, made.faces, vertex_normals=made.vertices, process=False)
    mesh = from_trimesh(given)
    assert mesh.has_normals
    np.testing.assert_allclose(mesh.normals, made.vertices, atol=1e-6)
    assert not from_trimesh(trimesh.Trimesh(made.vertices, made.faces, process=False)).has_normals


def test_colors_of_vertices_and_faces():
    colors = np.random.default_rng(0).integers(0, 256, (8, 4), np.uint8)
    made = box()
    made.visual.vertex_colors = colors
    mesh = from_trimesh(made)
    expected = colors / 255
    np.testing.assert_allclose(mesh.colors, expected[made.faces.ravel()], atol=1e-6)
    made = box()
    made.visual.face_colors = np.repeat(colors[:3], 4, axis=0)
    for smooth in (False, True):
        if smooth:
            assert len(made.vertex_normals) == 8
        mesh = from_trimesh(made)
        np.testing.assert_allclose(mesh.colors[::3], np.repeat(expected[:3], 4, axis=0), atol=1e-6)
        assert mesh.has_normals == smooth
    assert mesh.materials[0].base_color == (1, 1, 1)


def textured(material):
    made = box()
    made.visual = trimesh.visual.TextureVisuals(uv=np.linspace(0, 1, 16).reshape(8, 2), material=material)
    return made


def image(color, mode="RGB"):
    return Image.new(mode, (2, 3), color)


def test_a_material_of_gltf():
    mesh = from_trimesh(
        textured(
            trimesh.visual.material.PBRMaterial(
                baseColorTexture=image((9, 8, 7, 100), "RGBA"),
                baseColorFactor=[255, 0, 51, 255],
                roughnessFactor=0.25,
                emissiveFactor=[0.5, 0, 0],
                emissiveTexture=image((1, 2, 3)),
                alphaMode="MASK",
                alphaCutoff=0.3,
            )
        )
    )
    (material,) = mesh.materials
    assert material.texture.pixels[0, 0].tolist() == [9, 8, 7, 100]
    assert material.texture.pixels.shape == (3, 2, 4)
    assert material.emission_texture.pixels[0, 0].tolist() == [1, 2, 3]
    assert (material.roughness, material.emission, material.alpha_cutoff) == (0.25, (0.5, 0, 0), 0.3)
    assert mesh.has_encoded_colors
    tint = np.column_stack([to_linear(mesh.colors[:, :3]), mesh.colors[:, 3]])
    np.testing.assert_allclose(tint, np.tile([1, 0, 0.2, 1], (len(mesh.positions), 1)), atol=1e-6)
    plain = from_trimesh(textured(trimesh.visual.material.PBRMaterial(baseColorFactor=[255, 0, 51, 255])))
    assert plain.materials[0].base_color == (1, 0, 0.2)
    assert plain.colors is None


@pytest.mark.parametrize("is_textured", [False, True])
def test_an_obj_file_of_trimesh_is_as_our_own_reader_has_it(tmp_path, is_textured):
    made = textured(trimesh.visual.material.SimpleMaterial(image=image((9, 200, 7)) if is_textured else None))
    made.export(tmp_path / "a.obj")
    ours = load_mesh_file(tmp_path / "a.obj")
    theirs = from_trimesh(trimesh.load_mesh(tmp_path / "a.obj", process=False), up="y", diagonal=None)
    assert len(ours.triangles) == len(theirs.triangles)
    np.testing.assert_allclose(compute_bounds(ours), compute_bounds(theirs), atol=1e-6)
    one, other = (mesh.materials[mesh.material_index[0]] for mesh in (ours, theirs))
    assert one.base_color == pytest.approx(other.base_color)
    assert (one.texture is None) == (other.texture is None) == (not is_textured)
    if is_textured:
        assert (one.texture.pixels == other.texture.pixels).all()


def test_a_scene_places_its_meshes():
    scene = trimesh.Scene()
    first = trimesh.transformations.compose_matrix(angles=(0.3, 0.5, -0.2), translate=(1, 2, 3))
    second = trimesh.transformations.compose_matrix(scale=(1, 2, 0.5), angles=(0, 1, 0))
    ball = trimesh.creation.icosphere(1)
    scene.add_geometry(box(), node_name="a", transform=first)
    scene.add_geometry(ball, node_name="b", parent_node_name="a", transform=second)
    scene.add_geometry(trimesh.PointCloud([[9, 9, 9]]), node_name="c")
    mesh = from_trimesh(scene, diagonal=None)
    expected = np.concatenate([part.triangles for part in scene.dump() if hasattr(part, "faces")])
    np.testing.assert_allclose(mesh.positions[mesh.triangles], expected, atol=1e-5)


def test_a_mirrored_mesh_has_its_normals_outward():
    ball = trimesh.creation.icosphere(1)
    given = trimesh.Trimesh(ball.vertices, ball.faces, vertex_normals=ball.vertices, process=False)
    scene = trimesh.Scene()
    scene.add_geometry(given, transform=np.diag([-1.0, 1, 1, 1]))
    mesh = from_trimesh(scene, diagonal=2.0)
    length = np.linalg.norm(mesh.positions, axis=1, keepdims=True)
    np.testing.assert_allclose(mesh.normals, mesh.positions / length, atol=1e-5)


def test_far_coordinates_lose_nothing():
    made = box((4, 2, 1))
    made.apply_translation([498_312, 4_620_118, 212])
    np.testing.assert_allclose(extent_of(from_trimesh(made, diagonal=None)), [4, 2, 1], rtol=1e-6)
    np.testing.assert_allclose(extent_of(from_trimesh(made)) * np.sqrt(21), [4, 2, 1], rtol=1e-6)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(MeshError, match="no faces"):
        from_trimesh(trimesh.Scene())
    with pytest.raises(MeshError, match="one point"):
        from_trimesh(trimesh.Trimesh(np.zeros((3, 3)), [[0, 1, 2]], process=False))
    with pytest.raises(MeshError, match="names no vertex"):
        from_trimesh(trimesh.Trimesh(np.eye(3), [[0, 1, 3]], process=False, validate=False))
    with pytest.raises(MeshError, match="NaN"):
        from_trimesh(trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [np.nan, 1, 0]], [[0, 1, 2]], process=False))
    with pytest.raises(InvalidInputError, match="PointCloud is neither"):
        from_trimesh(trimesh.PointCloud([[0, 0, 0]]))


@dataclass(frozen=True)
class Boxes(MeshSource):
    """Boxes of trimesh, each made when it is asked for."""

    name: str = "boxes"
    license: str = "CC0-1.0"

    def list_objects(self):
        return tuple(SourceObject(f"box/{width}", "box") for width in range(1, 4))

    def load(self, object_id: str) -> Mesh:
        return from_trimesh(box((int(object_id.removeprefix("box/")), 1, 1)))

    def compute_digest(self, object_id, mesh):
        return compute_mesh_digest(mesh)

    def get_license(self, object_id):
        return self.license

    def find_mesh_file(self, object_id):
        return None

    def describe(self):
        return {"maker": "by hand"}


@pytest.mark.gl
def test_a_source_of_ones_own_is_rendered_and_verified(tmp_path):
    recipe = load_recipe("zoo").replace(views=2, image_size_px=64)
    manifest = generate(recipe, Boxes(), tmp_path / "set")
    assert manifest.totals.objects == 3
    assert manifest.source == {"name": "boxes", "licence": "CC0-1.0", "maker": "by hand"}
    assert verify_dataset(tmp_path / "set", deep=True).problems == ()
    again = generate(recipe, Boxes(), tmp_path / "again", num_workers=2)
    assert again.fingerprint == manifest.fingerprint


def test_trimesh_is_not_imported_for_it():
    code = "import sys, turntable.renderer.meshes; sys.exit('trimesh' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])

"""Tests of the glTF reader, against trimesh and on what trimesh does not read."""

import base64
import json

import numpy as np
import pytest
import trimesh
from PIL import Image

from tests.support.gltf_box import box_tree, glb
from turntable.errors import MeshError
from turntable.renderer.meshes import Limits, compute_face_normals
from turntable.renderer.meshes.formats import load_gltf


def triangles_of(mesh):
    return mesh.positions[mesh.triangles].astype(np.float64)


def scene_of_boxes():
    """Boxes below one another, turned, moved and scaled unevenly."""
    scene = trimesh.Scene()
    first = trimesh.transformations.compose_matrix(angles=(0.3, 0.5, -0.2), translate=(1, 2, 3))
    second = trimesh.transformations.compose_matrix(scale=(1, 2, 0.5), angles=(0, 1, 0))
    scene.add_geometry(trimesh.creation.box((1, 2, 3)), node_name="a", transform=first)
    scene.add_geometry(trimesh.creation.icosphere(1), node_name="b", parent_node_name="a", transform=second)
    return scene


def sorted_corners(triangles):
    flat = np.round(triangles.reshape(-1, 3), 4)
    return flat[np.lexsort(flat.T)]


def test_nodes_place_meshes_as_in_trimesh(tmp_path):
    path = tmp_path / "scene.glb"
    scene_of_boxes().export(path)
    mesh = load_gltf(path)
    expected = np.concatenate([part.triangles for part in trimesh.load_scene(path).dump()])
    turned = np.stack([expected[..., 0], -expected[..., 2], expected[..., 1]], axis=-1)
    np.testing.assert_allclose(sorted_corners(triangles_of(mesh)), sorted_corners(turned), atol=2e-4)


def test_normals_stand_upright_under_uneven_scale(tmp_path):
    path = tmp_path / "sphere.glb"
    scene = trimesh.Scene()
    sphere = trimesh.creation.icosphere(3)
    sphere.vertex_normals  # noqa: B018  written only if they were asked for
    scene.add_geometry(sphere, transform=np.diag([1.0, 4.0, 0.5, 1.0]))
    path.write_bytes(trimesh.exchange.gltf.export_glb(scene, include_normals=True))
    mesh = load_gltf(path)
    assert mesh.has_normals
    of_faces = np.repeat(compute_face_normals(mesh.positions, mesh.triangles), 3, axis=0)
    assert np.einsum("ij,ij->i", of_faces, mesh.normals[mesh.triangles.ravel()]).min() > 0.8


def test_files_beside_and_percent_signs(tmp_path):
    tree = box_tree(buffers=[{"byteLength": 144, "uri": "my%20data.bin"}])
    whole = glb(box_tree())
    (tmp_path / "my data.bin").write_bytes(whole[-144:])
    (tmp_path / "a.gltf").write_text(json.dumps(tree))
    inside = box_tree(
        buffers=[{"byteLength": 144, "uri": "data:;base64," + base64.b64encode(whole[-144:]).decode()}]
    )
    (tmp_path / "b.gltf").write_text(json.dumps(inside))
    (tmp_path / "c.glb").write_bytes(whole)
    first, second, third = (load_gltf(tmp_path / name) for name in ("a.gltf", "b.gltf", "c.glb"))
    np.testing.assert_array_equal(triangles_of(first), triangles_of(second))
    np.testing.assert_array_equal(triangles_of(first), triangles_of(third))
    assert [path.name for path in first.files] == ["a.gltf", "my data.bin"]


def test_textures_beside_are_read_and_counted_where_they_are_missing(tmp_path):
    tree, data = with_attributes(TEXCOORD_0=np.zeros((8, 2)))
    tree |= {"materials": [{"pbrMetallicRoughness": {"metallicFactor": 0, "baseColorTexture": {"index": 0}}}]}
    tree |= {"textures": [{"source": 0}], "images": [{"uri": "images/a%20b.png"}]}
    tree["meshes"][0]["primitives"][0]["material"] = 0
    (tmp_path / "images").mkdir()
    Image.new("RGB", (2, 2), (200, 10, 10)).save(tmp_path / "images/a b.png")
    mesh = load(tmp_path, tree, data)
    assert mesh.materials[0].texture.pixels[0, 0].tolist() == [200, 10, 10]
    assert mesh.warnings == ()
    assert [path.name for path in mesh.files] == ["made.glb", "a b.png"]
    (tmp_path / "images/a b.png").unlink()
    mesh = load(tmp_path, tree, data)
    assert mesh.materials[0].texture is None
    (warning,) = mesh.warnings
    assert str(warning).endswith("texture images/a b.png is missing; the material's own color is used")


def with_attributes(**attributes):
    """A box with further attributes [8, n] of float32, and a material."""
    tree, data = box_tree(), glb(box_tree())[-144:]
    for name, values in attributes.items():
        array = np.asarray(values, dtype="<f4")
        tree["bufferViews"].append({"buffer": 0, "byteOffset": len(data), "byteLength": array.nbytes})
        kind = f"VEC{array.shape[1]}"
        tree["accessors"].append(
            {"bufferView": len(tree["bufferViews"]) - 1, "componentType": 5126, "count": 8, "type": kind}
        )
        tree["meshes"][0]["primitives"][0]["attributes"][name] = len(tree["accessors"]) - 1
        data += array.tobytes()
    tree["buffers"][0]["byteLength"] = len(data)
    return tree, data


def load(tmp_path, tree, data):
    path = tmp_path / "made.glb"
    path.write_bytes(glb(tree, data))
    return load_gltf(path)


def test_vertex_colors_are_light(tmp_path):
    tree, data = with_attributes(COLOR_0=np.tile([0.5, 0, 0], (8, 1)))
    mesh = load(tmp_path, tree, data)
    assert mesh.materials[0].base_color == (1, 1, 1)
    assert (mesh.colors == [0.5, 0, 0, 1]).all()


def test_texture_coordinates_are_moved_and_turned_upside_down(tmp_path):
    uv = np.random.default_rng(0).uniform(size=(8, 2))
    tree, data = with_attributes(TEXCOORD_0=uv)
    info = {"index": 0, "extensions": {"KHR_texture_transform": {"offset": [0.5, 0.25], "scale": [2, 3]}}}
    tree |= {"materials": [{"pbrMetallicRoughness": {"baseColorTexture": info}}]}
    tree |= {"textures": [{"source": 0}], "images": [{"uri": "none.png"}]}
    tree["meshes"][0]["primitives"][0]["material"] = 0
    mesh = load(tmp_path, tree, data)
    corners = np.frombuffer(data[96:144], "<u2")
    moved = uv[corners] * [2, 3] + [0.5, 0.25]
    np.testing.assert_allclose(mesh.texcoords[mesh.triangles.ravel()], moved * [1, -1] + [0, 1], atol=1e-6)


@pytest.mark.parametrize(("mode", "count"), [(5, 4), (6, 4)])
def test_strips_and_fans(tmp_path, mode, count):
    tree = box_tree(
        accessors=[box_tree()["accessors"][0], {**box_tree()["accessors"][1], "count": count + 2}],
        meshes=[{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "mode": mode}]}],
    )
    mesh = load(tmp_path, tree, glb(box_tree())[-144:])
    assert len(mesh.triangles) == count


def test_whole_numbers_that_stand_for_fractions(tmp_path):
    """KHR_mesh_quantization: positions in shorts, made large by the node."""
    positions = (np.frombuffer(glb(box_tree())[-144:-48], "<f4") * 65534).astype("<i2").tobytes()
    tree = box_tree(
        extensionsRequired=["KHR_mesh_quantization"],
        accessors=[
            {"bufferView": 0, "componentType": 5122, "normalized": True, "count": 8, "type": "VEC3"},
            box_tree()["accessors"][1],
        ],
        bufferViews=[
            {"buffer": 0, "byteLength": 48},
            {"buffer": 0, "byteOffset": 48, "byteLength": 48},
        ],
        buffers=[{"byteLength": 96}],
        nodes=[{"mesh": 0, "scale": [2, 2, 2]}],
    )
    mesh = load(tmp_path, tree, positions + glb(box_tree())[-48:])
    np.testing.assert_allclose(np.ptp(mesh.positions, axis=0), [4, 4, 4], atol=1e-3)


def test_old_materials_of_diffuse_and_gloss(tmp_path):
    old = {
        "KHR_materials_pbrSpecularGlossiness": {"diffuseFactor": [0.1, 0.2, 0.3, 1], "glossinessFactor": 0.75}
    }
    tree = box_tree(materials=[{"extensions": old}])
    tree["meshes"][0]["primitives"][0]["material"] = 0
    (material,) = load(tmp_path, tree, glb(box_tree())[-144:]).materials
    assert (material.base_color, material.roughness) == ((0.1, 0.2, 0.3), 0.25)


def test_a_mesh_counts_wherever_a_node_puts_it(tmp_path):
    many = box_tree(nodes=[{"mesh": 0}] * 50, scenes=[{"nodes": list(range(50))}])
    path = tmp_path / "many.glb"
    path.write_bytes(glb(many))
    assert len(load_gltf(path).triangles) == 50 * 8
    with pytest.raises(MeshError, match="400 triangles, and at most 399"):
        load_gltf(path, limits=Limits(triangles=399))


def test_a_transparent_texture(tmp_path):
    image = Image.new("RGBA", (2, 2), (10, 20, 30, 40))
    made = trimesh.creation.box((1, 1, 1))
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=image, alphaMode="BLEND")
    made.visual = trimesh.visual.TextureVisuals(uv=np.zeros((8, 2)), material=material)
    made.export(tmp_path / "a.glb")
    assert load_gltf(tmp_path / "a.glb").materials[0].texture.pixels[0, 0].tolist() == [10, 20, 30, 40]

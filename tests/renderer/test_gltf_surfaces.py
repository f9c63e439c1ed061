"""Tests of glTF surfaces: unlit ones, reflection, and what is drawn plainly with a warning."""

import numpy as np
import pytest

from tests.support.gltf import TRIANGLE, GltfMaker
from tests.support.gltf_materials import BLACK, COLORS, PLAIN, UV, kinds, picture, read
from turntable.renderer.meshes.formats import load_gltf

# Unlit.


def unlit(pbr, **keys):
    return {"pbrMetallicRoughness": pbr, "extensions": {"KHR_materials_unlit": {}}, **keys}


def test_an_unlit_surface_is_matt_in_its_color(tmp_path):
    pbr = {"baseColorFactor": [0.1, 0.2, 0.3, 1], "roughnessFactor": 0.1}
    mesh = read(tmp_path, unlit(pbr, normalTexture={"index": 9}), {"COLOR_0": COLORS})
    (made,) = mesh.materials
    assert (made.base_color, made.specular, made.roughness) == ((0.1, 0.2, 0.3), 0, 1)
    assert made.emission == (0, 0, 0)
    np.testing.assert_allclose(mesh.colors[:, :3], COLORS[:, :3])
    assert kinds(mesh) == ["surface-approximated"]  # an unlit material has no other properties


def shadeless(**keys):
    return {"pbrMetallicRoughness": BLACK, "emissiveFactor": [1, 0.5, 1], **keys}


def test_a_file_whose_materials_only_shine_is_a_shadeless_export_and_matt(tmp_path):
    material = shadeless(emissiveTexture={"index": 0, "texCoord": 1})
    mesh = read(tmp_path, material, {"TEXCOORD_1": UV / 2}, [(255, 255, 255)])
    (made,) = mesh.materials
    assert made.texture.pixels[0, 0].tolist() == [255, 188, 255]
    assert (made.specular, made.emission, made.emission_texture) == (0, (0, 0, 0), None)
    np.testing.assert_allclose(mesh.texcoords, UV / 2 * [1, -1] + [0, 1])
    assert kinds(mesh) == ["surface-approximated"]


def test_a_shadeless_material_keeps_the_opacity_of_its_base_color(tmp_path):
    pbr = {**BLACK, "baseColorTexture": {"index": 0}}
    material = {"pbrMetallicRoughness": pbr, "emissiveFactor": [1, 1, 1], "emissiveTexture": {"index": 1}}
    images = [(0, 0, 0, 70), (9, 8, 7)]
    (made,) = read(tmp_path, {**material, "alphaMode": "BLEND"}, images=images).materials
    assert made.texture.pixels[0, 0].tolist() == [9, 8, 7, 70]
    images[1] = picture((9, 8, 7), (4, 4))
    mesh = read(tmp_path, {**material, "alphaMode": "BLEND"}, images=images)
    assert sorted(kinds(mesh)) == ["surface-approximated", "transparency-approximated"]


@pytest.mark.parametrize(
    ("material", "emission"),
    [
        ({"pbrMetallicRoughness": PLAIN, "emissiveFactor": [1, 0.5, 1]}, (1, 0.5, 1)),
        (shadeless(extensions={"KHR_materials_emissive_strength": {"emissiveStrength": 2}}), (2, 1, 2)),
    ],
)
def test_a_lamp_shines(tmp_path, material, emission):
    mesh = read(tmp_path, material)
    assert (mesh.materials[0].emission, mesh.warnings) == (emission, ())


def test_a_strength_of_one_makes_no_lamp(tmp_path):
    mesh = read(
        tmp_path, shadeless(extensions={"KHR_materials_emissive_strength": {"emissiveStrength": 1.0}})
    )
    assert (mesh.materials[0].base_color, kinds(mesh)) == ((1, 0.5, 1), ["surface-approximated"])


def test_a_black_lamp_among_other_materials_shines(tmp_path):
    maker = GltfMaker()
    maker.tree["materials"] = [shadeless(), {"pbrMetallicRoughness": PLAIN}]
    root = maker.node(mesh=maker.mesh({"POSITION": TRIANGLE}, material=0))
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root))
    assert (mesh.materials[0].emission, mesh.warnings) == ((1, 0.5, 1), ())


# Other surfaces.


@pytest.mark.parametrize(
    ("extension", "specular"),
    [
        ({}, 0.5),
        ({"KHR_materials_ior": {"ior": 1.5}}, 0.5),
        ({"KHR_materials_ior": {"ior": 1.33}}, (0.33 / 2.33) ** 2 / 0.08),
        ({"KHR_materials_ior": {"ior": 0}}, 1 / 0.08),
        ({"KHR_materials_specular": {"specularFactor": 0.25}}, 0.125),
        (
            {"KHR_materials_specular": {"specularFactor": 0.5}, "KHR_materials_ior": {"ior": 2}},
            0.5 / 9 / 0.08,
        ),
        ({"KHR_materials_specular": {"specularColorFactor": [2, 2, 2]}}, 1),
    ],
)
def test_reflection_follows_index_and_specular_factor(tmp_path, extension, specular):
    mesh = read(tmp_path, {"pbrMetallicRoughness": PLAIN, "extensions": extension})
    assert mesh.materials[0].specular == pytest.approx(specular, abs=1e-6)
    assert mesh.warnings == ()


NO_EFFECT = [
    {"KHR_materials_clearcoat": {"clearcoatFactor": 0, "clearcoatTexture": {"index": 0}}},
    {"KHR_materials_sheen": {"sheenColorFactor": [0, 0, 0]}},
    {"KHR_materials_iridescence": {}},
    {"KHR_materials_anisotropy": {"anisotropyRotation": 1}},
    {"KHR_materials_volume": {"thicknessFactor": 1}},
    {"KHR_materials_dispersion": {"dispersion": 1}},
    {"KHR_materials_transmission": {"transmissionFactor": 0}},
    {"KHR_materials_variants": {"mappings": []}},
]


@pytest.mark.parametrize("extensions", NO_EFFECT)
def test_surfaces_without_effect_have_no_warning(tmp_path, extensions):
    used = list(extensions)
    mesh = read(tmp_path, {"pbrMetallicRoughness": PLAIN, "extensions": extensions}, extensionsUsed=used)
    assert mesh.warnings == ()


@pytest.mark.parametrize(
    "material",
    [
        {},
        {"pbrMetallicRoughness": {"metallicFactor": 0.5}},
        {"pbrMetallicRoughness": PLAIN, "extensions": {"KHR_materials_clearcoat": {"clearcoatFactor": 1}}},
        {
            "pbrMetallicRoughness": PLAIN,
            "extensions": {"KHR_materials_sheen": {"sheenColorFactor": [0, 1, 0]}},
        },
        {
            "pbrMetallicRoughness": PLAIN,
            "extensions": {"KHR_materials_iridescence": {"iridescenceFactor": 1}},
        },
        {
            "pbrMetallicRoughness": PLAIN,
            "extensions": {"KHR_materials_anisotropy": {"anisotropyStrength": 1}},
        },
        {
            "pbrMetallicRoughness": PLAIN,
            "extensions": {"KHR_materials_diffuse_transmission": {"diffuseTransmissionFactor": 1}},
        },
        {
            "pbrMetallicRoughness": PLAIN,
            "extensions": {"KHR_materials_specular": {"specularColorFactor": [1, 0.5, 0]}},
        },
        {"extensions": {"KHR_materials_pbrSpecularGlossiness": {"specularFactor": [1, 1, 1]}}},
    ],
)
def test_surfaces_drawn_as_plain_ones_have_one_warning(tmp_path, material):
    assert kinds(read(tmp_path, material)) == ["surface-approximated"]


@pytest.mark.parametrize(
    "material",
    [
        {"pbrMetallicRoughness": PLAIN, "normalTexture": {"index": 0}},
        {"pbrMetallicRoughness": PLAIN, "occlusionTexture": {"index": 0}},
        {"pbrMetallicRoughness": {"metallicRoughnessTexture": {"index": 0}}},
        {
            "pbrMetallicRoughness": PLAIN,
            "extensions": {"KHR_materials_specular": {"specularTexture": {"index": 0}}},
        },
    ],
)
def test_maps_that_are_not_drawn_have_one_warning(tmp_path, material):
    assert kinds(read(tmp_path, material, images=[(0, 0, 0)])) == ["map-skipped"]


def test_a_mesh_without_a_material_has_no_warning(tmp_path):
    maker = GltfMaker()
    root = maker.node(mesh=maker.mesh({"POSITION": TRIANGLE}))
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root))
    assert (mesh.materials[0].base_color, mesh.warnings) == ((1, 1, 1), ())

"""Tests of glTF materials: colors of vertices, opacity, glass, emission, and broken numbers."""

import numpy as np
import pytest

from tests.support.gltf import TRIANGLE, GltfMaker
from tests.support.gltf_materials import BLACK, COLORS, PLAIN, UV, kinds, read
from turntable.renderer.meshes.formats import load_gltf

# Colors of vertices.


@pytest.mark.parametrize(
    ("width", "dtype", "scale"),
    [(3, "f4", 1), (4, "f4", 1), (3, "u1", 255), (4, "u2", 65535), (4, "u1", 255)],
)
def test_colors_of_vertices_are_linear_and_smooth_in_any_type(tmp_path, width, dtype, scale):
    maker = GltfMaker()
    values = COLORS[:, :width] if scale == 1 else np.round(COLORS[:, :width] * scale)
    colors = maker.array(values, dtype, **({} if scale == 1 else {"normalized": True}))
    maker.tree["materials"] = [{"alphaMode": "BLEND", "pbrMetallicRoughness": PLAIN}]
    root = maker.node(mesh=maker.mesh({"POSITION": TRIANGLE, "COLOR_0": colors}, material=0))
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root))
    expected = np.column_stack([COLORS[:, :3], COLORS[:, 3] if width == 4 else np.ones(3)])
    np.testing.assert_allclose(mesh.colors, expected, atol=0.003)
    assert (len(mesh.materials), mesh.warnings) == (1, ())


def test_colors_of_vertices_multiply_factor_and_texture(tmp_path):
    pbr = {**PLAIN, "baseColorTexture": {"index": 0}, "baseColorFactor": [1, 0.5, 1, 1]}
    mesh = read(tmp_path, {"pbrMetallicRoughness": pbr}, {"COLOR_0": COLORS}, [(255, 255, 255)])
    np.testing.assert_allclose(mesh.colors[:, :3], COLORS[:, :3])
    assert mesh.materials[0].texture.pixels[0, 0].tolist() == [255, 188, 255]  # 0.5 in sRGB


def test_opacities_of_vertices_count_unless_the_material_is_opaque(tmp_path):
    opaque, blended, masked = (
        read(tmp_path, {"pbrMetallicRoughness": PLAIN, "alphaMode": mode}, {"COLOR_0": COLORS})
        for mode in ("OPAQUE", "BLEND", "MASK")
    )
    assert opaque.colors[:, 3].tolist() == [1, 1, 1]
    assert blended.colors[:, 3].tolist() == masked.colors[:, 3].tolist() == [0.5, 1, 0]


def test_white_colors_are_none_and_colors_out_of_range_are_clamped(tmp_path):
    material = {"pbrMetallicRoughness": PLAIN}
    assert read(tmp_path, material, {"COLOR_0": np.ones((3, 3))}).colors is None
    mesh = read(tmp_path, material, {"COLOR_0": [[2, -1, 0.5], [0, 0, 0], [1, 1, 1]]})
    assert mesh.colors[0].tolist() == [1, 0, 0.5, 1]
    assert mesh.warnings == ()


def test_a_second_set_of_colors_has_a_warning(tmp_path):
    material = {"pbrMetallicRoughness": PLAIN}
    mesh = read(tmp_path, material, {"COLOR_0": COLORS, "COLOR_1": COLORS})
    assert kinds(mesh) == ["color-approximated"]


# Opacity.


def test_alpha_modes(tmp_path):
    pbr = {**PLAIN, "baseColorTexture": {"index": 0}, "baseColorFactor": [1, 1, 1, 0.5]}
    image = [(9, 9, 9, 100)]
    opaque, blended, masked, exact = (
        read(tmp_path, {"pbrMetallicRoughness": pbr, **keys}, images=image).materials[0]
        for keys in (
            {},
            {"alphaMode": "BLEND"},
            {"alphaMode": "MASK"},
            {"alphaMode": "MASK", "alphaCutoff": 0.2},
        )
    )
    assert (opaque.alpha, opaque.alpha_cutoff, opaque.texture.pixels.shape) == (1, None, (2, 2, 3))
    assert (blended.alpha, blended.alpha_cutoff, blended.texture.pixels[0, 0, 3]) == (0.5, None, 100)
    assert (masked.alpha, masked.alpha_cutoff, masked.texture.pixels[0, 0, 3]) == (0.5, 0.5, 100)
    assert exact.alpha_cutoff == 0.2


def test_an_unknown_alpha_mode_is_opaque_with_a_warning(tmp_path):
    mesh = read(tmp_path, {"pbrMetallicRoughness": PLAIN, "alphaMode": "DITHER", "alphaCutoff": 0.1})
    assert (mesh.materials[0].alpha_cutoff, kinds(mesh)) == (None, ["statement-skipped"])


@pytest.mark.parametrize(("factor", "alpha"), [(1, 0.05), (0.5, 0.525), (0, 1)])
def test_glass_is_transparent_and_does_not_vanish(tmp_path, factor, alpha):
    glass = {"KHR_materials_transmission": {"transmissionFactor": factor}, "KHR_materials_ior": {"ior": 1.5}}
    mesh = read(tmp_path, {"pbrMetallicRoughness": PLAIN, "extensions": glass})
    assert mesh.materials[0].alpha == pytest.approx(alpha)
    assert kinds(mesh) == ["transparency-approximated"] * (factor > 0)


def test_a_transmission_texture_counts_by_its_mean(tmp_path):
    glass = {"transmissionFactor": 1, "transmissionTexture": {"index": 0}}
    material = {"pbrMetallicRoughness": PLAIN, "extensions": {"KHR_materials_transmission": glass}}
    mesh = read(tmp_path, material, images=[(51, 0, 0)])
    assert mesh.materials[0].alpha == pytest.approx(1 - 0.95 * 0.2)
    assert sorted(kinds(mesh)) == ["map-skipped", "transparency-approximated"]


# Emission.


def test_emission_is_factor_times_strength_times_texture(tmp_path):
    material = {
        "pbrMetallicRoughness": {**PLAIN, "baseColorTexture": {"index": 0}},
        "emissiveFactor": [1, 0.5, 0],
        "emissiveTexture": {"index": 1},
        "extensions": {"KHR_materials_emissive_strength": {"emissiveStrength": 4}},
    }
    mesh = read(tmp_path, material, images=[(1, 2, 3), (4, 5, 6)])
    (made,) = mesh.materials
    assert made.emission == (4, 2, 0)
    assert made.texture.pixels[0, 0].tolist() == [1, 2, 3]
    assert made.emission_texture.pixels[0, 0].tolist() == [4, 5, 6]
    assert mesh.warnings == ()


def test_an_emissive_texture_without_a_factor_is_dark_and_not_read(tmp_path):
    mesh = read(tmp_path, {"pbrMetallicRoughness": PLAIN, "emissiveTexture": {"index": 99}})
    assert mesh.materials[0].emission == (0, 0, 0)
    assert mesh.warnings == ()


def test_an_emissive_texture_alone_uses_its_own_coordinates(tmp_path):
    info = {"index": 0, "extensions": {"KHR_texture_transform": {"offset": [0.25, 0]}}}
    strength = {"KHR_materials_emissive_strength": {"emissiveStrength": 2}}
    for pbr in (PLAIN, {**BLACK, "baseColorTexture": {"index": 0}}):
        material = {"pbrMetallicRoughness": pbr, "emissiveFactor": [1, 1, 1], "emissiveTexture": info}
        material["extensions"] = strength
        mesh = read(tmp_path, material, images=[(4, 5, 6)])
        np.testing.assert_allclose(mesh.texcoords, UV * [1, -1] + [0.25, 1])
        assert mesh.warnings == ()


@pytest.mark.parametrize(
    "info",
    [
        {"index": 1, "texCoord": 1},
        {"index": 1, "extensions": {"KHR_texture_transform": {"scale": [2, 2]}}},
        {"index": 1, "extensions": {"KHR_texture_transform": {"rotation": 1}}},
    ],
)
def test_two_textures_at_different_coordinates_have_a_warning(tmp_path, info):
    material = {
        "pbrMetallicRoughness": {**PLAIN, "baseColorTexture": {"index": 0}},
        "emissiveFactor": [1, 1, 1],
        "emissiveTexture": info,
    }
    mesh = read(tmp_path, material, {"TEXCOORD_1": UV}, [(1, 2, 3), (4, 5, 6)])
    assert kinds(mesh) == ["texcoords-approximated"]
    np.testing.assert_allclose(mesh.texcoords, UV * [1, -1] + [0, 1])


# Broken materials and unknown extensions.


@pytest.mark.parametrize("number", [99, -1, "0", [0], True, 1.5])
def test_a_bad_material_is_the_default_one(tmp_path, number):
    maker = GltfMaker()
    root = maker.node(mesh=maker.mesh({"POSITION": TRIANGLE}, material=number))
    mesh = load_gltf(maker.write_glb(tmp_path / "a.glb", root))
    assert (mesh.materials[0].base_color, kinds(mesh)) == ((1, 1, 1), ["reference-skipped"])


@pytest.mark.parametrize(
    ("material", "kind"),
    [
        ({"pbrMetallicRoughness": {**PLAIN, "baseColorFactor": [1, 1]}}, "number-repaired"),
        ({"pbrMetallicRoughness": {**PLAIN, "baseColorFactor": [1, 1, 1, float("nan")]}}, "number-repaired"),
        ({"pbrMetallicRoughness": {**PLAIN, "roughnessFactor": "rough"}}, "number-repaired"),
        ({"pbrMetallicRoughness": {**PLAIN, "roughnessFactor": 10**400}}, "number-repaired"),
        ({"pbrMetallicRoughness": 5}, "reference-skipped"),
        ({"pbrMetallicRoughness": PLAIN, "extensions": 7}, "reference-skipped"),
    ],
)
def test_broken_numbers_of_a_material_have_a_stand_in(tmp_path, material, kind):
    mesh = read(tmp_path, material)
    (made,) = mesh.materials
    assert (made.base_color, made.roughness, kinds(mesh)) == ((1, 1, 1), 1, [kind])


def test_unknown_extensions_have_a_warning_and_harmless_ones_have_none(tmp_path):
    harmless = [
        "KHR_lights_punctual",
        "KHR_xmp_json_ld",
        "KHR_materials_variants",
        "MSFT_lod",
        "FB_ngon_encoding",
    ]
    mesh = read(tmp_path, {"pbrMetallicRoughness": PLAIN}, extensionsUsed=[*harmless, "ACME_fur"])
    (warning,) = mesh.warnings
    assert warning.kind == "extension-skipped"
    assert "ACME_fur" in warning.detail

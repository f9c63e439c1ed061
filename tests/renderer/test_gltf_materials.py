"""Tests of glTF materials: color, opacity, emission, glass, textures and their samplers."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.support.gltf import TRIANGLE, GltfMaker
from turntable.renderer.meshes.formats import load_gltf

PLAIN = {"metallicFactor": 0}
UV = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])


def kinds(mesh):
    return [warning.kind for warning in mesh.warnings]


def picture(color, size=(2, 2), kind="PNG"):
    out = BytesIO()
    Image.new("RGBA" if len(color) == 4 else "RGB", size, color).save(out, kind)
    return out.getvalue()


def read(tmp_path, material, attributes=None, images=(), **tree):
    """The triangle with this material, whose images are PNG files of one color, bytes or JSON."""
    maker = GltfMaker()
    for image in images:
        if not isinstance(image, dict):
            data = image if isinstance(image, bytes) else picture(image)
            image = {"bufferView": maker.view(data), "mimeType": "image/png"}
        maker.append("images", image)
        maker.append("textures", {"source": len(maker.tree["images"]) - 1})
    maker.tree |= tree
    maker.tree["materials"] = [material]
    mesh = maker.mesh({"POSITION": TRIANGLE, "TEXCOORD_0": UV, **(attributes or {})}, material=0)
    return load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))


# Colors of vertices.

COLORS = np.array([[1, 0.5, 0, 0.5], [0, 0.25, 0, 1], [0, 0, 1, 0]])


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


BLACK = {**PLAIN, "baseColorFactor": [0, 0, 0, 1]}


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


# Textures.

TEXTURED = {"pbrMetallicRoughness": {**PLAIN, "baseColorTexture": {"index": 0}}}


@pytest.mark.parametrize(
    ("sampler", "wrap", "magnified"),
    [
        ({}, ("repeat", "repeat"), "linear"),
        ({"wrapS": 33071, "wrapT": 33648}, ("clamp", "mirror"), "linear"),
        ({"wrapS": 10497, "magFilter": 9728}, ("repeat", "repeat"), "nearest"),
        ({"magFilter": 9729, "minFilter": 9728}, ("repeat", "repeat"), "linear"),
        ({"minFilter": 9986}, ("repeat", "repeat"), "nearest"),
        ({"minFilter": 9987}, ("repeat", "repeat"), "linear"),
    ],
)
def test_samplers(tmp_path, sampler, wrap, magnified):
    image = picture((1, 2, 3))
    textures = [{"source": 0, "sampler": 0}]
    for factor in ([1, 1, 1, 1], [0.5, 1, 1, 1]):
        pbr = {**TEXTURED["pbrMetallicRoughness"], "baseColorFactor": factor}
        mesh = read(
            tmp_path, {"pbrMetallicRoughness": pbr}, images=[image], samplers=[sampler], textures=textures
        )
        texture = mesh.materials[0].texture
        assert (texture.wrap, texture.magnified, mesh.warnings) == (wrap, magnified, ())


@pytest.mark.parametrize(
    ("tree", "has_texture"),
    [
        ({"textures": []}, False),
        ({"textures": [{"source": 7}]}, False),
        ({"textures": [{"source": "0"}]}, False),
        ({"textures": [{"source": 0, "sampler": 4}]}, True),
        ({"images": [{"bufferView": 99}]}, False),
        ({"images": [{"uri": 5}]}, False),
    ],
)
def test_one_bad_reference_of_a_texture_leaves_out_the_texture_alone(tmp_path, tree, has_texture):
    mesh = read(tmp_path, TEXTURED, **{"images": [(1, 2, 3)], **tree})
    assert len(mesh.triangles) == 1
    assert (mesh.materials[0].texture is not None) == has_texture
    assert kinds(mesh) == ["reference-skipped"]


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


def test_texture_coordinates_that_a_mesh_lacks_have_a_warning(tmp_path):
    pbr = {**PLAIN, "baseColorTexture": {"index": 0, "texCoord": 3}}
    mesh = read(tmp_path, {"pbrMetallicRoughness": pbr}, images=[(1, 2, 3)])
    assert kinds(mesh) == ["reference-skipped"]
    assert not mesh.texcoords.any()


def test_a_texture_that_is_only_stored_for_graphics_cards_is_named(tmp_path):
    textures = [{"extensions": {"KHR_texture_basisu": {"source": 0}}}]
    images = [{"uri": "a.ktx2", "mimeType": "image/ktx2"}]
    used = ["KHR_texture_basisu"]
    mesh = read(
        tmp_path, TEXTURED, textures=textures, images=images, extensionsRequired=used, extensionsUsed=used
    )
    (warning,) = mesh.warnings
    assert warning.kind == "file-unreadable"
    assert "KTX2" in warning.detail


@pytest.mark.parametrize("extension", ["EXT_texture_webp", "MSFT_texture_dds", "EXT_texture_avif"])
def test_images_of_other_formats_stand_behind_extensions(tmp_path, extension):
    kind = extension[-4:].strip("_").upper()
    data = picture((200, 100, 50), (16, 16), kind)
    mesh = read(
        tmp_path,
        TEXTURED,
        images=[data],
        textures=[{"extensions": {extension: {"source": 0}}}],
        extensionsUsed=[extension],
    )
    if mesh.materials[0].texture is None:  # a format that the images' own tests know as not read
        assert (kind, kinds(mesh)) == ("AVIF", ["file-unreadable"])
        return
    np.testing.assert_allclose(mesh.materials[0].texture.pixels[0, 0, :3], (200, 100, 50), atol=12)


def test_a_plain_image_comes_before_those_for_graphics_cards(tmp_path):
    textures = [{"source": 0, "extensions": {"MSFT_texture_dds": {"source": 1}}}]
    images = [picture((1, 2, 3)), b"no image"]
    mesh = read(tmp_path, TEXTURED, images=images, textures=textures, extensionsUsed=["MSFT_texture_dds"])
    assert mesh.materials[0].texture.pixels[0, 0].tolist() == [1, 2, 3]
    assert mesh.warnings == ()


# Extensions.


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

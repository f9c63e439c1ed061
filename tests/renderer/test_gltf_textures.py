"""Tests of glTF textures: samplers, images of several formats, and references that lead nowhere."""

import numpy as np
import pytest

from tests.support.gltf_materials import PLAIN, kinds, picture, read

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

"""Tests of textures that nothing repeats: their edges do not take in the opposite edge."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from turntable.renderer.meshes import Material, Mesh, Texture
from turntable.renderer.meshes.formats import load_mesh_file
from turntable.renderer.meshes.formats.images.texture_edges import clamp_textures

REPEAT, CLAMP = ("repeat", "repeat"), ("clamp", "clamp")
QUAD = """mtllib q.mtl
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0 0
vt {u} 0
vt {u} 1
vt 0 1
usemtl m
f 1/1 2/2 3/3 4/4
"""


def make_mesh(*highest, textures):
    """A triangle for each texture, whose texture coordinates reach from 0 to the given number."""
    num = len(highest)
    return Mesh(
        positions=np.tile(np.eye(3, dtype=np.float32), (num, 1)),
        triangles=np.arange(3 * num, dtype=np.int32).reshape(num, 3),
        normals=np.tile(np.float32([0, 0, 1]), (3 * num, 1)),
        texcoords=np.concatenate([np.float32([[0, 0], [top, 0], [0, 1]]) for top in highest]),
        material_index=np.arange(num, dtype=np.int32),
        materials=tuple(Material(texture=texture) for texture in textures),
    )


def make_texture(side=64, **more):
    return Texture(np.zeros((side, side, 3), dtype=np.uint8), **more)


def wraps(mesh):
    return [material.texture.wrap for material in mesh.materials]


def test_what_stays_within_the_image_is_clamped_and_what_leaves_it_repeats():
    mesh = make_mesh(1.0, 1.5, textures=[make_texture(), make_texture()])
    assert wraps(clamp_textures(mesh)) == [CLAMP, REPEAT]


@pytest.mark.parametrize(("lowest", "wrap"), [(-0.5, REPEAT), (-1e-6, CLAMP)])
def test_both_ends_count_and_rounding_does_not(lowest, wrap):
    mesh = make_mesh(1.0 + 1e-6, textures=[make_texture()])
    texcoords = mesh.texcoords.copy()
    texcoords[2] = lowest
    assert wraps(clamp_textures(replace(mesh, texcoords=texcoords))) == [wrap]


def test_a_texture_of_several_materials_repeats_if_one_of_them_leaves_it():
    texture = make_texture()
    clamped = clamp_textures(make_mesh(1.0, 2.0, textures=[texture, texture]))
    assert wraps(clamped) == [REPEAT, REPEAT]
    shared = clamp_textures(make_mesh(1.0, 0.5, textures=[texture, texture]))
    assert shared.materials[0].texture is shared.materials[1].texture


def test_small_images_and_chosen_wraps_stay():
    textures = [make_texture(63), make_texture(wrap=("mirror", "repeat"))]
    assert wraps(clamp_textures(make_mesh(1.0, 1.0, textures=textures))) == [REPEAT, ("mirror", "repeat")]


def test_emission_textures_too():
    mesh = make_mesh(1.0, textures=[make_texture(8)])
    mesh = replace(mesh, materials=(replace(mesh.materials[0], emission_texture=make_texture()),))
    assert clamp_textures(mesh).materials[0].emission_texture.wrap == CLAMP


@pytest.mark.parametrize(("u", "wrap"), [(1, CLAMP), (3, REPEAT)])
def test_files_are_read_so(tmp_path, u, wrap):
    (tmp_path / "q.obj").write_text(QUAD.format(u=u))
    (tmp_path / "q.mtl").write_text("newmtl m\nmap_Kd q.png\n")
    Image.new("RGB", (64, 64)).save(tmp_path / "q.png")
    assert load_mesh_file(tmp_path / "q.obj").materials[1].texture.wrap == wrap

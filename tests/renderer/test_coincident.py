"""Faces in one another's place, as loaded meshes have them."""

from dataclasses import replace

import numpy as np

from tests.support.meshes import write_shapenet_object
from turntable.renderer.meshes import Texture, place_numbers
from turntable.renderer.meshes.coincident import LIT, settled
from turntable.renderer.meshes.mesh import joined
from turntable.renderer.meshes.sources import load_mesh
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource
from turntable.testing.backends import box, corner_piece, doubled

TWO_SIDED_OBJ = """v 0 0 0
v 1 0 0
v 0 1 0
v 0 0 0
v 1 0 0
v 0 1 0
f 1 2 3
f 3 2 1
f 6 5 4
"""


def turns(mesh):
    return np.array([material.turn for material in mesh.materials])[mesh.material_index]


def test_a_mesh_without_such_faces_is_left_alone():
    mesh = corner_piece()
    assert settled(mesh) is mesh


def test_both_faces_have_half_of_the_light_and_are_seen_in_turn():
    mesh = doubled(corner_piece(), base_color=(1.0, 0.0, 0.0))
    found = settled(mesh)
    half = len(mesh.triangles) // 2
    np.testing.assert_array_equal(turns(found), np.repeat([1, 2], half))
    for before, after in zip(mesh.material_index, found.material_index, strict=True):
        was, now = mesh.materials[before], found.materials[after]
        assert (now.base_color, now.roughness, now.lit) == (was.base_color, was.roughness, LIT)


def test_the_rest_of_the_mesh_keeps_its_light():
    mesh = settled(joined([doubled(box()), box((0.2, 0.2, 0.2))]))
    np.testing.assert_array_equal(turns(mesh) > 0, np.arange(36) < 24)
    assert {material.lit for material in mesh.materials} == {LIT, 1.0}


def test_the_third_face_in_a_place_takes_the_firsts_turn():
    plate = box((1, 1, 0.1))
    assert set(turns(settled(joined([plate, plate, plate])))[24:]) == {1}


def test_places_do_not_depend_on_the_order_of_corners_or_the_sign_of_zero():
    positions = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [-0.0, 0, 0], [0, 1, 1]], dtype=np.float32)
    triangles = np.array([[0, 1, 2], [2, 3, 1], [1, 2, 0], [0, 1, 4]], dtype=np.int32)
    number = place_numbers(positions, triangles)
    assert number[0] == number[1] == number[2] != number[3]


def test_what_one_can_see_through_and_what_has_no_area_is_left_alone():
    glass, cut_out = box(alpha=0.4), box()
    pixels = Texture(np.zeros((2, 2, 4), dtype=np.uint8))
    cut_out = replace(cut_out, materials=(replace(cut_out.materials[0], texture=pixels),))
    for mesh in (glass, cut_out):
        twice = doubled(mesh)
        assert settled(twice) is twice
    needle = replace(box(), triangles=np.array([[0, 0, 1], [1, 0, 0]], dtype=np.int32))
    needle = replace(needle, material_index=np.zeros(2, dtype=np.int32))
    assert settled(needle) is needle


def test_loading_drops_repeated_vertices_and_settles_repeated_places(tmp_path):
    """The importer drops the second face, which has the first one's vertices; the third has its own."""
    write_shapenet_object(tmp_path, "100/a", obj=TWO_SIDED_OBJ)
    mesh = load_mesh(ShapeNetSource(tmp_path), "100/a")
    np.testing.assert_array_equal(turns(mesh), [1, 2])

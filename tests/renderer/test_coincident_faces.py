"""Tests of coincident faces, as loaded meshes have them."""

from dataclasses import replace

import numpy as np

from tests.support.meshes import write_shapenet_object
from turntable.renderer.meshes import Texture, group_coincident_faces
from turntable.renderer.meshes.coincident_faces import COINCIDENT_LIGHT_SHARE, mark_coincident_faces
from turntable.renderer.meshes.mesh import join_meshes
from turntable.renderer.meshes.sources import load_mesh
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource
from turntable.testing.backends import make_box, make_corner, with_doubled_faces

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
    mesh = make_corner()
    assert mark_coincident_faces(mesh) is mesh


def test_both_faces_have_half_of_the_light_and_are_seen_in_turn():
    mesh = with_doubled_faces(make_corner(), base_color=(1.0, 0.0, 0.0))
    found = mark_coincident_faces(mesh)
    half = len(mesh.triangles) // 2
    np.testing.assert_array_equal(turns(found), np.repeat([1, 2], half))
    for before, after in zip(mesh.material_index, found.material_index, strict=True):
        was, now = mesh.materials[before], found.materials[after]
        assert (now.base_color, now.roughness, now.lit) == (
            was.base_color,
            was.roughness,
            COINCIDENT_LIGHT_SHARE,
        )


def test_the_rest_of_the_mesh_keeps_its_light():
    mesh = mark_coincident_faces(join_meshes([with_doubled_faces(make_box()), make_box((0.2, 0.2, 0.2))]))
    np.testing.assert_array_equal(turns(mesh) > 0, np.arange(36) < 24)
    assert {material.lit for material in mesh.materials} == {COINCIDENT_LIGHT_SHARE, 1.0}


def test_the_third_face_in_a_place_takes_the_firsts_turn():
    plate = make_box((1, 1, 0.1))
    assert set(turns(mark_coincident_faces(join_meshes([plate, plate, plate])))[24:]) == {1}


def test_places_do_not_depend_on_the_order_of_corners_or_the_sign_of_zero():
    positions = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [-0.0, 0, 0], [0, 1, 1]], dtype=np.float32)
    triangles = np.array([[0, 1, 2], [2, 3, 1], [1, 2, 0], [0, 1, 4]], dtype=np.int32)
    number = group_coincident_faces(positions, triangles)
    assert number[0] == number[1] == number[2] != number[3]


def test_what_one_can_see_through_and_what_has_no_area_is_left_alone():
    glass, cut_out = make_box(alpha=0.4), make_box()
    pixels = Texture(np.zeros((2, 2, 4), dtype=np.uint8))
    cut_out = replace(cut_out, materials=(replace(cut_out.materials[0], texture=pixels),))
    for mesh in (glass, cut_out):
        twice = with_doubled_faces(mesh)
        assert mark_coincident_faces(twice) is twice
    needle = replace(make_box(), triangles=np.array([[0, 0, 1], [1, 0, 0]], dtype=np.int32))
    needle = replace(needle, material_index=np.zeros(2, dtype=np.int32))
    assert mark_coincident_faces(needle) is needle


def test_faces_with_a_cutoff_or_opaque_vertices_are_settled_and_keep_their_colors():
    box = make_box(alpha=0.4, alpha_cutoff=0.3)
    colors = np.random.default_rng(0).random((len(box.positions), 4)).astype(np.float32)
    cut = with_doubled_faces(replace(box, colors=colors))
    found = mark_coincident_faces(cut)
    assert set(turns(found)) == {1, 2}
    assert found.colors is cut.colors
    assert {material.alpha_cutoff for material in found.materials} == {0.3}
    faded = with_doubled_faces(replace(make_box(), colors=colors))
    assert mark_coincident_faces(faded) is faded
    colors = colors.copy()
    colors[:, 3] = 1
    assert set(turns(mark_coincident_faces(with_doubled_faces(replace(make_box(), colors=colors))))) == {1, 2}


def test_loading_drops_repeated_vertices_and_settles_repeated_places(tmp_path):
    """The importer drops the second face, which has the first one's vertices; the third has its own."""
    write_shapenet_object(tmp_path, "100/a", obj=TWO_SIDED_OBJ)
    mesh = load_mesh(ShapeNetSource(tmp_path), "100/a")
    np.testing.assert_array_equal(turns(mesh), [1, 2])

"""Tests of the PLY reader on random dialects of one mesh, and on files of trimesh."""

import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.ply import FLOATS, INTEGERS, ORDERS, Column, area_of, corners_of, load, mesh_area, ply
from turntable.renderer.meshes.formats import load_mesh_file


@st.composite
def columns_of_nothing(draw, count):
    """Columns that mean nothing, some of them lists of any length."""
    columns = []
    for number in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(INTEGERS))
        name = f"other{number}"
        if draw(st.booleans()):
            lists = st.lists(st.integers(0, 100), max_size=4)
            rows = draw(st.lists(lists, min_size=count, max_size=count))
            columns.append(Column(name, kind, rows, draw(st.sampled_from(["uchar", "int8", "uint32"]))))
        else:
            columns.append(
                Column(name, kind, draw(st.lists(st.integers(0, 99), min_size=count, max_size=count)))
            )
    return columns


@st.composite
def dialects(draw):
    """A mesh, and the bytes of a PLY file of it."""
    points = corners_of(draw(st.integers(4, 9)))
    index = st.lists(st.integers(0, len(points) - 1), min_size=3, max_size=5, unique=True).map(sorted)
    faces = draw(st.lists(index, min_size=1, max_size=6))
    coordinate = draw(st.sampled_from(FLOATS))
    vertex = [Column(axis, coordinate, points[:, k].tolist()) for k, axis in enumerate("xyz")]
    colors, kind = None, draw(st.sampled_from(["", "uchar", "uint8", "ushort", "float", "float64"]))
    if kind:
        colors = draw(
            st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=len(points), max_size=len(points))
        )
        colors[0] = (255, 0, 255)
        scale = {"uchar": 1, "uint8": 1, "ushort": 257}.get(kind, 1 / 255)
        names = draw(st.sampled_from(["red green blue", "r g b", "diffuse_red diffuse_green diffuse_blue"]))
        vertex += [
            Column(name, kind, [color[k] * scale for color in colors]) for k, name in enumerate(names.split())
        ]
    vertex = draw(st.permutations([*vertex, *draw(columns_of_nothing(len(points)))]))
    list_name = draw(st.sampled_from(["vertex_indices", "vertex_index", "vertex_indexes"]))
    indices = Column(list_name, draw(st.sampled_from(INTEGERS)), faces, draw(st.sampled_from(INTEGERS)))
    face = draw(st.permutations([indices, *draw(columns_of_nothing(len(faces)))]))
    others = [
        (f"user{n}", columns)
        for n in range(draw(st.integers(0, 2)))
        if (columns := draw(columns_of_nothing(draw(st.integers(1, 3)))))
    ]
    elements = draw(st.permutations([("vertex", vertex), ("face", face), *others]))
    form = draw(st.sampled_from(list(ORDERS)))
    comments = draw(
        st.sampled_from([(), ("comment made by hand", "obj_info end_header or not"), ("comment",)])
    )
    return points, faces, colors, ply(form, elements, draw(st.sampled_from(["\n", "\r\n", "\r"])), comments)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dialects())
def test_every_dialect_is_read_alike(tmp_path, dialect):
    points, faces, colors, data = dialect
    mesh = load(tmp_path, data)
    assert mesh.warnings == ()
    assert len(mesh.triangles) == sum(len(face) - 2 for face in faces)
    assert mesh_area(mesh) == pytest.approx(area_of(points, faces), rel=1e-5)
    used = points[sorted({corner for face in faces for corner in face})]
    np.testing.assert_array_equal(mesh.positions.min(axis=0), used.min(axis=0))
    np.testing.assert_array_equal(mesh.positions.max(axis=0), used.max(axis=0))
    if colors is None:
        assert mesh.colors is None
        return
    number = np.argmin(np.linalg.norm(mesh.positions[:, None] - points[None], axis=2), axis=1)
    expected = np.array(colors)[number] / 255
    np.testing.assert_allclose(mesh.colors[:, :3], expected, atol=2e-6)
    assert (mesh.colors[:, 3] == 1).all()
    assert mesh.materials[0].base_color == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("encoding", ["ascii", "binary"])
@pytest.mark.parametrize("is_colored", [False, True])
def test_files_of_trimesh_come_back(tmp_path, encoding, is_colored):
    made = trimesh.creation.annulus(0.5, 1.0, 2.0)
    if is_colored:
        made.visual.vertex_colors = np.random.default_rng(0).integers(
            0, 256, (len(made.vertices), 4), np.uint8
        )
    made.export(tmp_path / "a.ply", encoding=encoding, vertex_normal=False)
    mesh = load_mesh_file(tmp_path / "a.ply")
    again = trimesh.load_mesh(tmp_path / "a.ply", process=False)
    assert len(mesh.triangles) == len(again.faces)
    np.testing.assert_array_equal(mesh.positions[mesh.triangles], again.triangles.astype(np.float32))
    np.testing.assert_allclose(mesh.normals[::3], again.face_normals, atol=1e-5)
    if is_colored:
        encoded = np.asarray(again.visual.vertex_colors)[again.faces.ravel()] / 255
        np.testing.assert_allclose(mesh.colors[:, :3], encoded[:, :3], atol=1e-6)
        np.testing.assert_allclose(mesh.colors[:, 3], encoded[:, 3], atol=1e-6)


def test_normals_of_the_file_shade_smoothly(tmp_path):
    made = trimesh.creation.icosphere(2)
    made.export(tmp_path / "a.ply", vertex_normal=True)
    mesh = load_mesh_file(tmp_path / "a.ply")
    assert mesh.has_normals
    assert len(mesh.positions) == len(made.vertices)
    np.testing.assert_allclose(mesh.normals, made.vertex_normals, atol=1e-6)

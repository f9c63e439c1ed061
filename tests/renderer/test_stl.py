"""Tests of the STL reader: random dialects of text, files of trimesh, and headers that are wrong."""

import struct

import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turntable.errors import MeshError
from turntable.renderer.meshes import Limits
from turntable.renderer.meshes.formats import load_mesh_file


def load(folder, data, **more):
    (folder / "a.stl").write_bytes(data)
    return load_mesh_file(folder / "a.stl", **more)


def binary(triangles, count=None, head=b"", attributes=None):
    """The bytes of a binary file of triangles [T, 3, 3]."""
    words = [0] * len(triangles) if attributes is None else attributes
    body = b"".join(
        struct.pack("<12fH", 0, 0, 1, *np.ravel(triangle), word)
        for triangle, word in zip(triangles, words, strict=True)
    )
    return head.ljust(80, b"\0")[:80] + struct.pack("<I", len(triangles) if count is None else count) + body


TRIANGLES = np.array([[[0, 0, 0], [1, 0, 0], [1, 1, 0]], [[0, 0, 0], [1, 1, 0], [0, 1, 0]]], dtype=float)


@st.composite
def texts(draw):
    """Triangles, and an STL file of text with them."""
    number = st.integers(-50, 50).map(lambda value: value / 8)
    point = st.tuples(number, number, number)
    facets = draw(st.lists(st.tuples(point, point, point), min_size=1, max_size=5))
    end = draw(st.sampled_from(["\n", "\r\n", "\r", " ", "\n\n\t"]))
    gap = draw(st.sampled_from(["", " "]))
    style = draw(st.sampled_from([str, "{:e}".format, "{:+.3f}".format, "{:g}".format]))
    name = draw(st.sampled_from(["", " cube", " my vertex of facet and loop"])) if end != " " else ""
    lines = [f"solid{name}"]
    split = draw(st.integers(0, len(facets)))
    for place, facet in enumerate(facets):
        if place == split:
            lines += [f"end{gap}solid{name}", f"solid{name}"]
        normal = draw(st.sampled_from(["0 0 1", "nan nan nan", "-1.#IND 0 0"]))
        lines += [f"facet normal {normal}", "outer loop"]
        lines += ["vertex " + "  ".join(map(style, corner)) for corner in facet]
        lines += [f"end{gap}loop", f"end{gap}facet"]
    lines += draw(st.sampled_from([[f"end{gap}solid{name}"], [f"end{gap}solid"], []]))
    text = draw(st.sampled_from(["", " ", "\ufeff"])) + end.join(lines) + draw(st.sampled_from(["", end]))
    change = draw(st.sampled_from([str, str.upper, str.title]))
    return facets, change(text).encode()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts())
def test_every_text_is_read_alike(tmp_path, drawn):
    facets, data = drawn
    mesh = load(tmp_path, data)
    assert mesh.warnings == ()
    # A mesh that is small for its distance from the origin is centered.
    expected = np.array(facets)
    found = mesh.positions[mesh.triangles].astype(float)
    np.testing.assert_array_equal(found - found.min(axis=(0, 1)), expected - expected.min(axis=(0, 1)))


@pytest.mark.parametrize("file_type", ["stl", "stl_ascii"])
def test_files_of_trimesh_come_back(tmp_path, file_type):
    made = trimesh.creation.annulus(0.5, 1.0, 2.0)
    made.export(tmp_path / "a.stl", file_type=file_type)
    mesh = load_mesh_file(tmp_path / "a.stl")
    again = trimesh.load_mesh(tmp_path / "a.stl", process=False)
    np.testing.assert_array_equal(mesh.positions[mesh.triangles], again.triangles.astype(np.float32))
    np.testing.assert_allclose(mesh.normals[::3], again.face_normals, atol=1e-4)
    assert not mesh.has_normals


def test_a_facet_of_four_corners(tmp_path):
    data = b"solid\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 1 1 0\nvertex 0 1 0\n"
    mesh = load(tmp_path, data + b"endloop\nendfacet\nendsolid\n")
    np.testing.assert_array_equal(mesh.positions[mesh.triangles], TRIANGLES)


def test_a_text_whose_first_facet_comes_late(tmp_path):
    name = b"solid " + b"a long name " * 10_000
    data = (
        name
        + b"\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 1 1 0\nendloop\nendfacet\n"
    )
    assert len(load(tmp_path, data + b"endsolid\n").triangles) == 1


@pytest.mark.parametrize("count", [0, 1, 3, 1000])
def test_a_wrong_count_is_repaired_with_a_warning(tmp_path, count):
    mesh = load(tmp_path, binary(TRIANGLES, count))
    np.testing.assert_array_equal(mesh.positions[mesh.triangles], TRIANGLES)
    (warning,) = mesh.warnings
    assert warning.kind == "header-repaired"
    assert f"{count:,} triangles, and 2 follow" in warning.detail


@pytest.mark.parametrize("cut", [1, 7, 49, 51, 99])
def test_a_cut_triangle_is_no_wrong_count(tmp_path, cut):
    with pytest.raises(MeshError, match="cut off") as caught:
        load(tmp_path, binary(TRIANGLES)[:-cut])
    assert caught.value.reason == "cut off"


@pytest.mark.parametrize(
    ("trailer", "kinds"),
    [
        (b"\0", []),
        (b"\n", []),
        (bytes(1000), []),
        (b"by hand", []),
        (b"made by a program. " * 50, ["statement-skipped"]),
        (b"x" * 500, ["statement-skipped"]),
    ],
)
def test_trailers_are_no_triangles(tmp_path, trailer, kinds):
    mesh = load(tmp_path, binary(TRIANGLES) + trailer)
    np.testing.assert_array_equal(mesh.positions[mesh.triangles], TRIANGLES)
    assert [warning.kind for warning in mesh.warnings] == kinds


@pytest.mark.parametrize("head", [b"solid facet vertex", b"SOLID", b"\xef\xbb\xbfsolid x\nfacet normal", b""])
@pytest.mark.parametrize("count", [None, 0])
def test_binary_files_that_call_themselves_solid(tmp_path, head, count):
    mesh = load(tmp_path, binary(TRIANGLES, count, head))
    np.testing.assert_array_equal(mesh.positions[mesh.triangles], TRIANGLES)


@pytest.mark.parametrize(
    ("head", "words", "told"),
    [
        (b"", [0x801F, 0xFC00], True),
        (b"COLOR=\xff\0\0\xff,MATERIAL=", [0x801F, 0x83E0], True),
        (b"COLOR=\xff\0\0\xff", [0, 0], True),
        (b"COLOR=\xff\xff\xff\xff", [0x3FFF, 0], True),
        (b"COLOR=\x7f\x7f\x7f\xff", [0, 0x8000], False),
        (b"", [2, 7], False),
        (b"", [0xFFFF, 0x8000], False),
    ],
)
def test_colors_of_attribute_words_are_told_and_not_drawn(tmp_path, head, words, told):
    mesh = load(tmp_path, binary(TRIANGLES, head=head, attributes=words))
    assert mesh.colors is None
    assert [warning.kind for warning in mesh.warnings] == ["color-approximated"] * told


def test_far_coordinates_lose_nothing_in_text(tmp_path):
    far = TRIANGLES + np.array([498_312, 4_620_118, 212])
    facets = [
        "facet normal 0 0 0 outer loop "
        + " ".join(f"vertex {x} {y} {z}" for x, y, z in triangle.tolist())
        + " endloop endfacet"
        for triangle in far
    ]
    mesh = load(tmp_path, "\n".join(["solid", *facets, "endsolid"]).encode())
    extent = mesh.positions.max(axis=0) - mesh.positions.min(axis=0)
    np.testing.assert_array_equal(extent, [1, 1, 0])


def test_limits_come_before_memory(tmp_path):
    for data in (binary(TRIANGLES), binary(TRIANGLES, 0)):
        with pytest.raises(MeshError, match="at most 1") as caught:
            load(tmp_path, data, limits=Limits(triangles=1))
        assert caught.value.reason == "too large"


def test_a_web_page_is_not_cut_off(tmp_path):
    with pytest.raises(MeshError, match="not that of an STL file") as caught:
        load(tmp_path, b"<!DOCTYPE html><html>404 not found</html>" * 9)
    assert caught.value.reason == "unreadable"

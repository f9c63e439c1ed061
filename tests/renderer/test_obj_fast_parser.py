"""Tests of the fast OBJ parser against the line parser: the same arrays, or None."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.meshes import CUBE_OBJ
from turntable.renderer.meshes.formats.obj.fast_parser import parse_obj_fast
from turntable.renderer.meshes.formats.obj.line_parser import parse_obj_lines
from turntable.renderer.meshes.formats.wavefront_text import normalize_text

HEAD = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0.5\nvt 0 0\nvt 1 0.25\nvn 0 0 1\n"

numbers = st.one_of(
    st.floats(-1e6, 1e6).map(repr),
    st.floats(-1, 1).map(lambda x: f"{x:.6f}"),
    st.integers(-99, 99).map(str),
    st.sampled_from(["1e-3", "-0", "+.5", "5.", "1E+2", "nan", "-inf", "0.1234567890123456789"]),
)
gaps = st.sampled_from([" ", " ", " ", "  ", "\t"])
references = st.integers(-9, 12).map(str)
corners = st.one_of(
    *(st.tuples(*[references] * count) for count in (1, 2, 3)),
).map("/".join)
others = st.sampled_from(
    [
        "# a comment",
        "",
        "g part/one",
        "o x",
        "s 1",
        "usemtl red",
        "usemtl a  b",
        "mtllib a b.mtl",
        "l 1 2",
        "vp 1 2",
        "usemtl",
        "p 1",
        "curv 0 1 1 2",
        "call other.obj",
        "what is this",
        "#MRGB ff0000ffff00ff00",
    ]
)


def statement(word, values, least, most):
    return st.tuples(st.lists(values, min_size=least, max_size=most), gaps).map(
        lambda parts: parts[1].join([word, *parts[0]])
    )


lines = st.one_of(
    statement("v", numbers, 3, 7),
    statement("vt", numbers, 2, 2),
    statement("vn", numbers, 3, 3),
    statement("f", corners, 1, 5),
    statement("f", st.integers(1, 9).map(lambda n: f"{n}//{n}"), 3, 4),
    others,
)
files = st.tuples(
    st.lists(lines, max_size=30), st.sampled_from(["\n", "\n", "\r\n", " \n", "\n "]), st.booleans()
)


def same(ours, theirs):
    for name in (
        "positions",
        "texcoords",
        "normals",
        "corners",
        "face_sizes",
        "num_defined",
        "face_material",
    ):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), strict=False, err_msg=name)
        assert np.array_equal(np.signbit(getattr(ours, name)), np.signbit(getattr(theirs, name)))
    assert (ours.extras is None) == (theirs.extras is None)
    if ours.extras is not None:
        np.testing.assert_array_equal(ours.extras, theirs.extras)
    for name in ("material_names", "libraries", "painted", "others"):
        assert getattr(ours, name) == getattr(theirs, name)


@pytest.mark.slow
@settings(max_examples=300)
@given(files)
def test_the_same_arrays_or_no_answer(parts):
    found, end, last = parts
    data = normalize_text((HEAD + "f 1 2 3\n" + end.join(found) + (end if last else "")).encode())
    ours = parse_obj_fast(data)
    if ours is not None:
        same(ours, parse_obj_lines(data))


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(CUBE_OBJ) - 1), st.integers(0, 255)), min_size=1, max_size=4))
@example([(CUBE_OBJ.index("0.3") + 2, ord("v"))])  # a keyword within a number
def test_what_is_broken_is_read_alike_or_left_to_the_patient_reader(changes):
    data = bytearray(CUBE_OBJ.encode())
    for place, value in changes:
        data[place] = value
    ours = parse_obj_fast(bytes(data))
    if ours is not None:
        same(ours, parse_obj_lines(bytes(data)))


@pytest.mark.parametrize(
    "faces", ["f 1 2 3\n", "f 1/1 2/2 3/1\n", "f 1//1 2//1 3//1\n", "f 1/1/1 2/2/1 3/1/1\n"]
)
@pytest.mark.parametrize(
    "end",
    [
        "",
        "f -4 -3 -2\n",
        "# é\n",
        "usemtl a\nf 1 2 3 4\n",
        "f 1 2\n",
        "v 1 2 3 4\n",
        "v 1 2 3 .1 .2 .3\nv 1 2 3\n",
    ],
)
def test_the_usual_shapes_are_read_fast(faces, end):
    data = (HEAD + faces + end).encode()
    ours = parse_obj_fast(data)
    assert ours is not None
    same(ours, parse_obj_lines(data))


@pytest.mark.parametrize(
    "odd",
    [
        "f 1 2 \\\n3\n",  # a line that goes on
        "f 1/1/1/1 2 3\n",
        "f 1 2 3 x\n",
        "f 123456789 2 3\n",
        "f\n",
        "v 1 2\n",
        "v 1_0 2 3\n",
        "V 1 2 3\n",
        "fo 1 2 3\n",
        "UseMtl red\n",
        "f 1 2 3 # the end\n",
        "v 1,5 2,5 3,5\n",
        "vt 1\n",
        "f 1 2 - 3\n",
        "f /1 2 3\n",
        "v 1\x0b2 3\n",
    ],
)
def test_the_unusual_is_left_to_the_patient_reader(odd):
    assert parse_obj_fast((HEAD + "f 1 2 3\n" + odd).encode()) is None

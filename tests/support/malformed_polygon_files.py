"""Malformed PLY, STL and OFF files, and two OBJ files that lie in a folder like them."""

import random
import struct

import numpy as np

from tests.support.malformed_cases import KEPT, WARNED


def _ply(vertices: str = "3", faces: str = "1", body: str = "0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n") -> bytes:
    return (
        f"ply\nformat ascii 1.0\nelement vertex {vertices}\nproperty float x\nproperty float y\n"
        "property float z\n"
        f"element face {faces}\nproperty list uchar int vertex_indices\nend_header\n{body}"
    ).encode()


def _binary_ply(count: int = 3, size: int = 36 + 13) -> bytes:
    head = _ply(str(count), "1", "").replace(b"ascii", b"binary_little_endian")
    body = (
        np.array([0, 0, 0, 1, 0, 0, 0, 1, 0], "<f4").tobytes() + b"\x03" + np.arange(3, dtype="<i4").tobytes()
    )
    return head + body[:size]


def _stl(count: int = 1, triangles: int = 1, value: float = 1.0) -> bytes:
    one = np.array([0, 0, 1, 0, 0, 0, value, 0, 0, 0, 1, 0], "<f4").tobytes() + b"\0\0"
    return b"\0" * 80 + struct.pack("<I", count) + one * triangles


_STL_TEXT = (
    b"solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\n"
)
_OFF = b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n"
_TRIANGLE = "0 0 0\n1 0 0\n0 1 0\n"


def _ply_of(header: str, body: str) -> bytes:
    """A PLY file of text with three vertices first."""
    head = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
    return f"{head}{header}end_header\n{_TRIANGLE}{body}".encode()


def _more_ply_files() -> dict[str, tuple[bytes, tuple[str, ...]]]:
    face = "element face 1\nproperty list uchar int vertex_indices\n"
    strip = "element tristrips 1\nproperty list int int vertex_indices\n"
    grid = "element range_grid 4\nproperty list uchar int vertex_indices\n"
    return {
        "edges-and-lists.ply": (
            _ply_of(
                "element edge 1\nproperty int vertex1\nproperty int vertex2\n"
                "element extra 2\nproperty list uchar float more\n" + face,
                "0 1\n0\n2 5 6\n3 0 1 2\n",
            ),
            (KEPT,),
        ),
        "one-bad-index.ply": (_ply(faces="2", body=f"{_TRIANGLE}3 0 1 2\n3 0 1 9\n"), (WARNED,)),
        "one-face-of-two.ply": (_ply(faces="2", body=f"{_TRIANGLE}3 0 1 2\n2 0 1\n"), (WARNED,)),
        "one-nan-corner.ply": (
            _ply("4", "2", f"{_TRIANGLE}nan 0 0\n3 0 1 2\n3 0 1 3\n"),
            (WARNED,),
        ),
        "unused-nan.ply": (_ply("4", "1", f"{_TRIANGLE}nan 0 -1.#IND\n3 0 1 2\n"), (KEPT,)),
        "index-of-halves.ply": (_ply(body=f"{_TRIANGLE}3 0 1 1.5\n"), ("no faces",)),
        "index-not-finite.ply": (_ply(body=f"{_TRIANGLE}3 0 1 nan\n"), ("no faces",)),
        "list-of-minus-one.ply": (_ply(body=f"{_TRIANGLE}-1 0 1 2\n"), ("unreadable",)),
        "list-of-halves.ply": (_ply(body=f"{_TRIANGLE}2.5 0 1 2\n"), ("unreadable",)),
        "list-not-finite.ply": (_ply(body=f"{_TRIANGLE}inf 0 1 2\n"), ("unreadable",)),
        "list-too-long.ply": (_ply(body=f"{_TRIANGLE}9 0 1 2\n"), ("cut off",)),
        "word.ply": (_ply(body=f"{_TRIANGLE}3 0 one 2\n"), ("unreadable",)),
        "decimal-comma.ply": (
            _ply(body=_TRIANGLE.replace("1 0 0", "1,5 0 0") + "3 0 1 2\n"),
            ("unreadable",),
        ),
        "more-than-the-header-says.ply": (_ply(body=f"{_TRIANGLE}3 0 1 2\n3 0 1 2\n"), (WARNED,)),
        "no-format.ply": (_ply().replace(b"format ascii 1.0\n", b""), ("unreadable",)),
        "format-unknown.ply": (_ply().replace(b"ascii", b"binary_middle_endian"), ("unreadable",)),
        "type-unknown.ply": (_ply().replace(b"float y", b"complex y"), ("unreadable",)),
        "property-first.ply": (
            _ply().replace(b"element vertex", b"property int a\nelement vertex"),
            ("unreadable",),
        ),
        "no-vertices.ply": (_ply().replace(b"element vertex", b"element point"), ("unreadable",)),
        "coordinates-in-lists.ply": (
            _ply().replace(b"float z", b"list uchar float z"),
            ("unreadable", "cut off"),
        ),
        "no-index-list.ply": (_ply_of("element face 1\nproperty int a\n", "7\n"), ("unreadable",)),
        "element-of-nothing.ply": (_ply_of(f"element nothing {10**17}\n{face}", "3 0 1 2\n"), (KEPT,)),
        "header-of-elements.ply": (_ply_of("element e 0\n" * 15_000 + face, "3 0 1 2\n"), (KEPT,)),
        "header-of-properties.ply": (_ply_of(face + "property int p\n" * 12_000, "3 0 1 2\n"), ("cut off",)),
        "header-endless.ply": (_ply().replace(b"end_header", b"comment\n" * 100_000), ("unreadable",)),
        "end-in-a-comment.ply": (
            _ply().replace(b"element face", b"comment end_header\nelement face"),
            (KEPT,),
        ),
        "cut-at-the-edges.ply": (
            _ply_of(face + "element edge 9\nproperty int a\nproperty int b\n", "3 0 1 2\n0 1\n"),
            ("cut off",),
        ),
        "strip.ply": (_ply_of(strip, "7 0 1 2 -1 0 1 2\n"), (KEPT,)),
        "strip-of-restarts.ply": (_ply_of(strip, "3 -1 -1 -1\n"), ("no faces",)),
        "strip-with-bad-index.ply": (_ply_of(strip, "4 0 1 2 77\n"), (WARNED,)),
        "grid.ply": (
            _ply_of("obj_info num_cols 2\nobj_info num_rows 2\n" + grid, "1 0\n1 1\n0\n1 2\n"),
            (KEPT,),
        ),
        "grid-without-columns.ply": (_ply_of(grid, "1 0\n1 1\n0\n1 2\n"), ("unreadable",)),
        "grid-of-other-size.ply": (
            _ply_of("obj_info num_cols 3\nobj_info num_rows 2\n" + grid, "1 0\n1 1\n0\n1 2\n"),
            ("unreadable",),
        ),
        "texture-missing.ply": (
            _ply_of(
                "comment TextureFile nothing.png\n" + face + "property list uchar float texcoord\n",
                "3 0 1 2 6 0 0 1 0 1 1\n",
            ),
            (WARNED,),
        ),
        "texture-without-texcoords.ply": (
            _ply_of("comment TextureFile a.png\n" + face, "3 0 1 2\n"),
            (WARNED,),
        ),
        "texture-far-up.ply": (
            _ply_of(
                "comment TextureFile ../../../../../../../etc/passwd\n"
                + face
                + "property list uchar float texcoord\n",
                "3 0 1 2 6 0 0 1 0 1 1\n",
            ),
            (WARNED,),
        ),
        "colors-not-finite.ply": (
            _ply_of(
                face + "property float red\nproperty float green\nproperty float blue\n",
                "3 0 1 2 nan inf -inf\n",
            ),
            (KEPT,),
        ),
        "all-transparent.ply": (
            _ply_of(
                face + "".join(f"property uchar {name}\n" for name in ("red", "green", "blue", "alpha")),
                "3 0 1 2 9 9 9 0\n",
            ),
            (WARNED,),
        ),
    }


def _more_stl_files() -> dict[str, tuple[bytes, tuple[str, ...]]]:
    facet = _STL_TEXT.removeprefix(b"solid a\n")
    return {
        "count-too-small.stl": (_stl(count=1, triangles=3), (KEPT, WARNED)),
        "count-of-one-more.stl": (_stl(count=3, triangles=2), (WARNED,)),
        "trailer.stl": (_stl() + b"a trailer of words" * 9, (WARNED,)),
        "trailer-of-zeros.stl": (_stl() + bytes(500), (KEPT,)),
        "trailer-short.stl": (_stl() + b"\r\n", (KEPT,)),
        "text-endless.stl": (_STL_TEXT + b"endsolid\n" + facet * 1000, (KEPT,)),
        "text-of-one-line.stl": ((_STL_TEXT + b"endsolid").replace(b"\n", b" "), (KEPT,)),
        "text-cut-in-a-number.stl": (_STL_TEXT[: _STL_TEXT.index(b"1 0\nendloop") + 2], ("cut off",)),
        "text-cut-before-endloop.stl": (_STL_TEXT[: _STL_TEXT.index(b"endloop")], ("cut off",)),
        "text-facet-of-two.stl": (_STL_TEXT.replace(b"vertex 1 0 0\n", b"") + facet, (WARNED,)),
        "text-of-nan.stl": (_STL_TEXT.replace(b"1 0 0\n", b"nan 0 0\n"), ("not finite",)),
        "text-of-one-nan.stl": (_STL_TEXT.replace(b"1 0 0\n", b"-1.#IND 0 0\n") + facet, (WARNED,)),
        "text-of-polygons.stl": (_STL_TEXT.replace(b"vertex 0 1 0", b"vertex 1 1 0\nvertex 0 1 0"), (KEPT,)),
        "text-decimal-comma.stl": (_STL_TEXT.replace(b"1 0 0\n", b"1,5 0 0\n"), ("unreadable",)),
    }


def _more_off_files() -> dict[str, tuple[bytes, tuple[str, ...]]]:
    return {
        "binary.off": (_OFF.replace(b"OFF", b"OFF BINARY"), ("unsupported",)),
        "four-dimensions.off": (_OFF.replace(b"OFF", b"4OFF"), ("unsupported",)),
        "any-dimension.off": (_OFF.replace(b"OFF", b"nOFF\n3"), ("unsupported",)),
        "without-keyword.off": (_OFF.removeprefix(b"OFF\n"), (KEPT,)),
        "one-line.off": (_OFF.replace(b"\n", b" "), (KEPT,)),
        "one-bad-index.off": (_OFF.replace(b"3 1 0", b"3 2 0") + b"3 0 1 9\n", (WARNED,)),
        "color-index.off": (_OFF.replace(b"3 0 1 2", b"3 0 1 2 7"), (WARNED,)),
        "more-lines.off": (_OFF + b"3 0 1 2\n", (WARNED,)),
        "counts-negative.off": (_OFF.replace(b"3 1 0", b"-3 1 0"), ("unreadable",)),
        "size-of-halves.off": (_OFF.replace(b"3 0 1 2", b"2.5 0 1 2"), ("unreadable",)),
        "size-too-large.off": (_OFF.replace(b"3 0 1 2", b"999999999 0 1 2"), ("cut off",)),
        "words.off": (_OFF.replace(b"3 0 1 2", b"3 0 one 2"), ("unreadable",)),
        "all-comments.off": (b"OFF\n" + b"# nothing\n" * 10_000, ("unreadable",)),
    }


def polygon_files(chance: random.Random) -> dict[str, tuple[bytes, tuple[str, ...]]]:
    noise = chance.randbytes(700)
    return {
        "good.ply": (_ply(), (KEPT,)),
        "empty.ply": (b"", ("unreadable",)),
        "head.ply": (_ply()[:60], ("unreadable",)),
        "noise.ply": (noise, ("unreadable",)),
        "count-huge.ply": (_ply(vertices=str(10**12)), ("too large",)),
        "count-too-large.ply": (_ply(vertices="1000000"), ("cut off",)),
        "count-negative.ply": (_ply(vertices="-5"), ("unreadable",)),
        "count-faces-too-large.ply": (_ply(faces="1000000"), ("cut off",)),
        "no-faces.ply": (_ply(faces="0", body="0 0 0\n1 0 0\n0 1 0\n"), ("no faces",)),
        "nan.ply": (_ply(body="0 0 0\nnan 0 0\n0 1 0\n3 0 1 2\n"), ("not finite",)),
        "index-too-large.ply": (_ply(body="0 0 0\n1 0 0\n0 1 0\n3 0 1 7\n"), ("no faces",)),
        "index-negative.ply": (_ply(body="0 0 0\n1 0 0\n0 1 0\n3 0 1 -2\n"), ("no faces",)),
        "one-point.ply": (_ply(body="1 1 1\n1 1 1\n1 1 1\n3 0 1 2\n"), ("no extent",)),
        "good-binary.ply": (_binary_ply(), (KEPT,)),
        "cut-binary.ply": (_binary_ply(size=chance.randrange(10, 30)), ("cut off",)),
        "count-binary.ply": (_binary_ply(count=10**6), ("cut off",)),
        **_more_ply_files(),
        "good.stl": (_stl(), (KEPT,)),
        "empty.stl": (b"", ("cut off",)),
        "cut.stl": (_stl()[:-9], ("cut off",)),
        "noise.stl": (noise, ("cut off",)),
        "count-huge.stl": (_stl(count=2**32 - 1), (WARNED,)),
        "no-triangles.stl": (_stl(count=0, triangles=0), ("no faces",)),
        "nan.stl": (_stl(value=float("nan")), ("not finite",)),
        "text-of-solids.stl": (_STL_TEXT + (b"endsolid\n" + _STL_TEXT) * 2000, (KEPT,)),
        "text-cut.stl": (_STL_TEXT[:-60], ("cut off",)),
        "text-of-words.stl": (_STL_TEXT.replace(b"1 0 0\n", b"one 0 0\n"), ("unreadable",)),
        "text-with-normals-of-words.stl": (
            (_STL_TEXT + b"endsolid\n").replace(b"normal 0 0 1", b"normal a b c"),
            (KEPT,),
        ),
        "text-without-facets.stl": (b"solid nothing\nendsolid\n", ("no faces",)),
        **_more_stl_files(),
        "good.off": (_OFF, (KEPT,)),
        "good-glued.off": (_OFF.replace(b"OFF\n", b"OFF"), (KEPT,)),
        "empty.off": (b"", ("unreadable",)),
        "noise.off": (noise, ("unreadable",)),
        "count-huge.off": (_OFF.replace(b"3 1 0", b"999999999999 1 0"), ("too large",)),
        "count-too-large.off": (_OFF.replace(b"3 1 0", b"90000 1 0"), ("cut off",)),
        "cut.off": (_OFF[: _OFF.index(b"0 1 0\n3") + 2], ("cut off",)),
        "nan.off": (_OFF.replace(b"1 0 0", b"nan 0 0"), ("not finite",)),
        "index-too-large.off": (_OFF.replace(b"3 0 1 2", b"3 0 1 9"), ("no faces",)),
        "index-negative.off": (_OFF.replace(b"3 0 1 2", b"3 0 1 -1"), ("no faces",)),
        **_more_off_files(),
        "one-point.obj": (b"v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n", ("no extent",)),
        "good.obj": (b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", (KEPT,)),
    }

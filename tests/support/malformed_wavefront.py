"""Malformed OBJ and MTL texts, made from the cube."""

import random

import numpy as np

from tests.support.malformed_cases import KEPT, WARNED
from tests.support.meshes import CUBE_MTL, CUBE_OBJ

_VERTICES, _, _FACES = CUBE_OBJ.partition("usemtl")
_FACES = "usemtl" + _FACES


def _replaced(old: str, new: str) -> bytes:
    assert old in CUBE_OBJ
    return CUBE_OBJ.replace(old, new).encode()


def _scaled(factor: float) -> bytes:
    lines = (line.split() for line in CUBE_OBJ.splitlines())
    return "\n".join(
        f"v {' '.join(repr(float(x) * factor) for x in words[1:])}" if words[:1] == ["v"] else " ".join(words)
        for words in lines
    ).encode()


def _vertices_of(numbers: str) -> bytes:
    """The cube with these numbers in all of its vertices."""
    return "".join(
        f"v {numbers}\n" if line.startswith("v ") else line for line in CUBE_OBJ.splitlines(keepends=True)
    ).encode()


def _colored(colors: tuple[str, ...]) -> bytes:
    """The cube with these colors in turn behind its vertices, and without a texture."""
    lines = CUBE_OBJ.replace("usemtl painted", "usemtl plain").splitlines()
    return "\n".join(
        f"{line} {colors[number % len(colors)]}" if line.startswith("v ") else line
        for number, line in enumerate(lines)
    ).encode()


def _star(corners: int) -> bytes:
    """One face of this many corners that crosses itself everywhere."""
    places = np.random.default_rng(0).integers(0, 1000, (1000, 2)) / 1000 - 0.5
    vertices = "".join(f"v {x} {y} 0\n" for x, y in places)
    order = np.random.default_rng(1).integers(1, 1001, corners)
    return (vertices + "f " + " ".join(map(str, order)) + "\n").encode()


def obj_texts(chance: random.Random) -> dict[str, tuple[bytes, tuple[str, ...]]]:
    first_face = CUBE_OBJ.index("f 1/1")
    in_vertices = chance.randrange(CUBE_OBJ.index("v "), CUBE_OBJ.index("vt"))
    in_faces = CUBE_OBJ.rindex("/") + 1  # after the slash of the last corner
    last = len(CUBE_OBJ) - len("3/3 7/3 6/4\n") - chance.randrange(2)
    noise = chance.randbytes(4096)
    return {
        "empty": (b"", ("no faces",)),
        "comments-only": (b"# nothing\n" * 50, ("no faces",)),
        "no-faces": (_VERTICES.encode(), ("no faces",)),
        "all-degenerate": ((_VERTICES + "f 1/1 1/1 2/2\nf 3/3 3/3 3/3\n").encode(), ("no faces",)),
        "faces-before-all": (_FACES.encode(), ("no faces",)),
        "nan": (_replaced("v 0.3 -0.3 -0.3", "v nan -0.3 -0.3"), (WARNED,)),
        "infinite": (_replaced("v 0.3 -0.3 -0.3", "v 0.3 -inf -0.3"), (WARNED,)),
        "absurd-exponent": (_replaced("v 0.3 -0.3 -0.3", "v 1e999 -0.3 -0.3"), (WARNED,)),
        "beyond-float32": (_replaced("v 0.3 -0.3 -0.3", "v 1e200 -0.3 -0.3"), (WARNED,)),
        "nan-texcoord": (_replaced("vt 1 0", "vt nan 0"), (WARNED,)),
        "million-figures": (_replaced("v 0.3 -0.3 -0.3", f"v {'9' * 10**6} 0 0"), (WARNED,)),
        "huge": (_scaled(1e6), ("not to scale",)),
        "largest": (_scaled(1e38), ("not to scale",)),
        "tiny": (_scaled(1e-6), ("not to scale",)),
        "one-point": (_scaled(0.0), ("not to scale",)),
        "index-too-large": (_replaced("f 5/1", "f 9/1"), (WARNED,)),
        "index-far-too-large": (_replaced("f 5/1", f"f {10**30}/1"), (WARNED,)),
        "index-negative": (_replaced("f 5/1", "f -9/1"), (WARNED,)),
        "index-zero": (_replaced("f 5/1", "f 0/1"), (WARNED,)),
        "texcoord-too-large": (_replaced("f 5/1", "f 5/7"), (WARNED,)),
        "face-of-two": (_replaced("f 5/1 6/2 7/3 8/4", "f 5/1 6/2"), (WARNED,)),
        "face-of-words": (_replaced("f 5/1", "f five/1"), (WARNED,)),
        "uneven-corners": (_replaced("f 5/1", "f 5"), (KEPT,)),
        "vertex-of-two": (_replaced("v 0.3 -0.3 -0.3", "v 0.3 -0.3"), (WARNED,)),
        "libraries-many": (
            "".join(f"mtllib {'./' * (n % 500)}{n // 500}.mtl\n" for n in range(2000)).encode()
            + CUBE_OBJ.encode(),
            (WARNED,),
        ),
        "million-corners": ((_VERTICES + "f" + " 1/1 2/2" * 500_000 + "\n").encode(), ("no faces",)),
        "cut-in-vertices": (CUBE_OBJ[:in_vertices].encode(), ("cut off", "no faces")),
        "cut-in-faces": (CUBE_OBJ[:in_faces].encode(), ("cut off",)),
        "cut-in-last-face": (CUBE_OBJ[:last].encode(), ("cut off",)),
        "cut-before-faces": (CUBE_OBJ[:first_face].encode(), ("no faces",)),
        "noise": (noise, ("no faces", "cut off", "not finite")),
        "noise-after-head": (CUBE_OBJ[:200].encode() + noise, ("no faces", "cut off", "not finite")),
        "utf-16": (CUBE_OBJ.encode("utf-16"), (KEPT,)),
        "utf-16-without-mark": (CUBE_OBJ.encode("utf-16-be"), (KEPT,)),
        "utf-16-cut": (CUBE_OBJ.encode("utf-16")[:-3], ("cut off", KEPT)),
        "all-numbers-nan": (_vertices_of("nan nan nan"), ("not finite",)),
        "nan-normal": ((_VERTICES + "vn nan 0 1\nf 1//1 2//1 3//1 4//1\n" + _FACES).encode(), (WARNED,)),
        "figure-of-eight": (_replaced("f 5/1 6/2 7/3 8/4", "f 5/1 7/3 6/2 8/4"), (WARNED,)),
        "points-and-curves": ((CUBE_OBJ + "p 1\nl 1 2\ncurv 0 1 1 2\ncall rm.obj\n").encode(), (WARNED,)),
        "keywords-of-noise": ((CUBE_OBJ + "zz 1\n" * 100_000).encode(), (WARNED,)),
        "colors-of-all-kinds": (_colored(("2 0 300", "nan 1 1", "-1 0 0", "", "1e300 0 0")), (WARNED,)),
        "zbrush-colors-too-many": (("#MRGB ffffffff\n" + CUBE_OBJ).encode(), (WARNED,)),
        "zbrush-colors-of-words": (_replaced("vt 0 0", "#MRGB what is this\nvt 0 0"), (KEPT,)),
        "comments-everywhere": (CUBE_OBJ.replace("\n", " # 1 2 3\n").encode(), (KEPT,)),
        "million-comment-marks": ((CUBE_OBJ + "v 1 2 3 " + "#.#" * 10**6 + "\n").encode(), (KEPT,)),
        "million-continued": (CUBE_OBJ.replace("f 5/1", "f" + " \\\n" * 10**6 + " 5/1").encode(), (KEPT,)),
        "many-corners-crossing": (_star(300_000), ("no faces", WARNED)),
        "hundred-thousand-corners-crossing": (_star(10**5), ("no faces", WARNED)),
        "library-of-a-million-words": (("mtllib" + " a" * 10**6 + "\n" + CUBE_OBJ).encode(), (WARNED, KEPT)),
        "libraries-on-a-line": (("mtllib" + " a.mtl" * 10**5 + "\n" + CUBE_OBJ).encode(), (WARNED, KEPT)),
        "nul-bytes": (_replaced("v 0.3 -0.3 -0.3", "v 0.3 -0.3\0 -0.3"), (WARNED,)),
        "web-page": (b"<!DOCTYPE html><html><body>404 not found</body></html>", ("no faces",)),
        "zip-archive": (b"PK\x03\x04" + noise[:500], ("no faces", "cut off", "not finite")),
    }


def _map(name: str) -> str:
    return CUBE_MTL.replace("../images/texture0.png", name)


MTL_TEXTS: dict[str, bytes] = {
    "texture-far-up": _map("../../../../../../../../../../etc/passwd").encode(),
    "texture-absolute": _map("/etc/passwd").encode(),
    "texture-elsewhere": _map("../../../../outside/texture0.png").encode(),
    "texture-is-the-mesh": _map("model_normalized.obj").encode(),
    "texture-is-a-folder": _map("../images").encode(),
    "texture-has-no-name": _map("../images/").encode(),
    "texture-name-of-a-million": _map("a" * 10**6).encode(),
    "texture-name-with-nul": _map("a\0b.png").encode(),
    "texture-name-of-folders": _map("a/" * 100_000).encode(),
    "texture-name-with-escapes": _map("\x1b]0;a\x07\x1b[2J.png").encode(),
    "materials-many": "".join(f"newmtl {n}\nmap_Kd {n}.png\n" for n in range(2000)).encode(),
    "texture-of-another-machine": _map("C:\\Users\\artist\\nothing.png").encode(),
    "texture-found-by-name": _map("C:\\Users\\artist\\texture0.png").encode(),
    "texture-in-another-case": _map("../Images/TEXTURE0.png").encode(),
    "texture-name-of-percents": _map("%" * 4000).encode(),
    "texture-name-up-and-down": _map("a/../" * 800 + "b.png").encode(),
    "texture-names-of-windows": "".join(
        f"newmtl {n}\nmap_Kd C:\\{'a/' * 40}{n}.png\n" for n in range(2000)
    ).encode(),
    "texture-is-the-material": _map("model_normalized.mtl").encode(),
    "materials-empty": b"",
    "map-options-of-all-kinds": _map(
        "-s 1e300 nan -o inf -mm 9 9 -t 1 -clamp on ../images/texture0.png"
    ).encode(),
    "map-options-without-a-name": _map("-s 1 1 1 -o 1 1 1").encode(),
    "map-options-of-a-million": _map("-s 1 1 1 " * 10**5 + "a.png").encode(),
    "map-name-of-words": _map("a " * 10**5 + "a.png").encode(),
    "material-of-unknown-words": (CUBE_MTL + "".join(f"z{n} 1\n" for n in range(10_000))).encode(),
    "material-of-glass": CUBE_MTL.replace("illum 2", "illum 7\nTf 1 0 0").encode(),
    "materials-noise": random.Random(1).randbytes(2000),
}

"""Meshes and textures that are broken on purpose, each with what is to become of it, made from a seed.

``make_corpus`` writes two folders, ``shapenet`` in ShapeNet's layout and ``folder`` with files of other
formats, with good objects among the bad ones.
"""

import base64
import json
import os
import random
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.support.meshes import CUBE_MTL, CUBE_OBJ, write_shapenet_object

KEPT = "kept"
WARNED = "kept with a warning"

REASONS = (
    *("cut off", "no faces", "not finite", "no extent", "not to scale", "too large"),
    *("file missing", "outside", "unreadable", "unsupported"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One object, and how loading it is to end."""

    source: str
    """"shapenet" or "folder": the source, and the name of the folder."""
    id: str
    outcomes: tuple[str, ...]
    """``KEPT``, ``WARNED``, or the reasons for which it may be left out: where a file is cut decides some."""
    listed: bool = True
    """Whether the source lists it: what is no file at all is no object."""


def make_corpus(folder: Path, seed: int = 0) -> tuple[Case, ...]:
    """Write the corpus below ``folder``; the same seed makes the same files."""
    outside = folder / "outside"
    outside.mkdir(parents=True)
    (outside / "mesh.obj").write_text(CUBE_OBJ)
    (outside / "texture0.png").write_bytes(_png())
    (outside / "data.bin").write_bytes(_BOX_DATA)
    chance = random.Random(seed)
    return (*_shapenet(folder / "shapenet", outside, chance), *_folder(folder / "folder", outside, chance))


# OBJ, MTL and images, in ShapeNet's layout.

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


def _obj_texts(chance: random.Random) -> dict[str, tuple[bytes, tuple[str, ...]]]:
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


_MTL_TEXTS: dict[str, bytes] = {
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


def _png(size: tuple[int, int] = (2, 2)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, (200, 10, 10)).save(out, "PNG")
    return out.getvalue()


def _jpeg() -> bytes:
    out = BytesIO()
    Image.effect_noise((64, 64), 50).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def _png_of(width: int, height: int) -> bytes:
    """A PNG that claims this size, and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def _png_with_texts() -> bytes:
    """A PNG whose texts unpack to 70 MB."""
    text = zlib.compress(b"a" * 1_000_000)
    chunks = [b"zTXt", *(b"%d\0\0" % n + text for n in range(70))]
    png = _png()
    texts = b"".join(
        struct.pack(">I", len(data)) + chunks[0] + data + struct.pack(">I", zlib.crc32(chunks[0] + data))
        for data in chunks[1:]
    )
    return png[:33] + texts + png[33:]


def _jpeg_of_scans(count: int) -> bytes:
    """A progressive JPEG of 2048 x 2048 whose last scan is repeated."""
    out = BytesIO()
    Image.new("L", (2048, 2048)).save(out, "JPEG", progressive=True)
    jpeg = out.getvalue()
    return jpeg[:-2] + jpeg[jpeg.rindex(b"\xff\xda") : -2] * count + jpeg[-2:]


def _webp_of(width: int, height: int) -> bytes:
    """An animation of one pixel in the corner of this canvas."""
    out = BytesIO()
    Image.new("RGBA", (1, 1)).save(out, "WEBP", lossless=True)
    frame = bytes(12) + b"d\0\0\0" + out.getvalue()[12:]
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    parts = ((b"VP8X", b"\x12\0\0\0" + size), (b"ANIM", bytes(6)), (b"ANMF", frame))
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(data)) + data for kind, data in parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _encode(kind: str) -> bytes:
    out = BytesIO()
    Image.effect_noise((32, 32), 50).convert("RGB").save(out, kind)
    return out.getvalue()


def _jpeg_2000_of_tiles() -> bytes:
    """A JPEG 2000 image of 2048 x 2048 that claims tiles of one pixel."""
    out = BytesIO()
    Image.new("RGB", (2048, 2048)).save(out, "JPEG2000", tile_size=(1024, 1024))
    return out.getvalue().replace(struct.pack(">2I", 1024, 1024), struct.pack(">2I", 1, 1), 1)


def _tiff_of_floats() -> bytes:
    """A TIFF of 32 x 32 floats of three channels."""
    tags = {256: 32, 257: 32, 258: 32, 259: 1, 262: 2, 273: 8, 277: 3, 278: 32, 279: 12288, 339: 3}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    body = np.linspace(0, 1, 3072, dtype="<f4").tobytes()
    return (
        b"II*\0" + struct.pack("<I", 8 + len(body)) + body + struct.pack("<H", len(tags)) + entries + bytes(4)
    )


_GOOD_IMAGES: dict[str, Callable[[], bytes]] = {
    "image-of-floats": _tiff_of_floats,
    "image-jpeg-2000": lambda: _encode("JPEG2000"),
    "image-bmp": lambda: _encode("BMP"),
}


def _images(chance: random.Random) -> dict[str, bytes]:
    jpeg, png = _jpeg(), _png((32, 32))
    return {
        "image-empty": b"",
        "image-bomb": _png_of(60_000, 60_000),
        "image-of-2-gigapixels": _png_of(2**31 - 1, 1),
        "image-without-data": _png_of(16, 16),
        "image-without-width": _png_of(0, 16),
        "image-of-one-column": _png_of(1, 2**26),
        "image-of-scans": _jpeg_of_scans(1000),
        "image-of-a-canvas": _webp_of(8192, 8192),
        "image-of-words": b"P3\n1024 1024\n255\n" + b"#a\n" * 100_000,
        "image-of-nothing": b"P6\n8192 8192\n255\n",
        "image-noise": chance.randbytes(1000),
        "image-web-page": b"<html>not found</html>",
        "image-cut-png": png[: len(png) // 2],
        "image-cut-jpeg": jpeg[: len(jpeg) // 2 + chance.randrange(100)],
        "image-head-of-jpeg": jpeg[:20],
        "image-cut-interlaced": png[:28] + b"\x01" + png[29:],
        "image-cut-before-a-pixel": jpeg[: jpeg.index(b"\xff\xda") + 14],
        "image-cut-bmp": _encode("BMP")[:2000],
        "image-jpeg-2000-cut": _encode("JPEG2000")[:-40],
        "image-jpeg-2000-bomb": _encode("JPEG2000").replace(struct.pack(">I", 32), struct.pack(">I", 60_000)),
        "image-jpeg-2000-of-tiles": _jpeg_2000_of_tiles(),
        "image-tiff-cut": _tiff_of_floats()[:500],
        "image-tiff-of-a-claim": _tiff_of_floats().replace(struct.pack("<I", 32), struct.pack("<I", 60_000)),
        "image-tiff-of-itself": b"II*\0\x08\0\0\0" + b"\xff" * 4000,
        "image-radiance": b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n\x80\x80\x80\x80",
        "image-openexr": b"v/1\x01" + bytes(500),
        "image-postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n",
        "image-vector": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    }


def _shapenet(root: Path, outside: Path, chance: random.Random) -> Iterator[Case]:
    def case(name: str, *outcomes: str, listed: bool = True, **parts: Any) -> tuple[Case, Path]:
        path = write_shapenet_object(root, f"100/{name}", **parts)
        return Case("shapenet", f"100/{name}", outcomes, listed), path

    for name in ("good-a", "good-b"):
        yield case(name, KEPT)[0]
    for name, (text, reasons) in _obj_texts(chance).items():
        made, path = case(name, *reasons)
        path.write_bytes(text)
        yield made
    for name, text in _MTL_TEXTS.items():
        made, path = case(name, WARNED)
        path.with_suffix(".mtl").write_bytes(text)
        yield made
    for name, data in _images(chance).items():
        made, path = case(name, WARNED)
        (path.parent.parent / "images" / "texture0.png").write_bytes(data)
        yield made
    for name, make in _GOOD_IMAGES.items():
        made, path = case(name, KEPT)
        (path.parent.parent / "images" / "texture0.png").write_bytes(make())
        yield made
    for name, change in _PLACES.items():
        made, path = case(name, *change.outcomes, listed=change.listed)
        change.make(path, outside)
        yield made


@dataclass(frozen=True, slots=True)
class _Change:
    """What is done to an object's files, and what is to become of it."""

    make: Callable[[Path, Path], object]
    outcomes: tuple[str, ...]
    listed: bool = True


def _texture_of(path: Path) -> Path:
    return path.parent.parent / "images" / "texture0.png"


def _instead(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def _instead_of_folder(path: Path, make: Callable[[Path], object]) -> None:
    shutil.rmtree(path)
    make(path)


_PLACES: dict[str, _Change] = {
    "mesh-is-a-link-outside": _Change(
        lambda p, out: _instead(p, lambda q: q.symlink_to(out / "mesh.obj")), ("outside",)
    ),
    "mesh-is-a-link-to-itself": _Change(
        lambda p, out: _instead(p, lambda q: q.symlink_to(q)), ("file missing",), listed=False
    ),
    "mesh-is-a-folder": _Change(lambda p, out: _instead(p, Path.mkdir), ("file missing",), listed=False),
    "mesh-is-a-pipe": _Change(lambda p, out: _instead(p, os.mkfifo), ("file missing",), listed=False),
    "texture-missing": _Change(lambda p, out: _texture_of(p).unlink(), (WARNED,)),
    "texture-is-a-link-outside": _Change(
        lambda p, out: _instead(_texture_of(p), lambda q: q.symlink_to(out / "texture0.png")), (WARNED,)
    ),
    "texture-is-a-pipe": _Change(lambda p, out: _instead(_texture_of(p), os.mkfifo), (WARNED,)),
    "texture-is-a-device": _Change(
        lambda p, out: _instead(_texture_of(p), lambda q: q.symlink_to("/dev/zero")), (WARNED,)
    ),
    "texture-folder-is-a-link-outside": _Change(
        lambda p, out: _instead_of_folder(_texture_of(p).parent, lambda q: q.symlink_to(out)), (WARNED,)
    ),
    "texture-is-a-link-inside": _Change(
        lambda p, out: _instead(_texture_of(p), lambda q: q.symlink_to("../../good-a/images/texture0.png")),
        (KEPT,),
    ),
    "materials-missing": _Change(lambda p, out: p.with_suffix(".mtl").unlink(), (WARNED,)),
    "materials-are-the-mesh": _Change(
        lambda p, out: p.write_text(CUBE_OBJ.replace("model_normalized.mtl", p.name)), (WARNED,)
    ),
    "materials-far-up": _Change(
        lambda p, out: p.write_text(CUBE_OBJ.replace("model_normalized.mtl", "../../../../../etc/passwd")),
        (WARNED,),
    ),
    "materials-are-a-device": _Change(
        lambda p, out: _instead(p.with_suffix(".mtl"), lambda q: q.symlink_to("/dev/zero")), (WARNED,)
    ),
}


# glTF.

_BOX_POSITIONS = np.array(
    [[x, y, z] for z in (-0.5, 0.5) for y in (-0.5, 0.5) for x in (-0.5, 0.5)], dtype="<f4"
)
_BOX_INDICES = np.array(
    [[0, 2, 3], [0, 3, 1], [4, 5, 7], [4, 7, 6], [0, 1, 5], [0, 5, 4], [2, 6, 7], [2, 7, 3]], dtype="<u2"
)
_BOX_DATA = _BOX_POSITIONS.tobytes() + _BOX_INDICES.tobytes()


def box_tree(**changes: Any) -> dict[str, Any]:
    """The JSON of a glTF file with one box; ``changes`` replace parts of the top level."""
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [_accessor(0, 5126, 8, "VEC3"), _accessor(1, 5123, 24, "SCALAR")],
        "bufferViews": [_view(0, 96), _view(96, 48)],
        "buffers": [{"byteLength": len(_BOX_DATA)}],
        **changes,
    }


def _accessor(view: int | None, component: Any, count: int, kind: str, **more: Any) -> dict[str, Any]:
    table = {"componentType": component, "count": count, "type": kind, **more}
    return table if view is None else {"bufferView": view, **table}


def _view(start: int, size: int) -> dict[str, Any]:
    return {"buffer": 0, "byteOffset": start, "byteLength": size}


def glb(tree: object, data: bytes = _BOX_DATA, *, text: bytes | None = None) -> bytes:
    """A GLB file."""
    head = json.dumps(tree).encode() if text is None else text
    head += b" " * (-len(head) % 4)
    data += b"\0" * (-len(data) % 4)
    body = struct.pack("<II", len(head), 0x4E4F534A) + head + struct.pack("<II", len(data), 0x004E4942) + data
    return struct.pack("<III", 0x46546C67, 2, 12 + len(body)) + body


def _with_buffer(uri: str, size: int = len(_BOX_DATA)) -> bytes:
    return json.dumps(box_tree(buffers=[{"byteLength": size, "uri": uri}])).encode()


def _primitive(**changes: Any) -> list[dict[str, Any]]:
    return [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, **changes}]}]


def _points() -> list[dict[str, Any]]:
    """Triangles without indices."""
    return [{"primitives": [{"attributes": {"POSITION": 0}}]}]


def _textured(image: dict[str, Any], data: bytes = b"") -> bytes:
    """A box whose material has this image; ``data`` follows the box in the buffer, as view 2."""
    tree = box_tree(
        meshes=_primitive(material=0, attributes={"POSITION": 0, "TEXCOORD_0": 0}),
        materials=[{"pbrMetallicRoughness": {"metallicFactor": 0, "baseColorTexture": {"index": 0}}}],
        textures=[{"source": 0}],
        images=[image],
        bufferViews=[_view(0, 96), _view(96, 48), _view(144, len(data))],
        buffers=[{"byteLength": len(_BOX_DATA) + len(data)}],
    )
    return glb(tree, _BOX_DATA + data)


def _gltf_files(chance: random.Random) -> dict[str, tuple[bytes, tuple[str, ...]]]:
    whole = glb(box_tree())
    nan, far, bad_index = _BOX_POSITIONS.copy(), _BOX_POSITIONS.copy(), _BOX_INDICES.copy()
    nan[3, 1], far[0, 0], bad_index[2, 1] = np.nan, np.inf, 200
    text = base64.b64encode(_BOX_DATA).decode()
    doubling = [{"children": [n + 1, n + 1]} for n in range(40)] + [{"mesh": 0}]
    nodes = [{"mesh": 0}] + [{} for _ in range(20_000)]
    sparse = {"count": 1, "indices": {"bufferView": 1, "componentType": 5123}, "values": {"bufferView": 0}}
    box = _accessor(0, 5126, 8, "VEC3")
    return {
        "empty.glb": (b"", ("unreadable",)),
        "magic.glb": (whole[:4], ("cut off",)),
        "cut.glb": (whole[: chance.randrange(20, len(whole) - 4)], ("cut off",)),
        "json-chunk-too-long.glb": (whole[:12] + struct.pack("<I", 2**31) + whole[16:], ("cut off",)),
        "length-too-long.glb": (whole[:8] + struct.pack("<I", 2**32 - 1) + whole[12:], (WARNED,)),
        "length-zero.glb": (whole[:8] + struct.pack("<I", 0) + whole[12:], (WARNED,)),
        "other-chunk.glb": (whole[:16] + b"ABCD" + whole[20:], ("unreadable",)),
        "version-1.glb": (whole[:4] + struct.pack("<I", 1) + whole[8:], ("unsupported",)),
        "version-1.gltf": (json.dumps(box_tree(asset={"version": "1.0"})).encode(), ("unsupported",)),
        "nested.gltf": (b'{"a":' * 200_000, ("unreadable",)),
        "nested-list.glb": (glb(None, text=b"[" * 100_000), ("unreadable",)),
        "list.gltf": (b"[1, 2]", ("unreadable",)),
        "not-json.gltf": (b"{]", ("unreadable",)),
        "utf-16.gltf": (json.dumps(box_tree()).encode("utf-16-le")[1:], ("unreadable",)),
        "noise.glb": (chance.randbytes(600), ("unreadable",)),
        "count-huge.glb": (
            glb(box_tree(accessors=[_accessor(0, 5126, 2**40, "VEC3")])),
            ("unreadable", "too large"),
        ),
        "count-too-large.glb": (
            glb(box_tree(accessors=[_accessor(0, 5126, 9, "VEC3"), _accessor(1, 5123, 24, "SCALAR")])),
            ("unreadable",),
        ),
        "count-huge-of-nothing.glb": (
            glb(box_tree(accessors=[_accessor(None, 5126, 2**40, "VEC3")], meshes=_primitive(indices=0))),
            ("too large",),
        ),
        "count-of-figures.glb": (
            glb(None, text=json.dumps(box_tree()).replace("24", "9" * 4000).encode()),
            ("unreadable",),
        ),
        "zeros.glb": (
            glb(box_tree(accessors=[_accessor(None, 5126, 19_999_999, "VEC3")], meshes=_points())),
            ("too large",),
        ),
        "zeros-sparse.glb": (
            glb(
                box_tree(
                    accessors=[_accessor(None, 5126, 19_999_999, "VEC3", sparse=sparse)], meshes=_points()
                )
            ),
            ("too large",),
        ),
        "zeros-as-a-strip.glb": (
            glb(
                box_tree(
                    accessors=[_accessor(0, 5126, 8, "VEC3"), _accessor(None, 5125, 50_000_000, "SCALAR")],
                    meshes=_primitive(mode=5),
                )
            ),
            ("too large",),
        ),
        "zeros-as-texture-coordinates.glb": (
            glb(
                box_tree(
                    accessors=[*box_tree()["accessors"], _accessor(None, 5126, 50_000_000, "VEC2")],
                    meshes=_primitive(attributes={"POSITION": 0, "TEXCOORD_0": 2}),
                )
            ),
            ("too large",),
        ),
        "count-negative.glb": (
            glb(box_tree(accessors=[_accessor(0, 5126, -1, "VEC3"), _accessor(1, 5123, 24, "SCALAR")])),
            ("unreadable",),
        ),
        "component-is-a-list.glb": (
            glb(box_tree(accessors=[_accessor(0, [5126], 8, "VEC3"), _accessor(1, 5123, 24, "SCALAR")])),
            ("unreadable",),
        ),
        "material-is-a-list.glb": (glb(box_tree(meshes=_primitive(material=[0]))), (WARNED,)),
        "extensions-are-a-number.glb": (glb(box_tree(extensionsRequired=7)), ("unreadable",)),
        "turned-beyond-numbers.glb": (
            glb(box_tree(nodes=[{"mesh": 0, "rotation": [1e200, 0, 1e200, 0]}])),
            (WARNED,),
        ),
        "at-the-end-of-numbers.glb": (
            glb(box_tree(nodes=[{"mesh": 0, "scale": [3e38, 3e38, 3e38]}])),
            ("not finite",),
        ),
        "component-unknown.glb": (
            glb(box_tree(accessors=[_accessor(0, 77, 8, "VEC3"), _accessor(1, 5123, 24, "SCALAR")])),
            ("unreadable",),
        ),
        "view-after-buffer.glb": (
            glb(box_tree(bufferViews=[_view(100, 96), _view(96, 48)])),
            ("unreadable",),
        ),
        "view-of-no-buffer.glb": (glb(box_tree(buffers=[])), ("unreadable",)),
        "buffer-of-a-terabyte.glb": (glb(box_tree(buffers=[{"byteLength": 2**40}])), ("too large",)),
        "index-too-large.glb": (
            glb(box_tree(), _BOX_POSITIONS.tobytes() + bad_index.tobytes()),
            (WARNED,),
        ),
        "sparse-too-far.glb": (
            glb(
                box_tree(
                    accessors=[
                        {
                            **box,
                            "sparse": {
                                **sparse,
                                "indices": {"bufferView": 1, "byteOffset": 46, "componentType": 5123},
                            },
                        },
                        _accessor(1, 5123, 24, "SCALAR"),
                    ],
                    bufferViews=[_view(0, 96), _view(96, 48)],
                ),
                _BOX_POSITIONS.tobytes()
                + np.append(_BOX_INDICES.ravel()[:-1], [999]).astype("<u2").tobytes(),
            ),
            (WARNED,),
        ),
        "nan.glb": (glb(box_tree(), nan.tobytes() + _BOX_INDICES.tobytes()), (WARNED,)),
        "infinite.glb": (glb(box_tree(), far.tobytes() + _BOX_INDICES.tobytes()), (WARNED,)),
        "far-away.glb": (
            glb(box_tree(nodes=[{"mesh": 0, "scale": [1e200, 1, 1]}])),
            ("not finite",),
        ),
        "matrix-of-nan.glb": (
            glb(box_tree(nodes=[{"mesh": 0, "matrix": [float("nan")] * 16}])),
            ("unreadable",),
        ),
        "matrix-of-three.glb": (glb(box_tree(nodes=[{"mesh": 0, "matrix": [1, 2, 3]}])), ("unreadable",)),
        "flattened.glb": (glb(box_tree(nodes=[{"mesh": 0, "scale": [0, 0, 0]}])), ("no extent",)),
        "node-in-itself.glb": (glb(box_tree(nodes=[{"children": [0]}])), ("unreadable",)),
        "nodes-in-a-circle.glb": (
            glb(box_tree(nodes=[{"children": [1]}, {"children": [2]}, {"children": [0]}])),
            ("unreadable",),
        ),
        "nodes-doubling.glb": (glb(box_tree(nodes=doubling)), (WARNED,)),
        "nodes-wide.glb": (glb(box_tree(nodes=nodes, scenes=[{"nodes": [*range(len(nodes))]}])), (KEPT,)),
        "nodes-without-a-scene.glb": (glb(box_tree(nodes=nodes, scenes=[])), (KEPT,)),
        "nodes-in-a-chain.glb": (
            glb(box_tree(nodes=[*({"children": [n + 1]} for n in range(20_000)), {"mesh": 0}])),
            (KEPT,),
        ),
        "nodes-growing.glb": (
            glb(
                box_tree(
                    nodes=[*({"children": [n + 1], "scale": [9, 9, 9]} for n in range(2000)), {"mesh": 0}]
                )
            ),
            ("not finite",),
        ),
        "nodes-of-one-mesh.glb": (
            glb(box_tree(nodes=[{"mesh": 0}] * 9000, scenes=[{"nodes": [*range(9000)]}])),
            ("too large",),
        ),
        "primitives-of-one-mesh.glb": (glb(box_tree(meshes=[_primitive()[0] for _ in range(9000)])), (KEPT,)),
        "primitives-alike.glb": (
            glb(box_tree(meshes=[{"primitives": _primitive()[0]["primitives"] * 9000}])),
            ("too large",),
        ),
        "index-is-a-list.glb": (glb(box_tree(nodes=[{"mesh": [0] * 9000}])), ("unreadable",)),
        "scene-is-a-list.glb": (glb(box_tree(scene=[0] * 9000)), (WARNED,)),
        "nodes-are-text.glb": (glb(box_tree(nodes="abc")), ("unreadable",)),
        "children-are-text.glb": (glb(box_tree(nodes=[{"children": ["0"]}])), ("unreadable",)),
        "mesh-unknown.glb": (glb(box_tree(nodes=[{"mesh": 7}])), ("unreadable",)),
        "mesh-negative.glb": (glb(box_tree(nodes=[{"mesh": -1}])), ("unreadable",)),
        "no-meshes.glb": (glb(box_tree(nodes=[{"camera": 0}], meshes=[])), ("no faces",)),
        "no-scene.glb": (glb({"asset": {"version": "2.0"}}), ("no faces",)),
        "points.glb": (glb(box_tree(meshes=_primitive(mode=0))), ("no faces",)),
        "lines.glb": (glb(box_tree(meshes=_primitive(mode=1))), ("no faces",)),
        "no-positions.glb": (glb(box_tree(meshes=_primitive(attributes={}))), ("unreadable",)),
        "draco.glb": (
            glb(
                box_tree(
                    extensionsUsed=["KHR_draco_mesh_compression"],
                    extensionsRequired=["KHR_draco_mesh_compression"],
                )
            ),
            (KEPT,),
        ),
        "draco-not-required.glb": (
            glb(box_tree(meshes=_primitive(extensions={"KHR_draco_mesh_compression": {"bufferView": 0}}))),
            (KEPT,),
        ),
        "meshopt.glb": (glb(box_tree(extensionsRequired=["EXT_meshopt_compression"])), (KEPT,)),
        "buffer-missing.gltf": (_with_buffer("nothing.bin"), ("file missing",)),
        "buffer-outside.gltf": (_with_buffer("../../outside/data.bin"), ("outside",)),
        "buffer-outside-encoded.gltf": (_with_buffer("%2e%2e/%2e%2e/outside/data.bin"), ("outside",)),
        "buffer-with-escapes.gltf": (_with_buffer("\x1b[2J\nall is well\ud800"), ("file missing",)),
        "buffer-of-folders.gltf": (_with_buffer("a/" * 100_000), ("file missing",)),
        "buffer-absolute.gltf": (_with_buffer("/etc/passwd"), ("file missing", "outside")),
        "buffer-file-url.gltf": (_with_buffer("file:///etc/passwd"), ("file missing", "outside")),
        "buffer-http.gltf": (_with_buffer("http://localhost/data.bin"), ("file missing",)),
        "buffer-itself.gltf": (_with_buffer("buffer-itself.gltf", 10**6), ("cut off",)),
        "base64-broken.gltf": (_with_buffer("data:application/octet-stream;base64,@@@@"), ("unreadable",)),
        "base64-cut.gltf": (_with_buffer(f"data:;base64,{text[:40]}"), ("cut off",)),
        "base64-bomb.gltf": (_with_buffer(f"data:;base64,{text}", 2**50), ("too large",)),
        "data-not-base64.gltf": (_with_buffer("data:text/plain,hello"), ("cut off",)),
        "image-missing.glb": (_textured({"uri": "nothing.png"}), (WARNED,)),
        "image-outside.glb": (_textured({"uri": "../../outside/texture0.png"}), (WARNED,)),
        "image-bomb.glb": (_textured({"bufferView": 2}, _png_of(60_000, 60_000)), (WARNED,)),
        "image-texts.glb": (_textured({"bufferView": 2}, _png_with_texts()), (KEPT,)),
        "image-noise.glb": (_textured({"bufferView": 2}, chance.randbytes(300)), (WARNED,)),
        "image-http.glb": (_textured({"uri": "https://localhost/a.png"}), (WARNED,)),
        "image-unknown.glb": (_textured({"bufferView": 9}), (WARNED,)),
        "good.glb": (_textured({"bufferView": 2}, _png()), (KEPT,)),
        **_placed_files(),
        **_surface_files(),
        **_packed_files(chance),
    }


def _skinned(count: int = 8, *, joints: Any = (1,), sets: int = 1, **skin: Any) -> bytes:
    """A box that follows joints; the box's own numbers stand in for weights."""
    names = {f"{name}_{n}": 2 for n in range(sets) for name in ("JOINTS", "WEIGHTS")}
    tree = box_tree(
        meshes=_primitive(attributes={"POSITION": 0, **names}),
        nodes=[{"mesh": 0, "skin": 0}, {"translation": [1, 0, 0]}],
        scenes=[{"nodes": [0, 1]}],
        skins=[{"joints": joints if isinstance(joints, str) else list(joints), **skin}],
        accessors=[*box_tree()["accessors"], _accessor(None, 5126, count, "VEC4")],
    )
    return glb(tree)


def _morphed(weights: Any, targets: Any) -> bytes:
    return glb(box_tree(meshes=[{**_primitive(targets=targets)[0], "weights": weights}]))


def _instanced(attributes: Any, *more: dict[str, Any]) -> bytes:
    extension = {"EXT_mesh_gpu_instancing": {"attributes": attributes}}
    tree = box_tree(
        nodes=[{"mesh": 0, "extensions": extension}],
        accessors=[*box_tree()["accessors"], *more],
    )
    return glb(tree)


def _placed_files() -> dict[str, tuple[bytes, tuple[str, ...]]]:
    """Skins, morph targets, instances and scenes."""
    lift = {"POSITION": 0}
    chain = [{"children": [n + 1]} for n in range(5000)] + [{"mesh": 0, "skin": 0}]
    return {
        "skin-good.glb": (_skinned(), (KEPT,)),
        "skin-unknown.glb": (glb(box_tree(nodes=[{"mesh": 0, "skin": 7}])), (WARNED,)),
        "skin-is-a-list.glb": (glb(box_tree(nodes=[{"mesh": 0, "skin": [0] * 9000}])), (WARNED,)),
        "skin-without-joints.glb": (_skinned(joints=()), (WARNED,)),
        "skin-of-text.glb": (_skinned(joints="abc"), (WARNED,)),
        "skin-of-unknown-joints.glb": (_skinned(joints=(99, -1, 10**30)), (WARNED,)),
        "skin-of-a-million-joints.glb": (_skinned(joints=(1,) * 10**6), (KEPT,)),
        "skin-of-a-thousand-sets.glb": (_skinned(sets=1000), (WARNED,)),
        "skin-without-matrices.glb": (_skinned(inverseBindMatrices=99), (WARNED,)),
        "skin-of-a-matrix-of-three.glb": (_skinned(inverseBindMatrices=0), (WARNED,)),
        "skin-of-a-chain.glb": (
            glb(box_tree(nodes=chain, skins=[{"joints": [*range(5000)]}])),
            (WARNED,),
        ),
        "weights-of-too-few.glb": (_skinned(count=3), (WARNED,)),
        "weights-of-too-many.glb": (_skinned(count=19_999_999), ("too large",)),
        "morph-good.glb": (_morphed([0.5], [lift]), (KEPT,)),
        "morph-of-text.glb": (_morphed("abc", [lift]), (WARNED,)),
        "morph-of-nan.glb": (_morphed([float("nan")], [lift]), (WARNED,)),
        "morph-beyond-numbers.glb": (_morphed([1e299] * 50, [lift] * 50), ("not finite",)),
        "morph-targets-are-numbers.glb": (_morphed([1], [5]), ("unreadable",)),
        "morph-target-unknown.glb": (_morphed([1], [{"POSITION": 99}]), (WARNED,)),
        "morph-targets-alike.glb": (_morphed([1] * 200_000, [lift] * 200_000), ("too large",)),
        "instances-good.glb": (_instanced({"TRANSLATION": 0}), (KEPT,)),
        "instances-unknown.glb": (_instanced({"TRANSLATION": 99}), ("unreadable",)),
        "instances-of-numbers.glb": (_instanced({"SCALE": 1}), ("unreadable",)),
        "instances-are-text.glb": (_instanced("abc"), ("unreadable",)),
        "instances-of-nothing.glb": (
            _instanced({"TRANSLATION": 2}, _accessor(None, 5126, 10**9, "VEC3")),
            ("unreadable", "too large"),
        ),
        "instances-of-zeros.glb": (
            _instanced({"TRANSLATION": 2}, _accessor(None, 5126, 700, "VEC3")),
            (KEPT,),
        ),
        "scene-of-roots-and-children.glb": (
            glb(
                box_tree(
                    nodes=[*({"children": [n + 1]} for n in range(3000)), {"mesh": 0}],
                    scenes=[{"nodes": [*range(3001)]}],
                )
            ),
            (WARNED,),
        ),
        "scene-hidden.glb": (
            glb(
                box_tree(
                    nodes=[{"mesh": 0, "extensions": {"KHR_node_visibility": {"visible": False}}}],
                )
            ),
            ("no faces",),
        ),
        "scene-unknown.glb": (glb(box_tree(scene=9)), (WARNED,)),
        "node-of-words.glb": (glb(box_tree(nodes=[{"mesh": 0, "scale": ["a", 1, 1]}])), ("unreadable",)),
        "node-without-a-turn.glb": (glb(box_tree(nodes=[{"mesh": 0, "rotation": [0] * 4}])), (WARNED,)),
    }


def _material(**keys: Any) -> bytes:
    plain = {"pbrMetallicRoughness": {"metallicFactor": 0}}
    tree = box_tree(meshes=_primitive(material=0), materials=[{**plain, **keys}])
    return glb(tree)


def _surface_files() -> dict[str, tuple[bytes, tuple[str, ...]]]:
    """Materials, textures and colors."""
    colors = {"POSITION": 0, "COLOR_0": 0}
    texture = {"pbrMetallicRoughness": {"metallicFactor": 0, "baseColorTexture": {"index": 0}}}
    return {
        "material-good.glb": (_material(), (KEPT,)),
        "material-is-a-number.glb": (_material(pbrMetallicRoughness=5), (WARNED,)),
        "material-of-words.glb": (_material(emissiveFactor=["a", 1, 1]), (WARNED,)),
        "material-of-huge-numbers.glb": (_material(alphaCutoff=10**400), (KEPT,)),
        "material-huge-cutoff.glb": (_material(alphaMode="MASK", alphaCutoff=10**400), (WARNED,)),
        "material-alpha-mode.glb": (_material(alphaMode=["BLEND"]), (WARNED,)),
        "material-extensions.glb": (_material(extensions=[1]), (WARNED,)),
        "material-metal.glb": (_material(pbrMetallicRoughness={}), (WARNED,)),
        "material-unknown.glb": (glb(box_tree(meshes=_primitive(material=10**20))), (WARNED,)),
        "texture-unknown.glb": (_material(**texture), (WARNED,)),
        "texture-emissive-unknown.glb": (
            _material(emissiveFactor=[1, 1, 1], emissiveTexture={"index": {}}),
            (WARNED,),
        ),
        "colors-out-of-range.glb": (glb(box_tree(meshes=_primitive(attributes=colors))), (KEPT,)),
        "colors-of-one-column.glb": (
            glb(box_tree(meshes=_primitive(attributes={"POSITION": 0, "COLOR_0": 1}))),
            (WARNED,),
        ),
        "image-uri-of-a-web-page.glb": (_textured({"uri": "ftp://localhost/a.png"}), (WARNED,)),
        "image-uri-is-a-number.glb": (_textured({"uri": 7}), (WARNED,)),
        "image-absolute.glb": (_textured({"uri": "/etc/passwd"}), (WARNED,)),
        "image-file-url.glb": (_textured({"uri": "file:///etc/passwd"}), (WARNED,)),
        "image-is-the-mesh.glb": (_textured({"uri": "image-is-the-mesh.glb"}), (WARNED,)),
        "image-of-percent-signs.glb": (_textured({"uri": "%" * 50_000}), (WARNED,)),
        "image-ktx2.glb": (_textured({"uri": "a.ktx2", "mimeType": "image/ktx2"}), (WARNED,)),
        "extension-unknown.glb": (glb(box_tree(extensionsUsed=["ACME_fur"] * 9000)), (WARNED,)),
        "extension-required.glb": (glb(box_tree(extensionsRequired=["ACME_fur"])), ("unsupported",)),
        "base64-unpadded.gltf": (
            _with_buffer(f"data:;base64,{base64.b64encode(_BOX_DATA).decode().rstrip('=')}"),
            (KEPT,),
        ),
        "base64-of-percent-signs.gltf": (_with_buffer("data:;base64," + "%" * 10**6), ("unreadable",)),
    }


def _draco(data: bytes, **primitive: Any) -> bytes:
    extension = {"KHR_draco_mesh_compression": {"bufferView": 2, "attributes": {"POSITION": 0}}}
    tree = box_tree(
        meshes=_primitive(extensions=extension, **primitive),
        accessors=[_accessor(None, 5126, 8, "VEC3"), _accessor(None, 5123, 24, "SCALAR")],
        bufferViews=[_view(0, 96), _view(96, 48), _view(144, len(data))],
        buffers=[{"byteLength": 144 + len(data)}],
    )
    return glb(tree, _BOX_DATA + data)


def _meshopt(data: bytes, **packing: Any) -> bytes:
    extension = {"buffer": 0, "byteOffset": 144, "byteLength": len(data), "byteStride": 12, "count": 8}
    view = {"buffer": 1, "byteLength": 96}
    tree = box_tree(
        bufferViews=[
            {
                **view,
                "extensions": {"EXT_meshopt_compression": {**extension, "mode": "ATTRIBUTES", **packing}},
            },
            _view(96, 48),
        ],
        buffers=[{"byteLength": 144 + len(data)}, {"byteLength": 96}],
    )
    return glb(tree, _BOX_DATA + data)


def _packed_files(chance: random.Random) -> dict[str, tuple[bytes, tuple[str, ...]]]:
    """Compressed data that is none, or claims too much."""
    head = b"DRACO\x02\x02\x01"
    huge = b"\xff\xff\xff\xff\x0f"
    noise = chance.randbytes(400)
    return {
        "draco-empty.glb": (_draco(b""), ("unreadable",)),
        "draco-noise.glb": (_draco(noise), ("unreadable",)),
        "draco-noise-after-head.glb": (_draco(head + b"\x01\0\0\0\x08\x08" + noise), ("unreadable",)),
        "draco-of-billions.glb": (_draco(head + b"\0\0\0" + huge * 2 + noise), ("too large",)),
        "draco-of-nested-metadata.glb": (_draco(head + b"\0\0\x80" + b"\0\0\x7f" * 10_000), ("unreadable",)),
        "draco-of-more-than-it-says.glb": (_draco(head + b"\0\0\0\x20\x20" + noise), ("unreadable",)),
        "draco-view-unknown.glb": (
            glb(box_tree(meshes=_primitive(extensions={"KHR_draco_mesh_compression": {"bufferView": 9}}))),
            (KEPT,),
        ),
        "meshopt-noise.glb": (_meshopt(noise), ("unreadable", KEPT, WARNED, "not finite")),
        "meshopt-empty.glb": (_meshopt(b""), ("unreadable",)),
        "meshopt-of-billions.glb": (_meshopt(noise, count=2**31), ("too large",)),
        "meshopt-of-wide-rows.glb": (_meshopt(noise, byteStride=2**40), ("too large",)),
        "meshopt-mode.glb": (_meshopt(noise, mode=[1]), ("unreadable",)),
        "meshopt-buffer-unknown.glb": (_meshopt(noise, buffer=7), ("unreadable",)),
    }


# PLY, STL and OFF.


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


def _other_files(chance: random.Random) -> dict[str, tuple[bytes, tuple[str, ...]]]:
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


def _folder(root: Path, outside: Path, chance: random.Random) -> Iterator[Case]:
    root.mkdir()
    for name, (data, outcomes) in {**_gltf_files(chance), **_other_files(chance)}.items():
        # A folder each: what lies beside one object is no part of another.
        path = root / name.replace(".", "-") / name
        path.parent.mkdir()
        path.write_bytes(data)
        yield Case("folder", path.relative_to(root).with_suffix("").as_posix(), outcomes)
    link = root / "link-outside" / "mesh.obj"
    link.parent.mkdir()
    link.symlink_to(outside / "mesh.obj")
    yield Case("folder", "link-outside/mesh", ("outside",))
    beside = root / "buffer-link-outside" / "box.gltf"
    beside.parent.mkdir()
    beside.write_bytes(_with_buffer("data.bin"))
    (beside.parent / "data.bin").symlink_to(outside / "data.bin")
    yield Case("folder", "buffer-link-outside/box", ("outside",))

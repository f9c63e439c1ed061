"""Meshes and textures that are broken on purpose, each with what is to become of it, made from a seed.

``make_corpus`` writes two folders, ``shapenet`` in ShapeNet's layout and ``folder`` with files of other
formats, with good objects among the bad ones.
"""

import base64
import json
import os
import random
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
        "faces-before-all": (_FACES.encode(), ("cut off",)),
        "nan": (_replaced("v 0.3 -0.3 -0.3", "v nan -0.3 -0.3"), ("not finite",)),
        "infinite": (_replaced("v 0.3 -0.3 -0.3", "v 0.3 -inf -0.3"), ("not finite",)),
        "absurd-exponent": (_replaced("v 0.3 -0.3 -0.3", "v 1e999 -0.3 -0.3"), ("not finite",)),
        "beyond-float32": (_replaced("v 0.3 -0.3 -0.3", "v 1e200 -0.3 -0.3"), ("not finite",)),
        "nan-texcoord": (_replaced("vt 1 0", "vt nan 0"), ("not finite",)),
        "million-figures": (_replaced("v 0.3 -0.3 -0.3", f"v {'9' * 10**6} 0 0"), ("not finite",)),
        "huge": (_scaled(1e6), ("not to scale",)),
        "largest": (_scaled(1e38), ("not to scale",)),
        "tiny": (_scaled(1e-6), ("not to scale",)),
        "one-point": (_scaled(0.0), ("not to scale",)),
        "index-too-large": (_replaced("f 5/1", "f 9/1"), ("cut off",)),
        "index-far-too-large": (_replaced("f 5/1", f"f {10**30}/1"), ("cut off",)),
        "index-negative": (_replaced("f 5/1", "f -9/1"), ("cut off",)),
        "index-zero": (_replaced("f 5/1", "f 0/1"), ("cut off",)),
        "texcoord-too-large": (_replaced("f 5/1", "f 5/7"), ("cut off",)),
        "face-of-two": (_replaced("f 5/1 6/2 7/3 8/4", "f 5/1 6/2"), ("cut off",)),
        "face-of-words": (_replaced("f 5/1", "f five/1"), ("cut off",)),
        "uneven-corners": (_replaced("f 5/1", "f 5"), ("cut off",)),
        "vertex-of-two": (_replaced("v 0.3 -0.3 -0.3", "v 0.3 -0.3"), ("cut off",)),
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
        "utf-16": (CUBE_OBJ.encode("utf-16"), ("no faces",)),
        "nul-bytes": (_replaced("v 0.3 -0.3 -0.3", "v 0.3 -0.3\0 -0.3"), ("cut off",)),
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
    "texture-is-the-material": _map("model_normalized.mtl").encode(),
    "materials-empty": b"",
    "materials-utf-16": CUBE_MTL.encode("utf-16"),
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
        meshes=_primitive(material=0),
        materials=[{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
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
        "length-too-long.glb": (whole[:8] + struct.pack("<I", 2**32 - 1) + whole[12:], ("cut off",)),
        "length-zero.glb": (whole[:8] + struct.pack("<I", 0) + whole[12:], ("unreadable",)),
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
            ("cut off",),
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
        "material-is-a-list.glb": (glb(box_tree(meshes=_primitive(material=[0]))), ("unreadable",)),
        "extensions-are-a-number.glb": (glb(box_tree(extensionsRequired=7)), ("unreadable",)),
        "turned-beyond-numbers.glb": (
            glb(box_tree(nodes=[{"mesh": 0, "rotation": [1e200, 0, 1e200, 0]}])),
            ("not finite",),
        ),
        "at-the-end-of-numbers.glb": (
            glb(box_tree(nodes=[{"mesh": 0, "scale": [3e38, 3e38, 3e38]}])),
            ("not finite",),
        ),
        "component-unknown.glb": (
            glb(box_tree(accessors=[_accessor(0, 77, 8, "VEC3"), _accessor(1, 5123, 24, "SCALAR")])),
            ("unreadable",),
        ),
        "view-after-buffer.glb": (glb(box_tree(bufferViews=[_view(100, 96), _view(96, 48)])), ("cut off",)),
        "view-of-no-buffer.glb": (glb(box_tree(buffers=[])), ("unreadable",)),
        "buffer-of-a-terabyte.glb": (glb(box_tree(buffers=[{"byteLength": 2**40}])), ("too large",)),
        "index-too-large.glb": (
            glb(box_tree(), _BOX_POSITIONS.tobytes() + bad_index.tobytes()),
            ("cut off",),
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
            ("cut off",),
        ),
        "nan.glb": (glb(box_tree(), nan.tobytes() + _BOX_INDICES.tobytes()), ("not finite",)),
        "infinite.glb": (glb(box_tree(), far.tobytes() + _BOX_INDICES.tobytes()), ("not finite",)),
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
        "nodes-doubling.glb": (glb(box_tree(nodes=doubling)), ("unreadable",)),
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
        "scene-is-a-list.glb": (glb(box_tree(scene=[0] * 9000)), ("unreadable",)),
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
            ("unsupported",),
        ),
        "draco-not-required.glb": (
            glb(box_tree(meshes=_primitive(extensions={"KHR_draco_mesh_compression": {"bufferView": 0}}))),
            ("unsupported",),
        ),
        "meshopt.glb": (glb(box_tree(extensionsRequired=["EXT_meshopt_compression"])), ("unsupported",)),
        "buffer-missing.gltf": (_with_buffer("nothing.bin"), ("file missing",)),
        "buffer-outside.gltf": (_with_buffer("../../outside/data.bin"), ("file missing",)),
        "buffer-outside-encoded.gltf": (_with_buffer("%2e%2e/%2e%2e/outside/data.bin"), ("file missing",)),
        "buffer-with-escapes.gltf": (_with_buffer("\x1b[2J\nall is well\ud800"), ("file missing",)),
        "buffer-of-folders.gltf": (_with_buffer("a/" * 100_000), ("file missing",)),
        "buffer-absolute.gltf": (_with_buffer("/etc/passwd"), ("outside",)),
        "buffer-file-url.gltf": (_with_buffer("file:///etc/passwd"), ("outside",)),
        "buffer-http.gltf": (_with_buffer("http://localhost/data.bin"), ("outside",)),
        "buffer-itself.gltf": (_with_buffer("buffer-itself.gltf", 10**6), ("cut off",)),
        "base64-broken.gltf": (_with_buffer("data:application/octet-stream;base64,@@@@"), ("unreadable",)),
        "base64-cut.gltf": (_with_buffer(f"data:;base64,{text[:40]}"), ("cut off",)),
        "base64-bomb.gltf": (_with_buffer(f"data:;base64,{text}", 2**50), ("too large",)),
        "data-not-base64.gltf": (_with_buffer("data:text/plain,hello"), ("unreadable",)),
        "image-missing.glb": (_textured({"uri": "nothing.png"}), (WARNED,)),
        "image-outside.glb": (_textured({"uri": "../../outside/texture0.png"}), (WARNED,)),
        "image-bomb.glb": (_textured({"bufferView": 2}, _png_of(60_000, 60_000)), (WARNED,)),
        "image-texts.glb": (_textured({"bufferView": 2}, _png_with_texts()), (KEPT,)),
        "image-noise.glb": (_textured({"bufferView": 2}, chance.randbytes(300)), (WARNED,)),
        "image-http.glb": (_textured({"uri": "https://localhost/a.png"}), ("outside",)),
        "image-unknown.glb": (_textured({"bufferView": 9}), ("unreadable",)),
        "good.glb": (_textured({"bufferView": 2}, _png()), (KEPT,)),
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
        "no-faces.ply": (_ply(faces="0", body="0 0 0\n1 0 0\n0 1 0\n"), ("no faces", "unreadable")),
        "nan.ply": (_ply(body="0 0 0\nnan 0 0\n0 1 0\n3 0 1 2\n"), ("not finite",)),
        "index-too-large.ply": (_ply(body="0 0 0\n1 0 0\n0 1 0\n3 0 1 7\n"), ("cut off", "unreadable")),
        "index-negative.ply": (_ply(body="0 0 0\n1 0 0\n0 1 0\n3 0 1 -2\n"), ("cut off", "unreadable")),
        "one-point.ply": (_ply(body="1 1 1\n1 1 1\n1 1 1\n3 0 1 2\n"), ("no extent",)),
        "good-binary.ply": (_binary_ply(), (KEPT,)),
        "cut-binary.ply": (_binary_ply(size=chance.randrange(10, 30)), ("cut off",)),
        "count-binary.ply": (_binary_ply(count=10**6), ("cut off",)),
        "good.stl": (_stl(), (KEPT,)),
        "empty.stl": (b"", ("cut off",)),
        "cut.stl": (_stl()[:-9], ("cut off",)),
        "noise.stl": (noise, ("cut off",)),
        "count-huge.stl": (_stl(count=2**32 - 1), ("cut off",)),
        "no-triangles.stl": (_stl(count=0, triangles=0), ("no faces", "unreadable")),
        "nan.stl": (_stl(value=float("nan")), ("not finite",)),
        "text-of-solids.stl": (_STL_TEXT + (b"endsolid\n" + _STL_TEXT) * 2000, ("too large",)),
        "text-cut.stl": (_STL_TEXT[:-60], ("unreadable", "no faces")),
        "text-of-words.stl": (_STL_TEXT.replace(b"1 0 0\n", b"one 0 0\n"), ("unreadable", "no faces")),
        "text-with-normals-of-words.stl": (
            (_STL_TEXT + b"endsolid\n").replace(b"normal 0 0 1", b"normal a b c"),
            (KEPT,),
        ),
        "text-without-facets.stl": (b"solid nothing\nendsolid\n", ("cut off",)),
        "good.off": (_OFF, (KEPT,)),
        "good-glued.off": (_OFF.replace(b"OFF\n", b"OFF"), (KEPT,)),
        "empty.off": (b"", ("unreadable",)),
        "noise.off": (noise, ("unreadable",)),
        "count-huge.off": (_OFF.replace(b"3 1 0", b"999999999999 1 0"), ("too large",)),
        "count-too-large.off": (_OFF.replace(b"3 1 0", b"90000 1 0"), ("cut off",)),
        "cut.off": (_OFF[: _OFF.index(b"0 1 0\n3") + 2], ("cut off", "unreadable", "no faces")),
        "nan.off": (_OFF.replace(b"1 0 0", b"nan 0 0"), ("not finite",)),
        "index-too-large.off": (_OFF.replace(b"3 0 1 2", b"3 0 1 9"), ("unreadable",)),
        "index-negative.off": (_OFF.replace(b"3 0 1 2", b"3 0 1 -1"), ("unreadable",)),
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
    yield Case("folder", "buffer-link-outside/box", ("file missing",))

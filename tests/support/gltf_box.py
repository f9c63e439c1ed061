"""A box as a glTF file, any part of whose JSON may be replaced."""

import json
import struct
from typing import Any

import numpy as np

BOX_POSITIONS = np.array(
    [[x, y, z] for z in (-0.5, 0.5) for y in (-0.5, 0.5) for x in (-0.5, 0.5)], dtype="<f4"
)
BOX_INDICES = np.array(
    [[0, 2, 3], [0, 3, 1], [4, 5, 7], [4, 7, 6], [0, 1, 5], [0, 5, 4], [2, 6, 7], [2, 7, 3]], dtype="<u2"
)
BOX_DATA = BOX_POSITIONS.tobytes() + BOX_INDICES.tobytes()


def box_tree(**changes: Any) -> dict[str, Any]:
    """The JSON of a glTF file with one box; ``changes`` replace parts of the top level."""
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [accessor(0, 5126, 8, "VEC3"), accessor(1, 5123, 24, "SCALAR")],
        "bufferViews": [buffer_view(0, 96), buffer_view(96, 48)],
        "buffers": [{"byteLength": len(BOX_DATA)}],
        **changes,
    }


def accessor(view: int | None, component: Any, count: int, kind: str, **more: Any) -> dict[str, Any]:
    table = {"componentType": component, "count": count, "type": kind, **more}
    return table if view is None else {"bufferView": view, **table}


def buffer_view(start: int, size: int) -> dict[str, Any]:
    return {"buffer": 0, "byteOffset": start, "byteLength": size}


def glb(tree: object, data: bytes = BOX_DATA, *, text: bytes | None = None) -> bytes:
    """A GLB file."""
    head = json.dumps(tree).encode() if text is None else text
    head += b" " * (-len(head) % 4)
    data += b"\0" * (-len(data) % 4)
    body = struct.pack("<II", len(head), 0x4E4F534A) + head + struct.pack("<II", len(data), 0x004E4942) + data
    return struct.pack("<III", 0x46546C67, 2, 12 + len(body)) + body


def box_with_buffer(uri: str, size: int = len(BOX_DATA)) -> bytes:
    return json.dumps(box_tree(buffers=[{"byteLength": size, "uri": uri}])).encode()


def box_meshes(**changes: Any) -> list[dict[str, Any]]:
    return [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, **changes}]}]


def box_without_indices() -> list[dict[str, Any]]:
    """Triangles without indices."""
    return [{"primitives": [{"attributes": {"POSITION": 0}}]}]


def textured_box(image: dict[str, Any], data: bytes = b"") -> bytes:
    """A box whose material has this image; ``data`` follows the box in the buffer, as view 2."""
    tree = box_tree(
        meshes=box_meshes(material=0, attributes={"POSITION": 0, "TEXCOORD_0": 0}),
        materials=[{"pbrMetallicRoughness": {"metallicFactor": 0, "baseColorTexture": {"index": 0}}}],
        textures=[{"source": 0}],
        images=[image],
        bufferViews=[buffer_view(0, 96), buffer_view(96, 48), buffer_view(144, len(data))],
        buffers=[{"byteLength": len(BOX_DATA) + len(data)}],
    )
    return glb(tree, BOX_DATA + data)

"""glTF files with malformed compressed data."""

import random
from typing import Any

from tests.support.gltf_box import BOX_DATA, accessor, box_meshes, box_tree, buffer_view, glb
from tests.support.malformed_cases import KEPT, WARNED


def _draco(data: bytes, **primitive: Any) -> bytes:
    extension = {"KHR_draco_mesh_compression": {"bufferView": 2, "attributes": {"POSITION": 0}}}
    tree = box_tree(
        meshes=box_meshes(extensions=extension, **primitive),
        accessors=[accessor(None, 5126, 8, "VEC3"), accessor(None, 5123, 24, "SCALAR")],
        bufferViews=[buffer_view(0, 96), buffer_view(96, 48), buffer_view(144, len(data))],
        buffers=[{"byteLength": 144 + len(data)}],
    )
    return glb(tree, BOX_DATA + data)


def _meshopt(data: bytes, **packing: Any) -> bytes:
    extension = {"buffer": 0, "byteOffset": 144, "byteLength": len(data), "byteStride": 12, "count": 8}
    view = {"buffer": 1, "byteLength": 96}
    tree = box_tree(
        bufferViews=[
            {
                **view,
                "extensions": {"EXT_meshopt_compression": {**extension, "mode": "ATTRIBUTES", **packing}},
            },
            buffer_view(96, 48),
        ],
        buffers=[{"byteLength": 144 + len(data)}, {"byteLength": 96}],
    )
    return glb(tree, BOX_DATA + data)


def packed_files(chance: random.Random) -> dict[str, tuple[bytes, tuple[str, ...]]]:
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
            glb(box_tree(meshes=box_meshes(extensions={"KHR_draco_mesh_compression": {"bufferView": 9}}))),
            (KEPT,),
        ),
        "meshopt-noise.glb": (_meshopt(noise), ("unreadable", KEPT, WARNED, "not finite")),
        "meshopt-empty.glb": (_meshopt(b""), ("unreadable",)),
        "meshopt-of-billions.glb": (_meshopt(noise, count=2**31), ("too large",)),
        "meshopt-of-wide-rows.glb": (_meshopt(noise, byteStride=2**40), ("too large",)),
        "meshopt-mode.glb": (_meshopt(noise, mode=[1]), ("unreadable",)),
        "meshopt-buffer-unknown.glb": (_meshopt(noise, buffer=7), ("unreadable",)),
    }

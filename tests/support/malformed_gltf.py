"""Malformed glTF files: containers, JSON, accessors, nodes, buffers and images."""

import base64
import json
import random
import struct

import numpy as np

from tests.support.gltf_box import (
    BOX_DATA,
    BOX_INDICES,
    BOX_POSITIONS,
    accessor,
    box_meshes,
    box_tree,
    box_with_buffer,
    box_without_indices,
    buffer_view,
    glb,
    textured_box,
)
from tests.support.malformed_cases import KEPT, WARNED
from tests.support.malformed_gltf_compression import packed_files
from tests.support.malformed_gltf_scenes import placed_files
from tests.support.malformed_gltf_surfaces import surface_files
from tests.support.malformed_images import make_png, png_of, png_with_texts


def gltf_files(chance: random.Random) -> dict[str, tuple[bytes, tuple[str, ...]]]:
    whole = glb(box_tree())
    nan, far, bad_index = BOX_POSITIONS.copy(), BOX_POSITIONS.copy(), BOX_INDICES.copy()
    nan[3, 1], far[0, 0], bad_index[2, 1] = np.nan, np.inf, 200
    text = base64.b64encode(BOX_DATA).decode()
    doubling = [{"children": [n + 1, n + 1]} for n in range(40)] + [{"mesh": 0}]
    nodes = [{"mesh": 0}] + [{} for _ in range(20_000)]
    sparse = {"count": 1, "indices": {"bufferView": 1, "componentType": 5123}, "values": {"bufferView": 0}}
    box = accessor(0, 5126, 8, "VEC3")
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
            glb(box_tree(accessors=[accessor(0, 5126, 2**40, "VEC3")])),
            ("unreadable", "too large"),
        ),
        "count-too-large.glb": (
            glb(box_tree(accessors=[accessor(0, 5126, 9, "VEC3"), accessor(1, 5123, 24, "SCALAR")])),
            ("unreadable",),
        ),
        "count-huge-of-nothing.glb": (
            glb(box_tree(accessors=[accessor(None, 5126, 2**40, "VEC3")], meshes=box_meshes(indices=0))),
            ("too large",),
        ),
        "count-of-figures.glb": (
            glb(None, text=json.dumps(box_tree()).replace("24", "9" * 4000).encode()),
            ("unreadable",),
        ),
        "zeros.glb": (
            glb(box_tree(accessors=[accessor(None, 5126, 19_999_999, "VEC3")], meshes=box_without_indices())),
            ("too large",),
        ),
        "zeros-sparse.glb": (
            glb(
                box_tree(
                    accessors=[accessor(None, 5126, 19_999_999, "VEC3", sparse=sparse)],
                    meshes=box_without_indices(),
                )
            ),
            ("too large",),
        ),
        "zeros-as-a-strip.glb": (
            glb(
                box_tree(
                    accessors=[accessor(0, 5126, 8, "VEC3"), accessor(None, 5125, 50_000_000, "SCALAR")],
                    meshes=box_meshes(mode=5),
                )
            ),
            ("too large",),
        ),
        "zeros-as-texture-coordinates.glb": (
            glb(
                box_tree(
                    accessors=[*box_tree()["accessors"], accessor(None, 5126, 50_000_000, "VEC2")],
                    meshes=box_meshes(attributes={"POSITION": 0, "TEXCOORD_0": 2}),
                )
            ),
            ("too large",),
        ),
        "count-negative.glb": (
            glb(box_tree(accessors=[accessor(0, 5126, -1, "VEC3"), accessor(1, 5123, 24, "SCALAR")])),
            ("unreadable",),
        ),
        "component-is-a-list.glb": (
            glb(box_tree(accessors=[accessor(0, [5126], 8, "VEC3"), accessor(1, 5123, 24, "SCALAR")])),
            ("unreadable",),
        ),
        "material-is-a-list.glb": (glb(box_tree(meshes=box_meshes(material=[0]))), (WARNED,)),
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
            glb(box_tree(accessors=[accessor(0, 77, 8, "VEC3"), accessor(1, 5123, 24, "SCALAR")])),
            ("unreadable",),
        ),
        "view-after-buffer.glb": (
            glb(box_tree(bufferViews=[buffer_view(100, 96), buffer_view(96, 48)])),
            ("unreadable",),
        ),
        "view-of-no-buffer.glb": (glb(box_tree(buffers=[])), ("unreadable",)),
        "buffer-of-a-terabyte.glb": (glb(box_tree(buffers=[{"byteLength": 2**40}])), ("too large",)),
        "index-too-large.glb": (
            glb(box_tree(), BOX_POSITIONS.tobytes() + bad_index.tobytes()),
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
                        accessor(1, 5123, 24, "SCALAR"),
                    ],
                    bufferViews=[buffer_view(0, 96), buffer_view(96, 48)],
                ),
                BOX_POSITIONS.tobytes() + np.append(BOX_INDICES.ravel()[:-1], [999]).astype("<u2").tobytes(),
            ),
            (WARNED,),
        ),
        "nan.glb": (glb(box_tree(), nan.tobytes() + BOX_INDICES.tobytes()), (WARNED,)),
        "infinite.glb": (glb(box_tree(), far.tobytes() + BOX_INDICES.tobytes()), (WARNED,)),
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
        "primitives-of-one-mesh.glb": (glb(box_tree(meshes=[box_meshes()[0] for _ in range(9000)])), (KEPT,)),
        "primitives-alike.glb": (
            glb(box_tree(meshes=[{"primitives": box_meshes()[0]["primitives"] * 9000}])),
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
        "points.glb": (glb(box_tree(meshes=box_meshes(mode=0))), ("no faces",)),
        "lines.glb": (glb(box_tree(meshes=box_meshes(mode=1))), ("no faces",)),
        "no-positions.glb": (glb(box_tree(meshes=box_meshes(attributes={}))), ("unreadable",)),
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
            glb(box_tree(meshes=box_meshes(extensions={"KHR_draco_mesh_compression": {"bufferView": 0}}))),
            (KEPT,),
        ),
        "meshopt.glb": (glb(box_tree(extensionsRequired=["EXT_meshopt_compression"])), (KEPT,)),
        "buffer-missing.gltf": (box_with_buffer("nothing.bin"), ("file missing",)),
        "buffer-outside.gltf": (box_with_buffer("../../outside/data.bin"), ("outside",)),
        "buffer-outside-encoded.gltf": (box_with_buffer("%2e%2e/%2e%2e/outside/data.bin"), ("outside",)),
        "buffer-with-escapes.gltf": (box_with_buffer("\x1b[2J\nall is well\ud800"), ("file missing",)),
        "buffer-of-folders.gltf": (box_with_buffer("a/" * 100_000), ("file missing",)),
        "buffer-absolute.gltf": (box_with_buffer("/etc/passwd"), ("file missing", "outside")),
        "buffer-file-url.gltf": (box_with_buffer("file:///etc/passwd"), ("file missing", "outside")),
        "buffer-http.gltf": (box_with_buffer("http://localhost/data.bin"), ("file missing",)),
        "buffer-itself.gltf": (box_with_buffer("buffer-itself.gltf", 10**6), ("cut off",)),
        "base64-broken.gltf": (box_with_buffer("data:application/octet-stream;base64,@@@@"), ("unreadable",)),
        "base64-cut.gltf": (box_with_buffer(f"data:;base64,{text[:40]}"), ("cut off",)),
        "base64-bomb.gltf": (box_with_buffer(f"data:;base64,{text}", 2**50), ("too large",)),
        "data-not-base64.gltf": (box_with_buffer("data:text/plain,hello"), ("cut off",)),
        "image-missing.glb": (textured_box({"uri": "nothing.png"}), (WARNED,)),
        "image-outside.glb": (textured_box({"uri": "../../outside/texture0.png"}), (WARNED,)),
        "image-bomb.glb": (textured_box({"bufferView": 2}, png_of(60_000, 60_000)), (WARNED,)),
        "image-texts.glb": (textured_box({"bufferView": 2}, png_with_texts()), (KEPT,)),
        "image-noise.glb": (textured_box({"bufferView": 2}, chance.randbytes(300)), (WARNED,)),
        "image-http.glb": (textured_box({"uri": "https://localhost/a.png"}), (WARNED,)),
        "image-unknown.glb": (textured_box({"bufferView": 9}), (WARNED,)),
        "good.glb": (textured_box({"bufferView": 2}, make_png()), (KEPT,)),
        **placed_files(),
        **surface_files(),
        **packed_files(chance),
    }

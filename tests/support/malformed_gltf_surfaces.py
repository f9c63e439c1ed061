"""glTF files with malformed materials, textures and colors."""

import base64
from typing import Any

from tests.support.gltf_box import BOX_DATA, box_meshes, box_tree, box_with_buffer, glb, textured_box
from tests.support.malformed_cases import KEPT, WARNED


def _material(**keys: Any) -> bytes:
    plain = {"pbrMetallicRoughness": {"metallicFactor": 0}}
    tree = box_tree(meshes=box_meshes(material=0), materials=[{**plain, **keys}])
    return glb(tree)


def surface_files() -> dict[str, tuple[bytes, tuple[str, ...]]]:
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
        "material-unknown.glb": (glb(box_tree(meshes=box_meshes(material=10**20))), (WARNED,)),
        "texture-unknown.glb": (_material(**texture), (WARNED,)),
        "texture-emissive-unknown.glb": (
            _material(emissiveFactor=[1, 1, 1], emissiveTexture={"index": {}}),
            (WARNED,),
        ),
        "colors-out-of-range.glb": (glb(box_tree(meshes=box_meshes(attributes=colors))), (KEPT,)),
        "colors-of-one-column.glb": (
            glb(box_tree(meshes=box_meshes(attributes={"POSITION": 0, "COLOR_0": 1}))),
            (WARNED,),
        ),
        "image-uri-of-a-web-page.glb": (textured_box({"uri": "ftp://localhost/a.png"}), (WARNED,)),
        "image-uri-is-a-number.glb": (textured_box({"uri": 7}), (WARNED,)),
        "image-absolute.glb": (textured_box({"uri": "/etc/passwd"}), (WARNED,)),
        "image-file-url.glb": (textured_box({"uri": "file:///etc/passwd"}), (WARNED,)),
        "image-is-the-mesh.glb": (textured_box({"uri": "image-is-the-mesh.glb"}), (WARNED,)),
        "image-of-percent-signs.glb": (textured_box({"uri": "%" * 50_000}), (WARNED,)),
        "image-ktx2.glb": (textured_box({"uri": "a.ktx2", "mimeType": "image/ktx2"}), (WARNED,)),
        "extension-unknown.glb": (glb(box_tree(extensionsUsed=["ACME_fur"] * 9000)), (WARNED,)),
        "extension-required.glb": (glb(box_tree(extensionsRequired=["ACME_fur"])), ("unsupported",)),
        "base64-unpadded.gltf": (
            box_with_buffer(f"data:;base64,{base64.b64encode(BOX_DATA).decode().rstrip('=')}"),
            (KEPT,),
        ),
        "base64-of-percent-signs.gltf": (box_with_buffer("data:;base64," + "%" * 10**6), ("unreadable",)),
    }

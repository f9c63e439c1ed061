"""A triangle as a glTF file with any material and any images."""

from io import BytesIO

import numpy as np
from PIL import Image

from tests.support.gltf import TRIANGLE, GltfMaker
from turntable.renderer.meshes.formats import load_gltf

PLAIN = {"metallicFactor": 0}
BLACK = {**PLAIN, "baseColorFactor": [0, 0, 0, 1]}
UV = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
COLORS = np.array([[1, 0.5, 0, 0.5], [0, 0.25, 0, 1], [0, 0, 1, 0]])


def kinds(mesh):
    return [warning.kind for warning in mesh.warnings]


def picture(color, size=(2, 2), kind="PNG"):
    out = BytesIO()
    Image.new("RGBA" if len(color) == 4 else "RGB", size, color).save(out, kind)
    return out.getvalue()


def read(tmp_path, material, attributes=None, images=(), **tree):
    """The triangle with this material, whose images are PNG files of one color, bytes or JSON."""
    maker = GltfMaker()
    for image in images:
        if not isinstance(image, dict):
            data = image if isinstance(image, bytes) else picture(image)
            image = {"bufferView": maker.view(data), "mimeType": "image/png"}
        maker.append("images", image)
        maker.append("textures", {"source": len(maker.tree["images"]) - 1})
    maker.tree |= tree
    maker.tree["materials"] = [material]
    mesh = maker.mesh({"POSITION": TRIANGLE, "TEXCOORD_0": UV, **(attributes or {})}, material=0)
    return load_gltf(maker.write_glb(tmp_path / "a.glb", maker.node(mesh=mesh)))

"""glTF files made by tests: arrays become accessors, and the whole a GLB or .gltf file."""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.gltf_box import glb

COMPONENTS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
WIDTHS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


@dataclass
class GltfMaker:
    """A glTF file in the making. ``tree`` may be changed freely."""

    tree: dict[str, Any] = field(default_factory=lambda: {"asset": {"version": "2.0"}, "scene": 0})
    data: bytes = b""

    def append(self, key: str, item: dict[str, Any]) -> int:
        """Append to a list of the top level; its index."""
        items = self.tree.setdefault(key, [])
        items.append(item)
        return len(items) - 1

    def view(self, data: bytes, **more: Any) -> int:
        """A buffer view of these bytes."""
        self.data += b"\0" * (-len(self.data) % 4)
        start = len(self.data)
        self.data += data
        return self.append("bufferViews", {"buffer": 0, "byteOffset": start, "byteLength": len(data), **more})

    def array(self, values: Any, dtype: str = "f4", **more: Any) -> int:
        """An accessor of an array [N] or [N, width]."""
        array = np.ascontiguousarray(values, dtype="<" + dtype)
        width = array.shape[1] if array.ndim == 2 else 1
        table = {"componentType": COMPONENTS[dtype], "count": len(array), "type": WIDTHS[width], **more}
        return self.append("accessors", {"bufferView": self.view(array.tobytes()), **table})

    def mesh(self, attributes: dict[str, Any], indices: Any = None, **more: Any) -> int:
        """A mesh of one primitive. Arrays become accessors; numbers are accessors already."""
        accessors = {
            name: value if isinstance(value, int) else self.array(value) for name, value in attributes.items()
        }
        primitive: dict[str, Any] = {"attributes": accessors}
        if indices is not None:
            primitive["indices"] = indices if isinstance(indices, int) else self.array(indices, "u2")
        mesh_keys = {key: more.pop(key) for key in ("weights",) if key in more}
        return self.append("meshes", {"primitives": [{**primitive, **more}], **mesh_keys})

    def node(self, **keys: Any) -> int:
        return self.append("nodes", keys)

    def finish(self, *roots: int) -> None:
        """Set the scene and the size of the buffer."""
        self.tree["scenes"] = [{"nodes": list(roots)}]
        self.tree.setdefault("buffers", [{"byteLength": len(self.data)}])

    def write_glb(self, path: Path, *roots: int) -> Path:
        self.finish(*roots)
        path.write_bytes(glb(self.tree, self.data))
        return path

    def write_gltf(self, path: Path, *roots: int) -> Path:
        """A .gltf file with embedded data."""
        self.finish(*roots)
        uri = "data:application/octet-stream;base64," + base64.b64encode(self.data).decode()
        self.tree["buffers"] = [{"byteLength": len(self.data), "uri": uri}]
        path.write_text(json.dumps(self.tree))
        return path


TRIANGLE = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=np.float64)
"""A triangle in the plane z = 0."""


def y_up(positions: Any) -> Any:
    """Positions as read, z upward, turned back to the file's axes."""
    return np.stack([positions[..., 0], positions[..., 2], -positions[..., 1]], axis=-1)


def triangles_of(mesh: Any) -> Any:
    """The corners [T, 3, 3] of a mesh's triangles, in the file's axes."""
    return y_up(mesh.positions[mesh.triangles].astype(np.float64))

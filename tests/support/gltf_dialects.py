"""Scenes written as glTF in one of many dialects: what the files mean is the same, how they say it is not."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import numpy as np

from tests.support.gltf import COMPONENTS, WIDTHS
from tests.support.gltf_box import glb


@dataclass(frozen=True)
class Dialect:
    """How a scene is written."""

    container: Literal["glb", "embedded", "beside"]
    buffers: int
    """Number of buffers that the data is spread over; a GLB file has one of its own."""
    is_interleaved: bool
    position_type: Literal["f4", "i2", "u2 normalized"]
    texcoord_type: Literal["f4", "u1 normalized", "u2 normalized"]
    color_type: Literal["f4", "u1 normalized", "u2 normalized"]
    color_width: int
    index_type: Literal["u1", "u2", "u4", "none"]
    mode: Literal["list", "strip", "fan"]
    is_sparse: bool
    placing: Literal["matrix", "parts", "chain", "baked"]


@dataclass(frozen=True, eq=False)
class Scene:
    """Triangles that share no corner, each with what its corners have, and the place of their node."""

    positions: Any
    """[3 * T, 3] whole numbers from 0 to 200."""
    texcoords: Any
    """[3 * T, 2] multiples of 1/255 from 0 to 1, v downward."""
    colors: Any
    """[3 * T, 4] multiples of 1/255."""
    turn: Any
    """[4] unit quaternion x, y, z, w."""
    scale: Any
    """[3] scale, applied first."""
    translation: Any
    """[3] translation, applied last."""


def matrix_of(scene: Scene) -> Any:
    """The place of the node, as a matrix [4, 4], by Rodrigues' formula."""
    axis, w = scene.turn[:3], scene.turn[3]
    sine = np.linalg.norm(axis)
    angle = 2 * np.arctan2(sine, w)
    x, y, z = axis / sine if sine else (1.0, 0.0, 0.0)
    across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    matrix = np.eye(4)
    rotation = np.eye(3) + np.sin(angle) * across + (1 - np.cos(angle)) * across @ across
    matrix[:3, :3] = rotation @ np.diag(scene.scale)
    matrix[:3, 3] = scene.translation
    return matrix


class Writer:
    """A writer of one scene in one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.buffers = [b"" for _ in range(dialect.buffers)]
        self.tree: dict[str, Any] = {"asset": {"version": "2.0"}, "accessors": [], "bufferViews": []}

    def view(self, data: bytes, **more: Any) -> int:
        number = len(self.tree["bufferViews"]) % len(self.buffers)
        start = len(self.buffers[number]) + -len(self.buffers[number]) % 4
        self.buffers[number] = self.buffers[number].ljust(start, b"\0") + data
        table = {"buffer": number, "byteOffset": start, "byteLength": len(data), **more}
        self.tree["bufferViews"].append(table)
        return len(self.tree["bufferViews"]) - 1

    def accessor(self, array: Any, view: int | None, offset: int = 0, **more: Any) -> int:
        width = array.shape[1] if array.ndim == 2 else 1
        kind = array.dtype.str[1:]
        table = {"componentType": COMPONENTS[kind], "count": len(array), "type": WIDTHS[width], **more}
        if view is not None:
            table |= {"bufferView": view, "byteOffset": offset}
        self.tree["accessors"].append(table)
        return len(self.tree["accessors"]) - 1

    def attributes(self, arrays: dict[str, tuple[Any, dict[str, Any]]]) -> dict[str, int]:
        """Attributes in views of their own, or interleaved in one."""
        if not self.dialect.is_interleaved:
            return {name: self.attribute(array, more) for name, (array, more) in arrays.items()}
        columns = [array.view(np.uint8).reshape(len(array), -1) for array, _ in arrays.values()]
        padded = [np.pad(column, ((0, 0), (0, -column.shape[1] % 4))) for column in columns]
        whole = np.concatenate(padded, axis=1)
        view = self.view(whole.tobytes(), byteStride=whole.shape[1])
        offsets = np.cumsum([0, *(column.shape[1] for column in padded)])
        return {
            name: self.accessor(array, view, int(offset), **more)
            for (name, (array, more)), offset in zip(arrays.items(), offsets, strict=False)
        }

    def attribute(self, array: Any, more: dict[str, Any]) -> int:
        """An attribute, whose second half may be written as sparse replacements."""
        if self.dialect.is_sparse:
            half = np.arange(len(array) // 2, len(array), dtype="<u2")
            indices = {"bufferView": self.view(half.tobytes()), "componentType": 5123}
            values = {"bufferView": self.view(array[half].tobytes())}
            base = array.copy()
            base[half] = 0
            more = {**more, "sparse": {"count": len(half), "indices": indices, "values": values}}
            array = base
        padded = np.pad(array.view(np.uint8).reshape(len(array), -1), ((0, 0), (0, -array[:1].nbytes % 4)))
        stride = {} if padded.shape[1] == array[:1].nbytes else {"byteStride": padded.shape[1]}
        return self.accessor(array, self.view(padded.tobytes(), **stride), **more)

    def write(self, folder: Path) -> Path:
        uris = []
        for number, data in enumerate(self.buffers):
            name = f"data {number}.bin"
            if self.dialect.container == "beside":
                (folder / name).write_bytes(data)
                uris.append({"byteLength": len(data), "uri": quote(name)})
            else:
                text = base64.b64encode(data).decode()
                uris.append({"byteLength": len(data), "uri": f"data:application/octet-stream;base64,{text}"})
        if self.dialect.container == "glb":
            uris[0].pop("uri")
        self.tree["buffers"] = uris
        path = folder / ("a.glb" if self.dialect.container == "glb" else "a.gltf")
        path.write_bytes(
            glb(self.tree, self.buffers[0])
            if self.dialect.container == "glb"
            else json.dumps(self.tree).encode()
        )
        return path


def encode(values: Any, kind: str) -> tuple[Any, dict[str, Any]]:
    """Numbers of a type: fractions of 1 if it is normalized."""
    name, _, normalized = kind.partition(" ")
    if not normalized:
        return np.ascontiguousarray(values, dtype="<" + name), {}
    top = np.iinfo(name).max
    return np.ascontiguousarray(np.round(values * top), dtype="<" + name), {"normalized": True}


def write_scene(scene: Scene, dialect: Dialect, folder: Path) -> Path:
    """Write a scene in a dialect."""
    writer = Writer(dialect)
    matrix = matrix_of(scene)
    positions, shrunk = scene.positions, np.eye(4)
    if dialect.placing == "baked":
        positions, matrix = positions @ matrix[:3, :3].T + matrix[:3, 3], np.eye(4)
    kind = "f4" if dialect.placing == "baked" else dialect.position_type
    if kind.endswith("normalized"):
        positions, shrunk = positions / 65535, np.diag([65535.0, 65535.0, 65535.0, 1.0])
    arrays = {
        "POSITION": encode(positions, kind),
        "TEXCOORD_0": encode(scene.texcoords, dialect.texcoord_type),
        "COLOR_0": encode(scene.colors[:, : dialect.color_width], dialect.color_type),
    }
    count = len(scene.positions)
    primitives = [{"attributes": writer.attributes(arrays), **table} for table in list_corners(writer, count)]
    for primitive in primitives:
        primitive["material"] = 0
    writer.tree |= {
        "materials": [{"alphaMode": "BLEND", "pbrMetallicRoughness": {"metallicFactor": 0}}],
        "meshes": [{"primitives": primitives}],
        "nodes": place(scene, matrix, shrunk, dialect),
        "scenes": [{"nodes": [0]}],
        "scene": 0,
    }
    return writer.write(folder)


def list_corners(writer: Writer, count: int) -> list[dict[str, Any]]:
    """The corners of a primitive, or of one for each triangle where it is a strip or fan without breaks."""
    dialect = writer.dialect
    mode = {"list": 4, "strip": 5, "fan": 6}[dialect.mode]
    parts = [np.arange(count)] if dialect.mode == "list" else np.arange(count).reshape(-1, 3)
    if dialect.index_type == "none" and dialect.mode == "list":
        return [{}]
    kind = "<u2" if dialect.index_type == "none" else "<" + dialect.index_type
    tables = []
    for part in parts:
        array = part.astype(kind)
        tables.append({"mode": mode, "indices": writer.accessor(array, writer.view(array.tobytes()))})
    return tables


def place(scene: Scene, matrix: Any, shrunk: Any, dialect: Dialect) -> list[dict[str, Any]]:
    """The nodes that place the mesh."""
    if dialect.placing in ("matrix", "baked"):
        return [{"mesh": 0, "matrix": (matrix @ shrunk).T.ravel().tolist()}]
    grown = (scene.scale * np.diag(shrunk)[:3]).tolist()
    turn, move = scene.turn.tolist(), scene.translation.tolist()
    if dialect.placing == "parts":
        return [{"mesh": 0, "translation": move, "rotation": turn, "scale": grown}]
    return [
        {"children": [1], "translation": move},
        {"children": [2], "rotation": turn},
        {"mesh": 0, "scale": grown},
    ]

"""A glTF 2.0 file taken apart: its JSON, and the bytes of its buffers. Everything in it is doubted."""

import base64
import binascii
import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from turntable.errors import MeshError, shown
from turntable.renderer.meshes.formats.confined import Confined
from turntable.renderer.meshes.limits import TOO_LARGE, refuse

MOST_JSON_BYTES = 128 * 2**20
"""Parsed, JSON can take sixty times its size."""
MOST_NUMBER = 2**53
"""JSON spells numbers of thousands of figures; no count or place of a file is beyond this one."""

JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")

UNDERSTOOD = re.compile(
    r"KHR_(materials|lights|texture_transform|mesh_quantization|animation|node_visibility|xmp)\w*"
    r"|EXT_texture_webp"
)
"""Extensions that a file may require: understood, or of no effect on what is drawn here."""

JsonObject = Mapping[str, Any]
"""An object of the file's JSON: its values by name."""


@dataclass(frozen=True, slots=True, eq=False)
class GltfFile:
    """A file with its buffers."""

    path: Path
    tree: JsonObject
    binary: bytes | None
    """The binary chunk of a GLB."""
    files: Confined
    _lists: dict[str, list[JsonObject]] = field(default_factory=dict)
    _buffers: dict[int, bytes] = field(default_factory=dict)
    _beside: dict[Path, bytes] = field(default_factory=dict)
    """Files that buffers have named: several may name one."""

    def items(self, name: str) -> list[JsonObject]:
        """A list of the top level; empty where it is left out."""
        if name not in self._lists:  # looked over once, not at every item
            self._lists[name] = self.tables(self.tree, name)
        return self._lists[name]

    def tables(self, table: JsonObject, name: str) -> list[JsonObject]:
        """A list of objects in an object; empty where it is left out."""
        found = table.get(name, [])
        if not isinstance(found, list) or not all(
            isinstance(item, dict) for item in cast("list[Any]", found)
        ):
            self.broken(f"{name} is no list of objects")
        return cast("list[JsonObject]", found)

    def item(self, name: str, index: object) -> JsonObject:
        """One entry of such a list."""
        found = self.items(name)
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(found):
            self.broken(f"{index!r:.40} is no number of one of {len(found)} {name}")
        return found[cast("int", index)]

    def number(self, table: JsonObject, name: str, default: int | None = None) -> int:
        """A whole number, from zero to ``MOST_NUMBER``."""
        value = table.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_NUMBER:
            self.broken(f"{name} is {str(value)[:40]!r}")
        return cast("int", value)

    def table(self, table: JsonObject, name: str) -> JsonObject:
        """An object in an object; empty where it is left out."""
        value = table.get(name, {})
        if not isinstance(value, dict):
            self.broken(f"{name} is no object")
        return cast("JsonObject", value)

    def broken(self, what: str) -> None:
        """Refuse the file.

        Raises:
            MeshError: Always.
        """
        refuse(f"{self.path}: {what}", "unreadable")

    def view(self, index: object) -> tuple[memoryview, int]:
        """The bytes of a buffer view, and its stride (0: none)."""
        view = self.item("bufferViews", index)
        data = self._buffer(self.number(view, "buffer"))
        start, size = self.number(view, "byteOffset", 0), self.number(view, "byteLength")
        if start + size > len(data):
            refuse(f"{self.path}: buffer view {index} ends after its buffer; the file is cut off", "cut off")
        return memoryview(data)[start : start + size], self.number(view, "byteStride", 0)

    def _buffer(self, index: int) -> bytes:
        if index not in self._buffers:
            buffer = self.item("buffers", index)
            size = self.number(buffer, "byteLength")
            self.files.limits.check("file_bytes", size, str(self.path), "bytes in a buffer")
            data = self.binary if "uri" not in buffer else self.uri(buffer["uri"])
            if data is None:
                refuse(
                    f"{self.path}: buffer {index} is missing ({shown(str(buffer.get('uri')))})",
                    "file missing",
                )
            if len(data) < size:
                refuse(
                    f"{self.path}: buffer {index} has {len(data)} bytes of {size}; the file is cut off",
                    "cut off",
                )
            self._buffers[index] = data
        return self._buffers[index]

    def uri(self, uri: object) -> bytes | None:
        """What a URI stands for: embedded data, or a file beside; None where there is none.

        Raises:
            MeshError: It leads elsewhere, or its data is broken.
        """
        if not isinstance(uri, str):
            self.broken("a URI is no text")
        text = cast("str", uri)
        if text.startswith("data:"):
            return self._embedded(text)
        found = self.files.find(self.path.parent, self.file_name(text))
        if found is None:
            return None
        if found not in self._beside:
            self._beside[found] = self.files.read(found)
        return self._beside[found]

    def file_name(self, uri: str) -> str:
        """The file a URI names.

        Raises:
            MeshError: It names something else than a file beside.
        """
        if _SCHEME.match(uri) or uri.startswith("/"):
            refuse(f"{self.path} names {shown(uri, 80)}, which is no file beside it", "outside")
        return unquote(uri)

    def _embedded(self, uri: str) -> bytes:
        head, comma, data = uri.partition(",")
        if not comma or not head.endswith(";base64"):
            self.broken("embedded data that is not base64")
        self.files.limits.check("file_bytes", len(data) * 3 // 4, str(self.path), "bytes of embedded data")
        try:
            return base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise MeshError(
                f"{self.path}: embedded data is broken ({error}); leave this object out", reason="unreadable"
            ) from error


def open_gltf(path: Path, files: Confined) -> GltfFile:
    """Read a .gltf or .glb file and check that it can be understood.

    Raises:
        MeshError: It cannot.
    """
    data = files.mesh_file(path)
    text, binary = _chunks(data, path) if data[:4] == b"glTF" else (data, None)
    file = GltfFile(path, _json(text, path), binary, files)
    version = str(file.table(file.tree, "asset").get("version", ""))
    if not version.startswith("2."):
        refuse(
            f"{path}: glTF {shown(version, 20) or 'without a version'}, and only 2.0 is read", "unsupported"
        )
    required = file.tree.get("extensionsRequired") or []
    if not isinstance(required, list):
        refuse(f"{path}: extensionsRequired is no list", "unreadable")
    for name in cast("list[Any]", required):
        if not UNDERSTOOD.fullmatch(str(name)):
            refuse(
                f"{path} needs {shown(str(name), 80)}, which is not understood here; export it without "
                "compression and extensions",
                "unsupported",
            )
    return file


def _chunks(data: bytes, path: Path) -> tuple[bytes, bytes | None]:
    """The JSON and the binary chunk of a GLB."""
    if len(data) < 20:
        refuse(f"{path}: a GLB of {len(data)} bytes is cut off", "cut off")
    version, length = struct.unpack_from("<2I", data, 4)
    if version != 2:
        refuse(f"{path}: glTF {version}, and only 2.0 is read", "unsupported")
    if length > len(data):
        refuse(f"{path}: {len(data):,} bytes of {length:,}; the file is cut off", "cut off")
    found: dict[int, bytes] = {}
    start = 12
    while start + 8 <= length:
        size, kind = struct.unpack_from("<2I", data, start)
        if start + 8 + size > length:
            refuse(f"{path}: a chunk of {size:,} bytes ends after the file; it is cut off", "cut off")
        found.setdefault(kind, data[start + 8 : start + 8 + size])
        start += 8 + size
    if JSON_CHUNK not in found:
        refuse(f"{path}: a GLB without JSON", "unreadable")
    return found[JSON_CHUNK], found.get(BINARY_CHUNK)


def _json(text: bytes, path: Path) -> JsonObject:
    if len(text) > MOST_JSON_BYTES:
        refuse(f"{path}: {len(text):,} bytes of JSON, and at most {MOST_JSON_BYTES:,} are read", TOO_LARGE)
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        words = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:120]
        raise MeshError(
            f"{path}: cannot be read as glTF ({words}); get it again from its source", reason="unreadable"
        ) from error
    if not isinstance(tree, dict):
        refuse(f"{path}: its JSON is no object", "unreadable")
    return cast("JsonObject", tree)

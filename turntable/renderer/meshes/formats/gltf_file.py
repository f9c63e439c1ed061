"""A glTF 2.0 file taken apart: its JSON and the bytes of its buffers. Nothing in it is trusted."""

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

from turntable.errors import MeshError, format_text
from turntable.renderer.meshes.formats.object_files import ObjectFiles
from turntable.renderer.meshes.limits import TOO_LARGE, raise_mesh_error

MAX_JSON_BYTES = 128 * 2**20
"""Largest JSON read. Once parsed, JSON can take sixty times its size."""
MAX_INTEGER = 2**53
"""Largest integer accepted. JSON allows thousands of digits; no real count or offset is larger."""

JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942
"""Types of the chunks of a GLB file."""
_URI_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")

SUPPORTED_EXTENSIONS = re.compile(
    r"KHR_(materials|lights|texture_transform|mesh_quantization|animation|node_visibility|xmp)\w*"
    r"|EXT_texture_webp"
)
"""Extensions that a file may require: supported ones, and those without effect on the rendered mesh."""

JsonObject = Mapping[str, Any]
"""An object of the file's JSON: values by name."""


@dataclass(frozen=True, slots=True, eq=False)
class GltfFile:
    """A glTF file with access to its buffers."""

    path: Path
    document: JsonObject
    """The JSON of the file."""
    binary: bytes | None
    """Binary chunk of a GLB file. None for a .gltf file, or for a GLB file without one."""
    object_files: ObjectFiles
    """Access to the files of the object."""
    _lists: dict[str, list[JsonObject]] = field(default_factory=dict)
    """Checked lists of the top level, by name."""
    _buffers: dict[int, bytes] = field(default_factory=dict)
    """Buffers read so far, by index."""
    _external_files: dict[Path, bytes] = field(default_factory=dict)
    """Bytes of files named by buffers, by path. Several buffers may name the same file."""

    def get_list(self, name: str) -> list[JsonObject]:
        """Return a list of the top level, empty if the file leaves it out."""
        if name not in self._lists:  # checked once, not again for every item
            self._lists[name] = self.get_dicts(self.document, name)
        return self._lists[name]

    def get_dicts(self, parent: JsonObject, name: str) -> list[JsonObject]:
        """Return a list of objects that is part of another object, empty if the file leaves it out.

        Raises:
            MeshError: The value is not a list of objects.
        """
        value = parent.get(name, [])
        if not isinstance(value, list) or not all(
            isinstance(item, dict) for item in cast("list[Any]", value)
        ):
            self.raise_unreadable(f"{name} is not a list of objects")
        return cast("list[JsonObject]", value)

    def get_item(self, name: str, index: object) -> JsonObject:
        """Return one item of a list of the top level.

        Raises:
            MeshError: The index is not an integer, or there is no such item.
        """
        items = self.get_list(name)
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(items):
            self.raise_unreadable(f"{index!r:.40} is not the index of one of {len(items)} {name}")
        return items[cast("int", index)]

    def get_int(self, parent: JsonObject, name: str, default: int | None = None) -> int:
        """Return an integer from 0 to ``MAX_INTEGER``.

        Raises:
            MeshError: The value is missing without a default, or is something else.
        """
        value = parent.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_INTEGER:
            self.raise_unreadable(f"{name} is {str(value)[:40]!r}, not an integer from 0 to 2**53")
        return cast("int", value)

    def get_dict(self, parent: JsonObject, name: str) -> JsonObject:
        """Return an object that is part of another object, empty if the file leaves it out.

        Raises:
            MeshError: The value is not an object.
        """
        value = parent.get(name, {})
        if not isinstance(value, dict):
            self.raise_unreadable(f"{name} is not an object")
        return cast("JsonObject", value)

    def raise_unreadable(self, message: str) -> None:
        """Refuse the file, with its path before the message.

        Raises:
            MeshError: Always.
        """
        raise_mesh_error(f"{self.path}: {message}", "unreadable")

    def get_buffer_view(self, index: object) -> tuple[memoryview, int]:
        """Return the bytes of a buffer view and its stride (0 if elements are packed).

        Raises:
            MeshError: The view ends after its buffer, or the buffer cannot be read.
        """
        view = self.get_item("bufferViews", index)
        data = self._read_buffer(self.get_int(view, "buffer"))
        start, size = self.get_int(view, "byteOffset", 0), self.get_int(view, "byteLength")
        if start + size > len(data):
            raise_mesh_error(
                f"{self.path}: buffer view {index} ends after its buffer; the file is cut off", "cut off"
            )
        return memoryview(data)[start : start + size], self.get_int(view, "byteStride", 0)

    def _read_buffer(self, index: int) -> bytes:
        """Return the bytes of a buffer, read once."""
        if index not in self._buffers:
            buffer = self.get_item("buffers", index)
            size = self.get_int(buffer, "byteLength")
            self.object_files.limits.check("file_bytes", size, str(self.path), "bytes in a buffer")
            data = self.binary if "uri" not in buffer else self.read_uri(buffer["uri"])
            if data is None:
                raise_mesh_error(
                    f"{self.path}: buffer {index} is missing ({format_text(str(buffer.get('uri')))})",
                    "file missing",
                )
            if len(data) < size:
                raise_mesh_error(
                    f"{self.path}: buffer {index} has {len(data)} bytes of {size}; the file is cut off",
                    "cut off",
                )
            self._buffers[index] = data
        return self._buffers[index]

    def read_uri(self, uri: object) -> bytes | None:
        """Read what a URI refers to: embedded data, or a file in the object's folder.

        Returns:
            The bytes. None if there is no such file.

        Raises:
            MeshError: The URI refers to something else, or its data is broken.
        """
        if not isinstance(uri, str):
            self.raise_unreadable("a URI is not a string")
        text = cast("str", uri)
        if text.startswith("data:"):
            return self._decode_data_uri(text)
        path = self.object_files.find(self.path.parent, self.resolve_file_name(text))
        if path is None:
            return None
        if path not in self._external_files:
            self._external_files[path] = self.object_files.read(path)
        return self._external_files[path]

    def resolve_file_name(self, uri: str) -> str:
        """Return the relative file name that a URI refers to.

        Raises:
            MeshError: The URI has a scheme or is an absolute path.
        """
        if _URI_SCHEME.match(uri) or uri.startswith("/"):
            raise_mesh_error(
                f"{self.path} names {format_text(uri, 80)}, which is not a file in its folder", "outside"
            )
        return unquote(uri)

    def _decode_data_uri(self, uri: str) -> bytes:
        """Decode the data embedded in a ``data:`` URI."""
        head, comma, data = uri.partition(",")
        if not comma or not head.endswith(";base64"):
            self.raise_unreadable("embedded data that is not base64")
        self.object_files.limits.check(
            "file_bytes", len(data) * 3 // 4, str(self.path), "bytes of embedded data"
        )
        try:
            return base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise MeshError(
                f"{self.path}: embedded data is broken ({error}); leave this object out", reason="unreadable"
            ) from error


def open_gltf(path: Path, object_files: ObjectFiles) -> GltfFile:
    """Read a .gltf or .glb file and check that it is supported.

    Args:
        path: Path of the file.
        object_files: Access to the files of the object.

    Raises:
        MeshError: The file cannot be read, is not glTF 2.0, or requires an unsupported extension.
    """
    data = object_files.read_mesh_file(path)
    text, binary = _split_chunks(data, path) if data[:4] == b"glTF" else (data, None)
    file = GltfFile(path, _parse_json(text, path), binary, object_files)
    version = str(file.get_dict(file.document, "asset").get("version", ""))
    if not version.startswith("2."):
        raise_mesh_error(
            f"{path}: glTF {format_text(version, 20) or 'without a version'}, and only 2.0 is supported",
            "unsupported",
        )
    required = file.document.get("extensionsRequired") or []
    if not isinstance(required, list):
        raise_mesh_error(f"{path}: extensionsRequired is not a list", "unreadable")
    for name in cast("list[Any]", required):
        if not SUPPORTED_EXTENSIONS.fullmatch(str(name)):
            raise_mesh_error(
                f"{path} needs {format_text(str(name), 80)}, which is not supported; export it without "
                "compression and extensions",
                "unsupported",
            )
    return file


def _split_chunks(data: bytes, path: Path) -> tuple[bytes, bytes | None]:
    """Return the JSON chunk and the binary chunk (None if there is none) of a GLB file."""
    if len(data) < 20:
        raise_mesh_error(f"{path}: a GLB file of {len(data)} bytes is cut off", "cut off")
    version, length = struct.unpack_from("<2I", data, 4)
    if version != 2:
        raise_mesh_error(f"{path}: glTF {version}, and only 2.0 is supported", "unsupported")
    if length > len(data):
        raise_mesh_error(f"{path}: {len(data):,} bytes of {length:,}; the file is cut off", "cut off")
    chunks: dict[int, bytes] = {}
    start = 12
    while start + 8 <= length:
        size, chunk_type = struct.unpack_from("<2I", data, start)
        if start + 8 + size > length:
            raise_mesh_error(
                f"{path}: a chunk of {size:,} bytes ends after the file; it is cut off", "cut off"
            )
        chunks.setdefault(chunk_type, data[start + 8 : start + 8 + size])
        start += 8 + size
    if JSON_CHUNK not in chunks:
        raise_mesh_error(f"{path}: a GLB file without JSON", "unreadable")
    return chunks[JSON_CHUNK], chunks.get(BINARY_CHUNK)


def _parse_json(text: bytes, path: Path) -> JsonObject:
    """Parse the JSON of the file."""
    if len(text) > MAX_JSON_BYTES:
        raise_mesh_error(
            f"{path}: {len(text):,} bytes of JSON, and at most {MAX_JSON_BYTES:,} are read", TOO_LARGE
        )
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        cause = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:120]
        raise MeshError(
            f"{path}: cannot be read as glTF ({cause}); get it again from its source", reason="unreadable"
        ) from error
    if not isinstance(tree, dict):
        raise_mesh_error(f"{path}: its JSON is not an object", "unreadable")
    return cast("JsonObject", tree)

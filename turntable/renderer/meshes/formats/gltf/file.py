"""A glTF 2.0 file taken apart: its JSON and the bytes of its buffers. Nothing in it is trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, cast

from turntable.errors import MeshError, format_text
from turntable.renderer.meshes.formats.files import ObjectFiles
from turntable.renderer.meshes.formats.gltf import meshopt
from turntable.renderer.meshes.formats.gltf.container import split_gltf
from turntable.renderer.meshes.formats.gltf.uris import (
    decode_data_uri,
    is_data_uri,
    is_web_address,
    resolve_file_name,
)
from turntable.renderer.meshes.limits import raise_mesh_error
from turntable.renderer.meshes.mesh_warnings import WarningLog

MAX_INTEGER = 2**53
"""Largest integer accepted. JSON allows thousands of digits; no real count or offset is larger."""

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
    is_cut: bool = False
    """True if a GLB file ends before its binary chunk does."""
    _lists: dict[str, list[JsonObject]] = field(default_factory=dict)
    """Checked lists of the top level, by name."""
    _buffers: dict[int, bytes] = field(default_factory=dict)
    """Buffers read so far, by index."""
    _external_files: dict[Path, bytes] = field(default_factory=dict)
    """Bytes of files named by buffers, by path. Several buffers may name the same file."""
    _unpacked: dict[int, bytes | None] = field(default_factory=dict)
    """Data of compressed buffer views, by index of the view. None where the uncompressed data is used."""

    @property
    def log(self) -> WarningLog:
        """Log of the warnings about the object."""
        return self.object_files.log

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
        value = parent.get(name)
        if value is None:
            return []
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
        return items[index]

    def get_int(self, parent: JsonObject, name: str, default: int | None = None) -> int:
        """Return an integer from 0 to ``MAX_INTEGER``.

        Raises:
            MeshError: The value is missing without a default, or is something else.
        """
        value = parent.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_INTEGER:
            self.raise_unreadable(f"{name} is {str(value)[:40]!r}, not an integer from 0 to 2**53")
        return value

    def get_dict(self, parent: JsonObject, name: str) -> JsonObject:
        """Return an object that is part of another object, empty if the file leaves it out.

        Raises:
            MeshError: The value is not an object.
        """
        value = parent.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.raise_unreadable(f"{name} is not an object")
        return cast("JsonObject", value)

    def get_extension(self, parent: JsonObject, name: str) -> JsonObject | None:
        """Return an extension of an object, or None if the object does not use it.

        Raises:
            MeshError: The extension is not an object.
        """
        extensions = self.get_dict(parent, "extensions")
        return self.get_dict(extensions, name) if name in extensions else None

    def describe(self, error: MeshError) -> str:
        """Return what an error of this file says, for a warning: without the path and the advice."""
        return error.message.removeprefix(f"{self.path}: ").partition("; ")[0]

    def raise_unreadable(self, message: str) -> NoReturn:
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
        stride = self.get_int(view, "byteStride", 0)
        unpacked = self._unpack_view(cast("int", index), view)
        return (self._slice_buffer(view, index) if unpacked is None else memoryview(unpacked)), stride

    def _slice_buffer(self, view: JsonObject, index: object) -> memoryview:
        """Return the bytes of a buffer that a view or its extension refers to."""
        data = self._read_buffer(self.get_int(view, "buffer"))
        start, size = self.get_int(view, "byteOffset", 0), self.get_int(view, "byteLength")
        if start + size > len(data):
            self.raise_unreadable(f"buffer view {index} ends at byte {start + size:,} of {len(data):,}")
        return memoryview(data)[start : start + size]

    def _unpack_view(self, index: int, view: JsonObject) -> bytes | None:
        """Return the data of a compressed buffer view. None for a view whose buffer has the data itself."""
        if "extensions" not in view:
            return None
        if index not in self._unpacked:
            packing = next(filter(None, (self.get_extension(view, name) for name in meshopt.NAMES)), None)
            self._unpacked[index] = (
                None if packing is None else self._unpack_or_fall_back(index, view, packing)
            )
        return self._unpacked[index]

    def _unpack_or_fall_back(self, index: int, view: JsonObject, packing: JsonObject) -> bytes | None:
        """Unpack a buffer view. Return None if that fails and the uncompressed data is there."""
        layout = meshopt.MeshoptLayout(
            self.get_int(packing, "count"),
            self.get_int(packing, "byteStride"),
            str(packing.get("mode")),
            str(packing.get("filter", "NONE")),
        )
        try:
            data = self._slice_buffer(packing, index)
            location = f"{self.path}: buffer view {index}"
            limits = self.object_files.limits
            limits.check("file_bytes", layout.num_bytes, location, "bytes of unpacked data")
            limits.check(
                "object_bytes", self.object_files.bytes_read + layout.num_bytes, location, "bytes of data"
            )
            unpacked = meshopt.unpack_meshopt(data, layout, location)
        except MeshError:
            if not self._has_fallback(view):
                raise
            return None
        self.object_files.bytes_read += len(unpacked)
        return unpacked

    def _has_fallback(self, view: JsonObject) -> bool:
        """Return True if the buffer of a compressed view holds the uncompressed data too."""
        buffer = self.get_item("buffers", view.get("buffer"))
        marks = (self.get_extension(buffer, name) or {} for name in meshopt.NAMES)
        is_placeholder = any(mark.get("fallback") is True for mark in marks)
        return "uri" in buffer or (view.get("buffer") == 0 and self.binary is not None and not is_placeholder)

    def _read_buffer(self, index: int) -> bytes:
        """Return the bytes of a buffer, read once."""
        if index not in self._buffers:
            buffer = self.get_item("buffers", index)
            size = self.get_int(buffer, "byteLength")
            self.object_files.limits.check("file_bytes", size, str(self.path), "bytes in a buffer")
            data = self._get_binary(index) if "uri" not in buffer else self._read_buffer_file(index, buffer)
            if len(data) < size:
                place = "its data" if is_data_uri(str(buffer.get("uri", ""))) else "the file"
                raise_mesh_error(
                    f"{self.path}: buffer {index} has {len(data):,} bytes of {size:,}; {place} is cut off",
                    "cut off",
                )
            self._buffers[index] = data
        return self._buffers[index]

    def _get_binary(self, index: int) -> bytes:
        """Return the binary chunk of a GLB file, which is the buffer without a URI."""
        if self.binary is None:
            if self.is_cut:
                raise_mesh_error(f"{self.path} ends before buffer {index}; the file is cut off", "cut off")
            raise_mesh_error(f"{self.path}: buffer {index} names no file and is not embedded", "file missing")
        return self.binary

    def _read_buffer_file(self, index: int, buffer: JsonObject) -> bytes:
        """Read a buffer that has a URI."""
        uri = buffer["uri"]
        data = self.read_uri(uri, "buffer")
        if data is None:
            outside = any(warning.kind == "file-outside" for warning in self.log.warnings)
            fault = "lies outside --meshes" if outside else "is missing"
            if is_web_address(str(uri)):
                fault = "is on the web, and nothing is downloaded"
            raise_mesh_error(
                f"{self.path}: the file of buffer {index}, {format_text(str(uri))}, {fault}",
                "outside" if outside else "file missing",
            )
        return data

    def read_uri(self, uri: object, noun: str) -> bytes | None:
        """Read what a URI refers to: embedded data, or a file of the object.

        Args:
            uri: URI as the file gives it.
            noun: Noun for the data, for messages.

        Returns:
            The bytes. None, with a warning, if there is no such file.

        Raises:
            MeshError: The URI is no text, or its data is broken.
        """
        if not isinstance(uri, str):
            self.raise_unreadable(f"the URI of a {noun} is not a string")
        if is_data_uri(uri):
            return self._decode_data_uri(uri)
        folder = self.path.parent
        name = resolve_file_name(self.object_files, folder, uri)
        path = self.object_files.find_or_warn(folder, name, noun, "the object is left out")
        if path is None:
            return None
        if path not in self._external_files:
            self._external_files[path] = self.object_files.read(path)
        return self._external_files[path]

    def _decode_data_uri(self, uri: str) -> bytes:
        """Decode the data embedded in a ``data:`` URI."""
        self.object_files.limits.check(
            "file_bytes", len(uri) * 3 // 4, str(self.path), "bytes of embedded data"
        )
        try:
            return decode_data_uri(uri)
        except ValueError as error:
            raise MeshError(
                f"{self.path}: embedded data is broken ({error}); leave this object out", reason="unreadable"
            ) from error


def open_gltf(path: Path, object_files: ObjectFiles) -> GltfFile:
    """Read a .gltf or .glb file.

    Args:
        path: Path of the file.
        object_files: Access to the files of the object.

    Raises:
        MeshError: The file cannot be read, or is not glTF 2.0.
    """
    content = split_gltf(object_files.read_mesh_file(path), path, object_files.log)
    return GltfFile(path, content.document, content.binary, object_files, content.is_cut)

"""The outside of a glTF file: the chunks of a GLB file, and the text of the JSON."""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from turntable.errors import MeshError, format_text
from turntable.renderer.meshes.formats.files import decode_name
from turntable.renderer.meshes.limits import TOO_LARGE, raise_mesh_error
from turntable.renderer.meshes.mesh_warnings import WarningLog

MAX_JSON_BYTES = 128 * 2**20
"""Largest JSON read. Once parsed, JSON can take sixty times its size."""
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942
"""Types of the chunks of a GLB file."""


@dataclass(frozen=True, slots=True, eq=False)
class GltfContent:
    """The two parts of a glTF file."""

    document: dict[str, Any]
    """JSON of the file."""
    binary: bytes | None = None
    """Binary chunk of a GLB file. None for a .gltf file, or for a GLB file without one."""
    is_cut: bool = False
    """True if a GLB file ends before its binary chunk does."""


def split_gltf(data: bytes, path: Path, log: WarningLog) -> GltfContent:
    """Split a file into its JSON and its binary chunk, and check its version.

    Args:
        data: Bytes of a .gltf or .glb file, told apart by their content.
        path: Path of the file, for messages.
        log: Log for a warning about a wrong header.

    Raises:
        MeshError: The file is cut off, is no glTF, or is of another version than 2.
    """
    content = _split_chunks(data, path, log) if data[:4] == b"glTF" else GltfContent(_parse_json(data, path))
    asset = content.document.get("asset")
    version = str(cast("dict[str, Any]", asset).get("version", "")) if isinstance(asset, dict) else ""
    if not version.startswith("2."):
        raise_mesh_error(
            f"{path}: glTF {format_text(version, 20) or 'without a version'}, and only 2.0 is supported",
            "unsupported",
        )
    return content


def _split_chunks(data: bytes, path: Path, log: WarningLog) -> GltfContent:
    """Split a GLB file into its chunks.

    The lengths of the chunks are believed before the length of the file, which some exporters write wrong.
    """
    if len(data) < 20:
        raise_mesh_error(f"{path}: a GLB file of {len(data)} bytes is cut off", "cut off")
    version, length = struct.unpack_from("<2I", data, 4)
    if version != 2:
        raise_mesh_error(f"{path}: glTF {version}, and only 2.0 is supported", "unsupported")
    chunks: dict[int, bytes] = {}
    start, is_cut = 12, False
    while start + 8 <= len(data) and not {JSON_CHUNK, BINARY_CHUNK} <= chunks.keys():
        size, kind = struct.unpack_from("<2I", data, start)
        if start >= length and kind not in (JSON_CHUNK, BINARY_CHUNK):
            break  # whatever follows the end of the file
        chunk = data[start + 8 : start + 8 + size]
        if kind == JSON_CHUNK and len(chunk) < size and kind not in chunks:
            raise_mesh_error(
                f"{path}: {len(chunk):,} of {size:,} bytes of JSON; the file is cut off", "cut off"
            )
        is_cut = is_cut or len(chunk) < size
        chunks.setdefault(kind, chunk)
        start += 8 + size
    if JSON_CHUNK not in chunks:
        raise_mesh_error(f"{path}: a GLB file without JSON", "unreadable")
    document = _parse_json(chunks[JSON_CHUNK].rstrip(b"\0 "), path)
    is_cut = is_cut or (length > len(data) and BINARY_CHUNK not in chunks)
    # Up to three bytes of padding may be missing at the end, and the last chunk says so.
    if not is_cut and not start - 3 <= length <= len(data):
        detail = f"its header says {length:,} bytes, and the file has {len(data):,}"
        log.add("header-repaired", detail, "the lengths of its chunks are believed")
    return GltfContent(document, chunks.get(BINARY_CHUNK), is_cut)


def _parse_json(text: bytes, path: Path) -> dict[str, Any]:
    """Parse the JSON of the file."""
    if len(text) > MAX_JSON_BYTES:
        raise_mesh_error(
            f"{path}: {len(text):,} bytes of JSON, and at most {MAX_JSON_BYTES:,} are read", TOO_LARGE
        )
    try:
        tree = json.loads(_decode_json(text))
    except (ValueError, RecursionError) as error:
        cause = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:120]
        raise MeshError(
            f"{path}: cannot be read as glTF ({cause}); get it again from its source", reason="unreadable"
        ) from error
    if not isinstance(tree, dict):
        raise_mesh_error(f"{path}: its JSON is not an object", "unreadable")
    return cast("dict[str, Any]", tree)


def _decode_json(text: bytes) -> str:
    """Decode the text of the JSON: UTF-8 by the specification, but other encodings are met too."""
    encoding = json.detect_encoding(text)
    return decode_name(text) if encoding == "utf-8" else text.decode(encoding)

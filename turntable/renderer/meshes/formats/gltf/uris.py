"""URIs of glTF files: embedded data, and names of other files."""

import base64
import binascii
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

from turntable.renderer.meshes.formats.files import ObjectFiles, decode_percents

_FILE_URI = re.compile(r"file:(//(localhost(?=/))?)?/?(?=/|[A-Za-z]:)", re.IGNORECASE)
"""Beginning of a ``file:`` URI, up to its absolute path."""


def is_data_uri(uri: str) -> bool:
    """Return True if a URI holds its data itself."""
    return uri[:5].lower() == "data:"


def is_web_address(uri: str) -> bool:
    """Return True if a URI is an address on the web."""
    return re.match("(https?|ftp)://", uri, re.IGNORECASE) is not None


def decode_data_uri(uri: str) -> bytes:
    """Decode the data embedded in a ``data:`` URI. Padding may be missing, and lines may be broken.

    Raises:
        ValueError: The data is not what the URI says.
    """
    head, comma, data = uri.partition(",")
    if not comma:
        raise ValueError("no data")
    if not head.rstrip().lower().endswith(";base64"):
        return unquote_to_bytes(data)
    packed = b"".join(unquote_to_bytes(data).split()).rstrip(b"=")
    try:
        return base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def resolve_file_name(files: ObjectFiles, folder: Path, uri: str) -> str:
    """Return the file name that a URI stands for.

    The name is the decoded URI. Some exporters forget to encode names or append a query, so the other
    readings are taken where such a file exists.

    Args:
        files: Access to the files of the object.
        folder: Folder that the URI is relative to.
        uri: URI as the file gives it; a path of Windows or an absolute path too.
    """
    path = _FILE_URI.sub("", uri, count=1)
    decoded = decode_percents(path)
    bare = decode_percents(re.split("[?#]", path, maxsplit=1)[0])
    readings = dict.fromkeys((decoded, path, bare))
    if len(readings) == 1:
        return decoded
    return next((name for name in readings if name and files.find(folder, name)), decoded)

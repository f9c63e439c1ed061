"""Loading of PLY, STL and OFF files with trimesh.

Files are read here and passed to trimesh as bytes, so that trimesh opens no file itself. The counts in their
headers are compared with the size of the file before trimesh allocates memory for them.
"""

import io
import logging
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError, MissingExtraError, format_text
from turntable.renderer.meshes.formats import colors
from turntable.renderer.meshes.formats.object_files import ObjectFiles
from turntable.renderer.meshes.limits import LIMITS, TOO_LARGE, Limits, raise_mesh_error
from turntable.renderer.meshes.mesh import Material, Mesh, check_mesh, join_meshes, with_flat_normals

if TYPE_CHECKING:
    import trimesh

SUFFIXES = (".ply", ".stl", ".off")
"""Suffixes of the files that trimesh loads."""

# trimesh logs tracebacks about parts of files that it can do without. Without a handler, Python's logging
# would print them to the terminal.
logging.getLogger("trimesh").addHandler(logging.NullHandler())


def load_with_trimesh(path: Path, root: Path | None = None, limits: Limits = LIMITS) -> Mesh:
    """Load a PLY, STL or OFF file.

    Args:
        path: Path of the file.
        root: Folder that the file may not lie outside, by a link; the file's own folder by default.
        limits: Limits on what the file may ask for.

    Raises:
        MeshError: The file cannot be read, or has no usable triangles.
        MissingExtraError: trimesh is not installed.
    """
    try:
        import trimesh
    except ImportError as error:
        raise MissingExtraError("trimesh", "render") from error
    files = ObjectFiles(root or path.parent, limits)
    data = files.read_mesh_file(path)
    suffix = path.suffix.lower()
    check_header(data, suffix, path, limits)
    try:
        with warnings.catch_warnings():
            # numpy warns about numbers that overflow; check_mesh finds them.
            warnings.simplefilter("ignore")
            scene = trimesh.load_scene(io.BytesIO(data), file_type=suffix[1:], process=False)
            meshes = [part for part in scene.dump() if isinstance(part, trimesh.Trimesh) and len(part.faces)]
            for mesh in meshes:
                _check_corners(mesh, path)
            parts = [_build_part(mesh) for mesh in meshes]
    except MeshError:
        raise
    except Exception as error:  # trimesh's parsers raise many different errors for broken files
        cause = format_text(str(error), 200) or type(error).__name__
        raise MeshError(
            f"{path}: cannot be read ({cause}); get it again from its source", reason="unreadable"
        ) from error
    if not parts:
        raise MeshError(f"{path}: no faces; leave this object out", reason="no faces")
    mesh = replace(join_meshes(parts), warnings=files.log.warnings, files=tuple(files.paths_read))
    return check_mesh(mesh, str(path))


def _check_corners(part: "trimesh.Trimesh", path: Path) -> None:
    """Raise if a face refers to a vertex that does not exist."""
    faces = np.asarray(part.faces)
    if faces.min() < 0 or faces.max() >= len(part.vertices):
        raise_mesh_error(
            f"{path}: a face names a vertex that is not one of {len(part.vertices)}; the file is cut off",
            "cut off",
        )


def _build_part(part: "trimesh.Trimesh") -> Mesh:
    """Convert a trimesh mesh."""
    positions = np.asarray(part.vertices, dtype=np.float32)
    triangles = np.asarray(part.faces, dtype=np.int32)
    materials, material_index = _build_materials(part)
    # trimesh computes normals when they are asked for. Those of the file are in its cache before that.
    smooth = "vertex_normals" in part._cache.cache  # pyright: ignore[reportPrivateUsage]
    normals = np.asarray(part.vertex_normals, dtype=np.float32) if smooth else np.zeros_like(positions)
    texcoords = np.zeros((len(positions), 2), dtype=np.float32)
    mesh = Mesh(positions, triangles, normals, texcoords, material_index, materials, has_normals=smooth)
    return mesh if smooth else with_flat_normals(mesh)


def _build_materials(part: "trimesh.Trimesh") -> tuple[tuple[Material, ...], NDArray[np.int32]]:
    """Build the materials of a trimesh mesh, and the index of each triangle's material [T]."""
    visual = cast("Any", part.visual)
    if visual.kind in ("vertex", "face"):
        return colors.colors_to_materials(np.asarray(visual.face_colors)[:, :3] / 255)
    return (Material(),), np.zeros(len(part.faces), dtype=np.int32)


_PLY_TYPE_SIZES = {
    **dict.fromkeys(("char", "uchar", "int8", "uint8"), 1),
    **dict.fromkeys(("short", "ushort", "int16", "uint16"), 2),
    **dict.fromkeys(("int", "uint", "float", "int32", "uint32", "float32"), 4),
    **dict.fromkeys(("double", "float64", "int64", "uint64"), 8),
}
"""Bytes of a number by the name of its type."""
_OFF_COUNTS = re.compile(rb"(\d+)\s+(\d+)(?:\s+\d+)?\s")
"""Numbers of vertices, faces and (optionally) edges."""
MAX_HEADER_BYTES = 2**16
"""Bytes in which a header must end."""
MAX_SOLIDS = 1_000
"""Most solids of a text STL file. trimesh makes a mesh of each, which takes a millisecond."""


def check_header(data: bytes, suffix: str, path: Path, limits: Limits) -> None:
    """Refuse a file whose header claims more than the file holds, or more than the limits allow.

    Args:
        data: Content of the file.
        suffix: Suffix of the file, in lower case.
        path: Path of the file, for messages.
        limits: Limits on vertices and triangles.

    Raises:
        MeshError: The header is broken or claims too much.
    """
    if suffix == ".ply":
        _check_ply(data, path, limits)
    elif suffix == ".off":
        _check_off(data, path, limits)
    elif suffix == ".stl":
        _check_stl(data, path)


def _check_ply(data: bytes, path: Path, limits: Limits) -> None:
    """Check the header of a PLY file."""
    head, end, body = data[:MAX_HEADER_BYTES].partition(b"end_header")
    if not data.startswith(b"ply") or not end:
        raise_mesh_error(f"{path}: it has no header of a PLY file", "unreadable")
    size = len(data) - len(head) - len(end) - (0 if body.startswith(b"\n") else 1)
    is_text = b"format ascii" in head
    min_bytes, count, bytes_each = 0, 0, 0
    for line in head.decode("latin-1").splitlines():
        words = line.split()
        if words[:1] == ["element"] and len(words) == 3:
            min_bytes, bytes_each = min_bytes + count * bytes_each, 0
            count = _parse_count(words[2], path)
            limits.check(
                "vertices" if words[1] == "vertex" else "triangles", count, str(path), f"of {words[1]}"
            )
        elif words[:1] == ["property"] and len(words) >= 3:
            # A list takes at least the bytes of its length; a number in text at least a digit and a blank.
            number_type = words[2] if words[1] == "list" else words[1]
            bytes_each += 2 if is_text else _PLY_TYPE_SIZES.get(number_type, 1)
    min_bytes += count * bytes_each
    if min_bytes > size + 1:
        raise_mesh_error(
            f"{path}: its header claims {min_bytes:,} bytes, and {max(size, 0):,} follow; the file is "
            "cut off",
            "cut off",
        )


def _parse_count(word: str, path: Path) -> int:
    """Parse a count of a header."""
    if not re.fullmatch(r"\d{1,18}", word):
        raise_mesh_error(f"{path}: its header has a count of {format_text(word, 40)}", "unreadable")
    return int(word)


def _check_off(data: bytes, path: Path, limits: Limits) -> None:
    """Check the header of an OFF file."""
    text = b"\n".join(line.partition(b"#")[0] for line in data[:MAX_HEADER_BYTES].splitlines()) + b"\n"
    # In ModelNet, the counts may follow the first word without a blank: "OFF490 518 0".
    match = re.match(rb"\s*C?OFF\s*", text)
    counts = _OFF_COUNTS.match(text, match.end()) if match else None
    if counts is None:
        raise_mesh_error(f"{path}: it has no header of an OFF file", "unreadable")
    vertices, faces = (_parse_count(number.decode(), path) for number in counts.groups())
    limits.check("vertices", vertices, str(path), "vertices")
    limits.check("triangles", faces, str(path), "faces")
    # A vertex takes at least three digits and three blanks; a face at least its size, three digits and four
    # blanks.
    if 6 * vertices + 8 * faces > len(data) + 1:
        raise_mesh_error(
            f"{path}: {vertices:,} vertices and {faces:,} faces in {len(data):,} bytes; the file is cut off",
            "cut off",
        )


def _check_stl(data: bytes, path: Path) -> None:
    """Check the number of solids of a text STL file, or the number of triangles of a binary one."""
    if data[:5].lower() == b"solid" and b"facet" in data[:MAX_HEADER_BYTES]:
        if (solids := data.lower().count(b"endsolid")) > MAX_SOLIDS:
            raise_mesh_error(
                f"{path}: {solids:,} solids, and at most {MAX_SOLIDS:,} are read; join them", TOO_LARGE
            )
        return
    if len(data) < 84:
        raise_mesh_error(f"{path}: an STL file of {len(data)} bytes is cut off", "cut off")
    # A binary STL file: 80 bytes of text, the count, and 50 bytes for each triangle.
    count = int.from_bytes(data[80:84], "little")
    if 84 + 50 * count != len(data):
        raise_mesh_error(
            f"{path}: {count:,} triangles in {len(data):,} bytes; the file is cut off, or not an STL file",
            "cut off",
        )

"""PLY, STL and OFF through trimesh, as the meshes this package draws.

Files are read here and given to trimesh as bytes: it opens none by itself. What they promise in their headers
is compared with their size before it is believed.
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

from turntable.errors import MeshError, MissingExtraError, shown
from turntable.renderer.meshes.formats import colours
from turntable.renderer.meshes.formats.confined import Confined
from turntable.renderer.meshes.limits import LIMITS, TOO_LARGE, Limits, refuse
from turntable.renderer.meshes.mesh import Material, Mesh, checked, flat_normals, joined

if TYPE_CHECKING:
    import trimesh

SUFFIXES = (".ply", ".stl", ".off")

# It logs tracebacks over parts of files that it can do without; without a handler they go to the terminal.
logging.getLogger("trimesh").addHandler(logging.NullHandler())


def load_with_trimesh(path: Path, root: Path | None = None, limits: Limits = LIMITS) -> Mesh:
    """Read a mesh file.

    Args:
        path: The file.
        root: The folder it may not leave by a link; its own by default.
        limits: What it may ask for.

    Raises:
        MeshError: It cannot be read, or holds no usable triangles.
        MissingExtraError: trimesh is not installed.
    """
    try:
        import trimesh
    except ImportError as error:
        raise MissingExtraError("trimesh", "render") from error
    files = Confined(root or path.parent, limits)
    data = files.mesh_file(path)
    suffix = path.suffix.lower()
    check_header(data, suffix, path, limits)
    try:
        with warnings.catch_warnings():  # of numbers that overflow: they are checked below
            warnings.simplefilter("ignore")
            scene = trimesh.load_scene(io.BytesIO(data), file_type=suffix[1:], process=False)
            found = [part for part in scene.dump() if isinstance(part, trimesh.Trimesh) and len(part.faces)]
            for part in found:
                _check_corners(part, path)
            parts = [_part(part) for part in found]
    except MeshError:
        raise
    except Exception as error:  # its loaders raise whatever their parsers do
        words = shown(str(error), 200) or type(error).__name__
        raise MeshError(
            f"{path}: cannot be read ({words}); get it again from its source", reason="unreadable"
        ) from error
    if not parts:
        raise MeshError(f"{path}: no faces; leave this object out", reason="no faces")
    return checked(replace(joined(parts), files=tuple(files.files)), str(path))


def _check_corners(part: "trimesh.Trimesh", path: Path) -> None:
    faces = np.asarray(part.faces)
    if faces.min() < 0 or faces.max() >= len(part.vertices):
        refuse(
            f"{path}: a face names a vertex that is not among {len(part.vertices)}; it is cut off", "cut off"
        )


def _part(part: "trimesh.Trimesh") -> Mesh:
    positions = np.asarray(part.vertices, dtype=np.float32)
    triangles = np.asarray(part.faces, dtype=np.int32)
    materials, material_index = _materials(part)
    # trimesh computes normals when asked for any; only those of the file lie in its cache beforehand.
    smooth = "vertex_normals" in part._cache.cache  # pyright: ignore[reportPrivateUsage]
    normals = np.asarray(part.vertex_normals, dtype=np.float32) if smooth else np.zeros_like(positions)
    texcoords = np.zeros((len(positions), 2), dtype=np.float32)
    mesh = Mesh(positions, triangles, normals, texcoords, material_index, materials, smooth)
    return mesh if smooth else flat_normals(mesh)


def _materials(part: "trimesh.Trimesh") -> tuple[tuple[Material, ...], NDArray[np.int32]]:
    """Materials, and the one of each triangle."""
    visual = cast("Any", part.visual)
    if visual.kind in ("vertex", "face"):
        return colours.face_materials(np.asarray(visual.face_colors)[:, :3] / 255)
    return (Material(),), np.zeros(len(part.faces), dtype=np.int32)


_SIZES = {
    **dict.fromkeys(("char", "uchar", "int8", "uint8"), 1),
    **dict.fromkeys(("short", "ushort", "int16", "uint16"), 2),
    **dict.fromkeys(("int", "uint", "float", "int32", "uint32", "float32"), 4),
    **dict.fromkeys(("double", "float64", "int64", "uint64"), 8),
}
_COUNTS = re.compile(rb"(\d+)\s+(\d+)(?:\s+\d+)?\s")
MOST_HEADER_BYTES = 2**16
MOST_SOLIDS = 1_000
"""Solids of an STL file in text: each becomes a mesh of its own, which costs a millisecond."""


def check_header(data: bytes, suffix: str, path: Path, limits: Limits) -> None:
    """Refuse a file whose header promises more than the file holds, or than is read.

    Raises:
        MeshError: It does.
    """
    if suffix == ".ply":
        _check_ply(data, path, limits)
    elif suffix == ".off":
        _check_off(data, path, limits)
    elif suffix == ".stl":
        _check_stl(data, path)


def _check_ply(data: bytes, path: Path, limits: Limits) -> None:
    head, end, body = data[:MOST_HEADER_BYTES].partition(b"end_header")
    if not data.startswith(b"ply") or not end:
        refuse(f"{path}: no header of a PLY file", "unreadable")
    size = len(data) - len(head) - len(end) - (0 if body.startswith(b"\n") else 1)
    ascii_text = b"format ascii" in head
    needed, count, each = 0, 0, 0
    for line in head.decode("latin-1").splitlines():
        words = line.split()
        if words[:1] == ["element"] and len(words) == 3:
            needed, each = needed + count * each, 0
            count = _count(words[2], path)
            limits.check(
                "vertices" if words[1] == "vertex" else "triangles", count, str(path), f"of {words[1]}"
            )
        elif words[:1] == ["property"] and len(words) >= 3:
            # A list has at least its count; a number in text at least a figure and a blank.
            each += 2 if ascii_text else _SIZES.get(words[2] if words[1] == "list" else words[1], 1)
    needed += count * each
    if needed > size + 1:
        refuse(
            f"{path}: its header promises {needed:,} bytes, and {max(size, 0):,} follow; it is cut off",
            "cut off",
        )


def _count(word: str, path: Path) -> int:
    if not re.fullmatch(r"\d{1,18}", word):
        refuse(f"{path}: a header with {shown(word, 40)} elements", "unreadable")
    return int(word)


def _check_off(data: bytes, path: Path, limits: Limits) -> None:
    text = b"\n".join(line.partition(b"#")[0] for line in data[:MOST_HEADER_BYTES].splitlines()) + b"\n"
    # ModelNet glues the counts to the first word: "OFF490 518 0".
    match = re.match(rb"\s*C?OFF\s*", text)
    counts = _COUNTS.match(text, match.end()) if match else None
    if counts is None:
        refuse(f"{path}: no header of an OFF file", "unreadable")
    vertices, faces = (_count(number.decode(), path) for number in counts.groups())
    limits.check("vertices", vertices, str(path), "vertices")
    limits.check("triangles", faces, str(path), "faces")
    if 6 * vertices + 8 * faces > len(data) + 1:
        refuse(
            f"{path}: {vertices:,} vertices and {faces:,} faces in {len(data):,} bytes; it is cut off",
            "cut off",
        )


def _check_stl(data: bytes, path: Path) -> None:
    if data[:5].lower() == b"solid" and b"facet" in data[:MOST_HEADER_BYTES]:
        if (solids := data.lower().count(b"endsolid")) > MOST_SOLIDS:
            refuse(f"{path}: {solids:,} solids, and at most {MOST_SOLIDS:,} are read; join them", TOO_LARGE)
        return
    if len(data) < 84:
        refuse(f"{path}: an STL file of {len(data)} bytes is cut off", "cut off")
    count = int.from_bytes(data[80:84], "little")
    if 84 + 50 * count != len(data):
        refuse(
            f"{path}: {count:,} triangles in {len(data):,} bytes; it is cut off, or no STL file", "cut off"
        )

"""Loading of STL files of bytes or of text.

The normals of the file are not used: those of the faces follow from their corners, as in other programs. The
attribute words of a binary file hold colors in two dialects that contradict each other; they are not drawn.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.formats.files import ObjectFiles
from turntable.renderer.meshes.formats.polygon_files.polygon_mesh import PolygonTable, build_polygon_mesh
from turntable.renderer.meshes.formats.polygon_files.stl_text import parse_stl_text
from turntable.renderer.meshes.limits import LIMITS, Limits, raise_mesh_error
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.root_folder import RootFolder

HEAD_BYTES, RECORD_BYTES = 84, 50
"""Bytes before the triangles of a binary file, and bytes of each triangle."""
_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
"""A triangle of a binary file."""
HAS_COLOR = 0x8000
"""Bit of an attribute word that programs set to say that the others are a color."""
RGB = 0x7FFF
"""Bits of an attribute word that are a color."""
GRAY_RANGE = 8
"""Largest difference of the channels of a gray, of 255."""
MAX_GROWTH = 100.0
"""Extent of what follows the triangles that the header counts, relative to them, above which it is none."""


def load_stl(path: Path, root: Path | RootFolder | None = None, limits: Limits = LIMITS) -> Mesh:
    """Load an STL file.

    Args:
        path: Path of the file.
        root: Folder that the file may not lie outside, by a link; the file's own folder by default.
        limits: Limits on what the file may ask for.

    Raises:
        MeshError: The file is cut off, or has no triangles that can be drawn.
    """
    files = ObjectFiles(root or path.parent, limits)
    data = files.read_mesh_file(path)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode()
    if _is_text(data):
        points, sizes = parse_stl_text(data, files, str(path))
    else:
        points = _read_records(data, files, str(path))
        sizes = np.full(len(points) // 3, 3, dtype=np.intp)
    return build_polygon_mesh(PolygonTable(points, np.arange(len(points)), sizes), path, files)


def _is_text(data: bytes) -> bool:
    """Return True for a file of text. A binary file may begin with "solid" too."""
    count = int.from_bytes(data[80:84], "little")
    if len(data) == HEAD_BYTES + RECORD_BYTES * count:
        return False
    # Of the numbers of a binary file, some have a byte that is zero.
    head = data[: 2**16]
    return b"\0" not in head and (
        head.removeprefix(b"\xef\xbb\xbf").lstrip()[:5].lower() == b"solid" or b"facet" in head.lower()
    )


def _read_records(data: bytes, files: ObjectFiles, location: str) -> NDArray[np.float32]:
    """Read the corners [3 T, 3] of the triangles of a binary file."""
    if len(data) < HEAD_BYTES:
        raise_mesh_error(f"{location}: an STL file of {len(data)} bytes is cut off", "cut off")
    claimed = int.from_bytes(data[80:84], "little")
    present, left = divmod(len(data) - HEAD_BYTES, RECORD_BYTES)
    files.limits.check("triangles", min(claimed, present), location, "triangles")
    if claimed > present and b"\0" not in data[: 2**16]:
        raise_mesh_error(f"{location}: it is a text, and not that of an STL file", "unreadable")
    if claimed > present and (left or not present):
        raise_mesh_error(
            f"{location}: its header counts {claimed:,} triangles, and {present:,} follow"
            f"{', the last in part' * bool(left)}; the file is cut off, or not an STL file",
            "cut off",
        )
    count = claimed if claimed <= present else present
    if claimed < present and not left and _are_triangles(data, claimed, present):
        files.limits.check("triangles", present, location, "triangles")
        count = present
    if count != claimed:
        detail = f"its header counts {claimed:,} triangles, and {present:,} follow"
        files.log.add("header-repaired", detail, f"all {present:,} are shown")
    elif present > claimed and data[HEAD_BYTES + RECORD_BYTES * claimed :].strip(b"\0 \t\r\n\x1a"):
        files.log.add("statement-skipped", "more data follows its last triangle", "it is not read")
    records = np.frombuffer(data, _RECORD, count, HEAD_BYTES)
    _warn_of_colors(records["attribute"], data, files)
    return records["corners"].reshape(-1, 3)


def _are_triangles(data: bytes, claimed: int, present: int) -> bool:
    """Return True if what follows the triangles that the header counts looks like more of them."""
    corners = np.frombuffer(data, _RECORD, present, HEAD_BYTES)["corners"]
    more = corners[claimed:].astype(np.float64)
    if not np.isfinite(more).all():
        return False
    is_point = (more == more[:, :1]).all(axis=(1, 2))
    low, high = (more.min(axis=(0, 1)), more.max(axis=(0, 1))) if not claimed else _bound(corners[:claimed])
    reach = MAX_GROWTH * max(
        float(np.abs(high - low).max()), float(np.abs(low).max()), float(np.abs(high).max())
    )
    return not is_point.any() and bool((np.abs(more) <= reach).all())


def _bound(corners: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the smallest and largest finite coordinates [3] of corners [T, 3, 3]."""
    points = corners.reshape(-1, 3).astype(np.float64)
    points = points[np.isfinite(points).all(axis=1)]
    return (points.min(axis=0), points.max(axis=0)) if len(points) else (np.zeros(3), np.zeros(3))


def _warn_of_colors(attributes: NDArray[np.uint16], data: bytes, files: ObjectFiles) -> None:
    """Warn if the attribute words or the header hold colors other than gray ones of the whole object."""
    _, magics, color = data[:80].partition(b"COLOR=")
    # Programs write black and white where there is no color.
    has_color = ((attributes & RGB) != 0) & ((attributes & RGB) != RGB)
    if not magics:
        has_color &= (attributes & HAS_COLOR) != 0
    if has_color.any() or (len(color) > 3 and max(color[:3]) - min(color[:3]) > GRAY_RANGE):
        program = "Materialise Magics" if magics else "VisCAM and SolidView"
        files.log.add(
            "color-approximated",
            f"it has colors of {program}, which are no part of the format",
            "it is drawn in one gray, as by Blender",
        )

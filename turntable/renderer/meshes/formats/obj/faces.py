"""Faces of an OBJ file with resolved references. What cannot be drawn is left out, counted and reported."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes.formats.obj.statements import ObjStatements
from turntable.renderer.meshes.formats.polygons import find_polygons
from turntable.renderer.meshes.mesh import MAX_FLOAT32
from turntable.renderer.meshes.mesh_warnings import WarningLog

ABSENT = -1
"""Resolved reference of a corner without a texture coordinate or normal."""
MIN_CORNERS = 3
"""Fewest corners of a face that can be drawn."""

Mask = NDArray[np.bool_]
"""A choice of faces, corners or vertices."""
Table = NDArray[np.float64]
"""Numbers [N, K] of statements."""


@dataclass(frozen=True, slots=True, eq=False)
class ObjFaces:
    """The faces of an OBJ file that can be drawn."""

    corners: NDArray[np.int64]
    """[3, C] 0-based indices of position, texcoord and normal of all corners, or ``ABSENT``."""
    sizes: NDArray[np.intp]
    """[F] number of corners of each face, at least 3."""
    material: NDArray[np.int32]
    """[F] index of the material of each face, 0 for none."""


def resolve_faces(statements: ObjStatements, path: Path, log: WarningLog) -> ObjFaces:
    """Resolve the references of all faces, and leave out the faces that cannot be drawn.

    Args:
        statements: Statements of the file, with at least one face.
        path: Path of the file, for messages.
        log: Warnings about the object; counts of what is left out are added.

    Raises:
        MeshError: No face can be drawn.
    """
    corners = _resolve_corners(statements)
    usable = find_finite_rows(statements.positions)
    in_table = (corners[0] >= 0) & (corners[0] < len(statements.positions))
    is_small = statements.face_sizes < MIN_CORNERS
    causes: list[tuple[Mask, str]] = []
    if is_small.any():
        causes.append((is_small, "have fewer than three corners"))
    if not in_table.all():
        cause = "have corners that do not exist or cannot be read"
        causes.append((find_polygons(~in_table, statements.face_sizes), cause))
    if not usable.all():
        bad = in_table.copy()
        bad[in_table] = ~usable[corners[0, in_table]]
        cause = "have corners whose coordinates are NaN, infinite or cannot be read"
        causes.append((find_polygons(bad, statements.face_sizes), cause))
    faces = ObjFaces(corners, statements.face_sizes, statements.face_material)
    faces = _leave_out(faces, causes, path, log)
    _drop_references(faces.corners, statements, log)
    return faces


def find_finite_rows(table: Table) -> Mask:
    """Find the rows [N] of a table whose numbers are all finite in float32."""
    finite: Mask = np.abs(table) <= MAX_FLOAT32  # NaN fails the comparison too
    rows: Mask = np.ones(len(table), dtype=np.bool_)
    return rows if finite.all() else np.all(finite, axis=1, out=rows)


def _resolve_corners(statements: ObjStatements) -> NDArray[np.int64]:
    """Resolve references to 0-based indices [3, C], which may lie outside of their tables.

    Negative references count back from their face. Absent references become ``ABSENT``.
    """
    resolved = statements.corners - 1
    negative = statements.corners < 0
    if negative.any():
        before = statements.corners + np.repeat(statements.num_defined, statements.face_sizes, axis=1)
        # A reference too far back must not be taken for an absent one.
        before[before < 0] = np.iinfo(np.int64).max
        resolved = np.where(negative, before, resolved)
    return resolved


def _leave_out(faces: ObjFaces, causes: list[tuple[Mask, str]], path: Path, log: WarningLog) -> ObjFaces:
    """Leave out faces, and report how many for each cause."""
    if not causes:
        return faces
    kept = np.ones(len(faces.sizes), dtype=np.bool_)
    for bad, cause in causes:
        bad = bad & kept
        if bad.any():
            first = int(np.argmax(bad)) + 1
            detail = f"{bad.sum():,} of {len(bad):,} faces {cause} (the first is face {first:,})"
            log.add("face-skipped", detail, "without them")
            kept &= ~bad
    if not kept.any():
        _, cause = causes[-1]
        reason = "not finite" if "NaN" in cause else "no faces"
        raise MeshError(
            f"{path}: no face can be drawn, since {len(kept):,} {cause}; export the mesh again or leave this "
            "object out",
            reason=reason,
        )
    corners = faces.corners[:, np.repeat(kept, faces.sizes)]
    return ObjFaces(corners, faces.sizes[kept], faces.material[kept])


def _drop_references(corners: NDArray[np.int64], statements: ObjStatements, log: WarningLog) -> None:
    """Make references to texture coordinates and normals absent that do not exist, and report how many."""
    for axis, table, noun in ((1, statements.texcoords, "vt"), (2, statements.normals, "vn")):
        # A face may refer to texture coordinates or normals in a file that defines none at all.
        bad = corners[axis] >= len(table)
        if not bad.any():
            continue
        if len(table):
            first = int(np.argmax(bad)) + 1
            detail = f"{bad.sum():,} of {len(bad):,} corners name a {noun} line that is none of {len(table)}"
            log.add("reference-skipped", f"{detail} (the first is corner {first:,})", "without them")
        corners[axis, bad] = ABSENT

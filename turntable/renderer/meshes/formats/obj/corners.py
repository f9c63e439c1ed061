"""Corners of the triangles of an OBJ file, and the tables of numbers that they refer to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.formats.mtl import TexcoordMove
from turntable.renderer.meshes.formats.obj.faces import ABSENT, MAX_FLOAT32, find_finite_rows
from turntable.renderer.meshes.formats.obj.statements import ObjStatements
from turntable.renderer.meshes.mesh import compute_face_normals
from turntable.renderer.meshes.mesh_warnings import WarningLog

Table = NDArray[np.float64]
"""Numbers [N, K] of statements."""


@dataclass(frozen=True, slots=True, eq=False)
class ObjCorners:
    """The corners of all triangles, three for each, and what they refer to."""

    numbers: NDArray[np.int64]
    """[3, 3 T] 0-based indices of position, texcoord and normal. Only a texcoord may be ``ABSENT``."""
    texcoords: Table
    """[U, 2] texture coordinates."""
    normals: Table
    """[N, 3] normals, not yet of unit length."""
    is_smooth: bool
    """True if a corner has a normal of the file."""


def make_corners(statements: ObjStatements, numbers: NDArray[np.int64], log: WarningLog) -> ObjCorners:
    """Give each corner a normal, and each texture coordinate a finite value.

    Args:
        statements: Statements of the file.
        numbers: [3, 3 T] resolved references, ``ABSENT`` where a corner has no texture coordinate or normal.
        log: Warnings about the object; counts of repaired numbers are added.
    """
    texcoords, normals = statements.texcoords, statements.normals
    usable = find_finite_rows(texcoords)
    if not usable.all():
        texcoords = np.where(usable[:, None], texcoords, 0)
        _report_repairs(~usable, "vt", "they are 0", log)
    usable = find_finite_rows(normals)
    if not usable.all():
        _report_repairs(~usable, "vn", "their faces are flat there", log)
    usable &= (normals[:, 0] != 0) | (normals[:, 1] != 0) | (normals[:, 2] != 0)
    without = numbers[2] == ABSENT
    if not usable.all():
        without = without | ~usable[numbers[2]]  # where there is none, the last one is asked, in vain
    if without.any():
        flat = compute_face_normals(statements.positions, numbers[0].reshape(-1, 3).astype(np.int32))
        face = np.arange(numbers.shape[1]) // 3
        numbers = np.stack([*numbers[:2], np.where(without, len(normals) + face, numbers[2])])
        normals = np.concatenate([normals, flat])
    return ObjCorners(numbers, texcoords, normals, is_smooth=not without.all())


def move_texcoords(
    corners: ObjCorners, material_index: NDArray[np.int32], moves: Mapping[int, TexcoordMove]
) -> ObjCorners:
    """Move the texture coordinates of the triangles of some materials.

    Args:
        corners: Corners of all triangles.
        material_index: [T] material of each triangle.
        moves: Moves of the texture coordinates of a material, by its index.
    """
    texcoord, tables, count = corners.numbers[1].copy(), [corners.texcoords], len(corners.texcoords)
    for material, move in moves.items():
        chosen = np.repeat(material_index == material, 3) & (texcoord != ABSENT)
        used, number = np.unique(corners.numbers[1, chosen], return_inverse=True)
        with np.errstate(over="ignore", invalid="ignore"):
            moved = corners.texcoords[used] * move.scale + move.offset
        tables.append(np.where(np.abs(moved) <= MAX_FLOAT32, moved, 0))
        texcoord[chosen] = count + number.reshape(-1)
        count += len(used)
    numbers = np.stack([corners.numbers[0], texcoord, corners.numbers[2]])
    return replace(corners, numbers=numbers, texcoords=np.concatenate(tables))


def _report_repairs(bad: NDArray[np.bool_], keyword: str, shown: str, log: WarningLog) -> None:
    """Report lines whose numbers are not finite."""
    first = int(np.argmax(bad)) + 1
    detail = f"{bad.sum():,} {keyword} lines hold NaN, infinity or no numbers (the first is number {first:,})"
    log.add("number-repaired", detail, shown)

"""What a mesh is to the renderer: triangles, their attributes, and materials in linear light."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Texture:
    """An image wrapped over a surface by repetition, filtered bilinearly."""

    pixels: NDArray[np.uint8]
    """[H, W, 3] sRGB, or [H, W, 4] with alpha; the first row is the top of the image (v = 1)."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Disney diffuse under a GGX coat, as Blender's importer reads an MTL file (all colours linear)."""

    name: str = "default"
    base_color: tuple[float, float, float] = (0.8, 0.8, 0.8)
    """Linear Rec.709; a texture replaces it."""
    specular: float = 0.5
    """F0 = 0.08 * specular."""
    roughness: float = 0.5
    """GGX alpha = roughness squared."""
    alpha: float = 1.0
    """1 is opaque."""
    emission: tuple[float, float, float] = (0.0, 0.0, 0.0)
    texture: Texture | None = None
    lit: float = 1.0
    """The share of light that reaches it: less where another face lies in the same place."""
    turn: int = 0
    """1 or 2 where two faces lie in one place, which neighbouring samples see in turn; 0 is always seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Triangles in the world's orientation (z up), before any pose.

    The renderer puts the centre of the axis-aligned bounding box at the origin and scales nothing.
    Vertices are unshared wherever an attribute differs: one index serves position, normal and texture
    coordinate alike.
    """

    positions: FloatArray
    """[N, 3]."""
    triangles: IntArray
    """[T, 3] indices into the vertices; either winding."""
    normals: FloatArray
    """[N, 3] unit shading normals. Where a file gives none: the flat normal of the face."""
    texcoords: FloatArray
    """[N, 2], v upwards; zeros where a mesh has none."""
    material_index: IntArray
    """[T] index into ``materials``."""
    materials: tuple[Material, ...]
    has_normals: bool = True
    """Whether the normals come from the file. Flat ones are two-sided: the winding carries no meaning."""
    warnings: tuple[str, ...] = field(default=())
    """What was missing or mended while loading, for the user."""
    files: tuple[Path, ...] = ()
    """Every file it was read from."""


def checked(mesh: Mesh, where: str) -> Mesh:
    """The mesh, if it can be drawn.

    Raises:
        MeshError: It has no triangles, or its numbers are not finite.
    """
    if not len(mesh.triangles):
        raise MeshError(f"{where}: no faces; leave this object out", reason="no faces")
    for name, values in (
        ("vertices", mesh.positions),
        ("normals", mesh.normals),
        ("texture coordinates", mesh.texcoords),
    ):
        bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
        if len(bad):
            raise MeshError(
                f"{where}: {len(bad)} {name} are NaN or infinite (the first is number {bad[0] + 1}); "
                "export the mesh again or leave this object out",
                reason="not finite",
            )
    return mesh


def bounds(mesh: Mesh) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Least and largest coordinates, each [3], of the vertices that triangles use."""
    columns = np.ascontiguousarray(mesh.positions[used_vertices(mesh)].T)
    return columns.min(axis=1), columns.max(axis=1)


def used_vertices(mesh: Mesh) -> NDArray[np.bool_]:
    """[N]: whether a triangle has this vertex."""
    used = np.zeros(len(mesh.positions), dtype=np.bool_)
    used[mesh.triangles.ravel()] = True
    return used


def diagonal(mesh: Mesh) -> float:
    """Of the bounding box."""
    low, high = bounds(mesh)
    return float(np.linalg.norm(high.astype(np.float64) - low))


def centre(mesh: Mesh) -> NDArray[np.float64]:
    """[3]: the middle of the bounding box, which the renderer puts at the origin."""
    low, high = bounds(mesh)
    return (low.astype(np.float64) + high) / 2


def centred(mesh: Mesh) -> tuple[FloatArray, float]:
    """Vertices [N, 3] as the renderer places them, and the radius of the sphere that holds all that is used.

    Raises:
        MeshError: All of the mesh is one point.
    """
    positions = (mesh.positions - centre(mesh)).astype(np.float32)
    used = positions[used_vertices(mesh)].astype(np.float64)
    radius = float(np.linalg.norm(used, axis=1).max())
    if radius <= 0:
        raise MeshError("the mesh has no extent; leave this object out", reason="no extent")
    return positions, radius


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Unit vectors [..., 3]; one without length becomes +z, so that shading stays finite."""
    values = np.asarray(vectors, dtype=np.float64)
    length = np.linalg.norm(values, axis=-1, keepdims=True)
    return np.where(length > 0, values / np.where(length > 0, length, 1), [0.0, 0.0, 1.0])


def face_normals(positions: NDArray[np.floating], triangles: IntArray) -> NDArray[np.float64]:
    """[T, 3] unit normals, counter-clockwise corners seen from outside."""
    a, b, c = (np.asarray(positions, dtype=np.float64)[triangles[:, k]] for k in range(3))
    return unit(np.cross(b - a, c - a))


def flat_normals(mesh: Mesh) -> Mesh:
    """The mesh with vertices of its own for each triangle and the triangle's normal at all three."""
    corners = mesh.triangles.ravel()
    return replace(
        mesh,
        positions=mesh.positions[corners],
        texcoords=mesh.texcoords[corners],
        normals=np.repeat(face_normals(mesh.positions, mesh.triangles), 3, axis=0).astype(np.float32),
        triangles=np.arange(len(corners), dtype=np.int32).reshape(-1, 3),
        has_normals=False,
    )


def joined(parts: Sequence[Mesh]) -> Mesh:
    """Several meshes as one, each with its own materials."""
    vertices = np.cumsum([0, *(len(part.positions) for part in parts)])
    materials = np.cumsum([0, *(len(part.materials) for part in parts)])
    triangles = [part.triangles + first for part, first in zip(parts, vertices, strict=False)]
    index = [part.material_index + first for part, first in zip(parts, materials, strict=False)]
    return Mesh(
        positions=np.concatenate([part.positions for part in parts]),
        triangles=np.concatenate(triangles).astype(np.int32),
        normals=np.concatenate([part.normals for part in parts]),
        texcoords=np.concatenate([part.texcoords for part in parts]),
        material_index=np.concatenate(index).astype(np.int32),
        materials=tuple(material for part in parts for material in part.materials),
        has_normals=all(part.has_normals for part in parts),
        warnings=tuple(warning for part in parts for warning in part.warnings),
    )


def y_up_to_z_up(mesh: Mesh) -> Mesh:
    """The mesh with (x, y, z) moved to (x, -z, y), as OBJ and glTF files lie in the world."""
    turn = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=np.float32)
    return replace(mesh, positions=mesh.positions @ turn, normals=mesh.normals @ turn)


def mesh_digest(mesh: Mesh) -> str:
    """sha256 (hex) over everything that is drawn."""
    digest = hashlib.sha256()
    for values in (mesh.positions, mesh.triangles, mesh.normals, mesh.texcoords, mesh.material_index):
        digest.update(np.ascontiguousarray(values).tobytes())
    for material in mesh.materials:
        digest.update(repr(replace(material, texture=None)).encode())
        digest.update(
            b"" if material.texture is None else np.ascontiguousarray(material.texture.pixels).tobytes()
        )
    return digest.hexdigest()

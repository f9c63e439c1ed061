"""The mesh that the renderer draws: triangles, their attributes, and materials in linear light."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.objects import ObjectPart
from turntable.errors import MeshError
from turntable.renderer.meshes.mesh_warnings import MeshWarning

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]
Number = TypeVar("Number", bound=np.floating[Any])


MAX_FLOAT32 = float(np.finfo(np.float32).max)
"""Largest finite float32. Meshes are drawn in float32, where larger numbers become infinite."""
FAR_DIAGONALS = 16.0
"""Distance of a mesh from the origin, in diagonals of its bounding box, from which it is centered on loading.

There a float32 still resolves a millionth of the diagonal.
"""
Wrap = Literal["repeat", "mirror", "clamp"]
"""Continuation of an image beside itself: the image again, its mirror image, or the color of its edge."""
Filter = Literal["linear", "nearest"]
"""Filter of a magnified texture: between the nearest texels, or the nearest texel alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Texture:
    """An image mapped to a surface. By default it repeats in both directions and is filtered bilinearly."""

    pixels: NDArray[np.uint8]
    """[H, W, 3] sRGB or [H, W, 4] with alpha. The first row is the top of the image (v = 1)."""
    wrap: tuple[Wrap, Wrap] = ("repeat", "repeat")
    """Continuation of the image beside itself, along u and along v."""
    magnified: Filter = "linear"
    """Filter where a texel is larger than a pixel. Where it is smaller, texels are always averaged."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Disney diffuse under a GGX coat, as Blender's importer reads an MTL file. All colors are linear.

    ``compute_mesh_digest`` hashes the ``repr`` of a material, so the names of the class and its fields are
    part of every digest and must not change. Newer fields are not in the ``repr``: they are hashed only where
    they are used, so that the digests of other meshes stay.
    """

    name: str = "default"
    """Name of the material in its file."""
    base_color: tuple[float, float, float] = (0.8, 0.8, 0.8)
    """Linear Rec.709 color in [0, 1]. A texture replaces it."""
    specular: float = 0.5
    """Specular reflection: F0 = 0.08 * specular."""
    roughness: float = 0.5
    """Roughness in [0, 1]: GGX alpha = roughness squared."""
    alpha: float = 1.0
    """Opacity in [0, 1]; 1 is opaque."""
    emission: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Linear light that the surface emits."""
    texture: Texture | None = None
    """Texture that replaces the base color, if there is one."""
    lit: float = 1.0
    """Share of light that reaches the surface. It is below 1 for faces that coincide with another face."""
    turn: int = 0
    """1 or 2 for a face that coincides with another face, else 0. Samples see faces 1 and 2 alternately."""
    emission_texture: Texture | None = field(default=None, repr=False)
    """Texture that multiplies ``emission``, at the same texture coordinates; its alpha is ignored."""
    alpha_cutoff: float | None = field(default=None, repr=False)
    """If given, the surface is opaque where its alpha (that of the material times those of the texture and
    of the vertices) is at least this, and absent elsewhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Triangles in world orientation (z up), before any pose.

    The renderer moves the center of the axis-aligned bounding box to the origin and scales nothing.
    A vertex is split wherever one of its attributes differs, so one index serves position, normal and
    texture coordinates alike.
    """

    positions: FloatArray
    """[N, 3] positions."""
    triangles: IntArray
    """[T, 3] indices into the vertices, with either winding."""
    normals: FloatArray
    """[N, 3] unit shading normals. The flat normal of the face if the file gives none."""
    texcoords: FloatArray
    """[N, 2] texture coordinates, v upward. Zeros for a mesh without texture coordinates."""
    material_index: IntArray
    """[T] indices into ``materials``."""
    materials: tuple[Material, ...]
    """Materials of the triangles."""
    colors: FloatArray | None = None
    """[N, 4] colors and opacities of the vertices, in [0, 1], if there are any.

    They are interpolated over each triangle, and multiply the material's color and alpha, or its texture's.
    """
    has_encoded_colors: bool = False
    """True if the colors are sRGB values, which are interpolated as they are before they become linear.

    So does every viewer of PLY, OBJ and OFF files; colors of glTF files are linear.
    """
    has_normals: bool = True
    """True if the normals come from the file.

    Flat normals are two-sided: without normals in the file, the winding carries no meaning.
    """
    warnings: tuple[MeshWarning, ...] = ()
    """Warnings about what was missing, repaired or not drawn as the files say."""
    files: tuple[Path, ...] = ()
    """Paths of all files the mesh was read from."""
    part_index: IntArray | None = None
    """[T] indices into ``parts``: the rigid part that each triangle belongs to; None for a mesh of one piece.

    No two parts share a vertex.
    """
    parts: tuple[ObjectPart, ...] = ()
    """The rigid parts of an assembly, which stands at rest here; none for a mesh of one piece.

    The origin of the object's frame is that of an assembly's own positions, whatever its bounding box is.
    """


def check_mesh(mesh: Mesh, location: str) -> Mesh:
    """Return the mesh if it can be drawn.

    Args:
        mesh: Mesh to check.
        location: File or object, for the message.

    Raises:
        MeshError: The mesh has no triangles, or its numbers are not finite.
    """
    if not len(mesh.triangles):
        raise MeshError(f"{location}: no faces; leave this object out", reason="no faces")
    for name, values in (
        ("vertices", mesh.positions),
        ("normals", mesh.normals),
        ("texture coordinates", mesh.texcoords),
        *((("vertex colors", mesh.colors),) if mesh.colors is not None else ()),
    ):
        bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
        if len(bad):
            raise MeshError(
                f"{location}: {len(bad)} {name} are NaN or infinite (the first is number {bad[0] + 1}); "
                "export the mesh again or leave this object out",
                reason="not finite",
            )
    return mesh


def compute_bounds(mesh: Mesh) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the smallest and largest coordinates, each [3], of the vertices that triangles use."""
    return _compute_box(mesh.positions, find_used_vertices(mesh))


def find_used_vertices(mesh: Mesh) -> NDArray[np.bool_]:
    """Return a mask [N], true for vertices that a triangle uses."""
    return _mark_used(len(mesh.positions), mesh.triangles)


def _mark_used(num_vertices: int, triangles: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return a mask [num_vertices], true for vertices that a triangle uses."""
    used = np.zeros(num_vertices, dtype=np.bool_)
    used[triangles.ravel()] = True
    return used


def _compute_box(
    positions: NDArray[Number], used: NDArray[np.bool_]
) -> tuple[NDArray[Number], NDArray[Number]]:
    """Return the smallest and largest coordinates, each [3], of the used vertices."""
    # Transposed first, because numpy reduces contiguous rows several times faster than columns.
    columns = np.ascontiguousarray((positions if used.all() else positions[used]).T)
    return columns.min(axis=1), columns.max(axis=1)


def compute_diagonal(mesh: Mesh) -> float:
    """Return the length of the diagonal of the bounding box."""
    low, high = compute_bounds(mesh)
    return float(np.linalg.norm(high.astype(np.float64) - low))


def compute_center(mesh: Mesh) -> NDArray[np.float64]:
    """Return the point [3] that the renderer moves to the origin: the center of the bounding box.

    An assembly stays where it is, since its parts move and the box with them.
    """
    if mesh.parts:
        return np.zeros(3)
    low, high = compute_bounds(mesh)
    return (low.astype(np.float64) + high) / 2


def to_float32_positions(positions: NDArray[np.float64], triangles: NDArray[np.integer]) -> FloatArray:
    """Convert positions to float32. Those of a mesh far from the origin are centered first.

    A mesh in the coordinates of a map would lose its shape in float32. Nearer than ``FAR_DIAGONALS`` nothing
    visible is lost, and the positions stay as they are in the file.

    Args:
        positions: [N, 3] positions.
        triangles: [T, 3] vertex indices; vertices that no triangle uses do not count.
    """
    center = find_far_center(positions, triangles)
    with np.errstate(over="ignore", invalid="ignore"):
        return (positions if center is None else positions - center).astype(np.float32)


def find_far_center(
    positions: NDArray[np.float64], triangles: NDArray[np.integer]
) -> NDArray[np.float64] | None:
    """Return the point [3] that ``to_float32_positions`` moves to the origin; None if it moves nothing.

    Args:
        positions: [N, 3] positions.
        triangles: [T, 3] vertex indices; vertices that no triangle uses do not count.
    """
    if not len(positions):
        return None
    used = _mark_used(len(positions), triangles)
    low, high = _compute_box(positions, used if len(triangles) else ~used)
    center = (low + high) / 2
    with np.errstate(over="ignore", invalid="ignore"):
        is_far = np.linalg.norm(center) > FAR_DIAGONALS * np.linalg.norm(high - low)
    return center if is_far else None


def center_vertices(mesh: Mesh) -> tuple[FloatArray, float]:
    """Center the vertices at the origin, as the renderer does.

    Returns:
        Positions [N, 3], and the radius of the sphere about the origin that contains all used vertices.

    Raises:
        MeshError: All used vertices are one point.
    """
    positions = (mesh.positions - compute_center(mesh)).astype(np.float32)
    used = positions[find_used_vertices(mesh)].astype(np.float64)
    radius = float(np.linalg.norm(used, axis=1).max())
    if radius <= 0:
        raise MeshError("the mesh has no extent; leave this object out", reason="no extent")
    return positions, radius


def normalize_vectors(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Scale vectors [..., 3] to unit length. A zero vector becomes +z, so that shading stays finite."""
    values = np.asarray(vectors, dtype=np.float64)
    length = np.linalg.norm(values, axis=-1, keepdims=True)
    return np.where(length > 0, values / np.where(length > 0, length, 1), [0.0, 0.0, 1.0])


def compute_face_normals(positions: NDArray[np.floating], triangles: IntArray) -> NDArray[np.float64]:
    """Return the unit normals [T, 3] of triangles whose corners run counter-clockwise seen from outside."""
    a, b, c = (np.asarray(positions, dtype=np.float64)[triangles[:, k]] for k in range(3))
    return normalize_vectors(np.cross(b - a, c - a))


def average_face_normals(
    positions: NDArray[np.floating], triangles: NDArray[np.integer], vertices: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return for some vertices the unit normals [K, 3] in the middle of those of their triangles.

    A vertex that no triangle uses gets +z.

    Args:
        positions: [N, 3] positions.
        triangles: [T, 3] vertex indices.
        vertices: [N] mask of the K vertices.
    """
    touching = triangles[vertices[triangles].any(axis=1)].astype(np.int32)
    normals = np.repeat(compute_face_normals(positions, touching), 3, axis=0)
    sums = np.zeros((np.count_nonzero(vertices), 3))
    for k in range(3):
        sums[:, k] = np.bincount(touching.ravel(), normals[:, k], len(vertices))[vertices]
    return normalize_vectors(sums)


def with_flat_normals(mesh: Mesh) -> Mesh:
    """Return the mesh with three separate vertices for each triangle, all with the triangle's normal."""
    normals = np.repeat(compute_face_normals(mesh.positions, mesh.triangles), 3, axis=0).astype(np.float32)
    return replace(split_vertices(mesh), normals=normals, has_normals=False)


def split_vertices(mesh: Mesh) -> Mesh:
    """Return the mesh with three separate vertices for each triangle, and the same normals."""
    corners = mesh.triangles.ravel()
    return replace(
        mesh,
        positions=mesh.positions[corners],
        normals=mesh.normals[corners],
        texcoords=mesh.texcoords[corners],
        triangles=np.arange(len(corners), dtype=np.int32).reshape(-1, 3),
        colors=None if mesh.colors is None else mesh.colors[corners],
    )


def join_meshes(parts: Sequence[Mesh]) -> Mesh:
    """Join several meshes into one. Each keeps its materials."""
    vertex_offsets = np.cumsum([0, *(len(part.positions) for part in parts)])
    material_offsets = np.cumsum([0, *(len(part.materials) for part in parts)])
    triangles = [part.triangles + first for part, first in zip(parts, vertex_offsets, strict=False)]
    index = [part.material_index + first for part, first in zip(parts, material_offsets, strict=False)]
    return Mesh(
        positions=np.concatenate([part.positions for part in parts]),
        triangles=np.concatenate(triangles).astype(np.int32),
        normals=np.concatenate([part.normals for part in parts]),
        texcoords=np.concatenate([part.texcoords for part in parts]),
        material_index=np.concatenate(index).astype(np.int32),
        materials=tuple(material for part in parts for material in part.materials),
        colors=_join_colors(parts),
        has_encoded_colors=any(part.has_encoded_colors for part in parts),
        has_normals=all(part.has_normals for part in parts),
        warnings=tuple(warning for part in parts for warning in part.warnings),
    )


def _join_colors(parts: Sequence[Mesh]) -> FloatArray | None:
    """Join the vertex colors of several meshes; white for a mesh without any. None if no mesh has any.

    Raises:
        ValueError: Some are encoded and others are linear; the parts of one file never differ.
    """
    colored = [part for part in parts if part.colors is not None]
    if len({part.has_encoded_colors for part in colored}) > 1:
        raise ValueError("meshes with encoded colors cannot be joined with others")
    if not colored:
        return None
    return np.concatenate(
        [
            np.ones((len(part.positions), 4), np.float32) if part.colors is None else part.colors
            for part in parts
        ]
    )


def y_up_to_z_up(mesh: Mesh) -> Mesh:
    """Rotate a mesh from y-up to z-up: (x, y, z) becomes (x, -z, y), as OBJ and glTF files are imported."""
    rotation = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=np.float32)
    return replace(mesh, positions=mesh.positions @ rotation, normals=mesh.normals @ rotation)


def compute_mesh_digest(mesh: Mesh) -> str:
    """Return the SHA-256 (hex) of everything that is drawn."""
    digest = hashlib.sha256()
    for values in (mesh.positions, mesh.triangles, mesh.normals, mesh.texcoords, mesh.material_index):
        digest.update(np.ascontiguousarray(values).tobytes())
    if mesh.part_index is not None:
        digest.update(b"parts" + np.ascontiguousarray(mesh.part_index).tobytes())
        digest.update(json.dumps([part.to_dict() for part in mesh.parts], sort_keys=True).encode())
    if mesh.colors is not None:
        digest.update(
            (b"encoded" if mesh.has_encoded_colors else b"colors")
            + np.ascontiguousarray(mesh.colors).tobytes()
        )
    for material in mesh.materials:
        digest.update(repr(replace(material, texture=None)).encode())
        digest.update(_format_texture(material.texture))
        if material.emission_texture is not None:
            digest.update(b"emission" + _format_texture(material.emission_texture))
        if material.alpha_cutoff is not None:
            digest.update(f"cutoff {material.alpha_cutoff!r}".encode())
    return digest.hexdigest()


def _format_texture(texture: Texture | None) -> bytes:
    """Return the bytes of a texture for a digest: its pixels, and how it is sampled if not as usual."""
    if texture is None:
        return b""
    usual = texture.wrap == ("repeat", "repeat") and texture.magnified == "linear"
    sampling = "" if usual else f"{texture.wrap} {texture.magnified}"
    return np.ascontiguousarray(texture.pixels).tobytes() + sampling.encode()

"""A mesh as pyrender draws it: one part per material, and every triangle twice, once for each side.

pyrender leaves out faces that look away from the light or, in some passes, from the camera, and does not turn
their normals. A mesh without a consistent winding would lose half of its faces. So each triangle is added a
second time with opposite winding and normals, and one of the two is always visible.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes import (
    IntArray,
    Material,
    Mesh,
    Texture,
    Wrap,
    center_vertices,
    find_cut_materials,
    find_transparent_materials,
)

MAX_TRIANGLES = 2**24 - 1
"""Largest number of triangles whose numbers fit in the 24 bits that are read back."""
SOLID_ALPHA = 0.5
"""Alpha below which rays through pixel centers pass a surface."""
REPEAT, MIRRORED_REPEAT, CLAMP_TO_EDGE = 0x2901, 0x8370, 0x812F
"""OpenGL's constants for the continuation of textures."""
WRAPS: dict[Wrap, int] = {"repeat": REPEAT, "mirror": MIRRORED_REPEAT, "clamp": CLAMP_TO_EDGE}
"""OpenGL's constants by our names."""
NEAREST = 0x2600
"""OpenGL's constant for textures whose texels are not interpolated."""


@dataclass(frozen=True, slots=True, eq=False)
class TriangleCorners:
    """The corners of the doubled triangles, in the order of their numbers, in the object's centered frame."""

    positions: NDArray[np.float64]
    """[T, 3, 3] positions: triangle, corner, axis."""
    normals: NDArray[np.float64]
    """[T, 3, 3] normals: triangle, corner, axis."""
    parts: IntArray
    """[T] parts of an assembly; 0 for a mesh of one piece."""


@dataclass(frozen=True, slots=True, eq=False)
class MeshPart:
    """The triangles of one material."""

    primitive: Any
    """pyrender's primitive."""
    first: int
    """Number of the part's first triangle; numbers begin at 1."""
    is_transparent: bool
    """True if one can see through the part."""
    is_solid: bool
    """True if rays through pixel centers stop at the part, unless texels or vertices are clear there."""
    cutoff: float | None
    """Alpha below which the surface is absent, if it is absent anywhere."""
    emission: tuple[float, float, float]
    """Emitted scene-linear light."""

    def set_emission(self, headroom: float) -> None:
        """Set the material's emission for pictures whose white stands for light of ``headroom``."""
        # pyrender's shader squares the emission, hence the root.
        self.primitive.material.emissiveFactor = np.sqrt(np.array(self.emission) / headroom)


def make_double_sided(mesh: Mesh) -> Mesh:
    """Return the mesh centered, with each triangle from both sides, sorted by material.

    Raises:
        MeshError: There are more triangles than can be numbered.
    """
    if 2 * len(mesh.triangles) > MAX_TRIANGLES:
        raise MeshError(
            f"the mesh has {len(mesh.triangles)} triangles and this backend takes {MAX_TRIANGLES // 2}; "
            "decimate it or choose another backend",
            reason="too many triangles",
        )
    positions, _ = center_vertices(mesh)
    triangles = np.concatenate([mesh.triangles, mesh.triangles[:, ::-1] + len(positions)])
    material = np.concatenate([mesh.material_index] * 2)
    # A part is a run of equal materials, and triangles are numbered in this order.
    order = np.argsort(material, kind="stable")
    return Mesh(
        positions=np.concatenate([positions] * 2),
        triangles=triangles[order].astype(np.int32),
        normals=np.concatenate([mesh.normals, -mesh.normals]),
        texcoords=np.concatenate([mesh.texcoords] * 2),
        material_index=material[order],
        materials=mesh.materials,
        colors=None if mesh.colors is None else np.concatenate([mesh.colors] * 2),
        has_normals=mesh.has_normals,
        part_index=None if mesh.part_index is None else np.concatenate([mesh.part_index] * 2)[order],
        parts=mesh.parts,
    )


def get_triangle_corners(mesh: Mesh) -> TriangleCorners:
    """Return the corners of a doubled mesh's triangles."""
    parts = np.zeros(len(mesh.triangles), dtype=np.int32) if mesh.part_index is None else mesh.part_index
    return TriangleCorners(
        mesh.positions[mesh.triangles].astype(np.float64),
        mesh.normals[mesh.triangles].astype(np.float64),
        parts,
    )


def iter_parts(pyrender: Any, mesh: Mesh) -> Iterator[MeshPart]:
    """Yield the parts of a doubled mesh."""
    starts = np.flatnonzero(np.diff(mesh.material_index, prepend=-1))
    transparent, cut = find_transparent_materials(mesh), find_cut_materials(mesh)
    for first, last in zip(starts, [*starts[1:], len(mesh.triangles)], strict=True):
        number = mesh.material_index[first]
        material, is_transparent = mesh.materials[number], bool(transparent[number])
        cutoff = material.alpha_cutoff if cut[number] else None
        used, indices = np.unique(mesh.triangles[first:last], return_inverse=True)
        primitive = pyrender.Primitive(
            positions=mesh.positions[used],
            normals=mesh.normals[used],
            texcoord_0=mesh.texcoords[used] if _has_textures(material) else None,
            color_0=None if mesh.colors is None else mesh.colors[used],
            indices=indices.reshape(-1, 3),
            material=_make_material(pyrender, material, is_transparent=is_transparent),
        )
        solid = material.alpha_cutoff is not None or material.alpha >= SOLID_ALPHA
        yield MeshPart(primitive, int(first) + 1, is_transparent, solid, cutoff, material.emission)


def _has_textures(material: Material) -> bool:
    return material.texture is not None or material.emission_texture is not None


def _make_material(pyrender: Any, material: Material, *, is_transparent: bool) -> Any:
    texture = material.texture
    color = material.base_color if texture is None else (1.0, 1.0, 1.0)
    return pyrender.MetallicRoughnessMaterial(
        baseColorFactor=np.array([*(material.lit * np.array(color)), material.alpha]),
        baseColorTexture=_make_texture(pyrender, texture),
        emissiveTexture=_make_texture(pyrender, material.emission_texture),
        metallicFactor=0.0,
        roughnessFactor=material.roughness,
        alphaMode="BLEND" if is_transparent else "OPAQUE",
    )


def _make_texture(pyrender: Any, texture: Texture | None) -> Any:
    if texture is None:
        return None
    u, v = texture.wrap
    nearest = NEAREST if texture.magnified == "nearest" else None
    sampler = pyrender.Sampler(magFilter=nearest, wrapS=WRAPS[u], wrapT=WRAPS[v])
    # Four channels, also of textures with three: OpenGL expects rows of a multiple of four bytes.
    return pyrender.Texture(source=texture.pixels, source_channels="RGBA", sampler=sampler)

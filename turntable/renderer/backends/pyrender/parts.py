"""A mesh as pyrender draws it: one part a material, every triangle there from both of its sides.

pyrender leaves out faces that look away from the light or, in some passes, from the camera, and does not turn
normals. A mesh whose winding means nothing would lose half of itself: so each triangle is there twice, the
second one wound the other way with opposite normals, and one of the two is always seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes import Material, Mesh, centred

MOST_TRIANGLES = 2**24 - 1
"""Numbers of triangles are read back as 24 bits."""
SOLID_ALPHA = 0.5
"""Rays through pixel centres go through anything less."""


@dataclass(frozen=True, slots=True, eq=False)
class Corners:
    """The doubled triangles in the order in which they are numbered, in the object's centred frame."""

    positions: NDArray[np.float64]
    """[T, 3, 3]: triangle, corner, axis."""
    normals: NDArray[np.float64]
    """[T, 3, 3]."""


@dataclass(frozen=True, slots=True, eq=False)
class MeshPart:
    """The triangles of one material."""

    primitive: Any
    """pyrender's."""
    first: int
    """Number of its first triangle, from 1."""
    clear: bool
    """Whether one may see through it."""
    solid: bool
    """Whether rays through pixel centres stop at it."""
    emission: tuple[float, float, float]
    """Scene-linear."""

    def glow(self, headroom: float) -> None:
        """Emit, where white stands for light of ``headroom``."""
        # pyrender multiplies emission by itself.
        self.primitive.material.emissiveFactor = np.sqrt(np.array(self.emission) / headroom)


def doubled(mesh: Mesh) -> Mesh:
    """The mesh, centred, its triangles there from both sides and sorted by material.

    Raises:
        MeshError: There are more triangles than can be numbered.
    """
    count = 2 * len(mesh.triangles)
    if count > MOST_TRIANGLES:
        raise MeshError(
            f"the mesh has {len(mesh.triangles)} triangles and this backend takes {MOST_TRIANGLES // 2}; "
            "decimate it or choose another backend",
            reason="too many triangles",
        )
    positions, _ = centred(mesh)
    triangles = np.concatenate([mesh.triangles, mesh.triangles[:, ::-1] + len(positions)])
    material = np.concatenate([mesh.material_index] * 2)
    order = np.argsort(material, kind="stable")
    return Mesh(
        positions=np.concatenate([positions] * 2),
        triangles=triangles[order].astype(np.int32),
        normals=np.concatenate([mesh.normals, -mesh.normals]),
        texcoords=np.concatenate([mesh.texcoords] * 2),
        material_index=material[order],
        materials=mesh.materials,
        has_normals=mesh.has_normals,
    )


def corners(mesh: Mesh) -> Corners:
    """What the numbers of a doubled mesh's triangles stand for."""
    return Corners(
        mesh.positions[mesh.triangles].astype(np.float64), mesh.normals[mesh.triangles].astype(np.float64)
    )


def parts(pyrender: Any, mesh: Mesh) -> Iterator[MeshPart]:
    """The parts of a doubled mesh."""
    starts = np.flatnonzero(np.diff(mesh.material_index, prepend=-1))
    for first, last in zip(starts, [*starts[1:], len(mesh.triangles)], strict=True):
        material = mesh.materials[mesh.material_index[first]]
        used, indices = np.unique(mesh.triangles[first:last], return_inverse=True)
        primitive = pyrender.Primitive(
            positions=mesh.positions[used],
            normals=mesh.normals[used],
            texcoord_0=None if material.texture is None else mesh.texcoords[used],
            indices=indices.reshape(-1, 3),
            material=_material(pyrender, material),
        )
        solid = material.alpha >= SOLID_ALPHA
        yield MeshPart(primitive, int(first) + 1, _clear(material), solid, material.emission)


def _clear(material: Material) -> bool:
    texture = material.texture
    return material.alpha < 1 or (texture is not None and texture.pixels.shape[2] == 4)


def _material(pyrender: Any, material: Material) -> Any:
    texture = material.texture
    color = material.base_color if texture is None else (1.0, 1.0, 1.0)
    return pyrender.MetallicRoughnessMaterial(
        baseColorFactor=np.array([*(material.lit * np.array(color)), material.alpha]),
        baseColorTexture=None if texture is None else texture.pixels,
        metallicFactor=0.0,
        roughnessFactor=material.roughness,
        alphaMode="BLEND" if _clear(material) else "OPAQUE",
    )
